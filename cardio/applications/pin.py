"""The card holder's PIN: state and verification (SSC §5.1, OPS §4.9).

The try counter is never spent silently: its state is asked first, and the last try is refused unless the holder
agreed to use it.
"""

from __future__ import annotations

from dataclasses import dataclass

from cardio.apdu.command import Command, Response
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import VERIFY
from cardio.errors import PinError, PinLastTry, PinLength, PinNotAllowed, PinRequired
from cardio.transport.channel import PinPrompt, has_pin_pad

MIN_DIGITS = 4
MAX_DIGITS = 12
"""LD/T 32-8 allows 4 to 12 digits at a terminal, though cards hold up to 16 (OPS §2.7)."""
_VERIFY_HEADER = bytes.fromhex("00200000")


@dataclass(frozen=True)
class PinState:
    """State of the PIN.

    Attributes:
        is_set: Whether the card asks for a PIN at all, or still does after a successful VERIFY.
        tries_left: Wrong entries left before it blocks; None when no PIN is asked, or the card does not tell.
    """

    is_set: bool
    tries_left: int | None


def pin_state(card: CardConnection) -> PinState:
    """Ask without spending a try: VERIFY with an empty body.

    Raises:
        PinBlocked: No try is left.
    """
    command = Command("VERIFY", 0x00, 0x20, outcomes=VERIFY)
    response = card.send(command)
    if response.ok:
        return PinState(is_set=False, tries_left=None)
    if response.sw in {0x63C0, 0x6983}:
        raise VERIFY.error(response.sw, command.name)
    left = response.sw & 0x0F if response.sw & 0xFFF0 == 0x63C0 else None
    return PinState(is_set=True, tries_left=left)


def encode_pin(pin: str) -> bytes:
    """Packed digits, an odd last nibble filled with F.

    Raises:
        PinLength: Not 4 to 12 decimal digits.
    """
    if not (MIN_DIGITS <= len(pin) <= MAX_DIGITS and pin.isascii() and pin.isdecimal()):
        raise PinLength
    return bytes.fromhex(pin + "f" * (len(pin) % 2))


def verify_pin(card: CardConnection, pin: str | None, *, allow_last_try: bool = False) -> None:
    """Present the PIN, typed on the reader's PIN pad or, if `pin` is given, handed over by the caller.

    Does nothing if the card asks for no PIN.

    Raises:
        PinRequired: No PIN was given and the reader has no pad.
        PinWrong: Wrong, with the tries that are left.
        PinLastTry: One try is left and `allow_last_try` is false; it was not used.
        PinBlocked: No try is left.
        PinCancelled: The holder cancelled on the pad.
        PinTimeout: Nothing was typed in time.
        PinLength: Not 4 to 12 digits.
    """
    state = pin_state(card)
    if not state.is_set:
        return
    if state.tries_left == 1 and not allow_last_try:
        raise PinLastTry
    response = _present(card, pin)
    if not response.ok:
        raise VERIFY.error(response.sw, "VERIFY")


def _present(card: CardConnection, pin: str | None) -> Response:
    if pin is not None:
        return card.send(Command("VERIFY", 0x00, 0x20, data=encode_pin(pin), outcomes=VERIFY, repeatable=False))
    if not has_pin_pad(card.channel):
        raise PinRequired("no PIN pad and no PIN from the caller")
    prompt = PinPrompt(_VERIFY_HEADER, MIN_DIGITS, MAX_DIGITS)
    card.counts["VERIFY"] += 1
    return Response.decode(card.channel.verify_pin(prompt))


class PinPresenter:
    """Presents the PIN once: a PIN that failed is not presented again, each time would spend a try.

    Args:
        card: The card.
        pin: PIN handed over by the caller; None leaves it to the reader's PIN pad.
        caller_pin: Whether a caller may hand the PIN over to a card that is not virtual (OPS §4.9).
        allow_last_try: Whether the holder agreed to use the last try.
    """

    def __init__(
        self, card: CardConnection, pin: str | None, *, caller_pin: bool, allow_last_try: bool = False
    ) -> None:
        self._card = card
        self._pin = pin
        self._caller_pin = caller_pin
        self._allow_last_try = allow_last_try
        self._failed: PinError | None = None
        self.presented = False

    @property
    def given(self) -> bool:
        """Whether the caller handed a PIN over."""
        return self._pin is not None

    def present(self) -> None:
        """Present the PIN if it was not yet.

        Raises:
            PinError: It is missing, wrong, blocked, or must be typed on the PIN pad; the same error every time.
        """
        if self.presented:
            return
        if self._failed is not None:
            raise self._failed
        try:
            if self.given and not (self._caller_pin or self._card.channel.virtual):
                raise PinNotAllowed
            verify_pin(self._card, self._pin, allow_last_try=self._allow_last_try)
        except PinError as error:
            self._failed = error
            raise
        self.presented = True
