"""A virtual PIN pad: a holder who types, and a pad that hands the digits to the card and to nobody else."""

from __future__ import annotations

from collections.abc import Callable

from cardio.transport.channel import PinPrompt

TIMED_OUT = bytes.fromhex("6400")
CANCELLED = bytes.fromhex("6401")
WRONG_LENGTH = bytes.fromhex("6403")


class VirtualPinPad:
    """A PIN pad with somebody in front of it.

    Attributes:
        typed: Digits that the holder will type; empty for a holder who cancels, None for one who does nothing.
        entries: How often the pad was asked for a PIN.
    """

    def __init__(self, typed: str | None = None) -> None:
        self.typed = typed
        self.entries = 0

    def verify(self, prompt: PinPrompt, send: Callable[[bytes], bytes]) -> bytes:
        """Ask for the PIN, build VERIFY as the prompt says, send it, return the status word."""
        self.entries += 1
        if self.typed is None:
            return TIMED_OUT
        if not self.typed:
            return CANCELLED
        if not prompt.min_digits <= len(self.typed) <= prompt.max_digits:
            return WRONG_LENGTH
        digits = bytes.fromhex(self.typed + "f" * (len(self.typed) % 2))
        return send(prompt.header + bytes([len(digits)]) + digits)
