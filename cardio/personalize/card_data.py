"""The data of one card: a row of a job, checked, and turned into the records of its files (PERS §3.2).

A row says who holds the card and its numbers; everything else is told by file and field under `items`, as `cardio read`
shows it. What is wrong is named by its field, and no value is repeated: it may be a name or an ID number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import Field, field_validator

from cardio.applications.pin import encode_pin
from cardio.errors import CardDataInvalid, JobInvalid, LayoutInvalid
from cardio.files.check_characters import birth_date_of_citizen_id, is_card_number, is_citizen_id, sex_of_citizen_id
from cardio.files.codecs import Text, parse_text
from cardio.files.contents import encode_records
from cardio.files.declaration import FileDeclaration
from cardio.files.record import Record
from cardio.files.social_security.employer import UnitData
from cardio.files.social_security.environment import HolderData, IssuerData
from cardio.files.social_security.version1.environment import HolderDataV1
from cardio.files.wallet.holder import WalletHolder, WalletHolderLong
from cardio.files.wallet.public import PublicData, PublicDataCjt166
from cardio.files.wallet.registry import WALLET_FILES
from cardio.files.wallet.serial import ApplicationSerialNumber
from cardio.personalize.derived.wallet import WALLET_LABEL
from cardio.personalize.layouts import CardLayout
from cardio.personalize.steps import CardContent, Place
from cardio.products.checking import decode_content
from cardio.products.model import Product
from cardio.products.part import Part

CITIZEN_ID = "00"
"""Identity type of a citizen ID card in EF16 (EW §2.4)."""
CARD_APPLICATION = "D156000005"
"""Registered identifier of social security cards, in item 01 (SSC §4.1)."""
FILE_NAME = re.compile(r"[A-Z][A-Z0-9.]*/EF[0-9A-F]{2}")
NUMBERS = frozenset(
    {"asn", "card_id", "card_number", "credit_code", "identity_number", "serial", "social_security_number"}
)
"""Fields that only the row itself may say, if it says them: there they are checked, and no two cards have the same."""
KEY_NUMBERS = frozenset({"asn", "serial"})
"""Those from which keys are made: no item says them, even if the row does not."""
NO_AUTHENTICATION_CODE = "FFFFFFFF"
"""The algorithm of the code in item 01 is not public (PERS §5.3)."""


class Holder(Part):
    """Who holds the card; for an employer's card the unit.

    Attributes:
        name: Name.
        number: Citizen ID number, 18 characters; of a unit its unified social credit code.
        document_type: Identity type of EF16, two hex digits (EW §2.4).
        sex: As GB/T 2261.1 codes it; from the ID number where it is left out.
        ethnicity: As GB/T 3304 codes it.
        birthplace: Region code, six digits.
    """

    name: str = Field(min_length=1, repr=False)
    number: str = Field(min_length=1, max_length=32, repr=False)
    document_type: str = CITIZEN_ID
    sex: str | None = None
    ethnicity: str | None = None
    birthplace: str | None = None

    @field_validator("name", "number")
    @classmethod
    def _text(cls, value: str) -> str:
        return parse_text(value)


class CardData(Part):
    """One row of a job.

    Attributes:
        record: Its number in the job.
        holder: Who holds the card.
        region: Region of the issuer, six digits (GB/T 2260).
        card_number: Number of a social security card: 8 characters and a check character (SSC §4.7).
        card_serial: Its serial number in the region, 8 digits.
        wallet_serial: Application serial number of a wallet, 16 or 20 digits.
        issued: Day of issue; also the first day of a wallet.
        expires: Last day.
        photo: Reference to the picture for the card's face; not written to the card.
        items: Further content, by directory and file: fields by name, or a list of records, each fields or hex.
    """

    record: str = Field(min_length=1, max_length=64)
    holder: Holder | None = None
    region: str | None = Field(default=None, pattern="^[0-9]{6}$")
    card_number: str | None = None
    card_serial: str | None = Field(default=None, pattern="^[0-9]{8}$")
    wallet_serial: str | None = Field(default=None, pattern=r"^[0-9A-F]{16}([0-9A-F]{4})?$")
    issued: date | None = None
    expires: date | None = None
    photo: str | None = Field(default=None, max_length=255)
    items: dict[str, Any] = Field(default_factory=dict, repr=False)

    @field_validator("record", "photo")
    @classmethod
    def _text(cls, value: str | None) -> str | None:
        return None if value is None else parse_text(value)

    @field_validator("card_number")
    @classmethod
    def _check_card_number(cls, value: str | None) -> str | None:
        if value is not None and not is_card_number(value):
            raise ValueError("the check character does not fit")
        return value

    @property
    def identity(self) -> str:
        """What no second card of a job may have: the card's number or the wallet's."""
        return self.card_number or self.wallet_serial or ""


def content_of(product: Product, layout: CardLayout, data: CardData, pin: str | None) -> CardContent:
    """Everything that the card of a row holds.

    Args:
        product: Its product.
        layout: Its files.
        data: The row.
        pin: The holder's PIN, 4 to 12 digits; None for a card without.

    Raises:
        JobInvalid: A field is missing, wrong, or does not fit; every such field is named.
        PinLength: The PIN does not have 4 to 12 digits.
    """
    wrong: list[str] = _wrong_numbers(product, data)
    files: dict[Place, Sequence[bytes]] = {}
    declared = declarations(product, layout)
    unknown = data.items.keys() - {"/".join(place) for place in declared}
    # What is in the place of a name may be anything, a person's number too.
    wrong += [f"items.{name if FILE_NAME.fullmatch(name) else '…'}: no such file" for name in sorted(unknown)]
    for place, file in declared.items():
        name = "/".join(place)
        try:
            records = _records(product, file, data, data.items.get(name))
            if records:
                files[place] = encode_records(file, records)
        except CardDataInvalid as error:
            wrong.append(f"{name}: {error.detail}")
        except ValueError as error:
            wrong.append(f"{name}: {error}")
    if wrong:
        raise JobInvalid("; ".join(wrong))
    if pin is not None:
        encode_pin(pin)
    return CardContent(files, pin)


def declarations(product: Product, layout: CardLayout) -> dict[Place, FileDeclaration]:
    """Declarations of the files that get content, by place.

    Raises:
        LayoutInvalid: The layout names a declaration that does not exist.
    """
    found: dict[Place, FileDeclaration] = {}
    social, wallet = product.social_security, product.wallet
    declared = {
        (application.label, file.label): file
        for application in (social.tree.walk() if social else ())
        for file in application.files
    }
    if wallet is not None:
        declared |= {(WALLET_LABEL, file.label): file for file in wallet.declarations.values()}
    for written in layout.written_files():
        if written.file is not None and written.file not in WALLET_FILES:
            raise LayoutInvalid(f"{written.file} is none of {', '.join(WALLET_FILES)}")
        file = WALLET_FILES[written.file] if written.file else declared.get(written.place)
        if file is not None:
            found[written.place] = file
    return found


def _wrong_numbers(product: Product, data: CardData) -> list[str]:
    wrong = []
    if data.issued and data.expires and data.expires < data.issued:
        wrong.append("expires: before issued")
    holder = data.holder
    unit = product.social_security is not None and product.social_security.card == "ssc-employer"
    if holder is not None and holder.document_type == CITIZEN_ID and not unit and not is_citizen_id(holder.number):
        wrong.append("holder.number: the check character or the birth date does not fit")
    return wrong


# ---- records ---------------------------------------------------------------------------------------------------------

Fields = dict[str, Any]
"""Fields of a record by name, as JSON has them."""


def _records(product: Product, file: FileDeclaration, data: CardData, given: Any) -> list[Record]:
    """The records of one file; empty if nothing is to be written.

    Raises:
        ValueError: Something is missing, or no value of its field.
    """
    standard = next((make for content, make in _MAKERS.items() if issubclass(file.content, content)), None)
    told = {} if standard is None else standard(product, data)
    numbers = NUMBERS & told.keys()
    if standard is not None:
        numbers |= KEY_NUMBERS & file.content.specs().keys()
    if isinstance(given, list | str):
        if numbers:
            raise ValueError("fields by name are needed: the row itself says its numbers")
        return [_record(file, one) for one in ([given] if isinstance(given, str) else given)]
    if given is not None and not isinstance(given, Mapping):
        raise ValueError("fields by name, or a list of records are needed")
    said = {name: value for name, value in told.items() if value is not None}
    elsewhere = sorted(numbers & (given or {}).keys())
    if elsewhere:
        raise ValueError(f"{', '.join(elsewhere)}: not in items, the row itself says it")
    fields = {**said, **(given or {})}
    return [file.content.parse(fields)] if fields else []


def _record(file: FileDeclaration, given: Any) -> Record:
    """One record of fields, or of its bytes in hex."""
    if not isinstance(given, str):
        return file.content.parse(given)
    raw = bytes.fromhex(given)
    return decode_content(file.layout(raw), raw)


def _issuer(product: Product, data: CardData) -> Fields:
    social = product.social_security
    region, serial = data.region, data.card_serial
    known = region is not None and serial is not None
    return {
        "card_id": f"{region}{CARD_APPLICATION}{serial}{NO_AUTHENTICATION_CODE}" if known else None,
        "card_class": social.card_classes[0] if social and social.card_classes else None,
        "version": f"{social.versions[0]}0" if social else None,
        "issued": _iso(data.issued),
        "expires": _iso(data.expires),
        "card_number": data.card_number,
    }


def _name(name: str) -> Fields:
    """Name and name extension; a character may be split between the two (SSC §10.2)."""
    specs = HolderData.specs()
    first, second = (specs[name].codec.size for name in ("name_bytes", "name_extension_bytes"))
    try:
        raw = Text(first + second).encode(name)
    except ValueError as error:
        raise ValueError(f"holder.name: {error}") from None
    extension = raw[first:]
    return {"name_bytes": raw[:first], "name_extension_bytes": extension if extension.strip(b"\x00") else None}


def _holder(_: Product, data: CardData) -> Fields:
    holder = data.holder
    if holder is None:
        return {}
    born = birth_date_of_citizen_id(holder.number)
    return {
        "social_security_number": holder.number,
        "sex": holder.sex or sex_of_citizen_id(holder.number),
        "ethnicity": holder.ethnicity,
        "birthplace": holder.birthplace,
        "born": None if born is None else str(born),
    }


def _holder_with_extension(product: Product, data: CardData) -> Fields:
    return {**_holder(product, data), **(_name(data.holder.name) if data.holder else {})}


def _holder_v1(product: Product, data: CardData) -> Fields:
    return {**_holder(product, data), "name": data.holder.name if data.holder else None}


def _unit(_: Product, data: CardData) -> Fields:
    return {"credit_code": data.holder.number, **_name(data.holder.name)} if data.holder else {}


def _wallet_holder(_: Product, data: CardData) -> Fields:
    holder = data.holder
    if holder is None:
        return {}
    return {
        "card_type": 0,
        "staff": 0,
        "name": holder.name,
        "identity_number": holder.number,
        "identity_type": holder.document_type,
    }


def _public(_: Product, data: CardData) -> Fields:
    return {"serial": data.wallet_serial, "starts": _iso(data.issued), "ends": _iso(data.expires)}


def _public_cjt166(product: Product, data: CardData) -> Fields:
    told = _public(product, data)
    serial = told.pop("serial")
    if serial is not None:
        told["asn"] = ApplicationSerialNumber.decode(bytes.fromhex(serial)).show(masked=False)
    return told


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


_MAKERS: Mapping[type[Record], Callable[[Product, CardData], Fields]] = {
    IssuerData: _issuer,
    HolderData: _holder_with_extension,
    HolderDataV1: _holder_v1,
    UnitData: _unit,
    WalletHolder: _wallet_holder,
    WalletHolderLong: _wallet_holder,
    PublicData: _public,
    PublicDataCjt166: _public_cjt166,
}
"""What the fields of a row say about a file, by the content that the file has."""
