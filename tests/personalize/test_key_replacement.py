"""New keys for a card in use: all of a directory, the master last, and nothing lost by an interruption."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from cardio.apdu.connection import CardConnection
from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite
from cardio.errors import (
    CardioError,
    CardRejected,
    CardRemoved,
    CardUnsupported,
    InputInvalid,
    KeyRejected,
    MasterUnanswered,
    SamKeyMissing,
    TransportKeyWrong,
)
from cardio.personalize.attempts import CardState, JobHead
from cardio.personalize.derived.card import layout_of
from cardio.personalize.example_job import example_job
from cardio.personalize.key_replacement import KeyReplacement
from cardio.personalize.personalizer import Personalizer
from cardio.personalize.pins import pin_of
from cardio.personalize.register import Register
from cardio.personalize.virtual_cards import VirtualIssuer
from cardio.products.catalogue import Catalogue
from cardio.products.detection import find_wallet
from cardio.security.issuing import CardKeyReference, IssuingKeys, KeyringIssuingKeys
from cardio.security.keyring import Keyring, RootKey
from cardio.virtual.blank_products import blank_card_for
from cardio.virtual.card import VirtualCard
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.issuing_keys import issuer_test_keyring, issuing_test_keys
from tests.cli.test_read import PRODUCTS
from tests.personalize.workshop import powered

CATALOGUE = Catalogue.load()
PRODUCT = CATALOGUE["citizen-wallet"]
OLD = KeyringIssuingKeys(issuer_test_keyring())
NEW_NAMES = ("CCK", "CLK", "AMK", "DAMK", "DPUK", "DRPK", "DTK", "DPK", "DLK")
NEW_ROOTS = {name: bytes(range(number, number + 16)) for number, name in enumerate(NEW_NAMES, 32)}


def new_keys(roots: Mapping[str, bytes | None]) -> KeyringIssuingKeys:
    held = {f"WALLET-{name}": RootKey(key, 1) for name, key in roots.items() if key is not None}
    return KeyringIssuingKeys(Keyring("new", held, test=True))


NEW = new_keys(NEW_ROOTS)
JOB = "new-keys"
WRITE_KEY, KEYS = "84D4", 7
"""Beginning of the command, and how many keys the directory has, the master last."""


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
    with powered(blank) as channel:
        maker.personalize(channel, maker.prepare(rows[0], "123456"), register, "issue")
    return blank


def replace(
    card: VirtualCard,
    register: Register,
    before: IssuingKeys = OLD,
    after: IssuingKeys = NEW,
    *,
    job: str = JOB,
    try_again: bool = False,
    names: frozenset[str] | None = None,
) -> CardState:
    replacement = KeyReplacement(PRODUCT, "ADF1", before, after, names=names)
    with powered(card) as channel:
        return replacement.replace(channel, register, job, try_again=try_again).state


def values(card: VirtualCard) -> dict[str, bytes]:
    """Keys of the wallet as the chip holds them, by type and identifier."""
    keys = card.security.key_files  # type: ignore[attr-defined]
    label = next(label for label in keys if label.endswith("3F01"))
    return {f"{key.kind.name} {key.id:02X}": key.value for key in keys[label].keys}


def tries_left(card: VirtualCard) -> int:
    """Tries of the wallet's master."""
    keys = card.security.key_files  # type: ignore[attr-defined]
    label = next(label for label in keys if label.endswith("3F01"))
    found: int = next(key.tries_left for key in keys[label].keys if key.kind.name == "EXTERNAL")
    return found


def expected(card: VirtualCard, source: IssuingKeys) -> dict[str, str]:
    with powered(card) as channel:
        found = find_wallet(CardConnection(channel), CATALOGUE)
    assert found is not None
    names = {
        "EXTERNAL 00": "AMK", "LINE 00": "DAMK", "PIN_UNBLOCK 00": "DPUK", "PIN_RELOAD 00": "DRPK", "TAC 00": "DTK",
        "PURCHASE 01": "DPK", "LOAD 01": "DLK",
    }  # fmt: skip
    suite = PbocSuite(Algorithm.TRIPLE_DES)
    return {
        place: source.kcv(CardKeyReference(f"WALLET-{name}", suite, (found.raw[12:20],))).hex()
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


@pytest.mark.parametrize("name", PRODUCTS)
def test_every_directory_of_a_product_gets_new_keys_and_its_old_ones_back(tmp_path: Path, name: str) -> None:
    product, register = CATALOGUE[name], Register(tmp_path / "register.db")
    layout, issuer = layout_of(product)[0], VirtualIssuer(CATALOGUE)
    maker = issuer.maker(name)
    row = example_job(product, layout, 1)[1][0]
    card = issuer.card(name, row, pin_of(maker, row) if maker.needs_pin else None)
    levels = {True: product.wallet.factors.levels if product.wallet else 1, False: 3}
    roots = {
        key: RootKey(hashlib.sha256(key.encode()).digest()[:16], levels[key.startswith("WALLET-")])
        for key in layout.key_names()
    }
    old, new = issuing_test_keys(product), KeyringIssuingKeys(Keyring("new", roots, test=True))
    directories = [directory.label for directory in layout.master_file.walk() if directory.master is not None]
    assert directories
    for before, after in ((old, new), (new, old)):
        for directory in directories:
            replacement = KeyReplacement(product, directory, before, after)
            job = replacement.job()
            register.open_job(job)
            with powered(card) as channel:
                assert replacement.replace(channel, register, job.id).state is CardState.FINISHED
    with powered(card) as channel:
        assert [found.file for found in maker.read_back(channel, maker.prepare(row, "123456")) if found.differs] == []
    register.verify()
    register.close()


def test_cards_that_share_an_atr_are_told_apart_by_their_keys_factor(card: VirtualCard, register: Register) -> None:
    maker = Personalizer(PRODUCT, OLD)
    row = example_job(PRODUCT, maker.layout, 2)[1][1]
    other = VirtualIssuer(CATALOGUE).card(PRODUCT.id, row, "123456")
    other.atr = card.atr
    assert [replace(one, register) for one in (card, other)] == [CardState.FINISHED] * 2
    assert check_values(other) == expected(other, NEW) != expected(card, NEW)


def test_a_card_that_has_its_new_keys_is_told_and_loses_no_try(card: VirtualCard, register: Register) -> None:
    replace(card, register)
    with pytest.raises(InputInvalid, match="has these keys already"):
        replace(card, register)
    assert tries_left(card) == 3


def test_a_card_that_is_being_made_gets_no_other_keys(card: VirtualCard, register: Register) -> None:
    register.open_job(JobHead("second", PRODUCT.id, 1, b"\x02" * 32, OLD.name))
    register.begin("second", "1", register.attempts("issue")[0].identity, "desk")
    with pytest.raises(InputInvalid, match="open in job second, row 1"):
        replace(card, register)
    assert tries_left(card) == 3


def test_a_card_of_another_product_loses_no_try(register: Register) -> None:
    maker = VirtualIssuer(CATALOGUE).maker("ssc-2.0")
    row = example_job(maker.product, maker.layout, 1)[1][0]
    other = VirtualIssuer(CATALOGUE).card("ssc-2.0", row, "123456")
    for product, directory in (("citizen-wallet", "ADF1"), ("ssc-3.0", "DF04")):
        replacement = KeyReplacement(CATALOGUE[product], directory, OLD, NEW)
        other.faults = plan = FaultPlan(Fault.CUT_BEFORE, 1, only="0082")
        with powered(other) as channel, pytest.raises(CardUnsupported):
            replacement.replace(channel, register, JOB)
        assert (plan.fired, register.attempts(JOB)) == (False, [])


def test_a_job_is_named_after_what_its_cards_get(register: Register) -> None:
    replacement = KeyReplacement(PRODUCT, "ADF1", OLD, NEW)
    job = replacement.job(("Li", "Wang"))
    assert job == KeyReplacement(PRODUCT, "ADF1", OLD, NEW).job(("Li", "Wang"))
    assert job.id.startswith("keys-citizen-wallet-ADF1-")
    assert job.keys == f"{OLD.name} → {NEW.name}"
    others = [
        KeyReplacement(PRODUCT, "ADF1", OLD, new_keys({**NEW_ROOTS, "DPK": bytes(range(16))})),
        KeyReplacement(PRODUCT, "ADF1", OLD, NEW, names=frozenset({"WALLET-DPK"})),
        KeyReplacement(PRODUCT, "MF", OLD, NEW),
    ]
    assert len({job.id, *(other.job().id for other in others)}) == 4
    register.open_job(job)
    with pytest.raises(InputInvalid, match="begun with other keys"):
        register.open_job(KeyReplacement(PRODUCT, "ADF1", new_keys({**NEW_ROOTS, "AMK": bytes(16)}), NEW).job())


def test_keys_that_the_cards_have_are_no_new_ones() -> None:
    with pytest.raises(InputInvalid, match="none is new"):
        KeyReplacement(PRODUCT, "ADF1", OLD, OLD).job()


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
@pytest.mark.parametrize("number", range(1, KEYS + 1))
def test_an_interrupted_replacement_is_gone_on_with(
    card: VirtualCard, register: Register, number: int, fault: Fault
) -> None:
    plan = card.faults = FaultPlan(fault, number, only=WRITE_KEY)
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
    for _ in range(2):
        with pytest.raises(CardRejected):
            replace(card, register, before=NEW, after=OLD)
    assert tries_left(card) == 2
    assert replace(card, register, try_again=True) is CardState.FINISHED
    assert tries_left(card) == 3
    register.verify()


def test_a_rejected_card_is_tried_again_with_what_is_known_of_its_master(card: VirtualCard, register: Register) -> None:
    card.faults = FaultPlan(Fault.CUT_AFTER, KEYS, only=WRITE_KEY)
    with pytest.raises(CardRemoved):
        replace(card, register)
    card.faults = FaultPlan(Fault.REFUSED, 1, only="0082", status=0x6F00)
    with pytest.raises(CardioError):
        replace(card, register)
    register.open_job(JobHead("other", PRODUCT.id, 1, bytes([2]) * 32, NEW.name))
    with pytest.raises(CardRejected, match="master of job new-keys"):
        replace(card, register, job="other", try_again=True)
    assert replace(card, register, try_again=True) is CardState.FINISHED
    assert check_values(card) == expected(card, NEW)
    register.verify()


def test_a_master_that_is_not_answered_is_presented_twice_and_then_only_when_told(
    card: VirtualCard, register: Register
) -> None:
    for _ in range(2):
        card.faults = FaultPlan(Fault.CUT_AFTER, 1, only="0082")
        with pytest.raises(CardRemoved):
            replace(card, register, before=NEW, after=OLD)
    for _ in range(3):
        with pytest.raises(MasterUnanswered):
            replace(card, register, before=NEW, after=OLD)
    assert tries_left(card) == 1
    assert replace(card, register, try_again=True) is CardState.FINISHED
    register.verify()


@pytest.mark.parametrize("written", [Fault.CUT_BEFORE, Fault.CUT_AFTER], ids=["not-written", "written"])
def test_the_question_for_the_master_never_ends_a_card(card: VirtualCard, register: Register, written: Fault) -> None:
    card.faults = FaultPlan(written, KEYS, only=WRITE_KEY)
    with pytest.raises(CardRemoved):
        replace(card, register)
    for _ in range(2):
        card.faults = FaultPlan(Fault.CUT_AFTER, 1, only="0082")
        with pytest.raises(CardRemoved):
            replace(card, register)
        assert tries_left(card) >= 1
    assert replace(card, register) is CardState.FINISHED
    assert check_values(card) == expected(card, NEW)
    register.verify()


def test_a_card_that_confirms_its_new_master_and_does_not_have_it_is_not_finished(
    card: VirtualCard, register: Register
) -> None:
    card.faults = FaultPlan(Fault.REFUSED, KEYS, only=WRITE_KEY, status=0x9000)
    with pytest.raises(TransportKeyWrong):
        replace(card, register)
    assert register.attempts(JOB)[0].state is CardState.REJECTED
    assert replace(card, register, try_again=True) is CardState.FINISHED
    assert check_values(card) == expected(card, NEW)
    register.verify()


@pytest.mark.parametrize("missing", ["AMK", "DLK"])
def test_new_keys_that_are_not_all_there_leave_the_card_untouched(
    card: VirtualCard, register: Register, missing: str
) -> None:
    with pytest.raises(SamKeyMissing, match=f"WALLET-{missing}"):
        replace(card, register, after=new_keys({**NEW_ROOTS, missing: None}))
    assert check_values(card) == expected(card, OLD)
    assert register.attempts(JOB) == []


def test_new_keys_that_are_one_key_leave_the_card_untouched(card: VirtualCard, register: Register) -> None:
    """DES ignores the lowest bit of each byte."""
    twin = bytes(byte ^ 1 for byte in NEW_ROOTS["DPK"])
    with pytest.raises(KeyRejected, match="WALLET-DPK"):
        replace(card, register, after=new_keys({**NEW_ROOTS, "AMK": twin}))
    assert check_values(card) == expected(card, OLD)
    assert (register.attempts(JOB), tries_left(card)) == ([], 3)


def test_a_new_key_that_the_card_keeps_under_another_name_leaves_it_untouched(
    card: VirtualCard, register: Register
) -> None:
    kept = issuer_test_keyring().root("WALLET-DTK").key
    with pytest.raises(KeyRejected, match="WALLET-DPK is the key that the card has as WALLET-DTK"):
        replace(card, register, after=new_keys({**NEW_ROOTS, "DPK": kept}), names=frozenset({"WALLET-DPK"}))
    assert check_values(card) == expected(card, OLD)
    assert replace(card, register, names=frozenset({"WALLET-DPK"})) is CardState.FINISHED
    changed = {place for place, value in check_values(card).items() if value != expected(card, OLD)[place]}
    assert changed == {"PURCHASE 01", "EXTERNAL 00"}


@pytest.mark.parametrize("wrong", [("DF04", None), ("ADF1", frozenset({"WALLET-NONE"})), ("EF15", None)])
def test_what_the_product_does_not_have_cannot_be_replaced(wrong: tuple[str, frozenset[str] | None]) -> None:
    directory, names = wrong
    with pytest.raises(InputInvalid):
        KeyReplacement(PRODUCT, directory, OLD, NEW, names=names)
