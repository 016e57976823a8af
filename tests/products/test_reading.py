"""Reading a card group by group: content, masks, and errors that stay with their group."""

from dataclasses import replace

import pytest

from cardio.applications.medical_records import LOG_RECORDS
from cardio.errors import AccessDenied, CardNotGenuine, CardUnsupported, OperationUnsupported, PinRequired
from cardio.files.declaration import NEVER
from cardio.products.catalogue import Catalogue
from cardio.products.groups import Group
from cardio.products.reading import CardReading
from cardio.security.psam import Psam
from cardio.virtual.cards import citizen_card, psam, social_security_card
from cardio.virtual.fmcos_security import FmcosSecurity
from cardio.virtual.products import example_card
from tests.products.conftest import Present, card_of_version, combined_card
from tests.products.readings import Read, content_of, error_of, log_of
from tests.security.slots import EmbeddedSlot
from tests.virtual.till import AccountTill, WalletTill

PIN = "123456"
MEDICAL = {Group.MEDICAL, Group.MEDICAL_LOG}


# ---- content -----------------------------------------------------------------------------------------------------


def test_holder_in_clear(read: Read) -> None:
    holder = content_of(read(social_security_card(), {Group.HOLDER}, masked=False)[Group.HOLDER])
    assert holder == {
        "name": "测试甲",
        "social_security_number": "999999199001010016",
        "sex": {"code": "1", "zh": "男", "en": "male"},
        "ethnicity": {"code": "01", "zh": "汉族", "en": "Han"},
        "birthplace": {"code": "999999", "zh": "999999", "en": "999999"},
        "born": "1990-01-01",
    }


def test_holder_is_masked_unless_asked_for_in_clear(read: Read) -> None:
    holder = content_of(read(social_security_card(), {Group.HOLDER})[Group.HOLDER])
    assert holder["name"] == "测**"
    assert holder["social_security_number"] == "999***********0016"
    assert holder["birthplace"] == "***"
    assert holder["born"] == "1990"
    assert not {"name_bytes", "name_extension_bytes"} & holder.keys()
    assert holder["sex"]["code"] == "1"


@pytest.mark.parametrize(("masked", "number"), [(True, "****0126"), (False, "A00000126")])
def test_social_security_card_says_whose_product_it_is(read: Read, masked: bool, number: str) -> None:
    card = content_of(read(social_security_card(), {Group.CARD}, masked=masked)[Group.CARD])
    assert card["product"] == "ssc-2.0"
    assert card["title"]["en"] == "social security card 2.0"
    assert card["card_number"] == number
    assert card["card_id"] == "999900D15600000500000123FFFFFFFF"
    assert (card["issued"], card["expires"], card["version"]) == ("2026-06-15", "2036-06-14", "2.00")
    assert "wallet" not in card


@pytest.mark.parametrize(("masked", "number"), [(True, "****0123"), (False, "00008600000000000123")])
def test_citizen_card_says_whose_product_it_is(read: Read, masked: bool, number: str) -> None:
    card = content_of(read(citizen_card(), {Group.CARD}, masked=masked)[Group.CARD])
    assert card["product"] == "citizen-wallet"
    assert card["serial"] == number
    assert (card["starts"], card["ends"]) == ("2026-06-01", "2035-12-31")


def test_card_with_both_shows_the_wallet_inside_the_card(read: Read) -> None:
    readings = read(combined_card(), {Group.CARD, Group.HOLDER, Group.WALLET})
    card = content_of(readings[Group.CARD])
    assert card["card_number"] == "****0126"
    assert card["wallet"]["serial"] == "****0123"
    assert content_of(readings[Group.WALLET])["balance_fen"] == 10000
    assert content_of(readings[Group.HOLDER])["name"] == "测**"


def test_wallet_and_its_log(read: Read) -> None:
    till = WalletTill()
    for amount in range(1, LOG_RECORDS + 3):
        till.pay(amount)
    readings = read(till.card, {Group.WALLET, Group.WALLET_LOG}, pin=PIN)
    assert content_of(readings[Group.WALLET]) == {
        "balance_fen": 10000 - sum(range(1, LOG_RECORDS + 3)),
        "starts": "2026-06-01",
        "ends": "2035-12-31",
        "max_amount_fen": 100000,
    }
    log = log_of(readings[Group.WALLET_LOG])
    assert [entry["amount_fen"] for entry in log] == list(range(LOG_RECORDS + 2, 2, -1))
    assert log[0] == {
        "number": 12,
        "overdraft_fen": 0,
        "amount_fen": 12,
        "kind": {"code": "06", "zh": "电子钱包消费", "en": "purse purchase"},
        "terminal": "999999000001",
        "date": "2026-07-01",
        "time": "120000",
    }


def test_wallet_log_that_is_open_needs_no_pin(read: Read) -> None:
    card = WalletTill().card
    card.pin = None
    assert log_of(read(card, {Group.WALLET_LOG})[Group.WALLET_LOG]) == []


def test_medical_account_and_its_log(read: Read) -> None:
    till = AccountTill(balance_fen=10000)
    till.pay()
    readings = read(till.card, MEDICAL, pin=PIN)
    assert content_of(readings[Group.MEDICAL]) == {
        "scheme": {
            "scheme": {"code": "310", "zh": "职工基本医疗保险", "en": "employees' medical insurance"},
            "treatment_elsewhere": False,
            "outpatient_pooling": False,
            "major_disease": "***",
            "medical_assistance": False,
            "veteran_subsidy": False,
        },
        "region": {"code": "999900", "zh": "999900", "en": "999900"},
        "mode": {"code": "1", "zh": "联机", "en": "on-line"},
        "balance_fen": 9700,
        "yearly_self_paid_fen": 20,
        "yearly_pool_fen": 1000,
        "payment_year": 2026,
    }
    (entry,) = log_of(readings[Group.MEDICAL_LOG])
    assert (entry["account_fen"], entry["self_pay_fen"], entry["pool_fen"]) == (300, 20, 1000)
    assert entry["kind"]["en"] == "settlement"


def test_empty_log_is_empty_and_no_error(read: Read) -> None:
    assert log_of(read(social_security_card(), {Group.MEDICAL_LOG}, pin=PIN)[Group.MEDICAL_LOG]) == []


def test_wallet_is_not_looked_for_when_only_the_holder_is_wanted(present: Present, catalogue: Catalogue) -> None:
    connection = present(combined_card())
    CardReading(connection, catalogue).read({Group.HOLDER})
    assert connection.counts == {"SELECT": 1, "READ RECORD": 2}


def test_groups_come_in_their_own_order_and_no_others(read: Read) -> None:
    asked = [Group.MEDICAL_LOG, Group.WALLET, Group.CARD, Group.HOLDER]
    assert list(read(combined_card(), asked, pin=PIN)) == [Group.CARD, Group.HOLDER, Group.WALLET, Group.MEDICAL_LOG]
    assert read(citizen_card(), set()) == {}


# ---- errors stay with their group --------------------------------------------------------------------------------


def test_groups_that_a_card_does_not_have_say_so(read: Read) -> None:
    readings = read(citizen_card(), set(Group), pin=PIN)
    refused = {group for group, reading in readings.items() if reading.error is not None}
    assert refused == set(Group) - {Group.CARD, Group.WALLET, Group.WALLET_LOG, Group.FILES}
    assert all(isinstance(error_of(readings[group]), OperationUnsupported) for group in refused)
    readings = read(social_security_card(), {Group.HOLDER, Group.WALLET, Group.WALLET_LOG})
    assert isinstance(error_of(readings[Group.WALLET]), OperationUnsupported)
    assert content_of(readings[Group.HOLDER])


def test_groups_behind_a_pin_are_refused_without_one_while_others_come(read: Read) -> None:
    readings = read(combined_card(), set(Group))
    for group in (Group.MEDICAL, Group.MEDICAL_LOG, Group.WALLET_LOG):
        assert isinstance(error_of(readings[group]), PinRequired), group
    for group in (Group.CARD, Group.HOLDER, Group.WALLET):
        assert content_of(readings[group]), group


def test_holder_that_is_closed_leaves_the_card_group_alone(read: Read) -> None:
    """A 3.0 card opens EF06 to RKSSSE only (SSC §1)."""
    card = social_security_card()
    holder = card.master_file.directories[0].files[1]
    holder.declaration = replace(holder.declaration, read=NEVER)
    readings = read(card, {Group.CARD, Group.HOLDER})
    assert isinstance(error_of(readings[Group.HOLDER]), AccessDenied)
    assert content_of(readings[Group.CARD])["card_number"] == "****0126"


def test_medical_needs_a_product_that_uses_it(present: Present, catalogue: Catalogue) -> None:
    bare = catalogue["ssc-2.0"].model_copy(update={"medical": None})
    connection = present(social_security_card())
    readings = CardReading(connection, Catalogue([bare]), pin=PIN).read({Group.MEDICAL, Group.HOLDER})
    assert isinstance(error_of(readings[Group.MEDICAL]), OperationUnsupported)
    assert connection.counts["VERIFY"] == 0


def test_unknown_cards_are_unsupported(read: Read) -> None:
    with pytest.raises(CardUnsupported):
        read(psam(), {Group.CARD})
    with pytest.raises(CardUnsupported):
        read(card_of_version("4.00"), {Group.CARD})


# ---- authenticity ------------------------------------------------------------------------------------------------


def test_a_cj_t_166_card_shows_its_code_and_the_psam_judges_it(present: Present, catalogue: Catalogue) -> None:
    slot = EmbeddedSlot()
    connection = present(example_card(catalogue["transit-cjt166"]))
    single = Catalogue([catalogue["transit-cjt166"]])
    card = content_of(CardReading(connection, single, keys=Psam(slot)).read({Group.CARD})[Group.CARD])
    assert card["authenticity"] == {"status": "genuine"}
    assert (connection.counts["GET AUTHENTICITY CODE"], slot.counts["CHECK AUTHENTICITY CODE"]) == (1, 1)


def test_a_cj_t_166_card_whose_code_the_psam_refuses_is_not_genuine(present: Present, catalogue: Catalogue) -> None:
    virtual = example_card(catalogue["transit-cjt166"])
    assert isinstance(virtual.security, FmcosSecurity)
    virtual.security.choices = replace(virtual.security.choices, authenticity=b"FORGED")
    with pytest.raises(CardNotGenuine):
        CardReading(present(virtual), Catalogue([catalogue["transit-cjt166"]]), keys=Psam(EmbeddedSlot())).read(
            {Group.CARD}
        )


def test_certificates_of_a_3_0_card_are_read_and_private_keys_refused(present: Present, catalogue: Catalogue) -> None:
    single = Catalogue([catalogue["ssc-3.0"]])
    connection = present(example_card(catalogue["ssc-3.0"]))
    files = content_of(CardReading(connection, single, masked=False).read({Group.FILES})[Group.FILES])
    standings = {place.split("/")[1]: one["status"] for place, one in files.items() if place.startswith("SS.CERT")}
    assert standings == {"EF12": "known", "EF13": "refused", "EF14": "known", "EF15": "refused"} | {
        "EF18": "known",
        "EF19": "known",
    }
