"""Every kind of fault that the surroundings of a terminal can make: card, PSAM, host, other cards, restarts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from cardio.engine.requests import DebitRequest
from cardio.errors import CardioError, TransactionPassed
from cardio.ledger.listing import Filter
from cardio.ledger.model import Request
from cardio.purse.operation import Operation
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.card import VirtualCard
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.psam import PsamFunction
from tests.faults.scenarios import Scenario
from tests.faults.world import Source, World

CREDIT = ("8052", "8054", "8058", "B02A", "B02C", "E07C08", "E07E08")
"""Commands that change a purse."""
CHECK = ("8072", "E042")
"""The PSAM's checks of MAC2."""


class Injection(ABC):
    """One kind of fault, at the n-th place."""

    name: str

    def applies(self, scenario: Scenario) -> bool:
        """Whether the operation has such a place."""
        return True

    @abstractmethod
    def arm(self, world: World, n: int) -> Callable[[], bool]:
        """Put the fault in place; returns whether it has happened."""

    def afterwards(self, world: World) -> None:  # noqa: B027 - most have nothing to do
        """What else happens before the cashier asks again."""

    def evidence_left(self, scenario: Scenario) -> bool:
        """Whether two pieces of evidence are left when the fault hits where it hurts."""
        return True


@dataclass
class OnCard(Injection):
    """A fault of the card, or what begins with one."""

    name: str
    fault: Fault
    then: Callable[[World], None] | None = None
    only: tuple[str, ...] = ()

    def arm(self, world: World, n: int) -> Callable[[], bool]:
        """Plan it."""
        plan = FaultPlan(self.fault, n, only=self.only)
        world.outside.card.faults = plan
        return lambda: plan.fired

    def afterwards(self, world: World) -> None:
        """Another card, a restart …"""
        if self.then is not None:
            self.then(world)


@dataclass
class WrongMac2(OnCard):
    """A card whose proof is wrong."""

    name: str = "wrong MAC2"
    fault: Fault = Fault.WRONG_MAC2

    def applies(self, scenario: Scenario) -> bool:
        """Loads and debits for unlock have none."""
        return scenario.operation.has_mac2


@dataclass
class NoProof(OnCard):
    """A torn card that then gives no proof."""

    answer: Fault = Fault.PROOF_GONE

    def arm(self, world: World, n: int) -> Callable[[], bool]:
        """The tear, and the missing proof behind it."""
        plan = FaultPlan(self.fault, n, only=self.only)
        world.outside.card.faults = (plan, FaultPlan(self.answer))
        return lambda: plan.fired

    def evidence_left(self, scenario: Scenario) -> bool:
        """Without a proof, an operation that moves nothing and whose log is closed shows only its counter.

        A lock is seen by itself.
        """
        return scenario.amount_fen != 0 or scenario.operation in {Operation.OVERDRAFT, Operation.GREY_LOCK}


@dataclass
class OnPsam(Injection):
    """A PSAM that leaves its slot, and is put back."""

    name: str
    fault: Fault
    only: tuple[str, ...] = ()

    def applies(self, scenario: Scenario) -> bool:
        """Only where there is one at work."""
        return scenario.source is Source.PSAM

    def arm(self, world: World, n: int) -> Callable[[], bool]:
        """Plan it."""
        plan = FaultPlan(self.fault, n, only=self.only)
        world.outside.sam.faults = plan
        return lambda: plan.fired

    def afterwards(self, world: World) -> None:
        """Somebody pushes it back in."""
        _put_back(world.sam_reader, world.outside.sam)


@dataclass
class PsamCountsAttempts(OnCard):
    """A PSAM whose sequence advances at 80 70 already (EW PC-16)."""

    name: str = "PSAM counts at 80 70"
    fault: Fault = Fault.CUT_AFTER

    def applies(self, scenario: Scenario) -> bool:
        """Only where there is one at work."""
        return scenario.source is Source.PSAM and not scenario.operation.online

    def arm(self, world: World, n: int) -> Callable[[], bool]:
        """The card is torn; the PSAM is of the other kind."""
        for directory in world.outside.sam.master_file.walk():
            if isinstance(directory.function, PsamFunction):
                directory.function.advances_at_init = True
        return super().arm(world, n)


@dataclass
class OnHost(Injection):
    """The link to the load host fails at its n-th message."""

    name: str
    after: bool
    restarts: bool = False

    def applies(self, scenario: Scenario) -> bool:
        """Only on-line operations ask it."""
        return scenario.operation.online

    def arm(self, world: World, n: int) -> Callable[[], bool]:
        """Count its messages."""
        host = world.outside.host
        host.fail_at, host.after = n, self.after
        return lambda: host.fired

    def afterwards(self, world: World) -> None:
        """Perhaps the terminal dies too."""
        if self.restarts:
            world.restart()


@dataclass
class Elsewhere(OnCard):
    """The holder pays at another terminal before coming back, which replaces the proof.

    Another amount than ours: where log and MAC2 cannot be asked, a purchase of the same amount under our number could
    not be told from ours by any terminal, only by the issuer from the TAC.
    """

    name: str = "paid elsewhere in between"
    fault: Fault = Fault.CUT_BEFORE
    paid: int = field(default=77, init=False)

    def applies(self, scenario: Scenario) -> bool:
        """The other terminal charges the same purse off-line, which no locked one lets happen."""
        others = scenario.operation.online or scenario.operation is Operation.GREY_DEBIT
        return not others and not scenario.passbook

    def afterwards(self, world: World) -> None:
        """With a PSAM of its own."""
        world.pay_elsewhere(self.paid)

    def evidence_left(self, scenario: Scenario) -> bool:
        """The log would tell, but most cards keep it closed."""
        return False


@dataclass
class Cancelled(Injection):
    """The cashier cancels while the n-th command is on its way, counted over card and PSAM.

    Nothing breaks: either nothing is sent to the card that could charge it, or the cashier is told that it is too late.
    """

    name: str
    fault: Fault

    def arm(self, world: World, n: int) -> Callable[[], bool]:
        """On card and PSAM."""
        plan = FaultPlan(self.fault, n, action=lambda: _cancel(world))
        world.outside.card.faults = plan
        world.outside.sam.faults = plan
        return lambda: plan.fired


def _cancel(world: World) -> None:
    """Cancel the newest request."""
    ledger = world.ledger
    with suppress(TransactionPassed):
        for settlement in ledger.listing.settlements(Filter(), limit=1):
            ledger.cancel_settlement(settlement.id)
            return
        for transaction in ledger.listing.transactions(Filter(), limit=1):
            ledger.cancel(transaction.id)


def _restart(world: World) -> None:
    world.restart()


def _other_card(world: World) -> None:
    """Another holder pays in between; with a PSAM, its sequence is the torn one's again."""
    request = DebitRequest(Request("test", "other", "purchase", b"other"), 100, "other sale")
    with world.presented(world.outside.other) as channel:
        try:
            done = world.engine.debit(world.engine.begin_debit(request), channel)
        except CardioError:
            return
    if not done.state.final:
        raise AssertionError(f"the other card's sale is {done.state}")


def _other_card_and_restart(world: World) -> None:
    _other_card(world)
    world.restart()


def _put_back(reader: EmbeddedReader, card: VirtualCard) -> None:
    if reader.card is not card:
        reader.insert(card)


def injections() -> Iterator[Injection]:
    """All kinds."""
    yield OnCard("cut before the APDU", Fault.CUT_BEFORE)
    yield OnCard("cut after the APDU", Fault.CUT_AFTER)
    yield OnCard("cut inside a write, before its commit", Fault.CUT_BEFORE_COMMIT)
    yield OnCard("cut inside a write, after its commit", Fault.CUT_AFTER_COMMIT)
    yield OnCard("mute", Fault.MUTE)
    yield OnCard("late answer", Fault.LATE)
    yield OnCard("truncated answer", Fault.TRUNCATED)
    yield OnCard("refused APDU", Fault.REFUSED)
    yield OnCard("GET RESPONSE refused", Fault.RESPONSE_REFUSED)
    yield WrongMac2()
    yield OnCard("cut before, restart", Fault.CUT_BEFORE, _restart)
    yield OnCard("cut after, restart", Fault.CUT_AFTER, _restart)
    yield OnCard("cut before, another card in between", Fault.CUT_BEFORE, _other_card)
    yield OnCard("cut after, another card in between", Fault.CUT_AFTER, _other_card)
    yield OnCard("cut after, another card and a restart", Fault.CUT_AFTER, _other_card_and_restart)
    yield NoProof("cut before, proof 9406", Fault.CUT_BEFORE, only=CREDIT, answer=Fault.PROOF_GONE)
    yield NoProof("cut after, proof discarded: 9406", Fault.CUT_AFTER, only=CREDIT, answer=Fault.PROOF_GONE)
    yield NoProof("cut before, proof 6985", Fault.CUT_BEFORE, only=CREDIT, answer=Fault.PROOF_REFUSED)
    yield NoProof("cut after, proof discarded: 6985", Fault.CUT_AFTER, only=CREDIT, answer=Fault.PROOF_REFUSED)
    yield Elsewhere()
    yield OnPsam("PSAM gone before its APDU", Fault.CUT_BEFORE)
    yield OnPsam("PSAM gone after its APDU", Fault.CUT_AFTER)
    yield OnPsam("PSAM gone between 80 70 and 80 72", Fault.CUT_BEFORE, CHECK)
    yield OnPsam("PSAM gone after 80 72, before its answer", Fault.CUT_AFTER, CHECK)
    yield OnPsam("PSAM mute", Fault.MUTE)
    yield OnPsam("PSAM refuses", Fault.REFUSED)
    yield PsamCountsAttempts()
    yield OnHost("host unreachable", after=False)
    yield OnHost("host's answer lost", after=True)
    yield OnHost("host unreachable, restart", after=False, restarts=True)
    yield OnHost("host's answer lost, restart", after=True, restarts=True)
    yield Cancelled("cancelled before a command", Fault.CUT_BEFORE)
    yield Cancelled("cancelled after a command", Fault.CUT_AFTER)
