"""Where the time of an exchange goes: bytes on the wire, and the chip at work. A model, off by default.

    card.timing = TimingModel(Contactless(424))
    sam.timing = TimingModel(Contact(9600), PSAM_CHIP)
    ...                                  # a purchase
    card.timing.elapsed                  # seconds so far
    card.timing.commands["8054"].chip    # of these, the chip's share of all DEBITs

The chip's times come from the ride of EW §6.1 that was measured on a bus. A terminal measures wire and chip together,
so the model takes the wire's share off, and adds that of the real exchange at the speed that is modelled. Our choices:

* The card's figures were measured at 106 kbit/s, where every contactless card starts. What is left for the chip bears
  it out: 6.3, 6.8 and 6.8 ms for the three reads of 30, 60 and 48 bytes.
* The PSAM's were measured at 9600 baud, the first of the two speeds of EW §6.1 step 0 and the one after every reset.
  What is left for the chip is 46 and 57 ms for two commands with much the same work; at 38400 baud it would be 102 and
  68.
* The exchanges were those of a T-Union card: FCI of 51 bytes with EF15 in it, EF17 of 60, EF1E of 48, 80 70 with two
  factors, its answer fetched by GET RESPONSE.
* A command without a figure takes `DEFAULT_TIME`. A social security card's take what their twins of a wallet take.

Delays between frames do not depend on the speed and are in the chip's share. Power-on, anticollision and the reader's
own time are not modelled. A command that a fault or hook kept from the card is not counted.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

CARRIER = 13_560_000
"""Frequency of the field in Hz (ISO 14443-2)."""
CYCLES_PER_BIT = {106: 128, 212: 64, 424: 32, 848: 16}
"""By kbit/s (ISO 14443-2, -3)."""
BITS_PER_BYTE = 9
"""Eight and a parity bit (ISO 14443-3 §6.2.3)."""
FRAME_BITS = 2
"""Start and end of a frame of type A."""
BLOCK_BYTES = 3
"""PCB and CRC of a block (ISO 14443-4 §7.1); neither CID nor NAD."""
CHARACTER_ETU = 12
"""Start bit, eight, parity, guard time of two (ISO 7816-3 §7.2)."""
HEADER_SIZE = 5
STATUS_SIZE = 2
PROCEDURE_BYTE = 1
GET_RESPONSE = "00C0"
DEFAULT_TIME = 0.010
"""Seconds in the chip for a command that has no figure."""


class Wire(Protocol):
    """Time that bytes take between reader and card."""

    def seconds(self, sent: int, received: int) -> float:
        """Seconds for a command APDU of `sent` bytes and its answer of `received`, status word included."""


@dataclass(frozen=True)
class Contactless:
    """ISO 14443 type A.

    Attributes:
        kbit: Speed of both directions in kbit/s: 106, 212, 424 or 848.
        frame: Largest frame in bytes; a longer APDU is chained. 256 is that of FM1208 (FSCI 8, PERS §1.5).
    """

    kbit: int = 106
    frame: int = 256

    def __post_init__(self) -> None:
        if self.kbit not in CYCLES_PER_BIT:
            raise ValueError(f"{self.kbit} kbit/s is none of {', '.join(map(str, CYCLES_PER_BIT))}")

    def seconds(self, sent: int, received: int) -> float:
        """Seconds for both ways."""
        return (self._bits(sent) + self._bits(received)) * CYCLES_PER_BIT[self.kbit] / CARRIER

    def _bits(self, size: int) -> int:
        blocks = max(1, -(-size // (self.frame - BLOCK_BYTES)))
        acknowledged = blocks - 1
        frames = blocks + acknowledged
        return BITS_PER_BYTE * (size + BLOCK_BYTES * frames) + FRAME_BITS * frames


@dataclass(frozen=True)
class Contact:
    """ISO 7816-3 T=0.

    Attributes:
        baud: Characters run at 1/baud seconds a bit.
    """

    baud: int = 9600

    def seconds(self, sent: int, received: int) -> float:
        """Seconds for header, procedure byte, data one way, and status word."""
        data = max(0, sent - HEADER_SIZE) + received - STATUS_SIZE
        characters = HEADER_SIZE + (PROCEDURE_BYTE if data else 0) + data + STATUS_SIZE
        return characters * CHARACTER_ETU / self.baud


@dataclass(frozen=True)
class Chip:
    """Time that a chip works on each command.

    Attributes:
        times: Seconds by the beginning of the command in hex; the longest beginning counts.
        default: Seconds for any other command.
    """

    times: Mapping[str, float]
    default: float = DEFAULT_TIME

    def seconds(self, command: bytes) -> float:
        """Seconds for one command APDU."""
        header = command[:4].hex().upper()
        for size in range(len(header), 0, -2):
            if header[:size] in self.times:
                return self.times[header[:size]]
        return self.default


REFERENCE = Contactless(106)
PSAM_REFERENCE = Contact(9600)


def _rest(measured: float, sent: int, received: int) -> float:
    """The chip's share of a measured exchange."""
    return measured - REFERENCE.seconds(sent, received)


_SELECT = _rest(0.019, 14, 53)
_READ_EF15, _READ_EF17, _READ_EF1E = _rest(0.010, 5, 32), _rest(0.013, 5, 62), _rest(0.012, 5, 50)
_READ = (_READ_EF15 + _READ_EF17 + _READ_EF1E) / 3
_BALANCE = _rest(0.007, 5, 6)
_INITIALIZE = _rest(0.011, 17, 17)
_UPDATE_CACHE = _rest(0.016, 53, 2)
_DEBIT = _rest(0.067, 21, 10)

USER_CHIP = Chip(
    {
        "00A4": _SELECT,
        "00B095": _READ_EF15,
        "00B097": _READ_EF17,
        "00B201F4": _READ_EF1E,
        "00B0": _READ,
        "00B2": _READ,
        "805C": _BALANCE,
        "B026": _BALANCE,
        "8050": _INITIALIZE,
        "B028": _INITIALIZE,
        "80DC": _UPDATE_CACHE,
        "8054": _DEBIT,
        "B02C": _DEBIT,
        GET_RESPONSE: 0.0,
    }
)
"""A user's card; the work for a GET RESPONSE was done before it."""

PSAM_CHIP = Chip(
    {
        # 80 70 with two factors, and GET RESPONSE for 8 bytes
        "8070": 0.121 - PSAM_REFERENCE.seconds(41, 2) - PSAM_REFERENCE.seconds(5, 10),
        "8072": 0.072 - PSAM_REFERENCE.seconds(9, 2),
        "00A4": _SELECT,
        "00B0": _READ,
        GET_RESPONSE: 0.0,
    }
)
"""A PSAM."""


@dataclass
class Spent:
    """Time spent on one command, GET RESPONSE for its answer included.

    Attributes:
        count: How often the command came.
        wire: Seconds on the wire.
        chip: Seconds in the chip.
    """

    count: int = 0
    wire: float = 0.0
    chip: float = 0.0

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.wire + self.chip


@dataclass
class TimingModel:
    """Adds up the time of one card's exchanges.

    Attributes:
        wire: The way between reader and card.
        chip: The chip's times.
        sleep: Whether each exchange really takes its time.
        commands: Time by CLA and INS in hex, such as `8054`.
    """

    wire: Wire
    chip: Chip = USER_CHIP
    sleep: bool = False
    commands: dict[str, Spent] = field(default_factory=dict, init=False)
    _booked: Spent = field(default_factory=Spent, init=False, repr=False)

    @property
    def elapsed(self) -> float:
        """Seconds of all exchanges so far."""
        return sum(spent.seconds for spent in self.commands.values())

    def reset(self) -> None:
        """Begin again at zero."""
        self.commands.clear()

    def spend(self, command: bytes, answer: bytes) -> None:
        """Add one exchange, and wait for it if `sleep` says so; a virtual card calls this.

        Args:
            command: Command APDU.
            answer: Data ‖ SW1 SW2.
        """
        name = command[:2].hex().upper()
        if name != GET_RESPONSE or not self.commands:
            self._booked = self.commands.setdefault(name, Spent())
            self._booked.count += 1
        wire, chip = self.wire.seconds(len(command), len(answer)), self.chip.seconds(command)
        self._booked.wire += wire
        self._booked.chip += chip
        if self.sleep:
            time.sleep(wire + chip)
