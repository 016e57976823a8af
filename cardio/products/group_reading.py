"""One group of a reading: content, error, or both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cardio.apdu.tlv import Tlv
from cardio.applications.card_files import FileReading
from cardio.errors import CardioError, CardNotGenuine, ReaderError, error_document
from cardio.files.declaration import FileDeclaration
from cardio.files.masking import HIDDEN
from cardio.files.record import ItemRecord, Record
from cardio.products.detection import Reason
from cardio.products.groups import Group
from cardio.products.model import Product

Content = dict[str, Any]


@dataclass(frozen=True)
class GroupReading:
    """One group: its content, the error that kept it or the rest of it from being read, or both."""

    content: Content | list[Content] | None = None
    error: CardioError | None = None


Step = Callable[[], GroupReading]


def run_steps(steps: Mapping[Group, Step], wanted: set[Group]) -> dict[Group, GroupReading]:
    """Read the groups that are wanted; an error stays with its group, but a card that left is asked nothing more."""
    readings: dict[Group, GroupReading] = {}
    left: ReaderError | None = None
    for group, step in steps.items():
        if group not in wanted:
            continue
        if left is not None:
            readings[group] = GroupReading(error=left)
            continue
        try:
            readings[group] = step()
        except CardioError as error:
            readings[group] = GroupReading(error=error)
        failure = readings[group].error
        left = failure if isinstance(failure, ReaderError) else None
    return readings


class Genuineness(StrEnum):
    """Whether the card proved itself."""

    GENUINE = "genuine"
    UNCHECKED = "unchecked"


def prove(check: Callable[[], None] | None) -> Content:
    """Let the card prove itself; None where the terminal has no means to check.

    Raises:
        CardNotGenuine: It cannot.
    """
    if check is None:
        return {"status": Genuineness.UNCHECKED.value}
    try:
        check()
    except CardNotGenuine:
        raise
    except CardioError as error:
        return {"status": Genuineness.UNCHECKED.value, "error": error_document(error)}
    return {"status": Genuineness.GENUINE.value}


def product_document(product: Product) -> Content:
    """Whose product the card is."""
    return {"product": product.id, "title": {"zh": product.title.zh, "en": product.title.en}}


def reasons_document(reasons: tuple[Reason, ...]) -> list[Content]:
    """Why the product was chosen."""
    return [{"zh": reason.zh, "en": reason.en} for reason in reasons]


def file_document(file: FileDeclaration, reading: FileReading, *, masked: bool) -> Content:
    """A whole file: title, standing, all records with what was not understood of them."""
    document: Content = {"title": {"zh": file.zh, "en": file.en}, "status": reading.standing.value}
    records = [*reading.records, *([] if reading.reused is None else [reading.reused])]
    if records:
        document["records"] = [_record_document(record, masked=masked) for record in records]
    if reading.error is not None:
        document["error"] = error_document(reading.error)
    return document


def _record_document(record: Record, *, masked: bool) -> Content:
    content = record.show(masked=masked)
    if isinstance(record, ItemRecord) and record.unknown:
        content["unknown_items"] = [_unknown(tlv, masked=masked) for tlv in record.unknown]
    malformed = record.malformed()
    if malformed:
        content["malformed"] = list(malformed)
    return content


def _unknown(tlv: Tlv, *, masked: bool) -> Content:
    """What nobody declared may be personal."""
    return {"tag": f"{tlv.tag:02X}", "value": HIDDEN if masked else tlv.value.hex().upper()}
