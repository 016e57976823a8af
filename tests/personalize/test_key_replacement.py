"""New keys for a card in use: all of a directory, the master last, and nothing lost by an interruption."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cardio.apdu.connection import CardConnection
from cardio.applications.wallet import select_wallet
from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite
from cardio.errors import CardRemoved, InputInvalid, TransportKeyWrong
from cardio.personalize.attempts import CardState, JobHead
from cardio.personalize.example_job import example_job
from cardio.personalize.key_replacement import KeyReplacement
from cardio.personalize.personalizer import Personalizer
from cardio.personalize.register import Register
from cardio.products.catalogue import Catalogue
from cardio.security.issuing import CardKeyReference, IssuingKeys, KeyringIssuingKeys
from cardio.security.keyring import Keyring, RootKey
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.blank_products import blank_card_for
from cardio.virtual.card import VirtualCard
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.issuing_keys import issuer_test_keyring

PRODUCT = Catalogue.load()["citizen-wallet"]
OLD = KeyringIssuingKeys(issuer_test_keyring())
NEW_NAMES = ("CCK", "CLK", "AMK", "DAMK", "DPUK", "DRPK", "DTK", "DPK", "DLK")
NEW = KeyringIssuingKeys(
    Keyring(
        "new",
        {f"WALLET-{name}": RootKey(bytes(range(number, number + 16)), 1) for number, name in enumerate(NEW_NAMES, 32)},
        test=True,
    )
)
JOB = "new-keys"


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    opened = Register(tmp_path / "register.db")
    opened.open_job(JobHead("issue", PRODUCT.id, 1, bytes(32), OLD.name))
    opened.open_job(JobHead(JOB, PRODUCT.id, 1, b"\x01" * 32, NEW.name))
    yield opened
    opened.close()


@pytest.fixture
def card(register: Register) -> VirtualCard:
    """A finished card."""
    maker = Personalizer(PRODUCT, OLD)
    _, rows = example_job(PRODUCT, maker.layout, 1)
    blank = blank_card_for(PRODUCT)
    channel = EmbeddedReader("desk", blank).connect()
    maker.personalize(channel, maker.prepare(rows[0], "123456"), register, "issue")
    channel.close()
    return blank


def replace(card: VirtualCard, register: Register, before: IssuingKeys = OLD, after: IssuingKeys = NEW) -> CardState:
    channel = EmbeddedReader("desk", card).connect()
    try:
        return KeyReplacement(PRODUCT, "ADF1", before, after).replace(channel, register, JOB).state
    finally:
        channel.close()


def values(card: VirtualCard) -> dict[str, bytes]:
    """Keys of the wallet as the chip holds them, by type and identifier."""
    keys = card.security.key_files  # type: ignore[attr-defined]
    label = next(label for label in keys if label.endswith("3F01"))
    return {f"{key.kind.name} {key.id:02X}": key.value for key in keys[label].keys}


def expected(card: VirtualCard, source: IssuingKeys) -> dict[str, str]:
    channel = EmbeddedReader("desk", card).connect()
    raw = select_wallet(CardConnection(channel), PRODUCT.wallet.aid)  # type: ignore[union-attr]
    channel.close()
    names = {
        "EXTERNAL 00": "AMK", "LINE 00": "DAMK", "PIN_UNBLOCK 00": "DPUK", "PIN_RELOAD 00": "DRPK", "TAC 00": "DTK",
        "PURCHASE 01": "DPK", "LOAD 01": "DLK",
    }  # fmt: skip
    suite = PbocSuite(Algorithm.TRIPLE_DES)
    return {
        place: source.kcv(CardKeyReference(f"WALLET-{name}", suite, (raw[12:20],))).hex()
        for place, name in names.items()
    }


def check_values(card: VirtualCard) -> dict[str, str]:
    suite = PbocSuite(Algorithm.TRIPLE_DES)
    return {
        place: suite.cipher.encrypt(value, bytes(8))[:3].hex()
        for place, value in values(card).items()
        if not place.startswith("PIN 0")
    }


def test_all_keys_of_a_directory_are_replaced_and_the_pin_stays(card: VirtualCard, register: Register) -> None:
    pin = values(card)["PIN 00"]
    assert check_values(card) == expected(card, OLD)
    assert replace(card, register) is CardState.FINISHED
    assert check_values(card) == expected(card, NEW)
    assert values(card)["PIN 00"] == pin


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
@pytest.mark.parametrize("number", range(1, 8))
def test_an_interrupted_replacement_is_gone_on_with(
    card: VirtualCard, register: Register, number: int, fault: Fault
) -> None:
    plan = card.faults = FaultPlan(fault, number, only="84D4")
    with pytest.raises(CardRemoved):
        replace(card, register)
    assert plan.fired
    assert register.newest(register.attempts(JOB)[0].identity).state is CardState.KEY_UNCONFIRMED  # type: ignore[union-attr]
    assert replace(card, register) is CardState.FINISHED
    assert check_values(card) == expected(card, NEW)
    assert all(attempt.state.final for attempt in register.attempts())
    register.verify()


def test_a_card_of_another_issuer_costs_one_try_and_is_told(card: VirtualCard, register: Register) -> None:
    with pytest.raises(TransportKeyWrong):
        replace(card, register, before=NEW, after=OLD)
    assert check_values(card) == expected(card, OLD)
    assert register.attempts(JOB)[0].state is CardState.REJECTED


@pytest.mark.parametrize("wrong", [("DF04", None), ("ADF1", frozenset({"WALLET-NONE"})), ("EF15", None)])
def test_what_the_product_does_not_have_cannot_be_replaced(wrong: tuple[str, frozenset[str] | None]) -> None:
    directory, names = wrong
    with pytest.raises(InputInvalid):
        KeyReplacement(PRODUCT, directory, OLD, NEW, names=names)
