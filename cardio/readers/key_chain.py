"""Several sources of keys as one: PSAMs, then an HSM, then a keyring (OPS §4.11).

A source that fails is passed over by the next transaction; within one transaction the source never changes, because
the card's answer can be checked by the one that authorized it only.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Protocol, TypeVar

from cardio.errors import (
    HsmFailed,
    MaintenanceKeysMissing,
    ReaderBusy,
    SamAbsent,
    SamError,
    SamFailed,
    SamLocked,
    TestKeysRefused,
)
from cardio.readers.watch import if_abandoned
from cardio.security.authentication import AuthenticationKeys, AuthenticationOrder, AuthenticityCodes
from cardio.security.keys import (
    Authorization,
    Mac2,
    PurchaseKeys,
    PurchaseOrder,
    PurchaseSession,
    SamApplication,
)
from cardio.security.maintenance import KeyOfCard, MaintenanceKeys
from cardio.security.psam import HOLD_TIMEOUT, Psam

S = TypeVar("S")
T = TypeVar("T")

REST = 30.0
"""Seconds that a source which failed stands back behind the others."""
FAILURES = (HsmFailed, SamAbsent, SamFailed, SamLocked)
"""Errors that speak of the source, not of the card in hand."""


class KeySource(PurchaseKeys, AuthenticationKeys, Protocol):
    """A source that serves purchases and authentications alike, as all of ours do."""


class KeyChain:
    """Sources of keys in the order of preference; safe for use from several threads.

    PSAMs come first, by name, and are shared out: a purchase takes the first one that is free. Other sources serve when
    no PSAM can.

    Args:
        others: Sources behind the PSAMs, in order: HSM, keyring.
        patience: Seconds that a transaction waits for a PSAM when all are held.

    Raises:
        TestKeysRefused: Test keys and others together.
    """

    def __init__(self, *others: KeySource, patience: float = HOLD_TIMEOUT) -> None:
        self._others = others
        self._patience = patience
        self._psams: dict[str, Psam] = {}
        self._holders: dict[Psam, threading.Thread] = {}
        self._failed_at: dict[PurchaseKeys, float] = {}
        self._changed = threading.Condition()
        if len({source.test for source in others}) > 1:
            raise TestKeysRefused("test keys and others do not mix")

    # ---- what it is made of ----------------------------------------------------------------------------------

    @property
    def sources(self) -> tuple[KeySource, ...]:
        """All sources, in order of preference."""
        with self._changed:
            return self._sources()

    @property
    def others(self) -> tuple[KeySource, ...]:
        """Sources behind the PSAMs, in order."""
        return self._others

    def add_psam(self, psam: Psam) -> None:
        """Take a PSAM into service.

        Raises:
            TestKeysRefused: It holds test keys and the other sources do not, or the other way round: a real card could
                meet test keys.
        """
        with self._changed:
            if any(source.test is not psam.test for source in self._sources()):
                raise TestKeysRefused(f"{psam.name}: test keys and others do not mix")
            self._psams[psam.name] = psam
            self._changed.notify_all()

    def remove_psam(self, psam: Psam) -> None:
        """Take a PSAM out of service; a purchase that holds it goes on, and meets its own errors."""
        with self._changed:
            if self._psams.get(psam.name) is psam:
                del self._psams[psam.name]
            self._failed_at.pop(psam, None)
            self._changed.notify_all()

    @property
    def name(self) -> str:
        """Names of all sources; `PurchaseSession.source` names the one that serves a transaction."""
        return "+".join(source.name for source in self.sources)

    @property
    def test(self) -> bool:
        """Whether they are test keys: all are, or none is."""
        return any(source.test for source in self.sources)

    @property
    def counted(self) -> bool:
        """Whether the source that would serve next has a counter of its own."""
        sources = self.sources
        return bool(sources) and sources[0].counted

    # ---- purchases -------------------------------------------------------------------------------------------

    @contextmanager
    def hold(
        self, application: SamApplication | None = None, terminal: bytes | None = None
    ) -> Iterator[PurchaseSession]:
        """Take the first source that can serve, to the end of one transaction.

        Args:
            application: What it is needed for; without it, a PSAM of other cards may be taken.
            terminal: Terminal number, 6 bytes, of the only source that will do, as the PSAM which made a grey lock; it
                may lie in another reader by now.

        Raises:
            ReaderBusy: All that can serve stayed taken for too long.
            SamAbsent: There is no source, or not that one.
            SamError: None can serve; the error of the most preferred one.
        """
        with ExitStack() as stack:
            session = self._enter(stack, application, terminal)
            try:
                yield session
            except FAILURES:
                self._note_failure(session.source)
                raise

    def recheck_mac2(self, order: PurchaseOrder, authorization: Authorization | None, mac2: bytes) -> Mac2:
        """Ask the PSAMs, each of which knows its own last purchase.

        Other sources would compute for any purchase, and call a right proof wrong that was made with another's keys:
        whoever knows the source asks it (`source_named`).
        """
        sources = self.sources
        for source in sources:
            if isinstance(source, Psam) or len(sources) == 1:
                found = source.recheck_mac2(order, authorization, mac2)
                if found is not Mac2.UNCHECKED:
                    return found
        return Mac2.UNCHECKED

    # ---- authentications -------------------------------------------------------------------------------------

    def authenticate(self, order: AuthenticationOrder) -> bytes:
        """Authentication data of 8 bytes from the first source that has the key.

        Raises:
            SamError: None has; the error of the most preferred one.
        """
        return self._first(lambda source: source.authenticate(order), self.sources)

    def check_authenticity_code(self, application: SamApplication, code: bytes) -> None:
        """Let the first PSAM that can judge a card's authenticity code.

        Raises:
            CardNotGenuine: It refuses the code.
            SamError: None can judge.
        """
        judges = [source for source in self.sources if isinstance(source, AuthenticityCodes)]
        self._first(lambda judge: judge.check_authenticity_code(application, code), judges)

    # ---- maintenance -----------------------------------------------------------------------------------------

    def protect(
        self, key: KeyOfCard, challenge: bytes, header: bytes, data: bytes = b"", *, encrypt: bool = False
    ) -> bytes:
        """Data of a protected command from the first source that has the key; see `MaintenanceKeys.protect`.

        Raises:
            MaintenanceKeysMissing: No source makes such MACs at all.
            SamError: None has the key; the error of the most preferred one.
        """
        return self._first(
            lambda source: source.protect(key, challenge, header, data, encrypt=encrypt), self._maintenance()
        )

    def reload_mac(self, key: KeyOfCard, data: bytes) -> bytes:
        """MAC of a wallet's RELOAD PIN from the first source that has the key; raises as `protect` does."""
        return self._first(lambda source: source.reload_mac(key, data), self._maintenance())

    def _maintenance(self) -> list[MaintenanceKeys]:
        found: list[MaintenanceKeys] = [source for source in self.sources if isinstance(source, MaintenanceKeys)]
        if not found:
            raise MaintenanceKeysMissing
        return found

    # ---- inside ----------------------------------------------------------------------------------------------

    def _sources(self) -> tuple[KeySource, ...]:
        """Those that failed lately come last: they are tried when nothing else is left."""
        ordered = [*(self._psams[name] for name in sorted(self._psams)), *self._others]
        rested = time.monotonic() - REST
        return tuple(sorted(ordered, key=lambda source: self._failed_at.get(source, rested) > rested))

    def _enter(self, stack: ExitStack, application: SamApplication | None, terminal: bytes | None) -> PurchaseSession:
        """A session of the first source that can serve; `stack` gives it back."""
        deadline = time.monotonic() + self._patience
        refused: dict[KeySource, SamError] = {}
        others: set[KeySource] = set()
        while True:
            source = self._take(refused.keys() | others, deadline)
            if source is None:
                wanted = "" if terminal is None else f" of terminal {terminal.hex()}"
                raise next(iter(refused.values()), SamAbsent(f"no source of purchase keys{wanted}"))
            with ExitStack() as attempt:
                if isinstance(source, Psam):
                    holder = threading.current_thread()
                    attempt.callback(self._give_back, source, holder)
                    attempt.enter_context(if_abandoned(partial(self._take_back, source, holder)))
                try:
                    session = attempt.enter_context(source.hold())
                    # What a purchase asks first; a PSAM that is well has both in memory and sends nothing.
                    number = session.terminal_number()
                    if terminal not in {None, number}:
                        others.add(source)
                        continue
                    if application is not None:
                        session.key_index(application)
                except SamError as error:
                    refused[source] = error
                    if isinstance(error, FAILURES):
                        self._note_failure(source)
                    continue
                stack.enter_context(attempt.pop_all())
                return session

    def _take(self, passed: Collection[KeySource], deadline: float) -> KeySource | None:
        """The first source that is free and was not passed over; PSAMs in use are waited for before others serve."""
        with self._changed:
            while True:
                left = [source for source in self._sources() if source not in passed]
                if not left:
                    return None
                source = self._free_one(left)
                if source is not None:
                    if isinstance(source, Psam):
                        self._holders[source] = threading.current_thread()
                    return source
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise ReaderBusy("all PSAMs are held by other purchases")
                self._changed.wait(remaining)

    def _free_one(self, left: list[KeySource]) -> KeySource | None:
        in_use = False
        for source in left:
            if isinstance(source, Psam):
                if source not in self._holders:
                    return source
                in_use = True
            elif not in_use:
                return source
        return None

    def _give_back(self, psam: Psam, holder: threading.Thread) -> None:
        with self._changed:
            if self._holders.get(psam) is holder:
                del self._holders[psam]
                self._changed.notify_all()

    def _take_back(self, psam: Psam, holder: threading.Thread) -> None:
        """Take a PSAM away from a thread that hangs in its card reader: others' purchases must go on."""
        with self._changed:
            if self._holders.get(psam) is holder:
                psam.abandon()
                del self._holders[psam]
                self._changed.notify_all()

    def _note_failure(self, source: PurchaseKeys) -> None:
        with self._changed:
            self._failed_at[source] = time.monotonic()

    def _first(self, ask: Callable[[S], T], sources: Sequence[S]) -> T:
        """The first answer that is no refusal of the source."""
        refused: SamError | None = None
        for source in sources:
            try:
                return ask(source)
            except SamError as error:
                refused = refused or error
        raise refused or SamAbsent("no source of keys")
