"""How a card is made, whatever card it is: a plan of steps that is gone on with after an interruption (PERS §3.2).

There are two kinds: `cardio.personalize.plan.NativePlan` for cards whose files their operating system creates, and
`cardio.personalize.globalplatform.plan.JavaCardPlan` for cards that get applets. Who makes cards knows `CardPlan` only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cardio.personalize.attempts import Presented

Place = tuple[str, str]
"""Label of a directory and label of a file in it."""
UNREAD = "unread"
"""What the problem of a file begins with that the card does not open to us."""


class Phase(StrEnum):
    """Parts of a plan."""

    TAKE_OVER = "take-over"
    STRUCTURE = "structure"
    CLOSE = "close"
    CONTENT = "content"


@dataclass(frozen=True)
class Presentation:
    """A master key that is presented to a card of which it is not certain that it has it.

    Attributes:
        name: Its name.
        kcv: Its check value in hex, by which the register knows it.
        asks: Whether the card's refusal is an answer like any other, after which the plan goes on.
    """

    name: str
    kcv: str
    asks: bool = False


@dataclass(frozen=True)
class Step:
    """One thing that is done to the card.

    Attributes:
        phase: Part of the plan.
        place: Directory or application in which it is done.
        zh: What it does, in Chinese.
        en: What it does, in English.
        act: Does it.
        key: Name of the key record that it writes, `ADF1/WALLET-DLK`; of several at once joined by `+`; None for all
            other steps. The first key of a key file is told by the step that makes the file: a card may be lost if its
            first key does not follow at once (PERS §1.1), so that nothing else has to be done between the two.
        kcv: Makes the check value of the key that it writes, of several one behind the other; None for a PIN.
        life_cycle: Life cycle state of the card to which it leads and which cannot be taken back; None for all others.
        presents: The master key that it presents, where a wrong one costs a try; None for all others.
        erases: Name of the one key that the card may have after this step, which erases all; None for all others.
    """

    phase: Phase
    place: str
    zh: str
    en: str
    act: Callable[[], object] = field(repr=False)
    key: str | None = None
    kcv: Callable[[], bytes] | None = field(default=None, repr=False)
    life_cycle: str | None = None
    presents: Presentation | None = None
    erases: str | None = None


@dataclass(frozen=True)
class CardContent:
    """What one card holds.

    Attributes:
        files: Records of the files by their place, as the card stores them.
        pin: The holder's PIN, 4 to 12 digits; None for a card without.
    """

    files: Mapping[Place, Sequence[bytes]] = field(repr=False)
    pin: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Finding:
    """What reading one file back came to.

    Attributes:
        file: Directory and file.
        problem: Empty if it is as it should be; `unread: …` if the card did not open it to us, else what differs.
    """

    file: str
    problem: str = ""

    @property
    def same(self) -> bool:
        """Whether the file was read and holds what it should."""
        return not self.problem

    @property
    def differs(self) -> bool:
        """Whether the file was read and holds something else."""
        return bool(self.problem) and not self.problem.startswith(UNREAD)


class CardPlan(ABC):
    """The plan of one powered card. Nothing is sent while it is made; its steps send, one by one."""

    @property
    @abstractmethod
    def last_key(self) -> str:
        """Name of the key that closes the card, in the register; empty if nothing does.

        A card that may have it cannot be made for another row any more.
        """

    @abstractmethod
    def check_blank(self) -> None:
        """Ask the card whether it is blank, without trying any key: a try would bring a card in use nearer to its end.

        Raises:
            CardNotBlank: It holds what this plan would make.
        """

    def check_same(self, keys: Mapping[str, bool]) -> None:  # noqa: B027 - cards that tell who they are need no more
        """Ask a card that was begun whether it can be the one, without trying any key.

        Args:
            keys: As of `remaining`.

        Raises:
            CardChanged: It lacks what was written to that one: cards of one make may all look the same from outside.
        """

    @abstractmethod
    def whole(self) -> Iterator[Step]:
        """All steps, on a blank card."""

    @abstractmethod
    def remaining(
        self, keys: Mapping[str, bool], presented: Mapping[str, Presented], *, closed: bool
    ) -> Iterator[Step]:
        """The steps that a card still needs; each has to be done before the next is asked for.

        Args:
            keys: Keys that were or may have been written: whether that is confirmed, by name.
            presented: Master keys that were presented before, by their check values in hex.
            closed: Whether the card is known to have its own keys for good.

        Raises:
            MasterUnanswered: The key that is needed next was presented too often without an answer.
        """

    @abstractmethod
    def prove(self) -> None:
        """Show that the finished card has its own keys.

        Raises:
            CardError: It has others.
        """

    @abstractmethod
    def findings(self) -> Iterator[Finding]:
        """Read the finished card back and compare it, file by file."""
