"""Changing the holder's PIN, and setting the first one (SSC §5.1, EW §3.4, OPS §4.9).

The answer to a change can be lost. Then nothing is guessed: the new PIN is presented once, and the old one stands if it
is wrong.
"""

from __future__ import annotations

from cardio.apdu.command import Command, Response
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import CHANGE_PIN
from cardio.applications.pin import MAX_DIGITS, MIN_DIGITS, PinState, encode_pin, pin_state, verify_pin
from cardio.errors import (
    LinkCorrupt,
    PinChangeUnknown,
    PinError,
    PinLastTry,
    PinLength,
    PinRequired,
    PinUnset,
    PinWrong,
    ReaderError,
)
from cardio.transport.channel import PinChangePrompt, has_pin_pad

PAD_DIGITS = 6
"""Digits of a PIN that is changed on a PIN pad unless the caller says otherwise: both stand at fixed places there."""
_HEADER = bytes.fromhex("805E0100")
_SEPARATOR = b"\xff"


def change_pin(
    card: CardConnection,
    old: str | None,
    new: str | None,
    *,
    digits: int = PAD_DIGITS,
    allow_last_try: bool = False,
) -> None:
    """Change the PIN of the selected application; of a card that has none set the first one.

    The PIN must not have been presented before in this session: the card would not tell whether it has one.

    Args:
        card: The card.
        old: PIN that the caller hands over; None for the PIN pad, or for a card without a PIN.
        new: New PIN that the caller hands over; None leaves both to the PIN pad.
        digits: Length of the old and of the new PIN, 4 to 12 digits, where the PIN pad takes them.
        allow_last_try: Whether the holder agreed to use the last try for the old PIN.

    Raises:
        PinRequired: No new PIN was given and the reader has no pad, or the old one is missing.
        PinUnset: An old PIN was given, and the card has none.
        PinWrong: The old PIN is wrong, with the tries that are left; it is unchanged.
        PinLastTry: One try is left and `allow_last_try` is false; it was not used.
        PinBlocked: No try is left.
        PinMismatch: The new PIN was not typed twice alike on the pad.
        PinCancelled: The holder cancelled on the pad.
        PinTimeout: Nothing was typed in time.
        PinLength: A PIN has the wrong length.
        PinPadMissing: The pad cannot change PINs.
        PinChangeUnknown: The answer was lost; `was_changed` asks the same card.
        LinkCorrupt: The answer was lost, and the card says that the old PIN stands, which has lost a try by that.
    """
    data = None if new is None else _data(old, new)
    state = pin_state(card)
    if state.tries_left == 1 and not allow_last_try:
        raise PinLastTry
    try:
        response = _typed(card, state, digits) if data is None else _handed_over(card, state, data, old)
    except ReaderError as lost:
        if new is None or not isinstance(lost, LinkCorrupt):
            raise PinChangeUnknown(lost.code, source=lost.source) from lost
        # The card is still there, and can be asked at once.
        _ask_at_once(card, new, lost)
        return
    if not response.ok:
        raise CHANGE_PIN.error(response.sw, "CHANGE PIN")


def was_changed(card: CardConnection, new: str | None) -> bool:
    """Find out what became of a change whose answer was lost, by presenting the new PIN once.

    As for `change_pin`, no PIN must have been presented before in this session.

    Args:
        card: The same card.
        new: The new PIN, or None for the PIN pad.

    Returns:
        Whether the card has the new PIN. If not, the old one stands, and has lost one try; or there is still none.

    Raises:
        PinError: The new PIN could not be presented, or must not be: `PinLastTry` keeps the old PIN's last try.
    """
    if not pin_state(card).is_set:
        return False
    try:
        verify_pin(card, new)
    except PinWrong:
        return False
    return True


def _ask_at_once(card: CardConnection, new: str, lost: LinkCorrupt) -> None:
    """Return if the card has the new PIN.

    Raises:
        LinkCorrupt: It has not; the change can be asked for again.
        PinChangeUnknown: It does not tell.
    """
    try:
        changed = was_changed(card, new)
    except (PinError, ReaderError) as error:
        raise PinChangeUnknown(lost.code, source=lost.source) from error
    if not changed:
        raise lost


def _data(old: str | None, new: str) -> bytes:
    """Old PIN ‖ FF ‖ new PIN; the old one is missing where there is none (SSC §5.1)."""
    return (b"" if old is None else encode_pin(old)) + _SEPARATOR + encode_pin(new)


def _handed_over(card: CardConnection, state: PinState, data: bytes, old: str | None) -> Response:
    if state.is_set and old is None:
        raise PinRequired("the old PIN is missing")
    if not state.is_set and old is not None:
        raise PinUnset
    cla, ins, p1, p2 = _HEADER
    return card.send(Command("CHANGE PIN", cla, ins, p1, p2, data=data, outcomes=CHANGE_PIN, repeatable=False))


def _typed(card: CardConnection, state: PinState, digits: int) -> Response:
    if not has_pin_pad(card.channel):
        raise PinRequired("no PIN pad and no PIN from the caller")
    if not MIN_DIGITS <= digits <= MAX_DIGITS:
        raise PinLength
    blank = b"\xff" * ((digits + 1) // 2)
    data = (blank if state.is_set else b"") + _SEPARATOR + blank
    old_at, new_at = (0, len(blank) + 1) if state.is_set else (None, 1)
    prompt = PinChangePrompt(_HEADER + bytes([len(data)]) + data, digits, old_at, new_at)
    card.counts["CHANGE PIN"] += 1
    return Response.decode(card.channel.modify_pin(prompt))
