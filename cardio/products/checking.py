"""Proves the vectors of a card product: bytes decode to the values given, and encode back to the same bytes."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.errors import CardDataInvalid
from cardio.files.declaration import FileDeclaration
from cardio.files.record import FixedRecord, ItemRecord, Record
from cardio.products.model import Product, VectorPart


@dataclass(frozen=True)
class Check:
    """One vector, or one file that has none.

    Attributes:
        file: Directory and file, such as DF03/EF07, or the name of a wallet file.
        bytes: The vector in hex; empty where it is missing.
        problem: What is wrong; empty if it holds.
    """

    file: str
    bytes: str
    problem: str

    @property
    def holds(self) -> bool:
        """Whether it holds."""
        return not self.problem


def check_product(product: Product) -> list[Check]:
    """Prove every vector of a product: its own, and those that the library keeps with its declarations.

    A file that has no vector at all is a problem: nobody could tell whether it is declared rightly.
    """
    checks = [
        Check(vector.file, vector.bytes.hex().upper(), _problem(product.files[vector.file], vector))
        for vector in product.vectors
    ]
    for name, file in product.files.items():
        own = [
            Check(name, raw, _mismatch(cls, bytes.fromhex(raw))) for cls in file.record_classes for raw in cls.VECTORS
        ]
        checks += own
        if not own and not any(vector.file == name for vector in product.vectors):
            checks.append(Check(name, "", "the file has no vector"))
    return checks


def _problem(file: FileDeclaration, vector: VectorPart) -> str:
    cls = file.layout(vector.bytes)
    problem = _mismatch(cls, vector.bytes)
    if problem:
        return problem
    shown = decode_content(cls, vector.bytes).show(masked=False)
    wrong = [name for name, value in vector.values.items() if shown.get(name) != value]
    return "; ".join(f"{name} is {shown.get(name)!r}, not {vector.values[name]!r}" for name in wrong)


def _mismatch(cls: type[Record], raw: bytes) -> str:
    try:
        record = decode_content(cls, raw)
    except CardDataInvalid as error:
        return error.detail
    if not any(True for _ in record.values()):
        return "no value can be decoded"
    if record.malformed():
        return f"{', '.join(record.malformed())}: malformed"
    again = encode_content(record)
    return "" if again == raw else f"encodes to {again.hex().upper()}"


def decode_content(cls: type[Record], raw: bytes) -> Record:
    """A record of its bytes; of an item file all its items one after the other.

    Raises:
        CardDataInvalid: The bytes are no such record.
    """
    if issubclass(cls, ItemRecord):
        return cls.decode_concatenated(raw)
    if issubclass(cls, FixedRecord):
        return cls.decode(raw)
    raise TypeError(f"{cls.__name__} has no bytes")


def encode_content(record: Record) -> bytes:
    """The bytes of a record, as `decode_content` takes them."""
    if isinstance(record, ItemRecord):
        return b"".join(record.encode())
    if isinstance(record, FixedRecord):
        return record.encode()
    raise TypeError(f"{type(record).__name__} has no bytes")
