"""What a PSAM's answers mean in purchases and grey locks alike: key levels and the card's MAC2 (EW §5.2, SSC §6.2)."""

from __future__ import annotations

from collections.abc import Callable

from cardio.apdu.command import Command, Response
from cardio.errors import ReaderError, SamError, SamFailed, SamKeyMissing
from cardio.security.keys import Mac2

Send = Callable[[Command], Response]
"""Sends a command to the PSAM whose application is selected."""
WRONG_LEVELS = 0x6A80
MAX_LEVELS = 3


def call_with_factors(
    send: Send, levels: int, factors: tuple[bytes, ...], command: Callable[[bytes], Command], size: int
) -> bytes:
    """Send a command that ends in factors; while the PSAM answers 6A80, try other numbers of them.

    Args:
        send: Sends a command.
        levels: Number to begin with, 1 to 3.
        factors: All factors of the card, highest authority first, card last.
        command: Makes the command; gets the factors as the PSAM reads them, card first (EW §4.2, SSC §6.3).
        size: Bytes that the answer must have.

    Raises:
        SamKeyMissing: No number of levels fits.
        SamFailed: It answered nonsense.
        SamError: It refuses.
    """
    for count in (levels, *(n for n in range(1, MAX_LEVELS + 1) if n != levels)):
        if count > len(factors):
            continue
        asked = command(b"".join(factors[::-1][:count]))
        response = send(asked)
        if response.sw != WRONG_LEVELS:
            return exact(asked, response, size)
    raise SamKeyMissing("no number of key levels fits")


def exact(command: Command, response: Response, size: int) -> bytes:
    """The answer's data.

    Raises:
        SamError: The PSAM refuses.
        SamFailed: It answered another number of bytes.
    """
    if not response.ok:
        raise command.outcomes.error(response.sw, command.name)
    if len(response.data) != size:
        raise SamFailed(f"{command.name} answered {len(response.data)} bytes")
    return response.data


def present_mac2(send: Send, command: Command) -> Mac2:
    """Hand the card's MAC2 over; never fails, because the card has already changed."""
    try:
        response = send(command)
    except (SamError, ReaderError):
        # A SAM that cannot tell does not undo what the card did.
        return Mac2.UNCHECKED
    if response.ok:
        return Mac2.OK
    wrong = response.sw & 0xFFF0 == 0x63C0 or response.sw == 0x9302
    return Mac2.WRONG if wrong else Mac2.UNCHECKED
