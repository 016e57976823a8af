"""A load host in this process, on the keys of a keyring: for development, and for cities whose terminals are the host.

It keeps its books in memory. What it books, it books once per request; nothing that contradicts is ever settled
silently: such a booking is disputed and left to a person. Source: EW §4.3, §4.4, §5.5, §6.3; SSC §7.1.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hmac import compare_digest
from types import MappingProxyType

from cardio.crypto.cryptograms import (
    amount_bytes,
    limit_bytes,
    online_grant,
    online_record,
    online_request,
    online_seed,
)
from cardio.errors import HostRefused, SamKeyMissing
from cardio.security.derived_keys import RANDOM_SIZE, TERMINAL_NUMBER_SIZE, suite_for
from cardio.security.keyring import Keyring
from cardio.security.keys import Family
from cardio.security.load_host import HostGrant, HostOperation, HostRequest

SESSION_KEYS: Mapping[tuple[Family, HostOperation], str] = {
    (Family.LDT, HostOperation.LOAD): "DLK",
    (Family.PBOC, HostOperation.LOAD): "WALLET-DLK",
    (Family.PBOC, HostOperation.UNLOAD): "WALLET-DULK",
    (Family.PBOC, HostOperation.OVERDRAFT): "WALLET-DUK",
}
"""Roots of the session keys (EW §4.3); medical accounts are only loaded (SSC §7.1)."""
TAC_KEYS: Mapping[Family, str] = {Family.LDT: "DTK", Family.PBOC: "WALLET-DTK"}


class BookingState(StrEnum):
    """How a booking stands."""

    BOOKED = "booked"
    CONFIRMED = "confirmed"
    REVERSED = "reversed"
    DISPUTED = "disputed"


@dataclass(frozen=True)
class Booking:
    """One line of the host's books.

    Attributes:
        state: How it stands; disputed is final here.
        operation: What was asked for; None when only a reversal ever came.
        amount: Fen loaded or unloaded, or the new overdraft limit; 0 when only a reversal ever came.
        dispute: Why it is disputed; empty otherwise.
    """

    state: BookingState
    operation: HostOperation | None = None
    amount: int = 0
    dispute: str = ""


@dataclass(frozen=True)
class _Answer:
    """What was answered to a request, and the proof that the card must give for it."""

    request: HostRequest
    grant: HostGrant
    proof: bytes = field(repr=False)


class SoftwareLoadHost:
    """A `LoadHost` of its own; safe for use from several threads.

    Args:
        keyring: Roots: `DLK`, `DTK` of medical accounts; `WALLET-DLK`, `WALLET-DULK`, `WALLET-DUK`, `WALLET-DTK`.
        clock: The host's time, 7 bytes YYYYMMDDhhmmss in the cards' time zone.
        max_amount_fen: Largest load, unload or overdraft limit in fen; None sets no limit beyond the fields' size.
    """

    def __init__(self, keyring: Keyring, clock: Callable[[], bytes], max_amount_fen: int | None = None) -> None:
        self._keyring = keyring
        self._clock = clock
        self._max_amount_fen = max_amount_fen
        self._lock = threading.Lock()
        self._answers: dict[str, _Answer] = {}
        self._bookings: dict[str, Booking] = {}

    @property
    def name(self) -> str:
        """`host:` and the keyring's name."""
        return f"host:{self._keyring.name}"

    @property
    def test(self) -> bool:
        """As the keyring says."""
        return self._keyring.test

    @property
    def bookings(self) -> Mapping[str, Booking]:
        """The books as they stand now, by the request's id; a copy."""
        with self._lock:
            return MappingProxyType(dict(self._bookings))

    def authorize(self, request: HostRequest) -> HostGrant:
        """Check MAC1, book once, and answer; the same request again gets the same answer.

        Raises:
            HostRefused: MAC1 is wrong, the amount is not allowed, a key is missing, the id was used for something else,
                or was reversed or disputed; nothing was booked.
        """
        with self._lock:
            booking = self._bookings.get(request.id)
            if booking is not None:
                return self._again(request, booking)
            answer = self._answer(request)
            self._answers[request.id] = answer
            self._bookings[request.id] = Booking(BookingState.BOOKED, request.operation, request.amount)
            return answer.grant

    def confirm(self, identifier: str, proof: bytes | None) -> None:
        """The card has changed. A wrong proof, or a reversal before, makes the booking disputed; nothing is raised."""
        with self._lock:
            booking = self._bookings.get(identifier)
            if booking is None or booking.state is BookingState.DISPUTED:
                return
            if booking.state is BookingState.REVERSED:
                self._dispute(identifier, booking, "confirmed after it was reversed")
            elif proof is not None and not compare_digest(self._answers[identifier].proof, proof):
                self._dispute(identifier, booking, "the card's proof is wrong")
            else:
                self._bookings[identifier] = replace(booking, state=BookingState.CONFIRMED)

    def reverse(self, identifier: str) -> None:
        """The card has not changed. An id that never came is remembered, so that it cannot be booked later."""
        with self._lock:
            booking = self._bookings.get(identifier, Booking(BookingState.BOOKED))
            if booking.state is BookingState.CONFIRMED:
                self._dispute(identifier, booking, "reversed after it was confirmed")
            elif booking.state is BookingState.BOOKED:
                self._bookings[identifier] = replace(booking, state=BookingState.REVERSED)

    def _dispute(self, identifier: str, booking: Booking, why: str) -> None:
        self._bookings[identifier] = replace(booking, state=BookingState.DISPUTED, dispute=why)

    def _again(self, request: HostRequest, booking: Booking) -> HostGrant:
        if booking.state in {BookingState.REVERSED, BookingState.DISPUTED}:
            raise HostRefused(f"the request is {booking.state} already")
        answer = self._answers[request.id]
        if answer.request != request:
            raise HostRefused("the id was used for another request")
        return answer.grant

    def _answer(self, request: HostRequest) -> _Answer:
        """Check the request and compute all that belongs to it.

        Raises:
            HostRefused: Something about it is wrong.
        """
        after = request.balance_after
        if request.amount < _least(request.operation) or after < 0:
            raise HostRefused(f"{request.amount} fen cannot be booked on this card")
        if self._max_amount_fen is not None and request.amount > self._max_amount_fen:
            raise HostRefused(f"more than {self._max_amount_fen} fen are not allowed")
        name = SESSION_KEYS.get((request.family, request.operation))
        if name is None:
            raise HostRefused(f"{request.family} cards know no {request.operation}")
        try:
            return self._computed(request, name, after)
        except SamKeyMissing as error:
            raise HostRefused(error.detail) from error
        except (ValueError, OverflowError) as error:
            # A field does not fit its bytes.
            raise HostRefused("a field of the request is malformed") from error

    def _computed(self, request: HostRequest, name: str, after: int) -> _Answer:
        """Check MAC1, compute MAC2 and the proof: MAC3 of an unload, else a TAC by the XOR rule (EW PC-10).

        Args:
            request: The request.
            name: Root of its session key.
            after: Balance that the card will have, fen.
        """
        if (len(request.random), len(request.terminal)) != (RANDOM_SIZE, TERMINAL_NUMBER_SIZE):
            raise ValueError("random or terminal number")
        suite = suite_for(request.family, request.algorithm)
        seed = online_seed(request.random, request.counter)
        session = self._keyring.session_key(name, suite, request.factors, seed)
        if request.operation is HostOperation.OVERDRAFT:
            before, amount = limit_bytes(request.old_limit), limit_bytes(request.amount)
        else:
            before = amount = amount_bytes([request.amount])
        asked = online_request(request.balance, before, request.kind, request.terminal)
        if not compare_digest(suite.mac(session, asked), request.mac1):
            raise HostRefused("MAC1 is wrong")
        time = self._clock()
        mac2 = suite.mac(session, online_grant(amount, request.kind, request.terminal, time))
        record = online_record(after, request.counter, amount, request.kind, request.terminal, time)
        if request.operation is HostOperation.UNLOAD:
            proof = suite.mac(session, record)
        else:
            tac_key = self._keyring.card_key(TAC_KEYS[request.family], suite, request.factors)
            proof = suite.tac(tac_key, record)
        return _Answer(request, HostGrant(time, mac2), proof)


def _least(operation: HostOperation) -> int:
    """Smallest amount in fen: a limit may be taken away, but nothing is no load."""
    return 0 if operation is HostOperation.OVERDRAFT else 1
