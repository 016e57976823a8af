"""All that is declared in `cardio.files`."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import TypeVar

from hypothesis import strategies as st

import cardio.files
from cardio.files.declaration import ApplicationDeclaration, CardDeclaration, FileDeclaration
from cardio.files.record import FixedRecord, ItemRecord, Record

T = TypeVar("T")
MODULES: list[ModuleType] = [
    importlib.import_module(module.name) for module in pkgutil.walk_packages(cardio.files.__path__, "cardio.files.")
]


def _subclasses(base: type[Record]) -> Iterator[type[Record]]:
    for cls in base.__subclasses__():
        yield cls
        yield from _subclasses(cls)


def _once(declarations: Iterable[T]) -> list[T]:
    """Each of them once; declarations cannot be hashed."""
    found: list[T] = []
    for one in declarations:
        if one not in found:
            found.append(one)
    return found


RECORDS = sorted(
    {cls for cls in _subclasses(Record) if cls.__module__.startswith("cardio.files.")} - {FixedRecord, ItemRecord},
    key=lambda cls: cls.__qualname__,
)
VALUES = [value for module in MODULES for value in vars(module).values()]
CARDS = sorted(
    {card.id: card for card in VALUES if isinstance(card, CardDeclaration)}.values(),
    key=lambda card: card.id,
)
APPLICATIONS = _once(
    below
    for value in (*VALUES, *(card.root for card in CARDS))
    if isinstance(value, ApplicationDeclaration)
    for below in value.walk()
)
FILES = _once(
    [
        *(value for value in VALUES if isinstance(value, FileDeclaration)),
        *(file for application in APPLICATIONS for file in application.files),
    ]
)
VECTORS = [(cls, vector) for cls in RECORDS for vector in cls.VECTORS]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
"""Any JSON value."""


def decode(cls: type[Record], raw: bytes) -> Record:
    if issubclass(cls, FixedRecord):
        return cls.decode(raw)
    assert issubclass(cls, ItemRecord)
    return cls.decode_concatenated(raw)


def encode(record: Record) -> bytes:
    if isinstance(record, FixedRecord):
        return record.encode()
    assert isinstance(record, ItemRecord)
    return b"".join(record.encode())
