"""Embedded readers: cards in this process, without pcscd, behind the same interface as real ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from cardio.errors import CardAbsent, CardMultiple, CardRemoved, ReaderBusy, ReaderUnavailable
from cardio.transport.channel import CardProtocol, Channel, Disclosure, PinChangePrompt, PinPrompt, SlotState


class PoweredCard(Protocol):
    """A card as its reader sees it: contacts, power and bytes."""

    @property
    def atr(self) -> bytes:
        """Answer to reset, 2 to 33 bytes."""

    def power_on(self) -> None:
        """Begin a session: nothing presented, master file selected."""

    def power_off(self) -> None:
        """Forget all that lives in RAM: PINs presented, files selected, session keys."""

    def transmit(self, command: bytes) -> bytes:
        """Execute one command APDU and return data ‖ SW1 SW2, at most 65535 bytes.

        Raises:
            CardRemoved: The card leaves the reader now; no answer is sent.
        """


class EmbeddedCard(PoweredCard, Protocol):
    """A card that an embedded reader can hold: it says itself which protocol it speaks."""

    @property
    def protocol(self) -> CardProtocol:
        """Transmission protocol."""


class PinPad(Protocol):
    """A PIN pad as its reader uses it."""

    def verify(self, prompt: PinPrompt, send: Callable[[bytes], bytes]) -> bytes:
        """Ask for the PIN, build VERIFY as the prompt says, send it to the card, return the status word."""

    def modify(self, prompt: PinChangePrompt, send: Callable[[bytes], bytes]) -> bytes:
        """Ask for the PINs, put them into the prompt's command, send it to the card, return the status word."""


class EmbeddedReader:
    """One embedded reader slot; cards are put in and pulled out from any thread.

    Args:
        name: Name of the reader.
        card: Card that lies in it from the start.
        pin_pad: PIN pad of the reader.
    """

    def __init__(self, name: str, card: EmbeddedCard | None = None, pin_pad: PinPad | None = None) -> None:
        self.name = name
        self.pin_pad = pin_pad
        self._changed = threading.Condition()
        self._card: EmbeddedCard | None = None
        self._beside = 0
        self._events = 0
        self._user: EmbeddedChannel | None = None
        if card is not None:
            self.insert(card)

    def insert(self, card: EmbeddedCard) -> None:
        """Put a card in; one that is there comes out first."""
        with self._changed:
            if self._card is not None:
                self._take_out()
            self._card = card
            self._events += 1
            self._changed.notify_all()

    def crowd(self, cards: int) -> None:
        """Hold other cards into the field beside the card, or take them away; what runs with the card breaks off.

        Args:
            cards: How many there are now; 0 for none.
        """
        with self._changed:
            if cards != self._beside:
                self._beside = cards
                self._events += 1
                self._changed.notify_all()

    def cut(self) -> None:
        """Lose power: whoever used the card has lost it."""
        with self._changed:
            self._user = None
            self._events += 1
            self._changed.notify_all()

    def remove(self) -> EmbeddedCard | None:
        """Pull the card out, whatever it is doing; return it."""
        with self._changed:
            card = self._take_out()
            self._changed.notify_all()
            return card

    def _take_out(self) -> EmbeddedCard | None:
        card, self._card = self._card, None
        if card is not None:
            self._events += 1
        return card

    @property
    def card(self) -> EmbeddedCard | None:
        """The card in the reader."""
        return self._card

    @property
    def idle(self) -> bool:
        """Whether nobody uses the card."""
        return self._user is None

    @property
    def state(self) -> SlotState:
        """Presence and number of changes."""
        with self._changed:
            return SlotState(self._card is not None, self._events)

    def wait_change(self, known: SlotState, timeout: float) -> bool:
        """Block until the state differs from `known`."""
        with self._changed:
            return self._changed.wait_for(lambda: SlotState(self._card is not None, self._events) != known, timeout)

    def connect(self) -> Channel:
        """Power the card.

        Raises:
            CardAbsent: The reader is empty.
            CardMultiple: Several cards lie in the field.
            ReaderBusy: Somebody else uses the card.
        """
        with self._changed:
            if self._card is None:
                raise CardAbsent(self.name)
            if self._beside:
                raise CardMultiple(f"{self.name}: {self._beside + 1} cards in the field")
            if self._user is not None:
                raise ReaderBusy(self.name)
            kind = EmbeddedChannel if self.pin_pad is None else EmbeddedPinPadChannel
            channel = kind(self, self._card, self._events)
            self._card.power_on()
            self._user = channel
            return channel

    def exchange(self, channel: EmbeddedChannel, command: bytes) -> bytes:
        """Pass a command to the card of `channel`, if it is still there before and after.

        Raises:
            CardRemoved: It is not; the card may have executed the command all the same.
        """
        self._check(channel)
        try:
            answer = channel.card.transmit(command)
        except CardRemoved:
            # A fault point tore the card out: the reader sees it leave.
            if self._card is channel.card:
                self.remove()
            raise
        self._check(channel)
        return answer

    def _check(self, channel: EmbeddedChannel) -> None:
        if self._events != channel.presentation or self._card is None:
            raise CardRemoved(self.name)

    def release(self, channel: EmbeddedChannel) -> None:
        """End the use of the card."""
        with self._changed:
            if self._user is channel:
                self._user = None
                # A card that left may be in use in another reader; its next power-on begins anew in any case.
                if self._card is channel.card and self._events == channel.presentation:
                    channel.card.power_off()


class EmbeddedChannel:
    """A powered card in an embedded reader."""

    virtual = True

    def __init__(self, slot: EmbeddedReader, card: EmbeddedCard, presentation: int) -> None:
        self._slot = slot
        self.card = card
        self.presentation = presentation

    @property
    def reader(self) -> str:
        """Name of the reader."""
        return self._slot.name

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self.card.atr

    @property
    def protocol(self) -> CardProtocol:
        """Protocol of the card."""
        return self.card.protocol

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:  # noqa: ARG002
        """Send one command APDU.

        Raises:
            CardRemoved: The card is gone.
        """
        return self._slot.exchange(self, command)

    def close(self) -> None:
        """Power the card down."""
        self._slot.release(self)


class EmbeddedPinPadChannel(EmbeddedChannel):
    """A powered card in an embedded reader that has a PIN pad."""

    def verify_pin(self, prompt: PinPrompt) -> bytes:
        """Let the pad's holder type, and present what was typed to the card."""
        pad = self._slot.pin_pad
        if pad is None:
            raise ReaderUnavailable("the PIN pad was taken away")
        return pad.verify(prompt, self.transmit)

    def modify_pin(self, prompt: PinChangePrompt) -> bytes:
        """Let the pad's holder type the old PIN and the new one, and have the card change it."""
        pad = self._slot.pin_pad
        if pad is None:
            raise ReaderUnavailable("the PIN pad was taken away")
        return pad.modify(prompt, self.transmit)


class EmbeddedDriver:
    """A set of embedded readers."""

    def __init__(self, readers: Iterable[EmbeddedReader]) -> None:
        self.slots = {reader.name: reader for reader in readers}

    def readers(self) -> dict[str, SlotState]:
        """All embedded readers."""
        return {name: slot.state for name, slot in self.slots.copy().items()}

    def plug(self, reader: EmbeddedReader) -> None:
        """Connect a reader."""
        self.slots[reader.name] = reader

    def unplug(self, name: str) -> EmbeddedReader:
        """Pull a reader off, with its card, whatever that is doing; return it. The card is found in it afterwards."""
        reader = self.slots.pop(name)
        reader.cut()
        return reader

    def wait(self, known: Mapping[str, SlotState], timeout: float) -> dict[str, SlotState]:
        """Block until something changes; the slots are watched in turn."""
        deadline = time.monotonic() + timeout
        while True:
            now = self.readers()
            left = deadline - time.monotonic()
            if now != dict(known) or left <= 0:
                return now
            turn = min(left, 0.05)
            if not now:
                time.sleep(turn)
            for name, slot in self.slots.copy().items():
                if name not in now or slot.wait_change(now[name], turn / len(now)):
                    break

    def connect(self, reader: str) -> Channel:
        """Power the card in a reader.

        Raises:
            ReaderUnavailable: No reader of that name.
            CardAbsent: It is empty.
            CardMultiple: Several cards lie in its field.
            ReaderBusy: The card is in use.
        """
        slot = self.slots.get(reader)
        if slot is None:
            raise ReaderUnavailable(reader)
        return slot.connect()

    def release(self) -> None:
        """Embedded readers hold nothing for a thread."""
