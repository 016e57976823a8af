"""Keys and PINs of social security cards, as their commands carry them (SSC §5.1, §6)."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.crypto.ciphers import Algorithm
from cardio.virtual.received import Received, Status
from cardio.virtual.tries import Counted

SPECIFIC = 0x80
"""Bit of a key identifier: the key belongs to its directory only (SSC §6.2)."""
INTERNAL, MESSAGING, UNBLOCKING, CARD_BLOCKING, APPLICATION_BLOCKING = "IRK", "STK", "PUK", "BK", "LK"
"""What the names of keys begin with says what they are for; all others open files (SSC §6.1)."""
ALGORITHM_IDS = {Algorithm.TRIPLE_DES: 0x01, Algorithm.SM4: 0x03}
"""What the FCI of the environment announces (SSC §1)."""
PIN_BYTES = range(2, 9)
AUTHENTICATION = 16
"""Bytes of authentication data or session factor ‖ original; a key version may follow."""


@dataclass
class LdtKey(Counted):
    """A key of a social security card, already diversified for it.

    Attributes:
        name: As SSC §6.2 has it, `RK1DF03`; also the name of the right that it gives.
        kid: Key identifier, P2 of EXTERNAL AUTHENTICATION.
        keys: Up to three versions; a command without a version byte means the first.
        first_version: Version byte of the first; the others follow.
        max_tries: Tries after a success (SSC PC-4).
        tries_left: Tries left now, for all versions together.
    """

    name: str
    kid: int
    keys: tuple[bytes, ...]
    first_version: int = 1
    max_tries: int = 3
    tries_left: int = 3

    @property
    def external(self) -> bool:
        """Whether EXTERNAL AUTHENTICATION takes it."""
        return not self.name.startswith((INTERNAL, MESSAGING))

    def of_version(self, number: int | None) -> bytes:
        """The key of one version.

        Raises:
            Status: 6A88.
        """
        place = 0 if number is None else number - self.first_version
        if not 0 <= place < len(self.keys):
            raise Status(0x6A88)
        return self.keys[place]


def key_version(command: Received) -> int | None:
    """Key version behind authentication data and original; None if there is none.

    Raises:
        Status: 6700.
    """
    if len(command.data) not in {AUTHENTICATION, AUTHENTICATION + 1}:
        raise Status(0x6700)
    return command.data[AUTHENTICATION] if len(command.data) > AUTHENTICATION else None


def well_formed(pin: bytes) -> bool:
    """Whether these are 4 to 16 packed digits; only the last low nibble may be a filler (SSC §5.1)."""
    digits = pin.hex()
    digits = digits.removesuffix("f")
    return len(pin) in PIN_BYTES and digits.isdecimal() and len(digits) >= 4
