"""The n-th failure loop of personalization: a card is torn, killed or silenced at every place, and gone on with.

After each: the card is the same as one that was never interrupted, no key lost more tries than it may, the register
tells the truth about it.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cardio.errors import CardRemoved, MasterUnanswered, ReaderError
from cardio.files.key_file import KeyKind
from cardio.personalize.attempts import CardState
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.received import Received
from cardio.virtual.saving import save
from tests.faults.loop import scratch
from tests.personalize.workshop import JOB, PRODUCTS, Workshop, key_records

LAYOUTS = (("citizen-wallet", "citizen-wallet"), ("ssc-2.0", "social-security"))
"""Products and the layouts of the worked cards (PERS §5.2, §5.3)."""
PRESENTATIONS = 4
"""A card that was interrupted once is finished when it comes back; one more for a second fault, one more for whoever
was told that a key was not answered twice."""
MOST_PLACES = 5000
LAST_MASTER = ("3F00", KeyKind.EXTERNAL, 0)
"""The key that may be asked for, when it is not known whether it was written (PERS §3.2)."""


class Killed(BaseException):
    """The process dies: nothing that handles errors runs any more."""


@dataclass(frozen=True)
class Interruption:
    """One kind of fault.

    Attributes:
        name: For people.
        fault: Of the card.
        kills: Whether the process dies at that place, instead of the card's being torn out.
        twice: Whether it happens once more, at the same command counted from the card's return.
        rejects: Whether the card may be rejected by it, and must then say why.
    """

    name: str
    fault: Fault
    kills: bool = False
    twice: bool = False
    rejects: bool = False

    def __str__(self) -> str:
        return self.name

    def plan(self, n: int) -> FaultPlan:
        """The fault at the n-th place."""

        def die() -> None:
            raise Killed

        return FaultPlan(self.fault, n, action=die if self.kills else None)


INTERRUPTIONS = (
    Interruption("torn before a command", Fault.CUT_BEFORE),
    Interruption("torn after a command", Fault.CUT_AFTER),
    Interruption("torn before a write", Fault.CUT_BEFORE_COMMIT),
    Interruption("torn after a write", Fault.CUT_AFTER_COMMIT),
    Interruption("never answers", Fault.MUTE),
    Interruption("answers too late", Fault.LATE),
    Interruption("process killed between register and command", Fault.CUT_BEFORE, kills=True),
    Interruption("process killed between command and confirmation", Fault.CUT_AFTER, kills=True),
    Interruption("torn twice after a command", Fault.CUT_AFTER, twice=True),
)


class Witness:
    """Counts every try that a card's keys ever lost."""

    def __init__(self, card: VirtualCard) -> None:
        self.wrong: Counter[tuple[str, int, int]] = Counter()
        self._card = card
        self._seen = self._state()
        card.hook = self._watch

    def _state(self) -> dict[tuple[str, int, int], tuple[bytes, int]]:
        return {place: (key.value, key.tries_left) for place, key in key_records(self._card).items()}

    def _watch(self, moment: Moment, command: Received) -> None:
        if moment is not Moment.AFTER_COMMIT:
            return
        now = self._state()
        for place, (value, left) in now.items():
            before = self._seen.get(place, (b"", left))
            if before[0] == value and left < before[1]:
                self.wrong[place] += before[1] - left
        self._seen = now


@dataclass
class Loop:
    """All places of one kind of fault in the making of one product."""

    workshop: Workshop
    interruption: Interruption

    def __str__(self) -> str:
        return f"{self.workshop} / {self.interruption.name}"

    def case(self, n: int, expected: str) -> bool:
        """One fault at the n-th place; whether there was such a place.

        Args:
            n: The place.
            expected: Memory of a card that was not interrupted.

        Raises:
            AssertionError: The card or the register is not as it must be.
        """
        with scratch() as folder:
            card = self.workshop.blank()
            witness = Witness(card)
            plan = self.interruption.plan(n)
            card.faults = plan
            self._present_until_finished(card, plan, n, folder)
            assert memory(card, folder) == expected, "the card differs from one that was not interrupted"
            judge(self.workshop, card, witness, folder, asked=2 if self.interruption.twice else 1)
            return plan.fired

    def _present_until_finished(self, card: VirtualCard, plan: FaultPlan, n: int, folder: Path) -> None:
        reader, told = EmbeddedReader("desk", card), False
        for presentation in range(PRESENTATIONS):
            if presentation == 1 and self.interruption.twice:
                card.faults = self.interruption.plan(n)
            with self.workshop.register(folder) as register:
                channel = reader.connect()
                try:
                    attempt = self.workshop.maker.personalize(
                        channel, self.workshop.rows[0], register, JOB, try_again=told
                    )
                except (ReaderError, Killed):
                    assert plan.fired
                except MasterUnanswered:
                    assert self.interruption.twice
                    told = True
                else:
                    assert attempt.state is CardState.FINISHED
                    assert presentation or not plan.fired, "finished, although it was interrupted"
                    return
                finally:
                    channel.close()
            with suppress(CardRemoved):
                reader.remove()
            reader.insert(card)
        raise AssertionError(f"not finished after {PRESENTATIONS} presentations")

    def expected(self) -> str:
        """Memory of a card that is made without any fault."""
        with scratch() as folder, self.workshop.register(folder) as register:
            card = self.workshop.blank()
            self.workshop.make(card, register)
            return memory(card, folder)


def judge(workshop: Workshop, card: VirtualCard, witness: Witness, folder: Path, *, asked: int = 1) -> None:
    """No key lost a try, but for the last master, and the register tells the truth.

    Args:
        workshop: Makes the card.
        card: A finished card.
        witness: What its keys lost.
        folder: Where the register is.
        asked: Tries that the last master may have cost.

    Raises:
        AssertionError: It is not so.
    """
    wrong = dict(witness.wrong)
    assert wrong.pop(LAST_MASTER, 0) <= asked, "too many tries for the last master"
    assert not wrong, f"wrong tries: {wrong}"
    with workshop.register(folder) as register:
        register.verify()
        attempts = register.attempts()
        assert [(one.state, one.record) for one in attempts] == [(CardState.FINISHED, workshop.data[0].record)]
        assert all(attempts[0].keys.values())
        assert attempts[0].identity.startswith(card.atr.hex().upper())


def memory(card: VirtualCard, folder: Path) -> str:
    """Everything that a card remembers: files, rights, keys and tries."""
    file = folder / "card.json"
    save(card, file)
    return file.read_text(encoding="utf-8")


def workshops() -> dict[str, Workshop]:
    """All products with their derived layouts, and the layouts of the worked cards, by the layout's id."""
    derived = [Workshop(product) for product in PRODUCTS]
    return {str(one): one for one in (*derived, *(Workshop(product, layout) for product, layout in LAYOUTS))}


def loops() -> list[Loop]:
    """Every interruption of every product."""
    return [Loop(workshop, one) for workshop in workshops().values() for one in INTERRUPTIONS]


def whole_loop(loop: Loop) -> int:
    """n = 1, 2, 3 … until nothing is left to interrupt; returns the number of places.

    Raises:
        AssertionError: A card, or the register, was not as it must be.
    """
    expected = loop.expected()
    for n in range(1, MOST_PLACES):
        try:
            if not loop.case(n, expected):
                return n - 1
        except AssertionError as error:
            raise AssertionError(f"{loop}, place {n}: {error}") from error
    raise AssertionError(f"{loop}: no end after {MOST_PLACES} places")
