"""The answers across card versions: what is known, absent, unknown, refused, unreadable (SSC §4.11)."""

from __future__ import annotations

from typing import Any

import pytest

from cardio.apdu.connection import CardConnection
from cardio.products.catalogue import Catalogue
from cardio.products.groups import FLAT, QUESTIONS, Group
from cardio.products.reading import CardReading
from cardio.security.card_keys import CARD_KEYS
from cardio.security.keyring import Keyring, RootKey
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual import cards
from cardio.virtual.building import find_directory, find_file
from cardio.virtual.card import VirtualCard
from cardio.virtual.products import example_card

SECTIONED = [group for group in QUESTIONS if group not in FLAT]


def card_of(product: str) -> VirtualCard:
    return example_card(Catalogue.load()[product])


def records_of(card: VirtualCard, directory: str, file: str) -> list[bytes]:
    """Records of a file, to be changed in place."""
    return find_file(find_directory(card, directory), file).records


def ask(card: VirtualCard, group: Group, *, pin: str | None = "123456", keyed: bool = True) -> Any:
    roots = {name: RootKey(cards.test_root(cards.SOCIAL_SECURITY_ROOT, name), 3) for name in CARD_KEYS}
    keys = Keyring("test", roots, test=True) if keyed else None
    connection = CardConnection(EmbeddedReader("counter", card).connect())
    reading = CardReading(connection, Catalogue.load(), pin=pin, keys=keys, masked=False).read([group])[group]
    assert reading.content is not None, reading.error
    return reading.content


@pytest.mark.parametrize("group", SECTIONED)
def test_every_question_is_answered_by_a_full_card_or_unknown_to_its_version(group: Group) -> None:
    content = ask(card_of("ssc-2.0"), group)
    assert list(content) == [question.name for question in QUESTIONS[group]]
    not_on_2_0 = {"payment_state", "account"}
    unwritten = {"measures"}  # the example's only measure is a training
    for name, answer in content.items():
        expected = "unknown" if name in not_on_2_0 else "absent" if name in unwritten else "known"
        assert answer["status"] == expected, name


# ---- insurance ---------------------------------------------------------------------------------------------------


def test_pension_of_a_2_0_card_comes_from_its_file_and_its_voucher() -> None:
    pension = ask(card_of("ssc-2.0"), Group.INSURANCE)["pension"]["data"]
    assert pension["scheme"]["code"] == "110"
    assert (pension["months"], pension["contributions_fen"]) == (186, 1234567)
    assert (pension["participation_from"], pension["participation_until"]) == ("2010-01-01", "2025-12-31")
    assert pension["as_of"] == "2026-01-10"


def test_vouchers_are_found_by_their_scheme_and_not_by_their_place() -> None:
    card = card_of("ssc-2.0")
    records_of(card, "DF03", "EF19").reverse()
    insurance = ask(card, Group.INSURANCE)
    assert insurance["pension"]["data"]["months"] == 186
    assert insurance["medical"]["data"]["months"] == 172
    assert insurance["unemployment"]["data"]["contributions_fen"] == 12300


def test_pension_of_a_1_0_card_has_months_and_both_parts_of_the_account() -> None:
    card = card_of("ssc-1.0")
    records = records_of(card, "DF03", "EF07")
    records[:] = [
        bytes.fromhex(raw)
        for raw in ("6C0420250131", "6D0400298190", "7003313836", "710401234567", "720402345678", "730420260105")
    ]
    pension = ask(card, Group.INSURANCE)["pension"]["data"]
    assert pension["months"] == 186
    assert pension["account_total_fen"] == 1234567 + 2345678
    assert pension["monthly_benefit_fen"] == 298190
    assert (pension["retired"], pension["as_of"]) == ("2025-01-31", "2026-01-05")


def test_re_used_items_of_a_1_0_card_have_the_meaning_of_2_0() -> None:
    """SSC §4.10: EE behind a shorter value; 6F and 70 follow 71."""
    card = card_of("ssc-1.0")
    records = records_of(card, "DF03", "EF07")
    records[:] = [bytes.fromhex(raw) for raw in ("6F0420250201", "7003313130", "7104999900EE", "730420260105")]
    pension = ask(card, Group.INSURANCE)["pension"]["data"]
    assert (pension["scheme"]["code"], pension["region"]["code"]) == ("110", "999900")
    assert pension["benefit_from"] == "2025-02-01"
    assert "months" not in pension
    assert "account_total_fen" not in pension


def test_no_region_and_no_voucher_is_absent_and_no_file_is_unknown() -> None:
    card = card_of("ssc-2.0")
    records_of(card, "DF03", "EF16")[:] = [bytes.fromhex("5103FFFFFF"), bytes.fromhex("5F0100")]
    directory = find_directory(card, "DF03")
    directory.files.remove(find_file(directory, "EF15"))
    insurance = ask(card, Group.INSURANCE)
    assert insurance["maternity"] == {"status": "absent"}
    assert insurance["work_injury"] == {"status": "unknown"}


def test_what_nobody_opened_is_refused_with_the_reason() -> None:
    content = ask(card_of("ssc-2.0"), Group.WELFARE, pin=None, keyed=False)
    assert content["health"]["status"] == "known"  # DF05 is free
    assert content["honours"]["status"] == "refused"
    assert content["honours"]["error"]["code"] == "sam.absent"


def test_senseless_bytes_are_unreadable() -> None:
    card = card_of("ssc-2.0")
    records_of(card, "DF03", "EF15")[:] = [bytes.fromhex("7A03ABCDEF"), bytes.fromhex("7C0420261399")]
    assert ask(card, Group.WORK_INJURY)["benefits"]["status"] == "unreadable"


# ---- holder and employment ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("product", ["ssc-1.0", "ssc-2.0", "ssc-3.0"])
def test_sex_and_birth_date_come_from_the_number_where_their_items_are_unwritten(product: str) -> None:
    card = card_of(product)
    records = records_of(card, "SSSE", "EF06")
    blank = {0x0A: "0A0100", 0x0D: "0D0400000000"}
    records[:] = [bytes.fromhex(blank[one[0]]) if one[0] in blank else one for one in records]
    holder = ask(card, Group.HOLDER)
    assert holder["name"] == "测试甲"
    assert (holder["sex"]["code"], holder["born"]) == ("1", "1990-01-01")


def test_training_is_told_from_other_measures() -> None:
    card = card_of("ssc-2.0")
    records = records_of(card, "DF02", "EF16")
    other = b"060" + records[0][3:]
    skill_test = b"050" + records[0][3:]
    records[:] = [other, skill_test, records[0]]
    employment = ask(card, Group.EMPLOYMENT)
    assert [one["kind"]["code"] for one in employment["training"]["data"]] == ["050", "040"]
    assert [one["kind"]["code"] for one in employment["measures"]["data"]] == ["060"]


def test_employer_name_of_a_1_0_card_is_joined() -> None:
    employer = ask(card_of("ssc-1.0"), Group.EMPLOYMENT)["employer"]["data"]
    assert employer["name"]
    assert "name_bytes" not in employer


def test_the_grade_of_an_appraisal_is_told_and_a_1_0_card_has_its_text() -> None:
    appraisal = ask(card_of("ssc-2.0"), Group.WORK_INJURY)["appraisal"]["data"]
    assert appraisal["disability_grade"]["code"]
    old = ask(card_of("ssc-1.0"), Group.WORK_INJURY)["appraisal"]["data"]
    assert old["conclusion"]
    assert "disability_grade" not in old


def test_unemployment_benefits_of_both_versions() -> None:
    new = ask(card_of("ssc-2.0"), Group.EMPLOYMENT)["unemployment_benefits"]["data"]
    assert (new["granted_months"], new["received_months"]) == (18, 8)
    old = ask(card_of("ssc-1.0"), Group.EMPLOYMENT)["unemployment_benefits"]["data"]
    assert old["monthly_benefit_fen"] > 0
