"""Layouts: rights as states of a card, sizes, and files in TOML (PERS §1.1, §5.3)."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardio.errors import LayoutInvalid
from cardio.files.declaration import PIN, Access
from cardio.files.file_header import allowed
from cardio.files.key_file import KeyKind
from cardio.personalize.derived.card import layout_of
from cardio.personalize.layout import DirectoryLayout, Layout, load_layout
from cardio.personalize.personalizer import Personalizer
from cardio.personalize.states import MASTER_STATE, States, allot
from tests.personalize.workshop import CATALOGUE, LAYOUTS, PRODUCTS, Workshop

NAMES = ("citizen-wallet", "social-security")


def subsets(rights: set[str]) -> Iterator[frozenset[str]]:
    """All sets of rights."""
    return map(frozenset, chain.from_iterable(combinations(sorted(rights), size) for size in range(len(rights) + 1)))


def reached(of: Mapping[str, int], companions: Mapping[str, int], rights: frozenset[str]) -> set[int]:
    """States of a card after rights were earned; state 0 is everybody's."""
    states = {0, *(of[right] for right in rights if right in of)}
    if PIN in rights:
        states |= {state for key, state in companions.items() if key in rights}
    return states


def open_to(byte: int, states: set[int]) -> bool:
    """Whether an access byte is open; the master file is not authenticated."""
    return allowed(byte, states=states, master_states={0}, master_prefix=0)


# ---- states ------------------------------------------------------------------------------------------------------

KEYS = ("PUK", "BK", "UK1", "UK2", "RK1", "RK2", "RK3", "DSK")
ACCESSES = st.lists(
    st.builds(
        lambda sets: Access(tuple(sets)),
        st.lists(
            st.sampled_from([frozenset({name}) for name in (PIN, *KEYS)])
            | st.sampled_from([frozenset({PIN, name}) for name in KEYS])
            | st.just(frozenset()),
            max_size=3,
            unique=True,
        ),
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None)
@given(accesses=ACCESSES, pin=st.sampled_from([1, 2]))
def test_no_file_is_open_to_anybody_whom_its_declaration_does_not_name(accesses: list[Access], pin: int) -> None:
    try:
        states = allot(accesses, KEYS, pin)
    except ValueError:
        # More rights than states: the layout is not made at all.
        return
    bytes_ = [states.byte(access, f"EF{number:02X}") for number, access in enumerate(accesses)]
    for rights in subsets({PIN, *KEYS}):
        now = reached(states.of, states.companions, rights)
        for number, access in enumerate(accesses):
            opened = open_to(bytes_[number], now)
            assert not opened or access.allows(rights), (access, rights)
            told = any(sentence.startswith(f"EF{number:02X}: ") for sentence in states.left_out)
            assert opened or not access.allows(rights) or told, (access, rights)


def test_every_right_has_a_state_of_its_own() -> None:
    access = Access((frozenset({PIN}), frozenset({"RK1"}), frozenset({PIN, "RK2"})))
    states = allot([access], KEYS, 1)
    given_ = [*(state for name, state in states.of.items() if name != "BK"), *states.companions.values()]
    assert len(set(given_)) == len(given_)
    assert MASTER_STATE not in given_
    assert all(1 <= state <= 0xF for state in given_)


def test_more_rights_than_states_are_refused() -> None:
    with pytest.raises(ValueError, match="14 states"):
        allot([], [f"RK{number}" for number in range(16)], 1)


def test_what_cannot_be_expressed_is_closed_and_told() -> None:
    states = States({PIN: 1, "RK1": 2, "UK1": 8})
    assert states.byte(Access((frozenset({PIN}), frozenset({"RK1"}))), "EF05") == 0x21
    assert states.left_out == []
    assert states.byte(Access((frozenset({PIN}), frozenset({"UK1"}))), "EF06") == 0x11
    assert states.byte(Access((frozenset({"ADMINISTRATOR"}),)), "EF07") == 0xEF
    assert [sentence.split(":")[0] for sentence in states.left_out] == ["EF06", "EF07"]


@pytest.mark.parametrize("product", [product.id for product in CATALOGUE])
def test_derived_rights_are_those_of_the_product(product: str) -> None:
    """Over every set of keys and PIN, in every directory of a social security card."""
    layout, left_out = layout_of(CATALOGUE[product])
    social = CATALOGUE[product].social_security
    if social is None:
        return
    seen = 0
    for directory in layout.master_file.walk():
        application = social.tree.application(directory.label)
        if application is None or not directory.keys:
            continue
        of = {
            key.name: key.state & 0x0F for key in directory.keys if key.kind is KeyKind.EXTERNAL and not key.companion
        }
        companions = {key.name: key.state & 0x0F for key in directory.keys if key.companion}
        pin = layout.pin_of(directory)
        assert pin is not None
        of[PIN] = pin.state & 0x0F
        files = {file.label: file for file in directory.files}
        sets = [(rights, reached(of, companions, rights)) for rights in subsets(set(of))]
        for file in application.files:
            told = any(sentence.startswith(f"{directory.label}/{file.label}: ") for sentence in left_out)
            for access, byte in ((file.read, files[file.label].read), (file.update, files[file.label].update)):
                for rights, now in sets:
                    opened, allowed_ = open_to(byte, now), access.allows(rights)
                    assert not opened or allowed_, (directory.label, file.label, rights)
                    assert opened or not allowed_ or told, (directory.label, file.label, rights)
                    seen += 1
    assert seen > 100


# ---- structure ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("product", [product.id for product in CATALOGUE])
def test_no_two_files_of_a_directory_have_one_short_identifier_or_identifier(product: str) -> None:
    for directory in layout_of(CATALOGUE[product])[0].master_file.walk():
        identifiers = [file.identifier for file in directory.files]
        identifiers += [one.identifier for one in directory.directories]
        assert len(set(identifiers)) == len(identifiers), directory.label
        data = [file.sfi for file in directory.files if file.kind & 0x3F not in {0x2F, 0x2D}]
        assert len(set(data)) == len(data), directory.label


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_directory_has_the_room_that_its_files_take(product: str, tmp_path: Path) -> None:
    """What is left after everything was created is not more than what rounding up leaves."""
    made = Workshop(product)
    card = made.blank()
    with made.register(tmp_path) as register:
        made.make(card, register)
    assert card.structure is not None
    for directory in card.master_file.walk():
        if directory.parent is not None:
            assert 0 <= card.structure.room(directory) < 0x40 * (1 + len(list(directory.walk())))


@pytest.mark.parametrize("product", [product.id for product in CATALOGUE])
def test_a_derived_layout_survives_json(product: str) -> None:
    layout, _ = layout_of(CATALOGUE[product])
    assert Layout.model_validate_json(layout.model_dump_json()) == layout


@pytest.mark.parametrize("name", NAMES)
def test_the_worked_layouts_are_for_products_that_are_there(name: str) -> None:
    layout = load_layout(LAYOUTS / f"{name}.toml")
    assert CATALOGUE[layout.product].id == layout.product
    assert next(layout.master_file.walk()).label == "MF"


def test_directories_and_keys_are_found_by_name() -> None:
    layout = load_layout(LAYOUTS / "social-security.toml")
    assert layout.directory("DF04").key("DSK").kind is KeyKind.EXTERNAL
    assert layout.pin_of(layout.directory("DF04")) == layout.directory("SSSE").key(PIN)
    assert layout.pin_of(layout.master_file) is None
    with pytest.raises(KeyError):
        layout.directory("DF09")
    with pytest.raises(KeyError, match="DF04/XK"):
        layout.directory("DF04").key("XK")


# ---- TOML --------------------------------------------------------------------------------------------------------

Change = Callable[[dict[str, Any]], object]
WRONG: dict[str, tuple[Change, str]] = {
    "unknown key": (lambda layout: layout.update(colour="red"), "colour: "),
    "missing key": (lambda layout: layout.pop("product"), "product: "),
    "no byte": (lambda layout: layout["master_file"].update(file_id="123"), "master_file.file_id: "),
    "no hex": (lambda layout: layout["master_file"].update(file_id="XY"), "master_file.file_id: "),
    "no identifier": (lambda layout: layout["master_file"].update(identifier=0x10000), "master_file.identifier: "),
    "no kind of key": (
        lambda layout: layout["master_file"]["master"].update(kind="outer"),
        "master_file.master.kind: Value error, outer is none of ",
    ),
    "too many tries": (lambda layout: layout["master_file"]["master"].update(tries=16), "master_file.master.tries: "),
    "no day": (lambda layout: layout.update(starting_day="1 Jan"), "starting_day: "),
    "keys without a key file": (
        lambda layout: layout["master_file"].update(key_file=0),
        "master_file: Value error, MF has keys, but no key file",
    ),
    "a temporary master alone": (
        lambda layout: layout["master_file"].pop("master"),
        "master_file: Value error, MF has a temporary master, but none that takes its place",
    ),
    "a master that no other comes before": (
        lambda layout: layout["master_file"].pop("temporary"),
        "Value error, MF has a master of its own, but no temporary one that it takes the place of",
    ),
    "two keys in one place": (
        lambda layout: layout["master_file"]["directories"][0]["keys"].append(
            layout["master_file"]["directories"][0]["keys"][0]
        ),
        "master_file.directories.0: Value error, ADF1 has two keys of one type and identifier",
    ),
    "a file under a key that is not there": (
        lambda layout: layout["master_file"]["directories"][0]["files"][0].update(key="UK9"),
        "Value error, ADF1/EF15 is written under a key UK9 that ADF1 does not have",
    ),
    "a file that nothing opens afterwards": (
        lambda layout: layout["master_file"]["directories"][0]["files"][0].update(written="afterwards"),
        "Value error, ADF1/EF15 is written afterwards, but names no key",
    ),
    "a file with a MAC and no key for it": (
        lambda layout: layout["master_file"]["directories"][0].update(keys=[]),
        "is written with a MAC, but ADF1 has no line protection key",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_layout_is_told_with_file_key_and_reason(tmp_path: Path, wrong: str) -> None:
    change, told = WRONG[wrong]
    layout = tomllib.loads((LAYOUTS / "citizen-wallet.toml").read_text(encoding="utf-8"))
    change(layout)
    file = tmp_path / "mine.toml"
    file.write_text(toml(layout), encoding="utf-8")
    with pytest.raises(LayoutInvalid) as raised:
        load_layout(file)
    assert raised.value.detail.startswith("mine.toml: ")
    assert told in raised.value.detail


def test_a_layout_that_is_no_toml_or_not_there_is_told(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    with pytest.raises(LayoutInvalid, match="No such file"):
        load_layout(file)
    for content in (b"id = ", b"\xff\xfe"):
        file.write_bytes(content)
        with pytest.raises(LayoutInvalid, match=r"mine\.toml: "):
            load_layout(file)


def test_a_layout_without_an_installed_driver_is_told() -> None:
    made = Workshop("citizen-wallet")
    layout = made.maker.layout.model_copy(update={"cos": "unheard-of"})
    with pytest.raises(LayoutInvalid, match=r"unheard-of.*fmcos, ldt"):
        Personalizer(made.product, made.maker.keys, layout)


def test_a_layout_is_for_its_product_only() -> None:
    made = Workshop("citizen-wallet")
    with pytest.raises(LayoutInvalid, match="transit-jtt978"):
        Personalizer(made.product, made.maker.keys, Workshop("transit-jtt978").maker.layout)


def toml(value: dict[str, Any]) -> str:
    """A document as TOML, inner tables inline."""
    return "".join(f"{name} = {_inline(one)}\n" for name, one in value.items())


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_inline(one)}" for name, one in value.items()) + " }"
    if isinstance(value, list):
        return "[ " + ", ".join(map(_inline, value)) + " ]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def test_directories_are_walked_outside_in() -> None:
    inner = DirectoryLayout(label="B", identifier=2, file_id=0)
    outer = DirectoryLayout(label="A", identifier=1, file_id=0, directories=(inner,))
    assert [one.label for one in outer.walk()] == ["A", "B"]
