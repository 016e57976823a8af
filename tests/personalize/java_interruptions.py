"""The n-th failure loop of JavaCards: a card is torn, killed, silenced or garbled at every place, and gone on with.

`python -m tests.personalize.java_interruptions` runs all of it, a part of `make faults`.

After each: the card is the same as one that was never interrupted, it was never sent an authentication that it refused,
and the register knew of every key and life cycle before the card.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from cardio.apdu.globalplatform import CardState as LifeCycle
from cardio.errors import CardioError, CardRemoved, ReaderError, SecureChannelBroken
from cardio.personalize.attempts import CardState
from cardio.personalize.globalplatform.layout import Protocol
from cardio.personalize.register import Register
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.chip import Moment
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.globalplatform import JavaCard
from cardio.virtual.received import Received
from tests.faults.loop import scratch
from tests.personalize.interruptions import INTERRUPTIONS, Interruption, Killed
from tests.personalize.java_cards import OWN_KEYS, WALLET_KEYS, JavaWorkshop, memory
from tests.personalize.workshop import JOB

PRESENTATIONS = 4
"""Torn, refused, tried again, finished."""
EXTERNAL_AUTHENTICATE, PUT_KEY, SET_STATUS = 0x82, 0xD8, 0xF0
MOST_CHAIN_ROWS = 1000


JAVA_INTERRUPTIONS = (
    *INTERRUPTIONS,
    Interruption("an answer is cut short", Fault.TRUNCATED, rejects=True),
    Interruption("a command is refused", Fault.REFUSED, rejects=True),
)


class Witness:
    """Watches what a card is told, while it is told."""

    def __init__(self, card: JavaCard, workshop: JavaWorkshop) -> None:
        self.register: Register | None = None
        self.authentications = 0
        self._card = card
        self._workshop = workshop
        card.hook = self._watch

    def _watch(self, moment: Moment, command: Received) -> None:
        assert self._card.channel.failures == 0, "a try was spent"
        if moment is not Moment.COMMAND or self.register is None:
            return
        if command.ins == EXTERNAL_AUTHENTICATE:
            self.authentications += 1
        if command.ins == PUT_KEY:
            (attempt,) = (one for one in self.register.attempts(JOB) if not one.state.final)
            assert attempt.keys == {WALLET_KEYS: True, OWN_KEYS: False}, "PUT KEY was sent before it was registered"
            kcvs = b"".join(self._workshop.own_keys(self._card).check_values())
            assert attempt.kcvs[OWN_KEYS] == kcvs.hex().upper()
        if command.ins == SET_STATUS:
            told = [row.payload.get("life_cycle") for row in self.register.rows_after(0, MOST_CHAIN_ROWS)]
            assert LifeCycle(command.p2).name in told, "SET STATUS was sent before it was registered"


@dataclass
class JavaLoop:
    """All places of one kind of fault in the making of a card."""

    workshop: JavaWorkshop
    interruption: Interruption

    def __str__(self) -> str:
        return f"{self.workshop.layout.protocol} / {self.interruption}"

    def case(self, n: int, expected: dict[str, object]) -> bool:
        """One fault at the n-th place; whether there was such a place.

        Args:
            n: The place.
            expected: Memory of a card that was not interrupted.

        Raises:
            AssertionError: Card or register are not as they must be.
        """
        with scratch() as folder:
            card = self.workshop.blank()
            witness = Witness(card, self.workshop)
            plan = self.interruption.plan(n)
            card.faults = plan
            rejected = self._present_until_finished(card, witness, plan, n, folder)
            assert memory(card) == expected, "the card differs from one that was not interrupted"
            with self.workshop.register(folder) as register:
                register.verify()
                states = [one.state for one in register.attempts()]
                assert states == [CardState.REJECTED] * rejected + [CardState.FINISHED]
                assert register.attempts()[-1].keys == {WALLET_KEYS: True, OWN_KEYS: True}
            return plan.fired

    def _present_until_finished(self, card: JavaCard, witness: Witness, plan: FaultPlan, n: int, folder: Path) -> int:
        """How often the card was rejected on the way, always with a reason and by the fault."""
        reader = EmbeddedReader("desk", card)
        rejected = 0
        for presentation in range(PRESENTATIONS):
            if presentation == 1 and self.interruption.twice:
                card.faults = self.interruption.plan(n)
            with self.workshop.register(folder) as register:
                witness.register = register
                channel = reader.connect()
                try:
                    self.workshop.maker.personalize(
                        channel, self.workshop.rows[0], register, JOB, try_again=rejected > 0
                    )
                except (ReaderError, SecureChannelBroken, Killed):
                    assert plan.fired
                except CardioError:
                    assert plan.fired
                    assert self.interruption.rejects
                    known = register.attempts()
                    if known and known[-1].state is CardState.REJECTED:
                        assert known[-1].reason
                        rejected += 1
                else:
                    told = self.interruption.rejects or presentation or not plan.fired
                    assert told, "finished, although it was interrupted"
                    return rejected
                finally:
                    witness.register = None
                    channel.close()
            with suppress(CardRemoved):
                reader.remove()
            reader.insert(card)
        raise AssertionError(f"not finished after {PRESENTATIONS} presentations")

    def expected(self) -> dict[str, object]:
        """Memory of a card that is made without any fault."""
        with scratch() as folder, self.workshop.register(folder) as register:
            card = self.workshop.blank()
            self.workshop.make(card, register)
            return memory(card)

    def whole(self) -> int:
        """Every place; returns how many there were."""
        expected = self.expected()
        for n in count(1):
            try:
                fired = self.case(n, expected)
            except AssertionError as error:
                raise AssertionError(f"{self}, place {n}: {error}") from error
            if not fired:
                return n - 1
        raise AssertionError


def loops(folder: Path) -> Iterator[JavaLoop]:
    """All loops, over both protocols."""
    for protocol in Protocol:
        place = folder / protocol
        place.mkdir(exist_ok=True)
        workshop = JavaWorkshop(place, protocol)
        yield from (JavaLoop(workshop, interruption) for interruption in JAVA_INTERRUPTIONS)


def main() -> int:
    """Run everything; 0 if every card was finished as one that was never interrupted."""
    places = failures = 0
    with scratch() as folder:
        for loop in loops(folder):
            try:
                found = loop.whole()
            except AssertionError as error:
                failures += 1
                print(error)
            else:
                places += found
                print(f"{loop!s:50} {found} places", flush=True)
    print(f"{places} interruptions of JavaCards, {failures} kinds of them with failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
