"""Waiting for a card to work with, and for the keys that a debit needs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from cardio.errors import (
    CardAbsent,
    CardioError,
    CardMultiple,
    OperationUnsupported,
    ReaderBusy,
    SamAbsent,
    ServiceUnavailable,
)
from cardio.purse.operation import PurseKind
from cardiod.presence import Presence
from cardiod.presentation import Presentation

T = TypeVar("T")
SAM_PATIENCE = 2.0
"""Seconds to wait for a PSAM that was not seen yet."""


class Waiting:
    """Waits, in the event loop, for what is presented at one counter.

    Args:
        presence: What is there.
    """

    def __init__(self, presence: Presence) -> None:
        self._presence = presence

    async def present(
        self,
        reader: str | None,
        purse: PurseKind | None,
        deadline: float,
        check: Callable[[], None] = lambda: None,
        on_wait: Callable[[], None] = lambda: None,
    ) -> Presentation:
        """Wait for the card to work with.

        Args:
            reader: Only this reader, by name or id; None for any.
            purse: Only a card with this purse; None for any card.
            deadline: Time of the event loop until which to wait.
            check: Called whenever something has changed; what it raises ends the waiting.
            on_wait: Called once, if the card is not there yet.

        Raises:
            CardAbsent: Nobody presented a card in time.
            OperationUnsupported: A card was presented, but it does not have the purse.
            CardMultiple: Several cards could be meant.
            ReaderBusy: The card is still being looked at.
            ServiceUnavailable: The daemon is stopping.
            ReaderUnavailable: No reader of that name.
            CardioError: What `check` raises.
        """
        presence, waiting = self._presence, False
        async with presence.changed:
            while True:
                if presence.stopping:
                    raise ServiceUnavailable("the daemon is stopping")
                check()
                name = self._card_reader(reader)
                candidates = [
                    card for card in presence.cards.values() if name in {None, card.reader} and not card.released
                ]
                if all(candidate.identified for candidate in candidates):
                    fitting = [candidate for candidate in candidates if candidate.has(purse)]
                    if len(fitting) > 1:
                        raise CardMultiple(", ".join(sorted(card.reader for card in fitting)))
                    if fitting:
                        return _usable(fitting[0])
                if not waiting:
                    on_wait()
                    waiting = True
                left = deadline - asyncio.get_running_loop().time()
                try:
                    await asyncio.wait_for(presence.changed.wait(), max(left, 0))
                except TimeoutError:
                    raise _nothing_fits(candidates, purse) from None

    async def work_on(
        self,
        present: Callable[[], Awaitable[Presentation]],
        work: Callable[[Presentation], Awaitable[T]],
        deadline: float,
    ) -> T:
        """Work on the card that is presented; one that is pulled out before it has power leaves time for the next.

        Args:
            present: Waits for the card, until the deadline.
            work: Does it, with power from the reader's owner.
            deadline: Time of the event loop until which to wait.

        Raises:
            CardAbsent: No card stayed long enough.
            CardioError: What `present` and `work` raise.
        """
        while True:
            card = await present()
            try:
                return await work(card)
            except CardAbsent:
                if not await self._seen_to_go(card, deadline):
                    raise

    async def _seen_to_go(self, card: Presentation, deadline: float) -> bool:
        """Whether the monitor, too, has noticed in time that a card is gone; a moment later than the reader."""
        presence = self._presence
        async with presence.changed:
            while presence.cards.get(card.reader) is card and not presence.stopping:
                left = deadline - asyncio.get_running_loop().time()
                try:
                    await asyncio.wait_for(presence.changed.wait(), max(left, 0))
                except TimeoutError:
                    return False
        return True

    async def await_keys(self, deadline: float) -> None:
        """Right after the start the PSAM may still be on its way; afterwards its absence is an error at once.

        Raises:
            SamAbsent: There are no keys.
        """
        until = min(deadline, asyncio.get_running_loop().time() + SAM_PATIENCE)
        presence = self._presence
        async with presence.changed:
            while not presence.keys.sources:
                left = until - asyncio.get_running_loop().time()
                try:
                    await asyncio.wait_for(presence.changed.wait(), max(left, 0))
                except TimeoutError:
                    raise SamAbsent("no PSAM in any reader") from None

    def _card_reader(self, wanted: str | None) -> str | None:
        """Name of the reader that is meant; None for any.

        Raises:
            ReaderUnavailable: There is none of that name, or none at all.
        """
        presence = self._presence
        if not presence.readers:
            raise presence.no_such_reader()
        if wanted is None or wanted in presence.readers:
            return wanted
        name = presence.ids.get(wanted)
        if name not in presence.readers:
            raise presence.no_such_reader()
        return name


def deadline_in(seconds: float) -> float:
    """Time of the event loop in so many seconds."""
    return asyncio.get_running_loop().time() + seconds


def _usable(card: Presentation) -> Presentation:
    if card.error is not None:
        raise card.error
    return card


def _nothing_fits(candidates: list[Presentation], purse: PurseKind | None) -> CardioError:
    """Why no card could be used, most telling first."""
    for card in candidates:
        if not card.identified:
            return card.held or ReaderBusy(f"{card.reader}: the card is still being looked at")
        if card.error is not None:
            return card.error
    if candidates and purse is not None:
        return OperationUnsupported(f"the presented card has no {purse} purse")
    return CardAbsent()
