"""What CREATE FILE says of a new file, and how much room it takes (PERS §1.1, §1.3, §5.3)."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.files.declaration import NEVER, FileDeclaration, Structure
from cardio.files.file_header import TYPES, FileHeader
from cardio.files.record import ItemRecord
from cardio.virtual.filesystem import ElementaryFile
from cardio.virtual.received import Status
from cardio.virtual.stored import Bytes2
from cardio.virtual.wallet_purse import PurseNumber

DIRECTORY, KEY_FILE, PURSE, ACCOUNT = 0x38, 0x3F, 0x2F, 0x2D
TYPE_BITS = 0x3F
"""Type byte without the bits that ask for MAC and encryption."""
BLOCK = 7
"""Bytes of the block of any file but a directory."""
BEFORE_NAME = 8
RESERVED = b"\xff\xff"
NAME = range(5, 17)
HEADER = 11
"""Bytes that the header of any file takes."""
PURSE_EXTENT, PURSE_BODY = 0x0208, 22
ACCOUNT_BODY = 0x14
MAX_RECORD = 248
MIN_RECORDS, MAX_RECORDS = 2, 254
RECORDED = frozenset({Structure.LINEAR_FIXED, Structure.CYCLIC})
_STRUCTURES = {kind: structure for structure, kind in TYPES.items()}


@dataclass
class Created:
    """A file as it was created.

    Attributes:
        identifier: P1 P2 of CREATE FILE.
        block: Its data.
    """

    identifier: Bytes2
    block: bytes

    @property
    def number(self) -> int:
        """The identifier as a number."""
        return int.from_bytes(self.identifier, "big")


@dataclass(frozen=True)
class DirectoryHeader:
    """A directory.

    Attributes:
        size: Bytes of all that may be in it.
        create: Access byte for creating files.
        erase: Access byte for ERASE DF.
        file_id: 000xxxxx: SFI of its DIR file; 100xxxxx: SFI of the file whose content is in the FCI.
        name: DF name.
    """

    size: int
    create: int
    erase: int
    file_id: int
    name: bytes

    @property
    def cost(self) -> int:
        """Bytes that it takes from its parent: header, name, and all that may be in it."""
        return HEADER + len(self.name) + self.size

    def encode(self) -> bytes:
        """Its block; what stood in the two reserved bytes is not kept."""
        rights = bytes([self.create, self.erase, self.file_id])
        return bytes([DIRECTORY]) + self.size.to_bytes(2, "big") + rights + RESERVED + self.name


@dataclass(frozen=True)
class KeyFileHeader:
    """A key file.

    Attributes:
        size: Bytes for key records.
        add: Access byte for adding keys.
    """

    size: int
    add: int

    @property
    def cost(self) -> int:
        """Bytes that it takes."""
        return HEADER + self.size

    def encode(self, file_id: int) -> bytes:
        """Its block, in which the application file identifier of the directory stands once more."""
        return bytes([KEY_FILE]) + self.size.to_bytes(2, "big") + bytes([file_id, self.add]) + RESERVED


@dataclass(frozen=True)
class PurseHeader:
    """A file of money: passbook or purse of a wallet, or the amounts of a medical account.

    Attributes:
        number: Which purse of a wallet; None for a medical account.
        use: Access byte for all commands on it.
        tac_id: Identifier of its TAC key.
        log_sfi: SFI of its log.
    """

    number: PurseNumber | None
    use: int
    tac_id: int
    log_sfi: int

    @property
    def cost(self) -> int:
        """Bytes that it takes."""
        return HEADER + (ACCOUNT_BODY if self.number is None else PURSE_BODY)


@dataclass(frozen=True)
class DataHeader:
    """A file of bytes or records.

    Attributes:
        declaration: Identifier and extent; what its content means is not known.
        header: Type, rights and flags.
    """

    declaration: FileDeclaration
    header: FileHeader

    @property
    def cost(self) -> int:
        """Bytes that it takes; a record of a fixed length takes one more."""
        size = self.declaration.size
        return HEADER + (self.declaration.records * (size + 1) if self.declaration.records else size)

    def make(self) -> ElementaryFile:
        """The new file: bytes 00, or no record yet (what is in an unwritten file is not described)."""
        transparent = self.declaration.structure is Structure.TRANSPARENT
        return ElementaryFile(self.declaration, [bytes(self.declaration.size)] if transparent else [], self.header)


Header = DirectoryHeader | KeyFileHeader | PurseHeader | DataHeader


def check_length(block: bytes) -> None:
    """Insist on the length that the type of a file has.

    Raises:
        Status: 6700.
    """
    name = len(block) - BEFORE_NAME
    if not block or (name not in NAME if block[0] == DIRECTORY else len(block) != BLOCK):
        raise Status(0x6700)


def header_of(created: Created) -> Header:
    """What a block of the right length says.

    Raises:
        Status: 6A80 no such type of file, or it cannot be like that; 6A86 a purse with another identifier than its own.
    """
    block = created.block
    size = int.from_bytes(block[1:3], "big")
    match block[0]:
        case 0x38:
            return DirectoryHeader(size, block[3], block[4], block[5], block[BEFORE_NAME:])
        case 0x3F:
            return KeyFileHeader(size, block[4])
        case 0x2F:
            return _purse(created)
        case 0x2D:
            if size != ACCOUNT_BODY:
                raise Status(0x6A80)
            return PurseHeader(None, block[3], block[4], _log(block))
    return _data(created)


def _purse(created: Created) -> PurseHeader:
    """Passbook 0001 and purse 0002; byte 5 is taken as the identifier of the TAC key (PERS §1.3)."""
    block = created.block
    if created.number not in set(PurseNumber):
        raise Status(0x6A86)
    if int.from_bytes(block[1:3], "big") != PURSE_EXTENT:
        raise Status(0x6A80)
    return PurseHeader(PurseNumber(created.number), block[3], block[4], _log(block))


def _log(block: bytes) -> int:
    if not 1 <= block[6] <= 0x1E:
        raise Status(0x6A80)
    return block[6]


def _data(created: Created) -> DataHeader:
    block = created.block
    structure = _STRUCTURES.get(block[0] & TYPE_BITS)
    if structure is None:
        raise Status(0x6A80)
    records, size = (block[1], block[2]) if structure in RECORDED else (0, int.from_bytes(block[1:3], "big"))
    if structure in RECORDED and not (MIN_RECORDS <= records <= MAX_RECORDS and size <= MAX_RECORD):
        raise Status(0x6A80)
    if not size:
        raise Status(0x6A80)
    declaration = FileDeclaration(
        created.number,
        created.number & 0x1F,
        "文件",
        "file",
        structure,
        ItemRecord,
        read=NEVER,
        update=NEVER,
        size=size,
        records=records,
    )
    return DataHeader(declaration, FileHeader(block[0], block[3], block[4], block[6]))
