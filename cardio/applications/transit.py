"""What a lane or a dock reads of a transit card before it decides (EW §2.6, §2.9, §6.1)."""

from __future__ import annotations

from typing import TypeVar

from cardio.apdu.command import Command
from cardio.apdu.connection import CardConnection
from cardio.errors import CardDataInvalid, RecordLocked, RecordNotFound
from cardio.files.reading import MAX_RECORDS, read_record
from cardio.files.wallet.management import EF17_MANAGEMENT, ManagementData
from cardio.files.wallet.tunion import EF1A_COMPOSITE, EF19_COMPOSITE_LOCAL, TunionHead

R = TypeVar("R", bound=TunionHead)

BY_NUMBER = 0x04
MANAGEMENT_SIZE = 0x0B
"""Bytes of EF17 that a terminal needs: the rest is reserved (EW §2.6)."""
OPEN = "00"
"""Lock flag; cards answer 9407 to an update under any other (EW §2.9)."""
_FILES = {file.sfi: file for file in (EF1A_COMPOSITE, EF19_COMPOSITE_LOCAL)}


class TransitFiles:
    """Files of a selected T-Union wallet.

    Args:
        card: Connection on which it is selected.
    """

    def __init__(self, card: CardConnection) -> None:
        self._card = card

    def management(self) -> ManagementData:
        """EF17: city, interoperability and kind of card; one command.

        Raises:
            CardDataInvalid: It is too short.
        """
        command = Command("READ BINARY", 0x00, 0xB0, 0x80 | EF17_MANAGEMENT.sfi, 0, le=MANAGEMENT_SIZE)
        raw = self._card.call(command)
        if len(raw) < MANAGEMENT_SIZE:
            raise CardDataInvalid(f"EF17 has {len(raw)} bytes")
        return ManagementData.decode(raw.ljust(EF17_MANAGEMENT.size, b"\x00"))

    def journey(self, content: type[R], record: int, sfi: int = EF1A_COMPOSITE.sfi) -> R:
        """The record `27 nn`; one command where record number and nn coincide, as those of metro and bus do.

        Args:
            content: Its layout.
            record: nn.
            sfi: EF1A, or EF19 of the home city.

        Raises:
            RecordNotFound: The card has no such record.
            RecordLocked: It is locked.
            CardDataInvalid: It is not a journey's record (EW §2.9, checks).
        """
        raw = self._find(record, sfi)
        found = content.decode(raw)
        if (found.length, found.valid) != (len(raw) - 3, "01"):
            raise CardDataInvalid(f"record 27{record:02X} is not valid")
        if found.lock != OPEN:
            raise RecordLocked(f"record 27{record:02X}")
        return found

    def _find(self, record: int, sfi: int) -> bytes:
        """By number first; where that is another's, the records one after the other."""
        file = _FILES[sfi]
        wanted = bytes([0x27, record])
        tried = record
        try:
            raw = self._card.call(read_record(file, record, BY_NUMBER))
            if raw[:2] == wanted:
                return raw
        except RecordNotFound:
            tried = 0
        for number in range(1, MAX_RECORDS + 1):
            if number == tried:
                continue
            raw = self._card.call(read_record(file, number, BY_NUMBER))
            if raw[:2] == wanted:
                return raw
        raise RecordNotFound(f"record {wanted.hex().upper()} is not among {MAX_RECORDS}")
