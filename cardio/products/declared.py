"""Files that a city adds to its cards, declared in the product file alone (SSC §2 extension rules, §4.9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from cardio.files.codecs import (
    Amount,
    BinaryAmount,
    Codec,
    DecimalText,
    Digits,
    Flag,
    HexDigits,
    Number,
    Octets,
    Text,
)
from cardio.files.codes import Code, CodeTable
from cardio.files.dates import Date, Timestamp, Year, YearMonth
from cardio.files.declaration import PIN, Access, ApplicationDeclaration, FileDeclaration, Structure
from cardio.files.masking import Mask
from cardio.files.nesting import Composite, Constructed
from cardio.files.record import FixedRecord, ItemRecord, Record, item, items, optional
from cardio.files.tables.regions import region
from cardio.products.part import Part, Title, check_hex

MAX_RECORD = 255
HexNumber = Annotated[str, AfterValidator(check_hex)]
"""A tag or a file identifier as the standards print it: an even number of hex digits."""


class Form(StrEnum):
    """How the bytes of an item are to be understood."""

    TEXT = "an"
    DIGITS = "cn"
    HEX_DIGITS = "hex-digits"
    BYTES = "b"
    NUMBER = "number"
    FEN = "fen"
    BINARY_FEN = "binary-fen"
    COUNT = "count"
    FLAG = "flag"
    DATE = "date"
    MONTH = "month"
    YEAR = "year"
    TIME = "time"
    REGION = "region"
    B_TLV = "B-TLV"
    COMPOSITE = "composite"


_SIZED: dict[Form, Callable[[int], Codec[Any]]] = {
    Form.TEXT: Text,
    Form.DIGITS: Digits,
    Form.HEX_DIGITS: HexDigits,
    Form.BYTES: Octets,
    Form.NUMBER: Number,
    Form.FEN: Amount,
    Form.BINARY_FEN: BinaryAmount,
    Form.COUNT: DecimalText,
}
_UNSIZED: dict[Form, Callable[[], Codec[Any]]] = {
    Form.FLAG: Flag,
    Form.DATE: Date,
    Form.MONTH: YearMonth,
    Form.YEAR: Year,
    Form.TIME: Timestamp,
    Form.REGION: region,
}
_CODED = {Form.TEXT, Form.DIGITS, Form.BYTES}


class ItemPart(Part):
    """One item of a file, or one field of a record.

    Attributes:
        name: Name of the value in JSON.
        title: Name for people.
        form: How its bytes are to be understood.
        size: Bytes; forms with a length of their own leave it out.
        tag: Tag in hex; records without items have none.
        count: How often the tag occurs.
        codes: Codes with their Chinese and English texts.
        personal: How a personal value is masked.
        items: Inner items of a B-TLV item, or parts of a composite one.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Title
    form: Form
    size: int = Field(default=0, ge=0, le=MAX_RECORD)
    tag: HexNumber | None = Field(default=None, min_length=2, max_length=2)
    count: int = Field(default=1, ge=1, le=16)
    codes: dict[str, tuple[str, str]] | None = None
    personal: Mask | None = None
    items: tuple[ItemPart, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.form in _SIZED) != bool(self.size):
            raise ValueError(f"form {self.form} {'needs' if self.form in _SIZED else 'has no'} size")
        if (self.form in {Form.B_TLV, Form.COMPOSITE}) != bool(self.items):
            raise ValueError("items belong to the forms B-TLV and composite, and to no other")
        if self.codes is not None and self.form not in _CODED:
            raise ValueError(f"form {self.form} has no codes")
        return self

    def codec(self) -> Codec[Any]:
        """The codec of its bytes."""
        if self.codes is not None:
            table = CodeTable(f"product file, {self.name}", self.codes)
            return Code(self.size, table, form=self.form.value)
        if self.form is Form.B_TLV:
            return Constructed(item_record(self.name, self.items))
        if self.form is Form.COMPOSITE:
            return Composite(fixed_record(self.name, self.items))
        return _UNSIZED[self.form]() if self.form in _UNSIZED else _SIZED[self.form](self.size)


class FilePart(Part):
    """One elementary file.

    Attributes:
        application: Label of its directory, such as DF03.
        identifier: File identifier, four hex digits.
        title: Name for people.
        structure: V, F, C or T (SSC §3).
        read: Who may read: any one of these rights; a list inside the list means all of them; `free` for everybody.
        update: Who may update, likewise; `never` for nobody.
        size: Bytes of a record of a cyclic file, or of a transparent file.
        records: Records of a cyclic file.
        items: Items in record order, or fields side by side.
    """

    application: str
    identifier: HexNumber = Field(min_length=4, max_length=4)
    title: Title
    structure: Structure
    read: tuple[str | tuple[str, ...], ...]
    update: tuple[str | tuple[str, ...], ...]
    size: int = Field(default=0, ge=0, le=0x7FFF)
    records: int = Field(default=0, ge=0, le=MAX_RECORD)
    items: tuple[ItemPart, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        tagged = self.structure in {Structure.LINEAR_VARIABLE, Structure.LINEAR_FIXED}
        if any((one.tag is None) is tagged for one in self.items):
            raise ValueError("items have tags in files of structure V and F, and only there")
        self.declaration()
        return self

    def declaration(self) -> FileDeclaration:
        """The file as the reader, the personalizer and the virtual card take it."""
        tagged = self.structure in {Structure.LINEAR_VARIABLE, Structure.LINEAR_FIXED}
        name = f"{self.application}{self.identifier}"
        content: type[Record] = item_record(name, self.items) if tagged else fixed_record(name, self.items)
        identifier = int(self.identifier, 16)
        size = self.size
        if issubclass(content, FixedRecord):
            size = size or content.size()
        return FileDeclaration(
            identifier,
            identifier & 0x1F,
            self.title.zh,
            self.title.en,
            self.structure,
            content,
            read=_access(self.read),
            update=_access(self.update),
            size=size,
            records=self.records,
            source="product file",
        )


class DirectoryPart(Part):
    """A directory that a city adds; standard ones are DF01 to DF07, cities use DF0A and on (SSC §2).

    Attributes:
        label: Short name, such as DF0A.
        identifier: File identifier, four hex digits.
        title: Name for people.
        name: DF name or AID in hex.
    """

    label: str = Field(pattern=r"^DF[0-9A-F]{2}$")
    identifier: HexNumber = Field(min_length=4, max_length=4)
    title: Title
    name: HexNumber = ""

    def declaration(self) -> ApplicationDeclaration:
        """The directory, still without files."""
        return ApplicationDeclaration(
            int(self.identifier, 16),
            self.title.zh,
            self.title.en,
            (),
            name=bytes.fromhex(self.name),
            label=self.label,
            source="product file",
        )


def item_record(name: str, parts: Iterable[ItemPart]) -> type[ItemRecord]:
    """A record class with one TLV item per part."""
    fields: dict[str, Any] = {}
    for part in parts:
        tag = int(part.tag or "0", 16)
        common = (tag, part.codec(), part.title.zh, part.title.en)
        if part.count > 1:
            fields[part.name] = items(*common, count=part.count, personal=part.personal)
        else:
            fields[part.name] = item(*common, personal=part.personal)
    return type(name, (ItemRecord,), {"__annotations__": dict.fromkeys(fields, Any), **fields})


def fixed_record(name: str, parts: Iterable[ItemPart]) -> type[FixedRecord]:
    """A record class with the parts side by side."""
    fields: dict[str, Any] = {
        part.name: optional(part.codec(), part.title.zh, part.title.en, personal=part.personal) for part in parts
    }
    return type(name, (FixedRecord,), {"__annotations__": dict.fromkeys(fields, Any), **fields})


def _access(rights: tuple[str | tuple[str, ...], ...]) -> Access:
    if rights == ("never",):
        return Access(())
    if rights == ("free",):
        return Access((frozenset(),))
    return Access(tuple(frozenset([one] if isinstance(one, str) else one) for one in rights))


def rights_named(access: Access) -> frozenset[str]:
    """Keys that an access refers to, without the PIN."""
    return frozenset().union(*access.alternatives) - {PIN}
