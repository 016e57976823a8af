"""What a bill asks of the card, by its mode (SSC §7.3, §7.4), and opening the account."""

from dataclasses import replace

import pytest

from cardio.applications.medical import CardMode, MedicalAmounts, MedicalApplication
from cardio.applications.social_security import SocialSecurityApplication
from cardio.crypto.ciphers import Algorithm
from cardio.errors import CardDataInvalid, FileNotFound, PinRequired, PinWrong
from cardio.files.social_security.medical import EF05_MEDICAL, MedicalData, MedicalScheme
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import social_security_card
from cardio.virtual.pin_pad import VirtualPinPad
from tests.applications.presenting import MEDICAL_RULES, present

BILL = MedicalAmounts(total_fen=10000, fund_fen=5000, account_fen=3000, self_pay_fen=2000)


def opened(card: VirtualCard, pin: str | None = "123456", pad: VirtualPinPad | None = None) -> MedicalApplication:
    connection = present(card, pad)
    return MedicalApplication.open(connection, SocialSecurityApplication.select(connection), MEDICAL_RULES, pin)


def test_online_card_signs_the_total_and_what_others_pay() -> None:
    """Account 0; the total in the self-paid field; account and fund as one sum in the pool field."""
    assert BILL.on_card(CardMode.ONLINE) == (0, 10000, 8000)


def test_offline_card_is_the_purse_and_gets_all_three_amounts() -> None:
    assert BILL.on_card(CardMode.OFFLINE) == (3000, 2000, 5000)


@pytest.mark.parametrize(
    ("bill", "online", "offline"),
    [
        (MedicalAmounts(100, 0, 0, 100), (0, 100, 0), (0, 100, 0)),
        (MedicalAmounts(100, 100, 0, 0), (0, 100, 100), (0, 0, 100)),
        (MedicalAmounts(100, 0, 100, 0), (0, 100, 100), (100, 0, 0)),
        (MedicalAmounts(0, 0, 0, 0), (0, 0, 0), (0, 0, 0)),
    ],
)
def test_bills_of_one_payer(bill: MedicalAmounts, online: tuple[int, int, int], offline: tuple[int, int, int]) -> None:
    assert bill.on_card(CardMode.ONLINE) == online
    assert bill.on_card(CardMode.OFFLINE) == offline


@pytest.mark.parametrize("mode", list(CardMode))
def test_mode_is_item_8f(mode: CardMode) -> None:
    assert opened(social_security_card(mode=mode)).mode is mode


@pytest.mark.parametrize("raw", ["8F0133", "8F0120", "8F0100", ""])
def test_card_without_a_mode_is_malformed(raw: str) -> None:
    card = social_security_card()
    (file,) = (
        file for directory in card.master_file.walk() for file in directory.files if file.declaration is EF05_MEDICAL
    )
    file.records = file.records[:2] + ([bytes.fromhex(raw)] if raw else [])
    application = opened(card)
    assert application.data.region == "999900"
    with pytest.raises(CardDataInvalid):
        _ = application.mode


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_cipher_is_the_one_the_card_announces(algorithm: Algorithm) -> None:
    assert opened(social_security_card(algorithm=algorithm)).purse.rules.algorithm is algorithm


def test_account_opens_with_the_pin_of_the_pad() -> None:
    pad = VirtualPinPad("123456")
    assert opened(social_security_card(balance_fen=77), None, pad).purse.balance() == 77
    assert pad.entries == 1


def test_account_of_a_card_without_a_pin_opens() -> None:
    scheme = MedicalScheme.decode(b"31000000")
    expected = replace(MedicalData.empty(), scheme=scheme, region="999900", mode="1")
    assert opened(social_security_card(pin=""), None).data == expected


def test_account_stays_closed_without_the_right_pin() -> None:
    with pytest.raises(PinWrong):
        opened(social_security_card(), "000000")
    with pytest.raises(PinRequired):
        opened(social_security_card(), None)


def test_card_without_the_application_says_so() -> None:
    card = social_security_card()
    card.master_file.directories[0].directories.clear()
    with pytest.raises(FileNotFound):
        opened(card)
