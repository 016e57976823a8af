"""Every money operation on every kind of purse, in both ciphers, from every key source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cardio.applications import journeys
from cardio.applications.journeys import Stop
from cardio.applications.medical import CardMode
from cardio.crypto.ciphers import Algorithm
from cardio.engine.engine import Engine
from cardio.engine.requests import DebitRequest, OnlineRequest, SettleRequest
from cardio.ledger.bill import Bill
from cardio.ledger.model import Request, Settlement, State, Tender, Transaction
from cardio.products.model import Product, WalletPurseName
from cardio.purse.composite import RecordBuilder, no_records
from cardio.purse.operation import Operation, PurseKind
from cardio.transport.channel import Channel
from cardio.transport.embedded import EmbeddedCard
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card, social_security_card
from cardio.virtual.products import example_card
from tests.faults.world import CARD_PIN, SHIPPED, Outside, Source, TerminalSide, World, variant

BALANCE = 10000
AMOUNT = 1234
LIMIT = 5000
STOP = Stop("9999", "02319999", line=b"\x00\x12", station=b"\x00\x03", vehicle="A1234567")
LOCK_KEY = "lock"
"""Idempotency key of the lock that a refuelling ends."""
PAID_KEY = "paid"
"""Idempotency key of the purchase that a refund gives back."""
BILL = Bill(total_fen=5000, fund_fen=3000, account_fen=AMOUNT, self_pay_fen=766)


@dataclass(frozen=True)
class Scenario:
    """One operation.

    Attributes:
        name: For people.
        operation: What is done.
        purse: On which purse.
        algorithm: Cipher of the card.
        source: Where the terminal's keys live.
        make_card: Makes the card.
        product: Its product.
        amount_fen: Amount; of an overdraft update the new limit.
        records: Records of a composite purchase.
        gives_back: Whether the load gives a purchase back.
    """

    name: str
    operation: Operation
    purse: PurseKind
    algorithm: Algorithm
    source: Source
    make_card: Callable[[], VirtualCard]
    product: Product
    amount_fen: int = AMOUNT
    records: RecordBuilder = no_records
    gives_back: bool = False

    def __str__(self) -> str:
        return f"{self.name}-{self.algorithm.value}-{self.source}"

    @property
    def fresh_journal(self) -> bool:
        """Whether the terminal's process makes the journal, too, under every fault of the disk.

        One operation is enough for that: a journal is made before anybody knows what it will hold.
        """
        return self.name == "purchase"

    @property
    def passbook(self) -> bool:
        """Whether the money is in the passbook."""
        return self.product.wallet is not None and self.product.wallet.purse is WalletPurseName.PASSBOOK

    def outside(self) -> Outside:
        """A new card and what else outlives the terminal."""
        return Outside.around(self.make_card(), self.product)

    def world(self, folder: Path) -> World:
        """A terminal around a new card, not started.

        Before a refuelling ends the card has been locked, and before a refund it has paid.
        """
        world = World(folder, self.outside(), self.product, self.source)
        if self.operation is Operation.GREY_DEBIT or self.gives_back:
            world.start()
            with world.presented(world.outside.card) as channel:
                if self.gives_back:
                    before = world.engine.debit(self.paid(world.engine), channel)
                else:
                    before = world.engine.grey_lock(self._begin_lock(world.engine, LOCK_KEY), channel)
            if before.state is not State.COMPLETED:
                raise AssertionError(f"what comes before is {before.state}")
            world.stop()
        return world

    def paid(self, engine: Engine) -> Transaction:
        """Write the purchase that is given back down, or find it."""
        request = Request("test", PAID_KEY, Operation.PURCHASE.value, b"paid")
        return engine.begin_debit(DebitRequest(request, self.amount_fen, "sale"))

    @staticmethod
    def _begin_lock(engine: Engine, key: str) -> Transaction:
        """Write a grey lock down, or find it."""
        return engine.begin_grey_lock(Request("test", key, Operation.GREY_LOCK.value, b"lock"), "sale")

    def ask(self, terminal: TerminalSide, card: EmbeddedCard, key: str) -> Transaction:
        """The caller's request, on whatever is known of it; presents the card if there is something to do.

        Raises:
            CardioError: Refused, or the card did not answer before anything could move.
        """
        begun = self.begin(terminal.engine, key)
        if begun.state.final:
            return self._leg(begun)
        with terminal.presented(card) as channel:
            return self._leg(self.carry_out(terminal.engine, begun, channel))

    def begin(self, engine: Engine, key: str) -> Transaction | Settlement:
        """Write the request down, or find it."""
        request = Request("test", key, self.operation.value, self.name.encode())
        if self.purse is PurseKind.MEDICAL and self.operation is Operation.PURCHASE:
            return engine.begin_settlement(SettleRequest(request, BILL, Tender.CASH, "bill"))
        if self.operation is Operation.GREY_LOCK:
            return self._begin_lock(engine, key)
        if self.operation is Operation.GREY_DEBIT:
            lock = self._begin_lock(engine, LOCK_KEY)
            return engine.begin_grey_debit(request, lock.id, self.amount_fen, "sale")
        if self.operation.online:
            reverses = self.paid(engine).id if self.gives_back else None
            return engine.begin_online(
                OnlineRequest(request, self.amount_fen, "order", None, self.purse, self.operation, reverses)
            )
        return engine.begin_debit(DebitRequest(request, self.amount_fen, "sale", None, self.operation))

    def carry_out(self, engine: Engine, begun: Transaction | Settlement, channel: Channel) -> Transaction | Settlement:
        """Do it on the presented card."""
        if isinstance(begun, Settlement):
            return engine.settle(begun, channel)
        if self.operation is Operation.GREY_LOCK:
            return engine.grey_lock(begun, channel, self.pin)
        if self.operation is Operation.GREY_DEBIT:
            return engine.grey_debit(begun, channel, self.pin)
        if self.operation.online:
            return engine.online(begun, channel, self.pin)
        return engine.debit(begun, channel, self.pin, self.records)

    @staticmethod
    def _leg(found: Transaction | Settlement) -> Transaction:
        """The transaction on the card."""
        if isinstance(found, Transaction):
            return found
        leg = found.leg(PurseKind.MEDICAL)
        if leg is None:
            raise LookupError("no leg was begun")
        return leg

    @property
    def pin(self) -> str | None:
        """The holder's PIN where the caller hands it over; the pad asks for it otherwise."""
        return CARD_PIN if self.passbook else None


def scenarios() -> Iterator[Scenario]:
    """The whole matrix. HSMs know no SM4 (PERS §3.4); on-line operations take only a terminal number from the keys."""
    for algorithm in (Algorithm.TRIPLE_DES, Algorithm.SM4):
        for source in Source:
            if source is Source.HSM and algorithm is Algorithm.SM4:
                continue
            yield from _offline(algorithm, source)
        yield from _online(algorithm)
        yield from _grey(algorithm)


def _offline(algorithm: Algorithm, source: Source) -> Iterator[Scenario]:
    wallet = PurseKind.WALLET
    yield Scenario("purchase", Operation.PURCHASE, wallet, algorithm, source, _citizen(algorithm), _plain(algorithm))
    passbook = _passbook(algorithm)
    for name, operation in (("passbook-purchase", Operation.PURCHASE), ("cash", Operation.CASH)):
        yield Scenario(name, operation, wallet, algorithm, source, *passbook)
    tunion = variant("transit-jtt978", algorithm=algorithm)
    for name, amount, records in (
        ("entry", 0, journeys.board_bus(STOP, 500)),
        ("ride", 200, journeys.single_ride(STOP)),
        ("rent", 0, journeys.rent(STOP, 2000)),
    ):
        yield Scenario(
            name,
            Operation.COMPOSITE,
            wallet,
            algorithm,
            source,
            lambda: example_card(tunion, balance_fen=BALANCE),
            tunion,
            amount,
            records,
        )
    yield Scenario(
        "settlement", Operation.PURCHASE, PurseKind.MEDICAL, algorithm, source, _social(algorithm), SHIPPED["ssc-2.0"]
    )


def _online(algorithm: Algorithm) -> Iterator[Scenario]:
    wallet, load = PurseKind.WALLET, Operation.LOAD
    yield Scenario("load", load, wallet, algorithm, Source.PSAM, _citizen(algorithm), _plain(algorithm))
    yield Scenario(
        "refund", load, wallet, algorithm, Source.PSAM, _citizen(algorithm), _plain(algorithm), gives_back=True
    )
    passbook = _passbook(algorithm)
    yield Scenario("passbook-load", load, wallet, algorithm, Source.PSAM, *passbook)
    yield Scenario("unload", Operation.UNLOAD, wallet, algorithm, Source.PSAM, *passbook)
    yield Scenario("overdraft", Operation.OVERDRAFT, wallet, algorithm, Source.PSAM, *passbook, amount_fen=LIMIT)
    medical = PurseKind.MEDICAL
    yield Scenario("account-load", load, medical, algorithm, Source.PSAM, _social(algorithm), SHIPPED["ssc-2.0"])


def _grey(algorithm: Algorithm) -> Iterator[Scenario]:
    """The two halves of a refuelling; only PSAMs make them (EW §3.5)."""
    wallet, product = PurseKind.WALLET, variant("citizen-wallet", algorithm=algorithm, grey_lock=True)
    for name, operation, amount in (
        ("grey-lock", Operation.GREY_LOCK, 0),
        ("refuel", Operation.GREY_DEBIT, AMOUNT),
    ):
        card = _citizen(algorithm, grey_lock=True)
        yield Scenario(name, operation, wallet, algorithm, Source.PSAM, card, product, amount)


def _plain(algorithm: Algorithm) -> Product:
    return variant("citizen-wallet", algorithm=algorithm)


def _citizen(algorithm: Algorithm, *, grey_lock: bool = False) -> Callable[[], VirtualCard]:
    return lambda: citizen_card(balance_fen=BALANCE, algorithm=algorithm, grey_lock=grey_lock)


def _passbook(algorithm: Algorithm) -> tuple[Callable[[], VirtualCard], Product]:
    product = variant("citizen-wallet", algorithm=algorithm, purse=WalletPurseName.PASSBOOK)
    return (lambda: citizen_card(passbook_fen=BALANCE, overdraft_fen=1000, algorithm=algorithm)), product


def _social(algorithm: Algorithm) -> Callable[[], VirtualCard]:
    return lambda: social_security_card(mode=CardMode.OFFLINE, balance_fen=BALANCE, algorithm=algorithm)
