"""All that is declared in `cardio.files`."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import cardio.files
from cardio.files.declaration import ApplicationDeclaration, CardDeclaration, FileDeclaration
from cardio.files.record import FixedRecord, ItemRecord, Record

MODULES: list[ModuleType] = [
    importlib.import_module(module.name) for module in pkgutil.walk_packages(cardio.files.__path__, "cardio.files.")
]


def _subclasses(base: type[Record]) -> Iterator[type[Record]]:
    for cls in base.__subclasses__():
        yield cls
        yield from _subclasses(cls)


RECORDS = sorted(
    {cls for cls in _subclasses(Record) if cls.__module__.startswith("cardio.files.")} - {FixedRecord, ItemRecord},
    key=lambda cls: cls.__qualname__,
)
FILES = [value for module in MODULES for value in vars(module).values() if isinstance(value, FileDeclaration)]
APPLICATIONS = [
    value for module in MODULES for value in vars(module).values() if isinstance(value, ApplicationDeclaration)
]
CARDS = sorted(
    {
        card.id: card for module in MODULES for card in vars(module).values() if isinstance(card, CardDeclaration)
    }.values(),
    key=lambda card: card.id,
)
VECTORS = [(cls, vector) for cls in RECORDS for vector in cls.VECTORS]


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
