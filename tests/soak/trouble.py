"""What goes wrong at a lane while a request is on its way: card, reader, PSAM, host, caller."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from cardio.virtual.faults import CUTS, Fault, FaultPlan
from tests.faults.injections import CHECK, CREDIT
from tests.soak.hands import Act
from tests.soak.outside import SAMS, Holder, Outside

TWICE = 2
EARLY = 6
"""Commands of a visit among which any can be hit."""


@dataclass
class Trouble:
    """One thing that goes wrong, and what must be put right before the cashier asks again.

    Args:
        outside: The surroundings.
        reader: Reader of the lane.
        holder: Whose card lies in it.
        other: Somebody else, who is in a hurry.
        chance: Decides.

    Attributes:
        hang_up: Whether the caller does not wait for the first answer.
    """

    outside: Outside
    reader: str
    holder: Holder
    other: Holder
    chance: random.Random
    hang_up: bool = field(default=False, init=False)
    _plan: FaultPlan | None = field(default=None, init=False)
    _sam: str = field(default="", init=False)
    _host: bool = field(default=False, init=False)
    _out: bool = field(default=False, init=False)
    _unplugged: bool = field(default=False, init=False)
    _tries: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        kinds: tuple[Callable[[], None], ...] = (
            self._torn,
            self._torn,
            self._silent,
            self._wrong_mac2,
            self._without_proof,
            self._other_card,
            self._reader_unplugged,
            self._sam_pulled,
            self._sam_torn,
            self._host_cut,
            self._caller_gone,
        )
        self.chance.choice(kinds)()

    @property
    def happened(self) -> bool:
        """Whether it has come to that."""
        if self._host:
            return self.outside.host.fired
        return self._plan is None or self._plan.fired

    def put_right(self) -> None:
        """Let everything be as it should; a card that was of no use twice is put in anew."""
        self.holder.card.faults = None
        self._tries += 1
        self._out |= self._tries == TWICE
        if self._unplugged:
            self._unplugged = False
            self.outside.orders.give(Act.PLUG, self.reader)
        if self._out:
            self._out = False
            self.outside.orders.give(Act.INSERT, self.reader, self.holder.name)
        if self._sam:
            sam, self._sam = self._sam, ""
            self.outside.sams[sam].faults = None
            self.outside.orders.give(Act.INSERT, sam, sam)

    # ---- kinds -----------------------------------------------------------------------------------------------

    def _on_card(self, fault: Fault, *more: FaultPlan, action: Callable[[], None] | None = None) -> None:
        """A fault at the command that moves the money, or at any that comes early."""
        if more or action or self.chance.random() < 0.6:
            self._plan = FaultPlan(fault, only=CREDIT, action=action)
        else:
            self._plan = FaultPlan(fault, self.chance.randint(1, EARLY))
        self.holder.card.faults = (self._plan, *more)

    def _torn(self) -> None:
        self._out = True
        self._on_card(self.chance.choice(sorted(CUTS)))

    def _silent(self) -> None:
        self._on_card(self.chance.choice((Fault.MUTE, Fault.LATE, Fault.TRUNCATED, Fault.REFUSED)))

    def _wrong_mac2(self) -> None:
        self._plan = FaultPlan(Fault.WRONG_MAC2)
        self.holder.card.faults = self._plan

    def _without_proof(self) -> None:
        self._out = True
        gone = FaultPlan(self.chance.choice((Fault.PROOF_GONE, Fault.PROOF_REFUSED)))
        self._on_card(self.chance.choice((Fault.CUT_BEFORE, Fault.CUT_AFTER)), gone)

    def _other_card(self) -> None:
        self._out = True

        def swap() -> None:
            self.outside.orders.give(Act.INSERT, self.reader, self.other.name)

        self._on_card(self.chance.choice((Fault.CUT_BEFORE, Fault.CUT_AFTER)), action=swap)

    def _reader_unplugged(self) -> None:
        def unplug() -> None:
            self._unplugged = True
            self.outside.orders.give(Act.UNPLUG, self.reader)

        self._on_card(self.chance.choice((Fault.CUT_BEFORE, Fault.CUT_AFTER)), action=unplug)

    def _sam_pulled(self) -> None:
        self._sam = self.chance.choice(SAMS)
        self.outside.orders.give(Act.REMOVE, self._sam)

    def _sam_torn(self) -> None:
        self._sam = self.chance.choice(SAMS)
        fault = self.chance.choice((Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.MUTE))
        self._plan = FaultPlan(fault, only=self.chance.choice((("8070",), CHECK)))
        self.outside.sams[self._sam].faults = self._plan

    def _host_cut(self) -> None:
        self._host = True
        self.outside.host.cut_next(after=self.chance.random() < 0.5)

    def _caller_gone(self) -> None:
        self.hang_up = True
