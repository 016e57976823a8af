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
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from cardio.engine.engine import Engine
from cardio.engine.requests import DebitRequest
from cardio.errors import CardioError, CardRemoved, IdempotencyInProgress
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import Request, State, Transaction
from cardio.products.catalogue import Catalogue
from cardio.readers.owner import OwnerState
from cardio.readers.watch import CALL_LIMIT
from cardio.transport.pcsc import PcscDriver
from cardio.virtual.card import Moment
from cardio.virtual.cards import citizen_card, psam
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.received import Received
from cardio.virtual.vpcd import VpcdLink
from cardiod.counter import Counter
from tests.counter import DEBIT_INSTRUCTIONS, eventually, tear, wallet_of
from tests.readers.stuck import StuckCard

READERS = 8
SALES = 6
"""Sales on each card."""
BALANCE = 1_000_000
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
        lost_fen: What the cards lost and the journal does not know; negative for what it knows and they did not lose.
        doubled: Cards that were debited another number of times than the journal says.
        rows: Rows of the journal's chain, which is whole.
        poisoned: Whether a reader was poisoned on the way.
    """

    completed: int = 0
    not_debited: int = 0
    open: int = 0
    recovered: int = 0
    lost_fen: int = 0
    doubled: int = 0
    rows: int = 0
    poisoned: bool = False


class Crowd:
    """The counter, its pcscd and its cards."""

    def __init__(self, folder: Path, pcscd: PrivatePcscd, limit: float) -> None:
        self.pcscd = pcscd
        self.cards = [citizen_card(balance_fen=BALANCE, serial=f"{8600000000001000 + n:020}") for n in range(READERS)]
        self.stuck = StuckCard(self.cards[0])
        self.links = [VpcdLink(self.stuck, port=pcscd.port(0))]
        self.links += [VpcdLink(card, port=pcscd.port(n)) for n, card in enumerate(self.cards[1:], 1)]
        self.sam_link = VpcdLink(psam(), port=pcscd.port(READERS))
        self.ledger = Ledger(folder / "journal.db")
        engine = Engine(self.ledger, Catalogue.load(), None)
        self.counter = Counter(engine, PcscDriver(), pcscd.readers[READERS], limit=limit)
        self.poisoned = False
        self.chance = random.Random(4)  # noqa: S311 - the same story every time

    async def put_in(self) -> None:
        """Put every card in that is not in its reader."""
        out = [link for link in (*self.links, self.sam_link) if not link.inserted]
        await asyncio.gather(*(asyncio.to_thread(link.insert) for link in out))

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
            done = await self.counter.debit(asked, self.pcscd.readers[number], 3)
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
        found = Tally(poisoned=self.poisoned, rows=self.ledger.verify_chain())
        by_card: dict[str, list[Transaction]] = {}
        for one in self.ledger.transactions():
            found.completed += one.state is State.COMPLETED
            found.not_debited += one.state is State.NOT_DEBITED
            found.open += not one.state.final
            found.recovered += one.outcome.recovered
            if one.state is State.COMPLETED and one.armed is not None:
                by_card.setdefault(one.armed.reader, []).append(one)
        for number, card in enumerate(self.cards):
            sales = by_card.get(self.pcscd.readers[number], [])
            wallet = wallet_of(card)
            found.lost_fen += BALANCE - wallet.balance - sum(sale.amount_fen for sale in sales)
            found.doubled += wallet.offline_counter != len(sales)
        return found


# ---- stories -----------------------------------------------------------------------------------------------------


async def all_at_once(crowd: Crowd) -> None:
    """Nothing goes wrong."""
    await crowd.sell_all()


async def cards_torn(crowd: Crowd) -> None:
    """Cards are torn out at every moment of their debits, and put back."""
    selling = asyncio.create_task(crowd.sell_all())
    while not selling.done():
        for link, card in zip(crowd.links, crowd.cards, strict=True):
            if link.inserted and card.hook is None and crowd.chance.random() < TORN:
                tear(card, crowd.chance.choice(list(Moment)))
        await asyncio.wait({selling}, timeout=0.2)
        await crowd.put_in()
    await selling


async def pcscd_restarted(crowd: Crowd) -> None:
    """Pcscd dies in the middle of debits, three times, and comes up again with empty readers."""
    everything = (*crowd.links, crowd.sam_link)
    selling = asyncio.create_task(crowd.sell_all())
    for moment in (Moment.COMMAND, Moment.AFTER_COMMIT, Moment.ANSWER):
        reached = threading.Event()
        for card in crowd.cards:
            card.hook = partial(_cut_at, crowd, moment, reached)
        await asyncio.to_thread(reached.wait, PATIENCE)
        await asyncio.to_thread(crowd.pcscd.restart)
        # vpcd's end of each link is gone; the links notice by themselves.
        await asyncio.to_thread(eventually, lambda: not any(link.inserted for link in everything))
        await crowd.put_in()
    await selling


def _cut_at(crowd: Crowd, moment: Moment, reached: threading.Event, now: Moment, command: Received) -> None:
    """At the first debit of any card, leave its answer out; others' go on until pcscd is dead."""
    if now is moment and command.instruction in DEBIT_INSTRUCTIONS:
        for card in crowd.cards:
            card.hook = None
        reached.set()
        raise CardRemoved("its pcscd dies")


async def psam_taken_out(crowd: Crowd) -> None:
    """The only PSAM is taken out and put back while all need it."""
    selling = asyncio.create_task(crowd.sell_all())
    for _ in range(2):
        await asyncio.sleep(0.3)
        await asyncio.to_thread(crowd.sam_link.remove)
        await asyncio.sleep(0.3)
        await crowd.put_in()
    await selling


async def pcscd_started_later(crowd: Crowd) -> None:
    """Pcscd does not run when the counter starts."""
    await crowd.sell_all()


async def one_hangs(crowd: Crowd) -> None:
    """A card never answers its debit; the others go on meanwhile."""
    crowd.stuck.stuck_at = bytes.fromhex("8054")
    selling = [asyncio.create_task(crowd.sell(number)) for number in range(READERS)]
    await asyncio.gather(*selling[1:])
    if selling[0].done():
        raise RuntimeError("the card did not hang")
    crowd.stuck.free.set()
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
    for link in (*crowd.links, crowd.sam_link):
        link.remove()


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
