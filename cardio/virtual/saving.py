"""Keeps virtual cards in files: with their money, counters and records, but without keys.

    save(card, Path("card.json"))
    card = load(Path("card.json"))       # perhaps in another process, on another day

The file is JSON, because Python writes it without further libraries and everything else reads it. It is meant to be
looked at and edited: change a balance, set a PIN's tries, take a record out. Bytes are hex, amounts are fen.

What is in it is what a chip keeps without power: ATR, records of all files, purses with counters and proof, PINs and
try counters, blocks, a PSAM's sequence. PINs are in it as they are. **Keys are not**: the file says by which function,
with which arguments the card was made (`made_by`), and that makes the same test keys again. What the card holds now
stands outside `made_by`. A blank card is made once more and then personalized again out of the file: its directories
and files stand under `structure`, and the **keys that were written into it** under `security`, since no function knows
them: only test keys belong into such a card. A card that no function of this package made is loaded into one that the
caller makes: `load(path, card=…)`. Faults, timing and hook are not saved.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from cardio.errors import VirtualCardInvalid
from cardio.files.declaration import Structure
from cardio.products.catalogue import Catalogue
from cardio.products.model import Product
from cardio.transport.channel import CardProtocol
from cardio.virtual.blank_fmcos import blank_fmcos_card
from cardio.virtual.blank_ldt import blank_ldt_card
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card, psam, social_security_card
from cardio.virtual.filesystem import Directory, ElementaryFile
from cardio.virtual.products import example_card
from cardio.virtual.stored import Misfit, Persistent, from_plain, to_plain

FORMAT = "cardio virtual card 1"
NOTE = (
    "虚拟卡，仅含测试密钥的制作方法；金额单位为分。A virtual card; its keys are test keys, made anew. Amounts in fen."
)
MAKERS: Mapping[str, Callable[..., VirtualCard]] = {
    make.__name__: make
    for make in (
        citizen_card,
        social_security_card,
        psam,
        example_card,
        blank_fmcos_card,
        blank_ldt_card,
    )
}
NOTE_WITH_KEYS = (
    "虚拟卡，由空白卡个人化而成，文件中含写入的密钥，仅可用测试密钥；金额单位为分。"
    "A virtual card that was personalized; the keys that were written into it are in this file, and must be test keys. "
    "Amounts in fen."
)
HELD = frozenset({"balance_fen", "passbook_fen", "overdraft_fen", "pin"})
"""Arguments that only say what the card held at first: the file says what it holds now."""

Place = tuple[str, ...]


@dataclass
class MadeBy:
    """How the card was made."""

    function: str
    arguments: dict[str, object]


@dataclass
class SavedDirectory:
    """One directory: its records by file, and what its function and its own security remember."""

    files: dict[str, list[bytes]]
    function: object = None
    security: object = None


@dataclass(kw_only=True)
class SavedCard:
    """The whole file; only a card that was created file by file has a structure."""

    format: str
    note: str
    made_by: MadeBy | None
    atr: bytes
    protocol: CardProtocol
    blocked: bool
    structure: object = None
    security: object
    directories: dict[str, SavedDirectory]


# ---- out ---------------------------------------------------------------------------------------------------------


def save(card: VirtualCard, path: Path) -> None:
    """Write a card to a file with mode 0600; one that is there is replaced as a whole.

    Raises:
        VirtualCardInvalid: The file cannot be written.
    """
    text = json.dumps(to_plain(_saved(card)), ensure_ascii=False, indent=2) + "\n"
    try:
        _replace(path, text)
    except OSError as error:
        raise VirtualCardInvalid(f"{path}: {error.strerror}") from error


def _replace(path: Path, text: str) -> None:
    # mkstemp makes files with mode 0600; a process that dies here leaves the old card.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _saved(card: VirtualCard) -> SavedCard:
    made_by = None
    if card.recipe is not None:
        kept = {name: _argument(value) for name, value in card.recipe.arguments.items() if name not in HELD}
        made_by = MadeBy(card.recipe.function, kept)
    return SavedCard(
        format=FORMAT,
        note=NOTE if card.structure is None else NOTE_WITH_KEYS,
        made_by=made_by,
        atr=card.atr,
        protocol=card.protocol,
        blocked=card.blocked,
        structure=_memory(card.structure),
        security=_memory(card.security),
        directories={directory.label: _saved_directory(card, directory) for directory in card.master_file.walk()},
    )


def _argument(value: object) -> object:
    """A product is named: its file is the user's or this program's."""
    return value.id if isinstance(value, Product) else value


def _saved_directory(card: VirtualCard, directory: Directory) -> SavedDirectory:
    own = None if directory.security is card.security else directory.security
    files = {name: list(file.records) for name, file in _named(directory).items()}
    return SavedDirectory(files, _memory(directory.function), _memory(own))


def _named(directory: Directory) -> dict[str, ElementaryFile]:
    """Its files by label, or by identifier where two have one label, as 0015 and EF15 have."""
    count = Counter(file.declaration.label for file in directory.files)
    return {
        file.declaration.label if count[file.declaration.label] == 1 else f"{file.declaration.identifier:04X}": file
        for file in directory.files
    }


def _memory(thing: object) -> object:
    return thing.memory() if isinstance(thing, Persistent) else None


# ---- in ----------------------------------------------------------------------------------------------------------


def load(path: Path, *, card: VirtualCard | None = None, products: Iterable[Product] | None = None) -> VirtualCard:
    """Read a card from a file.

    Args:
        path: The file.
        card: A fresh card of the same make, for a card that no function of this package made.
        products: Where a card of a product finds it; default are the installed ones.

    Returns:
        The card, without power.

    Raises:
        VirtualCardInvalid: The file cannot be read, or something in it is wrong: the error names file, key and reason.
    """
    try:
        saved = _read(path)
        if card is None:
            card = _make(saved.made_by, products)
        _restore(card, saved)
    except Misfit as error:
        raise VirtualCardInvalid(f"{path}: {error}") from error
    return card


def _read(path: Path) -> SavedCard:
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise VirtualCardInvalid(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise VirtualCardInvalid(f"{path}: is no JSON: {error}") from error
    saved: SavedCard = from_plain(plain, SavedCard)
    if saved.format != FORMAT:
        raise Misfit(("format",), f"must be {FORMAT!r}")
    return saved


def _make(made_by: MadeBy | None, products: Iterable[Product] | None) -> VirtualCard:
    if made_by is None:
        raise Misfit(("made_by",), "no function of this package made the card; load it into one that you make")
    make = MAKERS.get(made_by.function)
    if make is None:
        raise Misfit(("made_by", "function"), f"must be one of {', '.join(MAKERS)}")
    place = "made_by", "arguments"
    parameters, hints = inspect.signature(make).parameters, get_type_hints(make, include_extras=True)
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in made_by.arguments:
            raise Misfit((*place, name), "is missing")
    arguments = {}
    for name, plain in made_by.arguments.items():
        if name not in parameters or name in HELD:
            raise Misfit((*place, name), "is not known here")
        if hints[name] is Product:
            arguments[name] = _product(plain, products, (*place, name))
        else:
            arguments[name] = from_plain(plain, hints[name], (*place, name))
    try:
        return make(**arguments)
    except (ValueError, TypeError, OverflowError):
        raise Misfit(place, "make no card") from None


def _product(identifier: object, products: Iterable[Product] | None, place: Place) -> Product:
    known = {product.id: product for product in (Catalogue.load() if products is None else products)}
    if not isinstance(identifier, str) or identifier not in known:
        raise Misfit(place, f"no such product; there are: {', '.join(known)}")
    return known[identifier]


def _restore(card: VirtualCard, saved: SavedCard) -> None:
    if not 2 <= len(saved.atr) <= 33:
        raise Misfit(("atr",), "must have 2 to 33 bytes")
    _remember(card.structure, saved.structure, ("structure",))
    directories = {directory.label: directory for directory in card.master_file.walk()}
    _need_same(saved.directories, directories, ("directories",))
    _remember(card.security, saved.security, ("security",))
    for label, directory in directories.items():
        _restore_directory(card, directory, saved.directories[label], ("directories", label))
    card.atr, card.protocol, card.blocked = saved.atr, saved.protocol, saved.blocked
    card.power_off()


def _restore_directory(card: VirtualCard, directory: Directory, saved: SavedDirectory, place: Place) -> None:
    files = _named(directory)
    _need_same(saved.files, files, (*place, "files"))
    for label, file in files.items():
        file.records[:] = _fitting(file, saved.files[label], (*place, "files", label))
    own = None if directory.security is card.security else directory.security
    _remember(directory.function, saved.function, (*place, "function"))
    _remember(own, saved.security, (*place, "security"))


def _fitting(file: ElementaryFile, records: list[bytes], place: Place) -> list[bytes]:
    """Records that the file can hold."""
    declaration = file.declaration
    if declaration.structure is Structure.TRANSPARENT:
        if [len(record) for record in records] != [len(file.data)]:
            raise Misfit(place, f"must be one entry of {len(file.data)} bytes")
    elif declaration.structure is Structure.CYCLIC and len(records) > declaration.records > 0:
        raise Misfit(place, f"must have at most {declaration.records} records")
    for number, record in enumerate(records):
        if declaration.structure is not Structure.TRANSPARENT and not 1 <= len(record) <= 0xFF:
            raise Misfit((*place, str(number)), "must have 1 to 255 bytes")
    return records


def _remember(thing: object, plain: object, place: Place) -> None:
    """Give something its memory back; what has none has nothing in the file."""
    if not isinstance(thing, Persistent):
        if plain is not None:
            raise Misfit(place, "must be null: this card has nothing there that remembers")
        return
    memory: Any = from_plain(plain, type(thing.memory()), place)
    try:
        thing.restore(memory)
    except Misfit as error:
        raise Misfit((*place, *error.place), error.reason) from None


def _need_same(saved: Mapping[str, object], there: Mapping[str, object], place: Place) -> None:
    for name in saved:
        if name not in there:
            raise Misfit((*place, name), "the card has no such thing")
    for name in there:
        if name not in saved:
            raise Misfit((*place, name), "is missing")
