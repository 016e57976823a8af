"""What the manual is made of: every kind of card, every file that products add, every code table."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache

import cardio.files.tables
from cardio.files.codes import Code, Codes
from cardio.files.declaration import CardDeclaration, FileDeclaration
from cardio.files.psam import LDT_PSAM, PBOC_PSAM
from cardio.files.record import FieldSpec, ItemRecord, Record
from cardio.files.social_security.local import LOCAL_FILES
from cardio.files.social_security.trees import SOCIAL_SECURITY_CARDS
from cardio.files.wallet.applications import CJT166, ETC, PBOC_WALLET, TUNION
from cardio.files.wallet.registry import WALLET_FILES

CARDS: tuple[CardDeclaration, ...] = (
    *SOCIAL_SECURITY_CARDS.values(),
    PBOC_WALLET,
    CJT166,
    TUNION,
    ETC,
    LDT_PSAM,
    PBOC_PSAM,
)


def additions() -> Iterator[tuple[str, str, FileDeclaration]]:
    """Files of no standard card that a product file may choose: name there, directory, file."""
    declared = [file for card in CARDS for _, file in card.files()]
    for name, (label, file) in LOCAL_FILES.items():
        yield name, label, file
    for name, file in WALLET_FILES.items():
        if file not in declared:
            yield name, "ADF1", file


@cache
def tables() -> Mapping[str, Codes]:
    """Code tables by the name that they have in `cardio.files.tables`."""
    modules = pkgutil.iter_modules(cardio.files.tables.__path__, "cardio.files.tables.")
    found = [item for module in modules for item in vars(importlib.import_module(module.name)).items()]
    return {name: value for name, value in sorted(found, key=lambda item: item[0]) if isinstance(value, Codes)}


def table_name(table: Codes) -> str:
    """Name of a code table.

    Raises:
        KeyError: It lies outside `cardio.files.tables`.
    """
    for name, one in tables().items():
        if one is table:
            return name
    raise KeyError(table.source)


def inner(spec: FieldSpec) -> type[Record] | None:
    """Record class of what a B-TLV item or a composite item holds; None for plain items."""
    record: type[Record] | None = getattr(spec.codec, "record", None)
    return record


def specs_within(record: type[Record]) -> Iterator[tuple[str, FieldSpec]]:
    """Path and declaration of every item of a record, those inside other items behind them."""
    for name, spec in record.specs().items():
        yield name, spec
        below = inner(spec)
        if below is not None:
            for path, one in specs_within(below):
                yield f"{name}.{path}", one


def item_count(file: FileDeclaration) -> int:
    """Items of a file: tags, those inside B-TLV items once; fields where there are no tags, of every layout."""
    if issubclass(file.content, ItemRecord):
        return len({spec.tag for _, spec in specs_within(file.content) if spec.tag is not None})
    return sum(len(record.specs()) for record in (file.content, *file.layouts.values()))


def uses_of(table: Codes, record: type[Record]) -> Iterator[tuple[str, FieldSpec]]:
    """Path and declaration of the items of a record that take their codes from a table."""
    for path, spec in specs_within(record):
        if isinstance(spec.codec, Code) and spec.codec.table is table:
            yield path, spec
