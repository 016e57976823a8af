"""Readers through PC/SC: the only module that touches pyscard.

Only the plain functions of `smartcard.scard` are used. pyscard's monitors and connections keep
contexts of their own, which die with pcscd and never come back, without an error.

Measured with pcsc-lite 1.9.9 and vpcd 3.3, on which the code below relies:

* Every call on a context of a former pcscd returns 8010001D, also while the next pcscd already
  runs; a call that is blocked when pcscd ends returns 80100013. Releasing such a context leaks
  nothing.
* pcscd looks at a slot every 0.4 s. For so long after a pull, an exchange fails with 80100016, or
  ends without an error and without a byte, and the slot still counts as occupied; later it is
  80100069.
* After an error the answer buffer holds whatever lay in memory, earlier answers included. It is
  never looked at.

No result of PC/SC tells that several cards lie in one field: a reader reports the one that it chose, or a mute card.
"""

from __future__ import annotations

import math
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import smartcard.scard as _untyped_scard

from cardio.errors import (
    CardAbsent,
    CardioError,
    CardMute,
    CardRemoved,
    CardReset,
    CardUnpowered,
    CardUnsupported,
    LinkCorrupt,
    PinBlocked,
    PinCancelled,
    PinPadMissing,
    PinWrong,
    ReaderBusy,
    ReaderServiceStopped,
    ReaderUnavailable,
    Source,
)
from cardio.transport import part10
from cardio.transport.channel import CardProtocol, Disclosure, PinChangePrompt, PinPrompt, SlotState

_scard: Any = _untyped_scard

_PLUG_AND_PLAY = r"\\?PnP?\Notification"
"""Pseudo reader whose state changes when a reader comes or goes."""

_SLICE = 1.0
"""Seconds that one PC/SC call may block: Ctrl-C and a lost notification wait no longer."""

_PULL_NOTICE = 1.0
"""Seconds until a pulled card must have been noticed; pcscd polls a slot every 0.4 s."""

_TIMEOUT = 0x8010000A
_NO_READERS = 0x8010002E
_COMMUNICATION_FAILED = 0x80100013
_NOT_TRANSACTED = 0x80100016
_DATA_LOST = 0x8010002F
_NOT_SUPPORTED = frozenset({0x8010001F, 0x80100022})
"""The driver does not know an attribute; which of the two depends on the version of pcsc-lite."""

_ERRORS: dict[int, type[CardioError]] = {
    0x80100003: ReaderServiceStopped,  # a handle that died with an earlier service
    0x80100009: ReaderUnavailable,
    0x8010000B: ReaderBusy,
    0x8010000C: CardAbsent,
    0x8010000F: CardUnsupported,
    _COMMUNICATION_FAILED: ReaderServiceStopped,
    _NOT_TRANSACTED: LinkCorrupt,
    0x80100017: ReaderUnavailable,
    0x8010001D: ReaderServiceStopped,
    0x8010001E: ReaderServiceStopped,
    _NO_READERS: ReaderUnavailable,
    _DATA_LOST: LinkCorrupt,
    0x80100065: CardUnsupported,
    0x80100066: CardMute,
    0x80100067: CardUnpowered,
    0x80100068: CardReset,
    0x80100069: CardRemoved,
    0x8010006B: PinWrong,
    0x8010006C: PinBlocked,
    0x8010006E: PinCancelled,
}

_AMBIGUOUS = frozenset({_COMMUNICATION_FAILED, _NOT_TRANSACTED, _DATA_LOST})
"""Results of an exchange that do not tell a pulled card from a broken link."""

_STATUS_WORD = 2

_VIRTUAL_READER = "Virtual PCD"
_VIRTUAL_VENDOR = b"Virtual"


class PcscDriver:
    """The readers of the PC/SC service (pcscd); a `ReaderDriver`.

    Any thread may use a driver. Each gets a PC/SC context of its own, for a context serves one
    blocking call at a time; it is freed by `release` or with the thread. After a restart of pcscd
    the driver works on by itself.
    """

    def __init__(self) -> None:
        self._local = threading.local()

    def readers(self) -> dict[str, SlotState]:
        """All readers that are connected now, by name.

        Raises:
            ReaderServiceStopped: pcscd does not run.
        """
        try:
            return _states(self._context().slots())
        except ReaderServiceStopped:
            # Perhaps only the context is old: the next one shows whether pcscd runs.
            self.release()
            return _states(self._context().slots())

    def wait(self, known: Mapping[str, SlotState], timeout: float) -> dict[str, SlotState]:
        """Block until the readers or slots differ from `known`; return the new state.

        Blocks at most `timeout` seconds.

        Unlike `readers`, this reports a restart of pcscd since the thread's last call by
        `ReaderServiceStopped`, because the events of slots begin anew at 0: `known` then says
        nothing about what happened.

        Raises:
            ReaderServiceStopped: pcscd does not run or stopped meanwhile. Raised at once, however
                long `timeout` is; the next call tries anew.
        """
        deadline = time.monotonic() + timeout
        try:
            context = self._context()
            while True:
                slots = context.slots()
                states = _states(slots)
                remaining = deadline - time.monotonic()
                if states != dict(known) or remaining <= 0:
                    return states
                context.block(slots, min(remaining, _SLICE))
        except ReaderServiceStopped:
            self.release()
            raise

    def connect(self, reader: str) -> PcscChannel:
        """Power the card in `reader` for exclusive use by the calling thread.

        Raises:
            CardAbsent: No card in the reader.
            CardMute: The card gives no answer to reset.
            CardUnsupported: The card speaks neither T=0 nor T=1.
            ReaderBusy: Another program or channel holds the card.
            ReaderUnavailable: No reader of that name.
            ReaderServiceStopped: pcscd does not run.
        """
        try:
            return _connected(self._context(), reader)
        except ReaderServiceStopped:
            # As in `readers`. The card got no command, so connecting twice does no harm.
            self.release()
            return _connected(self._context(), reader)

    def release(self) -> None:
        """Free the calling thread's PC/SC context; its channels keep it until they are gone."""
        self._local.context = None

    def _context(self) -> _Context:
        context: _Context | None = getattr(self._local, "context", None)
        if context is None:
            context = self._local.context = _Context()
        return context


class PcscChannel:
    """One powered card in a PC/SC reader; a `Channel`. Made by `PcscDriver.connect`."""

    def __init__(self, context: _Context, reader: str, handle: int, protocol: int) -> None:
        self._context = context
        self._reader = reader
        self._handle: int | None = handle
        is_t0 = protocol == _scard.SCARD_PROTOCOL_T0
        self._protocol = CardProtocol.T0 if is_t0 else CardProtocol.T1
        self._header: Any = _scard.SCARD_PCI_T0 if is_t0 else _scard.SCARD_PCI_T1
        try:
            result, _, _, _, atr = _scard.SCardStatus(handle)
            _check(result, "SCardStatus", reader)
            self._atr = bytes(atr)
            self._virtual = self._is_virtual(handle)
            self._presentation = SlotState(True, _state(context.slot(reader)).events)
        except BaseException:
            self.close()
            raise

    @property
    def reader(self) -> str:
        """Name of the reader."""
        return self._reader

    @property
    def atr(self) -> bytes:
        """Answer to reset, 2 to 33 bytes."""
        return self._atr

    @property
    def protocol(self) -> CardProtocol:
        """Transmission protocol in use."""
        return self._protocol

    @property
    def virtual(self) -> bool:
        """Whether the reader is a slot of vpcd, the driver for virtual cards.

        vpcd for Linux answers no attribute that would name it (8010001F for all of them), so the
        name given by its configuration decides: it must begin with "Virtual PCD". A USB reader
        cannot have that name by chance, since pcscd takes it from its driver's list. In addition, a
        reader that does report a vendor must report a virtual one, as vpcd for Windows does
        ("Virtual Smart Card Architecture"); drivers of real readers report theirs.
        """
        return self._virtual

    def transmit(
        self,
        command: bytes,
        disclosure: Disclosure = Disclosure.HEADER,  # noqa: ARG002 - for recorders
    ) -> bytes:
        """Send one command APDU and return data ‖ SW1 SW2.

        A command has 4 to 261 bytes, or is extended; an answer has at least 2 bytes. The command is
        sent once and never again. After an ambiguous failure it takes up to 1 s to find out whether
        the card is gone.

        Raises:
            CardRemoved: The card left the reader before or during the exchange.
            CardReset: Another program reset the card.
            CardMute: The card does not answer.
            CardUnpowered: The card has no power.
            LinkCorrupt: The card is still there, but the answer was lost or is too short.
            ReaderUnavailable: The reader is gone, or the channel is closed.
            ReaderServiceStopped: pcscd stopped or was restarted.
        """
        result, data = _scard.SCardTransmit(self._open_handle(), self._header, list(command))
        return self._answer("SCardTransmit", result, data)

    def close(self) -> None:
        """Reset the card, so that no PIN or key stays presented, and give up the reader.

        Never raises. Reset rather than power-off, though either makes the card forget: a reset is
        answered by the ATR, so the card has forgotten by the time this returns; and it leaves the
        field of a contactless reader on, so that the card there does not seem to leave and return.
        """
        handle, self._handle = self._handle, None
        if handle is not None:
            # A failure means nothing: the card is gone, or pcscd, which powers it off.
            _scard.SCardDisconnect(handle, _scard.SCARD_RESET_CARD)

    def _open_handle(self) -> int:
        if self._handle is None:
            raise ReaderUnavailable(f"{self._reader}: the channel is closed")
        return self._handle

    def _answer(self, call: str, result: int, data: Sequence[int]) -> bytes:
        """The card's answer, or the error that stands for its loss."""
        code = _code(result)
        if code in _AMBIGUOUS or (code == 0 and len(data) < _STATUS_WORD):
            source = Source("pcsc", call, f"{code:08X}")
            raise self._cause()(f"{self._reader}: no answer", source=source)
        _check(code, call, self._reader)
        return bytes(data)

    def _is_virtual(self, handle: int) -> bool:
        if not self._reader.startswith(_VIRTUAL_READER):
            return False
        result, vendor = _scard.SCardGetAttrib(handle, _scard.SCARD_ATTR_VENDOR_NAME)
        code = _code(result)
        return code in _NOT_SUPPORTED or (code == 0 and bytes(vendor).startswith(_VIRTUAL_VENDOR))

    def _cause(self) -> type[CardioError]:
        """Which error an ambiguous failure is: what is gone, the card, the reader or pcscd?"""
        try:
            slot = self._context.slot(self._reader)
            if _state(slot) == self._presentation:
                self._context.block({self._reader: slot}, _PULL_NOTICE)
                slot = self._context.slot(self._reader)
        except (ReaderUnavailable, ReaderServiceStopped) as error:
            return type(error)
        return LinkCorrupt if _state(slot) == self._presentation else CardRemoved


class PcscPinPadChannel(PcscChannel):
    """A powered card in a PC/SC reader with a PIN pad; a `PinPadChannel`. Made by `PcscDriver.connect`."""

    def __init__(
        self, context: _Context, reader: str, handle: int, protocol: int, *, features: Mapping[int, int]
    ) -> None:
        self._features = features
        super().__init__(context, reader, handle, protocol)

    def verify_pin(self, prompt: PinPrompt) -> bytes:
        """Let the holder type the PIN (FEATURE_VERIFY_PIN_DIRECT); blocks until then, at most `part10.PIN_SECONDS`.

        Returns:
            The status word of the card, or the pad's own: 6400 time-out, 6401 cancelled, 6403 wrong length.

        Raises:
            PinError: The driver tells by a result of PC/SC that the PIN is wrong or blocked, or the holder cancelled.
            ReaderError: As in `transmit`.
        """
        handle = self._open_handle()
        code = self._features.get(part10.GET_TLV_PROPERTIES)
        properties = b"" if code is None else _control(handle, code)
        return self._ask(part10.VERIFY_PIN_DIRECT, part10.pin_verify(part10.within_pad(prompt, properties)))

    def modify_pin(self, prompt: PinChangePrompt) -> bytes:
        """Let the holder change the PIN (FEATURE_MODIFY_PIN_DIRECT); blocks at most `part10.PIN_SECONDS` for each PIN.

        Returns:
            The status word of the card, or the pad's own: those of `verify_pin`, and 6402 not twice alike.

        Raises:
            PinPadMissing: The reader does not have the feature.
            PinError: As in `verify_pin`.
            ReaderError: As in `transmit`.
        """
        if part10.MODIFY_PIN_DIRECT not in self._features:
            raise PinPadMissing(f"the PIN pad of {self._reader} cannot change PINs")
        return self._ask(part10.MODIFY_PIN_DIRECT, part10.pin_modify(prompt))

    def _ask(self, feature: int, structure: bytes) -> bytes:
        result, data = _scard.SCardControl(self._open_handle(), self._features[feature], list(structure))
        return self._answer("SCardControl", result, data)


def _connected(context: _Context, reader: str) -> PcscChannel:
    """A channel to the card in `reader`; errors as of `PcscDriver.connect`."""
    protocols = _scard.SCARD_PROTOCOL_T0 | _scard.SCARD_PROTOCOL_T1
    result, handle, protocol = _scard.SCardConnect(context.handle, reader, _scard.SCARD_SHARE_EXCLUSIVE, protocols)
    _check(result, "SCardConnect", reader)
    # Asked anew each time, 0.1 ms: another reader may have come under the same name.
    features = part10.features(_control(handle, _scard.SCARD_CTL_CODE(part10.GET_FEATURE_REQUEST)))
    if part10.VERIFY_PIN_DIRECT in features:
        return PcscPinPadChannel(context, reader, handle, protocol, features=features)
    return PcscChannel(context, reader, handle, protocol)


def _control(handle: int, code: int) -> bytes:
    """What a reader says of itself; empty if it does not know the question."""
    result, data = _scard.SCardControl(handle, code, [])
    return bytes(data) if _code(result) == 0 else b""


class _Context:
    """A PC/SC context, freed when nobody refers to it any more.

    Raises:
        ReaderServiceStopped: pcscd does not run.
    """

    def __init__(self) -> None:
        result, handle = _scard.SCardEstablishContext(_scard.SCARD_SCOPE_SYSTEM)
        _check(result, "SCardEstablishContext")
        self.handle: int = handle
        finalizer = weakref.finalize(self, _scard.SCardReleaseContext, handle)
        # At the end of the process pcscd frees it anyway; here it would wait for blocked threads.
        finalizer.atexit = False

    def slots(self) -> dict[str, int]:
        """PC/SC event states of all readers."""
        while True:
            result, names = _scard.SCardListReaders(self.handle, [])
            if _code(result) == _NO_READERS:
                return {}
            _check(result, "SCardListReaders")
            if not names:
                return {}
            try:
                return self._status(dict.fromkeys(names, _scard.SCARD_STATE_UNAWARE), 0)
            except ReaderUnavailable:
                continue  # one of them left between the two calls

    def slot(self, reader: str) -> int:
        """PC/SC event state of one reader."""
        return self._status({reader: _scard.SCARD_STATE_UNAWARE}, 0)[reader]

    def block(self, slots: Mapping[str, int], seconds: float) -> None:
        """Wait until a slot differs from `slots` or a reader comes or goes, at most `seconds`."""
        known = {name: state & ~_scard.SCARD_STATE_CHANGED for name, state in slots.items()}
        known[_PLUG_AND_PLAY] = _scard.SCARD_STATE_UNAWARE
        try:
            self._status(known, math.ceil(seconds * 1000))
        except ReaderUnavailable:
            return  # a reader left: that is a difference

    def _status(self, known: Mapping[str, int], milliseconds: int) -> dict[str, int]:
        result, states = _scard.SCardGetStatusChange(self.handle, milliseconds, list(known.items()))
        if _code(result) != _TIMEOUT:
            _check(result, "SCardGetStatusChange")
        return {name: state for name, state, _ in states}


def _states(slots: Mapping[str, int]) -> dict[str, SlotState]:
    return {name: _state(slot) for name, slot in slots.items()}


def _state(slot: int) -> SlotState:
    # pcsc-lite counts insertions and removals in the high word of the event state.
    return SlotState(bool(slot & _scard.SCARD_STATE_PRESENT), slot >> 16 & 0xFFFF)


def _code(result: int) -> int:
    """A PC/SC result as unsigned number; pyscard gives some of them as negative ones."""
    return result & 0xFFFFFFFF


def _check(result: int, command: str, reader: str = "") -> None:
    """Raise the error that stands for a PC/SC result, unless it is success."""
    code = _code(result)
    if code == 0:
        return
    raw = f"{code:08X}"
    kind = _ERRORS.get(code, ReaderUnavailable)
    detail = reader if code in _ERRORS else f"{reader}: PC/SC error {raw}".removeprefix(": ")
    raise kind(detail, source=Source("pcsc", command, raw))
