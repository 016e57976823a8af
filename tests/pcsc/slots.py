"""Citizen cards and PSAMs in the slots of a pcscd of our own, and what can happen to them while debits are made."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from cardio.errors import CardRemoved
from cardio.ledger.model import State, Transaction
from cardio.transport.embedded import PoweredCard
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.cards import citizen_card, psam
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.received import Received
from cardio.virtual.vpcd import VpcdLink
from tests.counter import DEBIT_INSTRUCTIONS, eventually, wallet_of

READERS = 8
"""Readers with citizen cards; those with PSAMs come after them."""
BALANCE = 1_000_000
TERMINALS = (bytes.fromhex("999999000001"), bytes.fromhex("999999000002"))


class Slots:
    """Eight citizen cards and their PSAMs.

    Args:
        pcscd: Has a slot for each.
        sams: How many PSAMs, 1 or 2.
        around: What is put into a slot instead of the card itself.

    Attributes:
        cards: The citizen cards, by slot.
        links: Their places.
        sam_links: Places of the PSAMs.
    """

    def __init__(
        self,
        pcscd: PrivatePcscd,
        sams: int = 1,
        around: Callable[[VirtualCard], PoweredCard] = lambda card: card,
    ) -> None:
        self.pcscd = pcscd
        self._one = threading.Lock()
        self.cards = [citizen_card(balance_fen=BALANCE, serial=f"{8600000000001000 + n:020}") for n in range(READERS)]
        self.links = [VpcdLink(around(card), port=pcscd.port(n)) for n, card in enumerate(self.cards)]
        self.sam_links = [
            VpcdLink(psam(terminal=terminal), port=pcscd.port(READERS + n))
            for n, terminal in enumerate(TERMINALS[:sams])
        ]

    @property
    def all_links(self) -> list[VpcdLink]:
        """The places of all cards, by slot."""
        return [*self.links, *self.sam_links]

    @property
    def readers(self) -> list[str]:
        """Names of the readers with citizen cards."""
        return self.pcscd.readers[:READERS]

    @property
    def sam_readers(self) -> list[str]:
        """Names of the readers with PSAMs."""
        return self.pcscd.readers[READERS : READERS + len(self.sam_links)]

    def put_in(self, but: Collection[int] = ()) -> None:
        """Put every card in that is not in its reader, all at once.

        Args:
            but: Slots that have no reader now.
        """
        out = [link for slot, link in enumerate(self.all_links) if slot not in but and not link.inserted]
        if out:
            with ThreadPoolExecutor(len(out)) as hands:
                list(hands.map(VpcdLink.insert, out))

    def take_out(self) -> None:
        """Take every card out."""
        for link in self.all_links:
            link.remove()

    def restart_pcscd(self, unplugged: Collection[int] = (), *, crash: bool = False) -> None:
        """Let pcscd end and start it again; all cards are out of their slots then.

        Args:
            unplugged: Slots that have no reader from now on.
            crash: Kill it.
        """
        self.pcscd.halt(crash=crash)
        # The links notice by themselves that vpcd's end is gone.
        eventually(lambda: not any(link.inserted for link in self.all_links))
        self.pcscd.resume(unplugged)

    def cut_next_debit(self, moment: Moment) -> threading.Event:
        """Leave out the answer of the next debit of any card; others' go on. The event is set when it is so far."""
        reached = threading.Event()
        for card in self.cards:
            card.hook = partial(self._cut, moment, reached)
        return reached

    def _cut(self, moment: Moment, reached: threading.Event, now: Moment, command: Received) -> None:
        if now is not moment or command.instruction not in DEBIT_INSTRUCTIONS:
            return
        with self._one:
            if reached.is_set():
                return
            reached.set()
        raise CardRemoved("cut by the test")

    def unaccounted(self, transactions: Iterable[Transaction]) -> tuple[int, int]:
        """Compare the cards with a journal.

        Returns:
            What the cards lost and the journal does not know, in fen, summed up without regard to the sign; how many
            cards were debited another number of times than the journal says.
        """
        completed = [one for one in transactions if one.state is State.COMPLETED and one.armed is not None]
        fen = cards = 0
        for reader, card in zip(self.readers, self.cards, strict=True):
            wallet = wallet_of(card)
            sales = [sale.amount_fen for sale in completed if sale.armed is not None and sale.armed.reader == reader]
            fen += abs(BALANCE - wallet.balance - sum(sales))
            cards += wallet.offline_counter != len(sales)
        return fen, cards
