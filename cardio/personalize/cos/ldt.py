"""LD/T 32: cards are created by FMCOS commands, their own are not public, and filled by the standard's (PERS §5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from cardio.apdu.command import Command
from cardio.apdu.status import EXTERNAL_AUTHENTICATION, PURSE
from cardio.personalize.cos.fmcos import CHALLENGE, NUMBER, Fmcos
from cardio.personalize.layout import CYCLIC, KIND, TRANSPARENT, FileLayout, KeyRecord
from cardio.security.issuing import CardKeyReference
from cardio.transport.channel import Disclosure

APPEND_CYCLIC = 0x03
"""Mode of UPDATE RECORD (SSC §5.3)."""


class Ldt(Fmcos):
    """A social security card."""

    name: ClassVar[str] = "ldt"

    def authorize_update(self, record: KeyRecord, key: CardKeyReference) -> None:
        """EXTERNAL AUTHENTICATION of LD/T 32: the first challenge is signed under a key made from the second."""
        original, process = self._challenge(CHALLENGE), self._challenge(CHALLENGE)
        proof = self.keys.authentication(key, process, original)
        self.card.call(
            Command("EXTERNAL AUTHENTICATION", 0x00, 0x82, 0x00, record.id, proof + original,
                    outcomes=EXTERNAL_AUTHENTICATION, disclosure=Disclosure.ALL, repeatable=False)
        )  # fmt: skip

    def write(self, file: FileLayout, records: Sequence[bytes], line: CardKeyReference | None) -> None:
        """UPDATE RECORD by number, the next one is appended; a cyclic file from the oldest to the newest."""
        if file.kind & KIND in {TRANSPARENT, CYCLIC}:
            super().write(file, records, line)
            return
        for number, record in enumerate(records, start=1):
            self._update(0xDC, number, file.sfi << 3 | NUMBER, record, line, file)

    def _append(self, file: FileLayout, record: bytes, line: CardKeyReference | None) -> None:
        """To a cyclic file: there is no APPEND RECORD (SSC §5.1)."""
        self._update(0xDC, 0x00, file.sfi << 3 | APPEND_CYCLIC, record, line, file)

    def set_starting_day(self, day: str) -> None:
        """UPDATE STARTING DAY, with the right of DSK (LD/T 32 part 5, 7.7)."""
        self.card.call(
            Command("UPDATE STARTING DAY", 0xB0, 0x56, data=bytes.fromhex(day), outcomes=PURSE,
                    disclosure=Disclosure.ALL, repeatable=False)
        )  # fmt: skip
