"""What the explanation of one command finds out, and commands whose data are declared as records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cardio.apdu.status import FILE, Outcomes
from cardio.cli.trace.explanation import Phrase, Secrecy, Value, same, secrecy_of, simple
from cardio.cli.trace.joining import Call
from cardio.cli.trace.state import CardState
from cardio.cli.trace.values import fixed_values
from cardio.files.record import FixedRecord

MAC_SIZE = 4


@dataclass
class Findings:
    """An explained command; bytes that nobody has declared open stay closed.

    Attributes:
        name: Name of the command in the standard.
        title: The same in two languages.
        parameters: What it asks for.
        values: What the answer says.
        request: Who may see the command data.
        answer: Who may see the answer data.
        outcomes: Meaning of the status words for this command.
        answered: What the status word says here, where it is no error.
    """

    name: str
    title: Phrase
    parameters: list[Value] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    request: Secrecy = Secrecy.PERSONAL
    answer: Secrecy = Secrecy.PERSONAL
    outcomes: Outcomes = FILE
    answered: Phrase | None = None


@dataclass(frozen=True)
class Seen:
    """A command where it was met.

    Attributes:
        call: The command with its answer.
        header: CLA INS P1 P2.
        state: The card before it; a handler changes it as the command did.
        masked: Mask personal values.
    """

    call: Call
    header: bytes
    state: CardState
    masked: bool

    @property
    def data(self) -> bytes | None:
        """Command data; None if they are hidden."""
        return self.call.command.data

    @property
    def size(self) -> int:
        """Bytes of command data, hidden ones too."""
        return self.call.command.size

    @property
    def answer(self) -> bytes | None:
        """Answer data; None if they are hidden."""
        return self.call.answer.data


Handler = Callable[[Seen], Findings]
"""Explains one command."""


def bytes_value(name: str, zh: str, en: str, raw: bytes) -> Value:
    """Bytes that are nobody's: random numbers, cryptograms."""
    return simple(name, zh, en, same(raw.hex().upper()))


def size_value(name: str, zh: str, en: str, size: int) -> Value:
    """How many bytes there are, where the bytes themselves are not shown."""
    return simple(name, zh, en, Phrase(f"{size}字节", f"{size} bytes"), size)


@dataclass(frozen=True)
class Layout:
    """A command whose data and answer are records.

    Attributes:
        name: Name in the standard.
        title: The same in two languages.
        request: Record of the command data; None without.
        answer: Record of the answer data; None without.
        outcomes: Meaning of the status words.
        p2: What P2 says, by its value.
    """

    name: str
    title: Phrase
    request: type[FixedRecord] | None
    answer: type[FixedRecord] | None
    outcomes: Outcomes = FILE
    p2: Mapping[int, Phrase] = field(default_factory=dict)

    def __call__(self, seen: Seen) -> Findings:
        """Explain a command of this kind."""
        found = Findings(self.name, self.title, outcomes=self.outcomes)
        selected = self.p2.get(seen.header[3])
        if selected is not None:
            found.parameters.append(simple("kind", "类别", "kind", selected))
        found.parameters += _values(self.request, seen.data, masked=seen.masked)
        found.values += _values(self.answer, seen.answer, masked=seen.masked)
        found.request = secrecy_of(found.parameters)
        found.answer = secrecy_of(found.values)
        return found


def _values(record: type[FixedRecord] | None, data: bytes | None, *, masked: bool) -> tuple[Value, ...]:
    if not data:
        return ()
    return fixed_values(record or FixedRecord, data, masked=masked)
