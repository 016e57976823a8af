"""A virtual PIN pad: a holder who types, and a pad that hands the digits to the card and to nobody else."""

from __future__ import annotations

from collections.abc import Callable

from cardio.transport.channel import PinChangePrompt, PinPrompt

TIMED_OUT = bytes.fromhex("6400")
CANCELLED = bytes.fromhex("6401")
NOT_ALIKE = bytes.fromhex("6402")
WRONG_LENGTH = bytes.fromhex("6403")
HEADER_SIZE = 5


class VirtualPinPad:
    """A PIN pad with somebody in front of it.

    Attributes:
        typed: Digits that the holder will type; empty for a holder who cancels, None for one who does nothing.
        new: Digits of a new PIN, as `typed`.
        again: Digits when the new PIN is to be typed a second time; None for the same.
        entries: How often the pad was asked for a PIN.
    """

    def __init__(self, typed: str | None = None, new: str | None = None) -> None:
        self.typed = typed
        self.new = new
        self.again: str | None = None
        self.entries = 0

    def verify(self, prompt: PinPrompt, send: Callable[[bytes], bytes]) -> bytes:
        """Ask for the PIN, build VERIFY as the prompt says, send it, return the status word."""
        self.entries += 1
        digits = _entry(self.typed, prompt.min_digits, prompt.max_digits)
        return digits if isinstance(digits, bytes) else send(_command(prompt.header, digits))

    def modify(self, prompt: PinChangePrompt, send: Callable[[bytes], bytes]) -> bytes:
        """Ask for the old PIN, if there is one, and twice for the new one; put them in their places and send it all."""
        self.entries += 1
        command = bytearray(prompt.command)
        wanted = [(self.new, prompt.new_at)]
        if prompt.old_at is not None:
            wanted.insert(0, (self.typed, prompt.old_at))
        for typed, place in wanted:
            digits = _entry(typed, prompt.digits, prompt.digits)
            if isinstance(digits, bytes):
                return digits
            packed, start = _packed(digits), HEADER_SIZE + place
            command[start : start + len(packed)] = packed
        if self.again not in {None, self.new}:
            return NOT_ALIKE
        return send(bytes(command))


def _entry(typed: str | None, shortest: int, longest: int) -> str | bytes:
    """The digits, or the pad's own status word where there is no PIN to send."""
    if typed is None:
        return TIMED_OUT
    if not typed:
        return CANCELLED
    return typed if shortest <= len(typed) <= longest else WRONG_LENGTH


def _command(header: bytes, digits: str) -> bytes:
    packed = _packed(digits)
    return header + bytes([len(packed)]) + packed


def _packed(digits: str) -> bytes:
    """Packed digits, an odd last nibble filled with F."""
    return bytes.fromhex(digits + "f" * (len(digits) % 2))
