"""FMCOS 2.0: the administrative commands of PERS §1.2 to §1.5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from cardio.apdu.command import MASTER_FILE, Command, select_file, select_name
from cardio.apdu.status import EXTERNAL_AUTHENTICATION, FILE
from cardio.errors import (
    AccessDenied,
    AuthenticationBlocked,
    CardFull,
    FileNotFound,
    LayoutRefused,
    MacInvalid,
    MasterMissing,
    OperationUnsupported,
    RecordNotFound,
    TransportKeyWrong,
)
from cardio.personalize.cos.driver import CosDriver
from cardio.personalize.layout import CYCLIC, KIND, TRANSPARENT, DirectoryLayout, FileLayout, KeyRecord, Written
from cardio.security.issuing import CardKeyReference
from cardio.transport.channel import Disclosure

DIRECTORY, KEY_FILE = 0x38, 0x3F
KEY_FILE_IDENTIFIER = 0x0000
RESERVED = b"\xff\xff"
ADD = 0x01
"""P1 of WRITE KEY: a new key; otherwise the type byte of the one that is replaced."""
CHALLENGE, LINE_CHALLENGE = 8, 4
MAC_SIZE = 4
NUMBER = 0x04
"""Mode of READ and UPDATE RECORD: P1 is the record's number (PERS §1.5, EW §3.1)."""
MAX_DATA = 239
"""Largest Lc (PERS §1.1)."""
ANSWERED_WITHOUT_KEY = frozenset({0x6A82, 0x6A88})
"""A card without any key needs no authentication (PERS §1.5)."""
WRONG_KEY = frozenset({0x6300, 0x6982, 0x6988})
"""Other ways to say that a cryptogram is wrong, without the tries that are left: 63Cx is FMCOS's own (PERS §1.5)."""

CREATE = FILE.extended(
    {0x6A80: LayoutRefused, 0x6A82: LayoutRefused, 0x6A84: CardFull, 0x6A86: LayoutRefused, 0x6700: LayoutRefused}
)
WRITE_KEY = FILE.extended(
    {
        0x6700: LayoutRefused,
        0x6983: AuthenticationBlocked,
        0x6A80: LayoutRefused,
        0x6A82: LayoutRefused,
        0x6A84: CardFull,
        0x6A88: LayoutRefused,
        0x6988: MacInvalid,
        0x9302: MacInvalid,
    }
)
UPDATE = FILE.extended({0x6A84: CardFull, 0x6988: MacInvalid, 0x9302: MacInvalid, 0x6700: LayoutRefused})


class Fmcos(CosDriver):
    """FMCOS 2.0 and the cards that took its commands over."""

    name: ClassVar[str] = "fmcos"

    # ---- finding one's way -----------------------------------------------------------------------------------

    def select(self, directory: DirectoryLayout) -> None:
        """By name where it has one; the master file by its identifier."""
        by_name = bool(directory.name) and directory.identifier != MASTER_FILE
        self.card.call(select_name(directory.name) if by_name else select_file(directory.identifier))

    def holds(self, directory: DirectoryLayout) -> bool:
        """SELECT tells."""
        try:
            self.select(directory)
        except FileNotFound:
            return False
        return True

    # ---- structure -------------------------------------------------------------------------------------------

    def erase(self) -> None:
        """ERASE DF."""
        self.card.call(Command("ERASE DF", 0x80, 0x0E, le=None if self.card.contact else 0, outcomes=CREATE))

    def create_directory(self, directory: DirectoryLayout) -> None:
        """CREATE FILE with type 38."""
        block = bytes([DIRECTORY]) + directory.size.to_bytes(2, "big")
        block += bytes([directory.create, directory.erase, directory.file_id]) + RESERVED + directory.name
        self._create(directory.identifier, block)

    def create_key_file(self, directory: DirectoryLayout) -> None:
        """CREATE FILE with type 3F and identifier 0000."""
        block = bytes([KEY_FILE]) + directory.key_file.to_bytes(2, "big")
        self._create(KEY_FILE_IDENTIFIER, block + bytes([directory.file_id, directory.add_key]) + RESERVED)

    def create_file(self, file: FileLayout) -> None:
        """CREATE FILE with an information block of 7 bytes."""
        self._create(file.identifier, file.information)

    def _create(self, identifier: int, block: bytes) -> None:
        self.card.call(
            Command("CREATE FILE", 0x80, 0xE0, *divmod(identifier, 0x100), block, outcomes=CREATE,
                    disclosure=Disclosure.ALL)
        )  # fmt: skip

    # ---- keys ------------------------------------------------------------------------------------------------

    def authenticate_master(self, master: CardKeyReference) -> None:
        """EXTERNAL AUTHENTICATE with external key 00."""
        cryptogram = self.keys.cryptogram(master, self._challenge(CHALLENGE))
        command = Command(
            "EXTERNAL AUTHENTICATE", 0x00, 0x82, data=cryptogram, outcomes=EXTERNAL_AUTHENTICATION,
            disclosure=Disclosure.ALL, repeatable=False,
        )  # fmt: skip
        response = self.card.send(command)
        if response.ok:
            return
        if response.sw in ANSWERED_WITHOUT_KEY:
            raise MasterMissing(master.name)
        if response.sw & 0xFFF0 == 0x63C0:
            raise TransportKeyWrong(master.name, tries_left=response.sw & 0x0F)
        if response.sw in WRONG_KEY:
            raise TransportKeyWrong(master.name)
        raise EXTERNAL_AUTHENTICATION.error(response.sw, command.name)

    def add_first_key(self, record: KeyRecord, key: CardKeyReference) -> None:
        """WRITE KEY 80 D4, the key in plain."""
        self.card.call(self._write_key(0x80, ADD, record.id, self.keys.plain_block(record.header, key)))

    def add_key(self, record: KeyRecord, key: CardKeyReference | bytes, master: CardKeyReference) -> None:
        """WRITE KEY 84 D4, encrypted and with a MAC."""
        self._write_protected(ADD, record, key, master)

    def replace_key(
        self, before: KeyRecord, record: KeyRecord, key: CardKeyReference, master: CardKeyReference
    ) -> None:
        """WRITE KEY 84 D4 with the type byte that is stored now."""
        self._write_protected(before.type_byte, record, key, master)

    def _write_protected(
        self, p1: int, record: KeyRecord, key: CardKeyReference | bytes, master: CardKeyReference
    ) -> None:
        challenge = self._challenge(LINE_CHALLENGE)
        header = bytes([0x84, 0xD4, p1, record.id])
        self.card.call(
            self._write_key(0x84, p1, record.id, self.keys.wrapped_block(header, record.header, key, master, challenge))
        )

    @staticmethod
    def _write_key(cla: int, p1: int, p2: int, data: bytes) -> Command:
        """Its data are never written down, though those of class 84 are encrypted."""
        return Command("WRITE KEY", cla, 0xD4, p1, p2, data, outcomes=WRITE_KEY, repeatable=False)

    # ---- content ---------------------------------------------------------------------------------------------

    def authorize_update(self, record: KeyRecord, key: CardKeyReference) -> None:
        """EXTERNAL AUTHENTICATE with an external key other than the master."""
        cryptogram = self.keys.cryptogram(key, self._challenge(CHALLENGE))
        self.card.call(
            Command("EXTERNAL AUTHENTICATE", 0x00, 0x82, 0x00, record.id, cryptogram, outcomes=EXTERNAL_AUTHENTICATION,
                    disclosure=Disclosure.ALL, repeatable=False)
        )  # fmt: skip

    def write(self, file: FileLayout, records: Sequence[bytes], line: CardKeyReference | None) -> None:
        """UPDATE BINARY by SFI; APPEND RECORD one by one, those of a cyclic file from the oldest to the newest.

        What is written afterwards can be repeated (PERS §1.8): records go by number there, and of a cyclic file only
        those are appended that an interrupted attempt has not.
        """
        afterwards = file.written is Written.AFTERWARDS
        if file.kind & KIND == TRANSPARENT:
            self._write_binary(file, records[0], line)
        elif file.kind & KIND == CYCLIC:
            for record in reversed(self._not_appended(file, records) if afterwards else records):
                self._append(file, record, line)
        elif afterwards:
            for number, record in enumerate(records, start=1):
                self._write_numbered(file, number, record, line)
        else:
            for record in records:
                self._append(file, record, line)

    def _append(self, file: FileLayout, record: bytes, line: CardKeyReference | None) -> None:
        self._update(0xE2, 0x00, file.sfi << 3, record, line, file)

    def _write_numbered(self, file: FileLayout, number: int, record: bytes, line: CardKeyReference | None) -> None:
        """Replace a record, or append it: that the next number appends is told of variable records only (PERS §1.5)."""
        try:
            self._update(0xDC, number, file.sfi << 3 | NUMBER, record, line, file)
        except RecordNotFound:
            self._append(file, record, line)

    def _not_appended(self, file: FileLayout, records: Sequence[bytes]) -> Sequence[bytes]:
        """Records, newest first, that are newer than what an interrupted attempt has appended."""
        held: list[bytes] = []
        for number, record in enumerate(records, start=1):
            answer = self.card.send(Command("READ RECORD", 0x00, 0xB2, number, file.sfi << 3 | NUMBER, le=len(record)))
            if not answer.ok:
                break
            held.append(answer.data)
        # The newest that it holds are the oldest that were to be written.
        appended = next(
            count for count in range(len(held), -1, -1) if held[:count] == [*records[len(records) - count :]]
        )
        return records[: len(records) - appended]

    def _write_binary(self, file: FileLayout, content: bytes, line: CardKeyReference | None) -> None:
        room = MAX_DATA - (MAC_SIZE if line else 0)
        if len(content) <= room:
            self._update(0xD6, 0x80 | file.sfi, 0x00, content, line, file)
            return
        # Offsets beyond 255 have no room beside an SFI.
        self.card.call(select_file(file.identifier))
        for offset in range(0, len(content), room):
            self._update(0xD6, *divmod(offset, 0x100), content[offset : offset + room], line, file)

    def _update(self, ins: int, p1: int, p2: int, data: bytes, line: CardKeyReference | None, file: FileLayout) -> None:
        cla = 0x00
        if line is not None:
            cla = 0x04
            header = bytes([cla, ins, p1, p2, len(data) + MAC_SIZE])
            data += self.keys.line_mac(line, self._challenge(LINE_CHALLENGE), header + data)
        # What the layout itself holds is nobody's.
        disclosure = Disclosure.ALL if file.content else Disclosure.HEADER
        name = {0xD6: "UPDATE BINARY", 0xDC: "UPDATE RECORD", 0xE2: "APPEND RECORD"}[ins]
        self.card.call(Command(name, cla, ins, p1, p2, data, outcomes=UPDATE, disclosure=disclosure, repeatable=False))

    def set_starting_day(self, day: str) -> None:
        """Wallets have none."""
        raise OperationUnsupported(f"{self.name} knows no starting day ({day})")

    def _challenge(self, size: int) -> bytes:
        challenge = self.card.call(Command("GET CHALLENGE", 0x00, 0x84, le=size, disclosure=Disclosure.ALL))
        if len(challenge) != size:
            raise AccessDenied(f"GET CHALLENGE answered {len(challenge)} bytes")
        return challenge
