"""The purchase SAM in a reader slot (EW §5, SSC §2.3, §6.4 and §7.2)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from cardio.apdu.command import MASTER_FILE, Command, Response, select_file, select_name
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import SAM
from cardio.crypto.cryptograms import amount_bytes
from cardio.errors import (
    CardError,
    CardNotGenuine,
    ReaderBusy,
    ReaderError,
    SamAbsent,
    SamError,
    SamFailed,
)
from cardio.security.authentication import AuthenticationOrder
from cardio.security.keys import Authorization, Family, Mac2, PurchaseOrder, SamApplication
from cardio.security.psam_authentication import authenticate_with_psam
from cardio.security.psam_exchange import call_with_factors, present_mac2
from cardio.security.psam_grey import PsamGrey
from cardio.transport.channel import Disclosure

T = TypeVar("T")

TERMINAL_NUMBER_SFI = 0x16
TERMINAL_NUMBER_SIZE = 6
HOLD_TIMEOUT = 10.0
"""Seconds that a purchase waits for a PSAM which another purchase holds."""


class SamSlot(Protocol):
    """A reader slot with a SAM, reached from any thread."""

    @property
    def name(self) -> str:
        """Name of the reader."""

    @property
    def virtual(self) -> bool:
        """Whether the SAM is virtual, so that its keys are test keys."""

    def run(self, job: Callable[[CardConnection], T]) -> T:
        """Run `job` on the powered SAM in the slot's own thread.

        Raises:
            ReaderError: There is no SAM, or it stopped answering; the next call powers it anew.
        """


class Psam:
    """One PSAM as a source of purchase keys; safe for use from several threads."""

    def __init__(self, slot: SamSlot) -> None:
        self._slot = slot
        self._held = threading.Lock()
        self._letting_go = threading.Lock()
        self._holder: object = None
        self._terminal_number: bytes | None = None
        self._key_indexes: dict[bytes, int] = {}
        self._selected: bytes | None = None
        self._open: Authorization | None = None

    @property
    def name(self) -> str:
        """`psam:` and the reader's name."""
        return f"psam:{self._slot.name}"

    @property
    def test(self) -> bool:
        """A virtual PSAM holds test keys."""
        return self._slot.virtual

    @property
    def counted(self) -> bool:
        """The sequence is the PSAM's own (EW §5.1, EF18)."""
        return True

    def terminal_number(self) -> bytes:
        """Terminal number from MF/EF16, 6 bytes; read once."""
        if self._terminal_number is None:
            self._selected = None
            self._terminal_number = self._run(read_terminal_number)
        return self._terminal_number

    def key_index(self, application: SamApplication) -> int:
        """First byte of the application's key index file; read once per application."""
        if application.selector not in self._key_indexes:
            self._select(application)
            sfi = application.key_index_sfi
            data = self._run(lambda sam: sam.call(_read_binary(sfi, 1)))
            if not data:
                raise SamFailed("the key index file is empty")
            self._key_indexes[application.selector] = data[0]
        return self._key_indexes[application.selector]

    @property
    def source(self) -> Psam:
        """Itself."""
        return self

    @contextmanager
    def hold(self, application: SamApplication | None = None, terminal: bytes | None = None) -> Iterator[Psam]:  # noqa: ARG002 - one source
        """Take the PSAM from 80 70 until 80 72 or until the transaction is recorded as open."""
        if not self._held.acquire(timeout=HOLD_TIMEOUT):
            raise ReaderBusy(f"{self.name} is held by another purchase")
        holder = self._holder = object()
        try:
            yield self
        finally:
            self._let_go(holder)

    def abandon(self) -> None:
        """End a hold in the place of its thread, which is stuck in another reader and may never do it."""
        self._let_go(self._holder)

    def _let_go(self, holder: object) -> None:
        """End one hold, once: a thread that was given up may come back when another holds the PSAM."""
        with self._letting_go:
            if holder is not None and holder is self._holder:
                self._holder = None
                self._held.release()

    def authorize(self, order: PurchaseOrder) -> Authorization:
        """INIT SAM FOR PURCHASE (80 70), with the number of factors that this PSAM expects."""
        self._open = None
        self._select(order.application)
        answer = call_with_factors(
            self._send, order.application.levels, order.factors, lambda used: _init_purchase(order, used), 8
        )
        self._open = Authorization(int.from_bytes(answer[:4], "big"), answer[4:])
        return self._open

    def check_mac2(self, mac2: bytes) -> Mac2:
        """CREDIT SAM FOR PURCHASE (80 72)."""
        self._open = None
        command = Command("CREDIT SAM FOR PURCHASE", 0x80, 0x72, data=mac2, outcomes=SAM, repeatable=False)
        return present_mac2(self._send, command)

    def recheck_mac2(
        self,
        order: PurchaseOrder,  # noqa: ARG002 - the PSAM keeps one session, and only `authorization` tells whose it is
        authorization: Authorization | None,
        mac2: bytes,
    ) -> Mac2:
        """80 72 for a transaction that was torn, while no other purchase has used the PSAM since."""
        with self.hold():
            if authorization is None or self._open != authorization:
                return Mac2.UNCHECKED
            return self.check_mac2(mac2)

    def grey(self, application: SamApplication) -> PsamGrey:
        """Grey lock commands, for the time that the PSAM is held; an open purchase is given up (EW §3.5).

        Raises:
            SamError: The PSAM does not have the application.
        """
        self._open = None
        self._select(application)
        return PsamGrey(self._send)

    def authenticate(self, order: AuthenticationOrder) -> bytes:
        """Authentication data for the card; waits while a purchase holds the PSAM."""
        with self.hold():
            self._select(order.application)
            return authenticate_with_psam(self._send, order)

    def check_authenticity_code(self, application: SamApplication, code: bytes) -> None:
        """80 CA 00 00 with the card's code; 9000 means genuine (EW §1.3)."""
        command = Command("CHECK AUTHENTICITY CODE", 0x80, 0xCA, data=code, outcomes=SAM, repeatable=False)
        with self.hold():
            self._select(application)
            response = self._send(command)
        if not response.ok:
            raise CardNotGenuine("the PSAM refuses the card's authenticity code")

    def _select(self, application: SamApplication) -> None:
        if self._selected == application.selector:
            return
        # The selector may be a file identifier below the master file, so start there.
        for command in (select_file(MASTER_FILE), _select_command(application.selector)):
            response = self._send(command)
            if not response.ok:
                self._selected = None
                raise SAM.error(response.sw, command.name)
        self._selected = application.selector

    def _send(self, command: Command) -> Response:
        return self._run(lambda sam: sam.send(command))

    def _run(self, job: Callable[[CardConnection], T]) -> T:
        try:
            return self._slot.run(job)
        except ReaderError as error:
            # A SAM that lost power has forgotten its selection and its open purchase; the next one may be another.
            self._selected = None
            self._open = None
            self._terminal_number = None
            self._key_indexes.clear()
            raise SamAbsent(error.detail or error.code, source=error.source) from error
        except SamError:
            raise
        except CardError as error:
            raise SamFailed(error.detail, source=error.source) from error


def _select_command(selector: bytes) -> Command:
    if len(selector) == 2:
        return select_file(int.from_bytes(selector, "big"))
    return select_name(selector)


def _read_binary(sfi: int, size: int) -> Command:
    return Command(
        "READ BINARY",
        0x00,
        0xB0,
        0x80 | sfi,
        0,
        le=size,
        outcomes=SAM,
        disclosure=Disclosure.ALL,
    )


def read_terminal_number(sam: CardConnection) -> bytes:
    """Terminal number of a PSAM, 6 bytes: MF/EF16 (SSC §2.3, EW §5.1).

    Raises:
        SamError: The card has no such file: it is no PSAM.
        ReaderError: It does not answer.
    """
    response = sam.send(select_file(MASTER_FILE))
    if not response.ok:
        raise SAM.error(response.sw, "SELECT")
    number = sam.call(_read_binary(TERMINAL_NUMBER_SFI, TERMINAL_NUMBER_SIZE))
    if len(number) != TERMINAL_NUMBER_SIZE:
        raise SamFailed(f"terminal number of {len(number)} bytes")
    return number


def _init_purchase(order: PurchaseOrder, factors: bytes) -> Command:
    """80 70."""
    data = b"".join(
        (
            order.random,
            order.counter.to_bytes(2, "big"),
            amount_bytes(order.amounts),
            bytes([order.kind]),
            order.time,
            bytes([order.key_version, order.algorithm_id]),
            factors,
        )
    )
    p1 = 0x01 if order.application.family is Family.LDT else 0x00
    return Command("INIT SAM FOR PURCHASE", 0x80, 0x70, p1, 0, data, le=8, outcomes=SAM, repeatable=False)
