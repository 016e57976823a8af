"""File headers of FMCOS: what the access bytes and the type of a file mean (EW §2.1, §2.2; PERS §1.1, §1.3)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cardio.files.declaration import PIN, Access, FileDeclaration, Structure

FREE_BYTE, PIN_BYTE, MASTER_BYTE, NEVER_BYTE = 0xF0, 0xF1, 0xAA, 0xEF
LINE_KEYS = frozenset({"DAMK", "CLK"})
"""Rights of declarations that stand for line protection: such a file is written with a MAC."""
MASTER_KEYS = frozenset({"AMK", "CCK"})
"""Rights that stand for the state that only the directory's master key reaches, A (PERS §5.2)."""
MAC_BIT, ENCRYPTION_BIT = 0x80, 0x40
TYPES = {
    Structure.TRANSPARENT: 0x28,
    Structure.LINEAR_FIXED: 0x2A,
    Structure.LINEAR_VARIABLE: 0x2C,
    Structure.CYCLIC: 0x2E,
}
MASTER_PREFIX = 0x0
"""High nibble of the access bytes that ask the state of the master file (PERS §1.1)."""
_KEY_IDS = {0b11: 0x00, 0b10: 0x01, 0b01: 0x02, 0b00: 0x03}


@dataclass(frozen=True)
class FileHeader:
    """The bytes of a file header that decide who may do what.

    Attributes:
        kind: Type byte; bit 8 asks for a MAC on writing, bit 7 for encryption.
        read: Access byte for reading.
        update: Access byte for writing.
        flags: Bit 8 clear: reads must be line protected; the low four bits name the line keys.
    """

    kind: int
    read: int
    update: int
    flags: int = 0xFF

    @property
    def encrypted(self) -> bool:
        """Whether data are written encrypted, which never goes without a MAC (EW §4.7)."""
        return bool(self.kind & ENCRYPTION_BIT)

    @property
    def protected(self) -> bool:
        """Whether writing needs a MAC."""
        return bool(self.kind & MAC_BIT) or self.encrypted

    @property
    def read_protected(self) -> bool:
        """Whether reading needs a MAC, and gives one."""
        return not self.flags & 0x80

    @property
    def read_key(self) -> int:
        """Identifier of the line key for reading."""
        return _KEY_IDS[self.flags >> 2 & 0b11]

    @property
    def update_key(self) -> int:
        """Identifier of the line key for writing."""
        return _KEY_IDS[self.flags & 0b11]

    def encode(self, declaration: FileDeclaration) -> bytes:
        """The information block of CREATE FILE, 7 bytes: type, size or count and length, rights, flags."""
        if declaration.structure in {Structure.CYCLIC, Structure.LINEAR_FIXED}:
            extent = bytes([declaration.records, declaration.size])
        else:
            extent = declaration.size.to_bytes(2, "big")
        return bytes([self.kind]) + extent + bytes([self.read, self.update, 0xFF, self.flags])


def header_of(declaration: FileDeclaration) -> FileHeader:
    """The header that a declared file gets.

    FREE is F0, PIN is F1, NEVER is EF, a master key is AA, and a line key is F0 with a MAC.

    Raises:
        ValueError: A right that FMCOS cannot express.
    """
    read, read_line = _access_byte(declaration.read)
    update, update_line = _access_byte(declaration.update)
    if read_line:
        raise ValueError(f"{declaration.label} may not be read with a line key: give it a header")
    return FileHeader(TYPES[declaration.structure] | (MAC_BIT if update_line else 0), read, update)


def _access_byte(access: Access) -> tuple[int, bool]:
    """The byte, and whether the line key is needed besides."""
    if not access.alternatives:
        return NEVER_BYTE, False
    if len(access.alternatives) > 1:
        raise ValueError(f"FMCOS has no byte for {access}")
    (needed,) = access.alternatives
    rest = needed - LINE_KEYS
    if rest and rest != {PIN} and not (len(rest) == 1 and rest <= MASTER_KEYS):
        raise ValueError(f"FMCOS has no byte for {access}")
    byte = FREE_BYTE if not rest else PIN_BYTE if rest == {PIN} else MASTER_BYTE
    return byte, rest != needed


def allowed(
    access: int, *, states: Collection[int], master_states: Collection[int], master_prefix: int = MASTER_PREFIX
) -> bool:
    """Whether an access byte XY is open (EW §2.2, PERS §1.1).

    Args:
        access: XY; X < Y is never.
        states: States of the current directory, 0 to 15. FMCOS has one at a time.
        master_states: States of the master file.
        master_prefix: X of the bytes that ask the master file for state Y or more.
    """
    high, low = access >> 4, access & 0x0F
    if high == master_prefix:
        return any(state >= low for state in master_states)
    return any(low <= state <= high for state in states)
