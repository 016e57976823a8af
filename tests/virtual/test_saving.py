"""A virtual card that was saved and loaded answers as the original does."""

from __future__ import annotations

import copy
import json
import stat
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cardio.crypto.ciphers import Algorithm
from cardio.errors import VirtualCardInvalid
from cardio.products.catalogue import Catalogue
from cardio.security.card_keys import CARD_KEYS
from cardio.virtual.blank import BlankSecurity
from cardio.virtual.blank_fmcos import blank_fmcos_card
from cardio.virtual.blank_ldt import blank_ldt_card
from cardio.virtual.blank_ldt_access import LdtChoices
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import PERSON_B, citizen_card, psam, social_security_card
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.fmcos_security import FmcosSecurity
from cardio.virtual.key_file_purses import WalletChoices
from cardio.virtual.ldt_security import LdtSecurity
from cardio.virtual.medical import MedicalFunction
from cardio.virtual.products import example_card
from cardio.virtual.saving import FORMAT, NOTE, NOTE_WITH_KEYS, load, save
from cardio.virtual.wallet import WalletFunction
from tests.virtual.personalization import play, steps
from tests.virtual.test_wallet_grey import GreyTill
from tests.virtual.till import AccountTill, WalletTill, corrupt
from tests.virtual.wire import SELECT_DF04, SELECT_SSSE, VERIFY_RIGHT, VERIFY_WRONG, complete, send

Till = TypeVar("Till", WalletTill, AccountTill)

PRODUCTS = list(Catalogue.load())


def personalized(card: VirtualCard, example: str) -> VirtualCard:
    play(card, steps(example))
    return card


READY_MADE: dict[str, Callable[[], VirtualCard]] = {
    "citizen": lambda: citizen_card(balance_fen=500),
    "citizen sm4": lambda: citizen_card(serial="00008600000000000999", algorithm=Algorithm.SM4),
    "citizen native": lambda: citizen_card(native=True, passbook_fen=300, overdraft_fen=100, load_needs_pin=True),
    "fuel": lambda: citizen_card(grey_lock=True, passbook_fen=7),
    "social": lambda: social_security_card(PERSON_B, balance_fen=7, pin=""),
    "psam": psam,
    "city psam": lambda: psam(terminal=b"\x11" * 6, card_keys=iter(list(CARD_KEYS.values())[:3])),
    **{product.id: partial(example_card, product, PERSON_B) for product in PRODUCTS},
}
BLANKS: dict[str, Callable[[], VirtualCard]] = {
    "blank fmcos": lambda: blank_fmcos_card(wallet=WalletChoices(grey_lock=True), name=b"1PUB.SYS.DDF01"),
    "blank ldt": lambda: blank_ldt_card(algorithm=Algorithm.SM4, choices=LdtChoices(announces=True)),
    "card A": lambda: personalized(blank_fmcos_card(), "a"),
    "card B": lambda: personalized(blank_ldt_card(), "b"),
}
MAKERS = READY_MADE | BLANKS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "card.json"


def reloaded(card: VirtualCard, fresh: VirtualCard | None = None) -> VirtualCard:
    with tempfile.TemporaryDirectory() as folder:
        save(card, Path(folder, "card.json"))
        return load(Path(folder, "card.json"), card=fresh, products=PRODUCTS)


def counting() -> Callable[[int], bytes]:
    """A source of random bytes that is the same for every card."""
    given = 0

    def give(size: int) -> bytes:
        nonlocal given
        given += 1
        return given.to_bytes(size, "big")

    return give


def function_of(card: VirtualCard, kind: type[Any]) -> Any:
    return next(d.function for d in card.master_file.walk() if isinstance(d.function, kind))


def everything(card: VirtualCard) -> dict[str, Any]:
    """What is written down of a card."""
    with tempfile.TemporaryDirectory() as folder:
        save(card, Path(folder, "card.json"))
        found: dict[str, Any] = json.loads(Path(folder, "card.json").read_text(encoding="utf-8"))
        return found


ADF = ("structure", "directories", 0)


# ---- the same card again -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_every_ready_made_card_comes_back_as_it_was(make: Callable[[], VirtualCard]) -> None:
    card = make()
    again = reloaded(card)
    assert everything(again) == everything(card)
    for one in (card, again):
        one.power_on()
        one.random = counting()
    for sfi in range(1, 0x1F):
        for command in (f"00B0{0x80 | sfi:02X}0000", f"00B201{sfi << 3 | 4:02X}00", "00A40000023F01", "00A4000002DF01"):
            assert complete(card, command) == complete(again, command)


Step = Callable[[Any], object]


def closes(prepare: Callable[[Any], str]) -> Step:
    """Open a transaction and close it, where the card opened it."""

    def work(till: Any) -> str:
        try:
            command = prepare(till)
        except AssertionError:  # the PSAM was asked about a refusal, and refused
            return "refused"
        answer: str = till.send(command)
        return answer

    return work


def pay_and_tell_the_psam(till: WalletTill) -> list[str]:
    answer = closes(WalletTill.prepare)(till)
    assert isinstance(answer, str)
    return [answer, complete(till.sam, f"8072000004{answer[8:16]}") if len(answer) == 20 else ""]


def power_cycle(till: Any) -> None:
    till.card.power_off()
    till.card.power_on()
    wake(till)


def wake(till: Any) -> None:
    """As at the start of its class."""
    if isinstance(till, WalletTill):
        complete(till.sam, "00A40000021001")
        till.select()
    else:
        complete(till.sam, "00A4000002DF01")
        till.send(SELECT_SSSE)
        till.send(SELECT_DF04)


def says(*commands: str) -> Step:
    return lambda till: [till.send(command) for command in commands]


WALLET_STEPS: dict[str, Step] = {
    "pay": closes(WalletTill.prepare),
    "pay and tell the PSAM": pay_and_tell_the_psam,
    "wrong MAC1": closes(lambda till: corrupt(till.prepare())),
    "open only": lambda till: till.initialize(),
    "wrong MAC2": lambda till: complete(till.sam, "807200000400000000"),
    "load": closes(WalletTill.prepare_load),
    "load passbook": closes(WalletTill.prepare_passbook_load),
    "unload": closes(WalletTill.prepare_unload),
    "limit": closes(WalletTill.prepare_limit),
    "right PIN": says(VERIFY_RIGHT),
    "wrong PIN": says(VERIFY_WRONG),
    "change PIN": says("805E010007123456FF654321"),
    "change PIN back": says("805E010007654321FF123456"),
    "wrong key": says("0084000008", "0082000008" + "00" * 8),
    "proof": says("805A000602000108", "805A000202000108"),
    "log": says("00B201C417", "00B202C417"),
    "balances": says("805C000204", "805C000104"),
    "power": power_cycle,
}
ACCOUNT_STEPS: dict[str, Step] = {
    "settle": closes(AccountTill.prepare),
    "wrong MAC1": closes(lambda till: corrupt(till.prepare())),
    "load": closes(AccountTill.prepare_load),
    "right PIN": says(VERIFY_RIGHT),
    "wrong PIN": says(VERIFY_WRONG),
    "change PIN": says("805E010007123456FF654321"),
    "take PIN off": says("805E010004123456FF"),
    "wrong key": says("0084000008", "0082000810" + "00" * 16, "00A4000002DF04"),
    "proof": says("B02E000202000108"),
    "log": says("00B2014400", "00B2024400"),
    "balances": says("B026000104", "B026000206", "B026000306"),
    "power": power_cycle,
}


def twin_of(till: Till, kind: type[Any]) -> Till:
    """A till with card and PSAM as they come back from their files."""
    twin = copy.copy(till)
    twin.card, twin.sam = reloaded(till.card), reloaded(till.sam)
    twin.function = function_of(twin.card, kind)
    return twin


def compare(till: Any, twin: Any, steps: Sequence[Step]) -> None:
    for one in (till, twin):
        one.card.power_on()
        one.sam.power_on()
        one.card.random, one.sam.random = counting(), counting()
        wake(one)
    for step in steps:
        assert step(till) == step(twin)
    assert everything(till.card) == everything(twin.card)
    assert everything(till.sam) == everything(twin.sam)


def steps_of(known: dict[str, Step]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(sorted(known)), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(before=steps_of(WALLET_STEPS), after=steps_of(WALLET_STEPS), native=st.booleans())
def test_a_loaded_wallet_and_psam_answer_as_the_originals(before: list[str], after: list[str], native: bool) -> None:
    till = WalletTill(1000, native=native, passbook_fen=2000, overdraft_fen=500)
    for name in before:
        WALLET_STEPS[name](till)
    compare(till, twin_of(till, WalletFunction), [WALLET_STEPS[name] for name in after])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(before=steps_of(ACCOUNT_STEPS), after=steps_of(ACCOUNT_STEPS))
def test_a_loaded_account_and_psam_answer_as_the_originals(before: list[str], after: list[str]) -> None:
    till = AccountTill(1000)
    for name in before:
        ACCOUNT_STEPS[name](till)
    compare(till, twin_of(till, MedicalFunction), [ACCOUNT_STEPS[name] for name in after])


def test_grey_locks_of_card_and_psam_come_back() -> None:
    till = GreyTill()
    sequence = till.lock()
    twin, fresh = copy.copy(till), GreyTill()
    twin.card, twin.sam = reloaded(till.card), reloaded(till.sam, fresh.sam)
    twin.function = function_of(twin.card, WalletFunction)
    answers = []
    for one in (till, twin):
        one.card.power_on()
        one.select()
        answers.append((one.initialize(), one.send(one.debit_for_unlock(sequence)), one.purse.balance))
    assert answers[0] == answers[1]
    assert answers[0][0] == "9408"
    assert answers[0][2] == 7500


def test_blocks_come_back() -> None:
    till = WalletTill(native=True)
    security = till.card.security
    assert isinstance(security, FmcosSecurity)
    security.blocked.add(till.application.label)
    assert everything(reloaded(till.card))["security"]["blocked"] == [till.application.label]
    till.card.block()
    assert send(reloaded(till.card), "0084000004") == "6A81"


def test_blocked_applications_and_spent_keys_of_a_social_security_card_come_back() -> None:
    card = social_security_card()
    security = card.security
    assert isinstance(security, LdtSecurity)
    security.blocked.add("DF04")
    security.keys["DF01"][0].tries_left = 1
    again = reloaded(card).security
    assert isinstance(again, LdtSecurity)
    assert again.blocked == {"DF04"}
    assert [key.tries_left for key in again.keys["DF01"][:2]] == [1, 3]


def test_a_card_without_its_pin_comes_back_without() -> None:
    for card in (social_security_card(), citizen_card(native=True)):
        card.pin = None
        assert reloaded(card).pin is None


def test_a_lost_proof_stays_lost() -> None:
    till = WalletTill()
    till.pay()
    till.card.faults = FaultPlan(Fault.PROOF_GONE)
    till.send("805A000602000108")
    twin = twin_of(till, WalletFunction)
    wake(twin)
    assert twin.send("805A000602000108") == "9406"


def test_files_come_back_record_by_record() -> None:
    card = example_card(next(product for product in PRODUCTS if product.id == "combined"))
    for directory in card.master_file.walk():
        for file in directory.files:
            file.records[:] = [bytes(byte ^ 0x55 for byte in record) for record in file.records[1:] or file.records]
    assert everything(reloaded(card)) == everything(card)


def test_a_loaded_card_can_be_loaded_again() -> None:
    till = WalletTill()
    till.pay()
    assert everything(reloaded(reloaded(till.card))) == everything(till.card)


@pytest.mark.parametrize(
    ("make", "place", "value", "reason"),
    [
        (
            "card A",
            ("structure", "files", 0, "block"),
            "3F00",
            "files.0: the card does not create such a file: 6700",
        ),
        (
            "card A",
            ("structure", "directories", 0, "files", 2, "block"),
            "A80015F0F0FFFF",
            "EF16.*must be one entry of 21",
        ),
        ("card A", ("security", "keys", "3F01", 0, "value"), "00", "keys.3F01.0.value: has a length"),
        ("card A", ("security", "keys", "3F01", 0, "algorithm"), "sm4", "algorithm: must be 3des"),
        ("card A", ("security", "keys"), {"3F00": []}, "keys.3F01: is missing"),
        (
            "card A",
            ("security", "keys"),
            {"3F00": [], "3F01": [], "3F02": []},
            "keys.3F02: the card has no such key file",
        ),
        (
            "card A",
            ("structure", "files", 0, "block"),
            "3F001001AAFFFF",
            "keys.3F00: are more than the key file can hold",
        ),
        ("card A", ("structure",), None, "structure: must be a table"),
        ("citizen", ("structure",), {}, "structure: must be null"),
        ("card B", (*ADF, "directories", 0, "files", 1, "block"), "2D00152100FF08", "6A80"),
    ],
)
def test_a_personalized_card_that_cannot_be_is_told(
    file: Path, make: str, place: tuple[Any, ...], value: object, reason: str
) -> None:
    plain = edited(everything(MAKERS[make]()), place, value)
    file.write_text(json.dumps(plain), encoding="utf-8")
    with pytest.raises(VirtualCardInvalid, match=reason):
        load(file)


# ---- the file ----------------------------------------------------------------------------------------------------


def test_only_the_owner_may_read_the_file(file: Path) -> None:
    save(citizen_card(), file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_a_file_is_replaced(file: Path) -> None:
    file.write_text("old")
    save(citizen_card(), file)
    assert load(file).atr == citizen_card().atr


def test_a_balance_can_be_edited(file: Path) -> None:
    save(citizen_card(balance_fen=500), file)
    text = file.read_text(encoding="utf-8")
    assert text.count('"balance": 500') == 1
    file.write_text(text.replace('"balance": 500', '"balance": 123456'), encoding="utf-8")
    till = WalletTill()
    till.card = load(file)
    till.select()
    assert till.send("805C000204") == "0001E2409000"


def test_what_the_card_held_at_first_is_not_told_twice() -> None:
    card = social_security_card(PERSON_B, balance_fen=77, pin="1111")
    assert set(everything(card)["made_by"]["arguments"]) == {"person"}


@pytest.mark.parametrize("make", BLANKS.values(), ids=BLANKS)
def test_keys_of_a_blank_card_are_in_the_file_and_its_note_says_so(make: Callable[[], VirtualCard]) -> None:
    card = make()
    plain = everything(card)
    assert isinstance(card.security, BlankSecurity)
    written = [key.value.hex().upper() for file in card.security.key_files.values() for key in file.keys]
    assert written
    text = json.dumps(plain)
    assert all(value in text for value in written)
    assert plain["note"] == NOTE_WITH_KEYS


@pytest.mark.parametrize("make", READY_MADE.values(), ids=READY_MADE)
def test_no_key_is_in_the_file(make: Callable[[], VirtualCard]) -> None:
    card = make()
    text = json.dumps(everything(card)).upper()
    assert everything(card)["note"] == NOTE
    for directory in card.master_file.walk():
        keys = getattr(directory.function, "keys", None)
        for key in getattr(keys, "purchase", {}).values():
            assert key.hex().upper() not in text
        for entry in keys if isinstance(keys, list) else []:
            assert entry.key.hex().upper() not in text
    for key in (key for found in getattr(card.security, "keys", {}).values() for key in found):
        assert all(value.hex().upper() not in text for value in key.keys)


def test_a_card_made_by_hand_is_loaded_into_its_like(file: Path) -> None:
    till = WalletTill()
    till.pay()
    till.card.recipe = None
    save(till.card, file)
    with pytest.raises(VirtualCardInvalid, match="made_by: no function"):
        load(file)
    assert everything(load(file, card=citizen_card()))["directories"] == everything(till.card)["directories"]


def edited(plain: dict[str, Any], place: Sequence[Any], value: Any) -> dict[str, Any]:
    """The file with one entry changed; ... takes it out."""
    inner: Any = plain
    for key in place[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return plain


PURSE = ("directories", "ADF1", "function", "purse")


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (("format",), "cardio virtual card 9", f"format: must be '{FORMAT}'"),
        (("format",), ..., "format: is missing"),
        (("extra",), 1, "extra: is not known here"),
        (("atr",), "3B8", "atr: must be hex digits"),
        (("atr",), "", "atr: must have 2 to 33 bytes"),
        (("protocol",), "T=2", "protocol: must be one of T=0, T=1"),
        (("blocked",), "no", "blocked: must be true or false"),
        (("made_by", "function"), "print", "made_by.function: must be one of"),
        (("made_by", "arguments", "balance_fen"), 1, "made_by.arguments.balance_fen: is not known here"),
        (("made_by", "arguments", "native"), 1, "made_by.arguments.native: must be true or false"),
        (("made_by", "arguments", "serial"), "xy", "made_by.arguments: make no card"),
        (("made_by", "arguments", "algorithm"), "aes", "made_by.arguments.algorithm: must be one of 3des, sm4"),
        (("security", "pin", "tries_left"), 16, "security.pin.tries_left: must be 0 to 15"),
        (("security", "tries_left", "DF01/RK"), 1, "security.tries_left.DF01/RK: the card has no such key"),
        (("directories",), [], "directories: must be a table"),
        (("directories", "ADF1"), ..., "directories.ADF1: is missing"),
        (("directories", "DF09"), {"files": {}}, "directories.DF09: the card has no such thing"),
        (("directories", "3F00", "function"), {}, "directories.3F00.function: must be null"),
        (("directories", "ADF1", "files", "EF15"), ["00"], "directories.ADF1.files.EF15: must be one entry of 30"),
        (("directories", "ADF1", "files", "EF15"), "00", "directories.ADF1.files.EF15: must be a list"),
        (("directories", "ADF1", "files", "EF18"), ["00"] * 99, "directories.ADF1.files.EF18: must have at most 10"),
        (("directories", "ADF1", "files", "EF18"), [""], "directories.ADF1.files.EF18.0: must have 1 to 255"),
        ((*PURSE, "balance"), -1, "directories.ADF1.function.purse.balance: must be 0 to 4294967295"),
        ((*PURSE, "balance"), 1.5, "directories.ADF1.function.purse.balance: must be a whole number"),
        ((*PURSE, "balance"), True, "directories.ADF1.function.purse.balance: must be a whole number"),
        ((*PURSE, "offline_counter"), 65536, "directories.ADF1.function.purse.offline_counter: must be 0 to 65535"),
        ((*PURSE, "number"), "PASSBOOK", "directories.ADF1.function.purse.number: must be PURSE"),
        (("directories", "ADF1", "function", "no_proof"), "94", "function.no_proof: must have 2 bytes"),
    ],
)
def test_a_wrong_file_is_told_with_file_key_and_reason(file: Path, place: Sequence[Any], value: Any, told: str) -> None:
    file.write_text(json.dumps(edited(everything(citizen_card()), place, value)), encoding="utf-8")
    with pytest.raises(VirtualCardInvalid) as error:
        load(file)
    assert error.value.code == "virtual.invalid"
    assert str(file) in error.value.detail
    assert told in error.value.detail


@pytest.mark.parametrize(
    ("make", "place", "value", "told"),
    [
        (social_security_card, ("directories", "DF04", "function", "start_day"), 230, "start_day: must be a month"),
        (psam, ("directories", "1001", "function", "grey_locks"), [], "grey_locks: must be null"),
        (
            lambda: citizen_card(native=True),
            ("security", "pins", "ADF1/PIN 07"),
            {"value": "1234", "max_tries": 3, "tries_left": 3},
            "security.pins.ADF1/PIN 07: the card has no such PIN",
        ),
        (
            lambda: social_security_card(PERSON_B),
            ("made_by", "arguments", "person", "serial"),
            "0101",
            "made_by.arguments: make no card",
        ),
        (lambda: example_card(PRODUCTS[0]), ("made_by", "arguments", "product"), "none", "product: no such product"),
        (lambda: example_card(PRODUCTS[0]), ("made_by", "arguments", "product"), ..., "product: is missing"),
    ],
)
def test_what_other_cards_hold_is_checked_too(
    file: Path, make: Callable[[], VirtualCard], place: Sequence[Any], value: Any, told: str
) -> None:
    file.write_text(json.dumps(edited(everything(make()), place, value)), encoding="utf-8")
    with pytest.raises(VirtualCardInvalid, match=told):
        load(file)


def places(plain: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every entry of a file."""
    inner = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    return [found for key, one in inner for found in ((*place, key), *places(one, (*place, key)))]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4) | st.just("00"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
FUZZED = [
    everything(card)
    for card in (
        citizen_card(native=True, passbook_fen=1),
        social_security_card(),
        social_security_card(PERSON_B),
        psam(),
        personalized(blank_fmcos_card(), "a"),
        personalized(blank_ldt_card(), "b"),
    )
]


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_whatever_stands_in_a_file_is_a_card_or_an_error(data: st.DataObject) -> None:
    plain = copy.deepcopy(data.draw(st.sampled_from(FUZZED)))
    edited(plain, data.draw(st.sampled_from(places(plain))), data.draw(JSON))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "card.json").write_text(json.dumps(plain), encoding="utf-8")
        try:
            card = load(Path(folder, "card.json"), products=PRODUCTS)
        except VirtualCardInvalid:
            return
    card.power_on()
    for command in ("00A40000023F01", "805C000204", "00A4000002DF04", "B026000104", "0020000000"):
        complete(card, command)


@pytest.mark.parametrize("text", ["", "{", "[]", "1" * 5000, '"x"', '{"format": 1}'])
def test_a_file_that_is_no_card_is_told(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(VirtualCardInvalid, match=file.name):
        load(file)


def test_a_file_that_is_not_there_is_told(file: Path) -> None:
    with pytest.raises(VirtualCardInvalid, match="No such file"):
        load(file)
    with pytest.raises(VirtualCardInvalid, match="No such file"):
        save(citizen_card(), file.parent / "nowhere" / "card.json")


def test_no_pin_is_in_an_error(file: Path) -> None:
    plain = edited(everything(citizen_card()), ("security", "pin", "value"), "1234567")
    file.write_text(json.dumps(plain), encoding="utf-8")
    with pytest.raises(VirtualCardInvalid) as error:
        load(file)
    assert "1234567" not in str(error.value)
