"""A counter with eight readers on a pcscd of its own, and cards that debits are made on while things go wrong.

Run as a process of its own, because libpcsclite keeps the first pcscd that it meets:

    python -m tests.pcsc.crowd STORY FOLDER

It prints what came of the sales as one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from cardio.engine.engine import Engine
from cardio.engine.requests import DebitRequest
from cardio.errors import CardioError, IdempotencyInProgress
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import Request, State
from cardio.products.catalogue import Catalogue
from cardio.readers.owner import OwnerState
from cardio.readers.watch import CALL_LIMIT
from cardio.transport.pcsc import PcscDriver
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.pcscd import PrivatePcscd
from cardiod.counter import Counter
from tests.counter import tear
from tests.pcsc.slots import READERS, Slots
from tests.readers.stuck import StuckCard

SALES = 6
"""Sales on each card."""
PATIENCE = 25.0
"""Seconds until every sale must have its end."""
TORN = 0.15
"""Chance of a card, at each look, to be torn in its next debit."""
STUCK_LIMIT = 1.5


@dataclass
class Tally:
    """What came of the sales.

    Attributes:
        completed: Sales that were debited, as the journal says.
        not_debited: Sales of which the journal says that the card was not debited.
        open: Questions that are still open.
        recovered: Sales whose end was found out at a later presentation.
        unaccounted_fen: What the cards lost and the journal does not know, or the other way round.
        doubled: Cards that were debited another number of times than the journal says.
        rows: Rows of the journal's chain, which is whole.
        poisoned: Whether a reader was poisoned on the way.
    """

    completed: int = 0
    not_debited: int = 0
    open: int = 0
    recovered: int = 0
    unaccounted_fen: int = 0
    doubled: int = 0
    rows: int = 0
    poisoned: bool = False


class Crowd:
    """The counter, its pcscd and its cards."""

    def __init__(self, folder: Path, pcscd: PrivatePcscd, limit: float) -> None:
        self.pcscd = pcscd
        self.stuck: list[StuckCard] = []
        self.slots = Slots(pcscd, around=self._able_to_hang)
        self.ledger = Ledger(folder / "journal.db")
        engine = Engine(self.ledger, Catalogue.load(), None)
        self.counter = Counter(engine, PcscDriver(), *self.slots.sam_readers, limit=limit)
        self.poisoned = False
        self.chance = random.Random(4)  # noqa: S311 - the same story every time

    def _able_to_hang(self, card: VirtualCard) -> StuckCard:
        self.stuck.append(StuckCard(card))
        return self.stuck[-1]

    async def put_in(self) -> None:
        """Put every card in that is not in its reader."""
        await asyncio.to_thread(self.slots.put_in)

    async def sell(self, number: int) -> None:
        """Sales on one card, one after the other; each is asked for under its key until it has an end."""
        for sale in range(SALES):
            key = f"{number}-{sale}"
            amount = self.chance.randrange(1, 1000)
            while not await self._asked(number, key, amount):
                self.poisoned |= OwnerState.POISONED in self.counter.presence.states.values()
                await asyncio.sleep(0.1)

    async def _asked(self, number: int, key: str, amount: int) -> bool:
        asked = DebitRequest(Request("crowd", key, "debit", str(amount).encode()), amount, "sale")
        try:
            done = await self.counter.payments.debit(asked, self.slots.readers[number], 3)
        except CardioError as error:
            if isinstance(error, IdempotencyInProgress):
                raise
            return False
        return done.state.final

    async def sell_all(self) -> None:
        """Sales on all cards at once."""
        await asyncio.gather(*(self.sell(number) for number in range(READERS)))

    def tally(self) -> Tally:
        """Compare the journal with the cards."""
        transactions = self.ledger.transactions()
        fen, cards = self.slots.unaccounted(transactions)
        return Tally(
            completed=sum(one.state is State.COMPLETED for one in transactions),
            not_debited=sum(one.state is State.NOT_DEBITED for one in transactions),
            open=sum(not one.state.final for one in transactions),
            recovered=sum(one.outcome.recovered for one in transactions),
            unaccounted_fen=fen,
            doubled=cards,
            rows=self.ledger.verify_chain(),
            poisoned=self.poisoned,
        )


# ---- stories -----------------------------------------------------------------------------------------------------


async def all_at_once(crowd: Crowd) -> None:
    """Nothing goes wrong."""
    await crowd.sell_all()


async def cards_torn(crowd: Crowd) -> None:
    """Cards are torn out at every moment of their debits, and put back."""
    selling = asyncio.create_task(crowd.sell_all())
    while not selling.done():
        for link, card in zip(crowd.slots.links, crowd.slots.cards, strict=True):
            if link.inserted and card.hook is None and crowd.chance.random() < TORN:
                tear(card, crowd.chance.choice(list(Moment)))
        await asyncio.wait({selling}, timeout=0.2)
        await crowd.put_in()
    await selling


async def pcscd_restarted(crowd: Crowd) -> None:
    """Pcscd dies in the middle of debits, three times, and comes up again with empty readers."""
    selling = asyncio.create_task(crowd.sell_all())
    for moment in (Moment.COMMAND, Moment.AFTER_COMMIT, Moment.ANSWER):
        reached = crowd.slots.cut_next_debit(moment)
        await asyncio.to_thread(reached.wait, PATIENCE)
        await asyncio.to_thread(crowd.slots.restart_pcscd)
        await crowd.put_in()
    await selling


async def psam_taken_out(crowd: Crowd) -> None:
    """The only PSAM is taken out and put back while all need it."""
    selling = asyncio.create_task(crowd.sell_all())
    for _ in range(2):
        await asyncio.sleep(0.3)
        await asyncio.to_thread(crowd.slots.sam_links[0].remove)
        await asyncio.sleep(0.3)
        await crowd.put_in()
    await selling


async def pcscd_started_later(crowd: Crowd) -> None:
    """Pcscd does not run when the counter starts."""
    await crowd.sell_all()


async def one_hangs(crowd: Crowd) -> None:
    """A card never answers its debit; the others go on meanwhile."""
    crowd.stuck[0].stuck_at = bytes.fromhex("8054")
    selling = [asyncio.create_task(crowd.sell(number)) for number in range(READERS)]
    await asyncio.gather(*selling[1:])
    if selling[0].done():
        raise RuntimeError("the card did not hang")
    crowd.stuck[0].free.set()
    await selling[0]


STORIES: dict[str, Callable[[Crowd], Awaitable[None]]] = {
    story.__name__: story
    for story in (all_at_once, cards_torn, pcscd_restarted, psam_taken_out, pcscd_started_later, one_hangs)
}


@asynccontextmanager
async def opened(crowd: Crowd) -> AsyncIterator[None]:
    """The counter at work, all cards in; at the end every card is out again."""
    async with crowd.counter.running():
        await asyncio.to_thread(crowd.pcscd.resume)
        await crowd.put_in()
        async with asyncio.timeout(PATIENCE):
            yield
    crowd.slots.take_out()


def main(story: str, folder: Path) -> None:
    """Tell a story and print the tally."""
    with ExitStack() as stack:
        pcscd = stack.enter_context(PrivatePcscd(READERS + 1))
        os.environ.update(pcscd.environment())
        crowd = Crowd(folder, pcscd, STUCK_LIMIT if STORIES[story] is one_hangs else CALL_LIMIT)
        stack.callback(crowd.ledger.close)
        if STORIES[story] is pcscd_started_later:
            pcscd.halt()

        async def told() -> None:
            async with opened(crowd):
                await STORIES[story](crowd)

        asyncio.run(told())
        print(json.dumps(asdict(crowd.tally())))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
