"""Fault points: a virtual card that fails once, at a place that the test counts out.

Put a `FaultPlan` on a card; it works in an embedded reader and behind vpcd alike:

    card = citizen_card(balance_fen=500)
    reader = EmbeddedReader("till", card)
    plan = card.faults = FaultPlan(Fault.CUT_AFTER, n=4)
    ...                    # the fourth APDU is executed, and the card is gone before its answer
    assert plan.fired
    reader.insert(card)    # the holder puts it back

The events are counted from the moment when the plan is put on; the first one is 1. A plan fires once, later events
pass. So a loop over all places of some work ends when a plan was not reached:

    for n in itertools.count(1):
        card = citizen_card(balance_fen=500)
        plan = card.faults = FaultPlan(Fault.CUT_AFTER, n)
        ...                # the work, and the check that no fen was lost
        if not plan.fired:
            break

`only` limits the events to commands by what they begin with: `only="8072"` is CREDIT SAM FOR PURCHASE,
`only=DEBIT` a DEBIT of either purse. `action` does something else instead of the cut, at the same place: it kills a
process, swaps the card (`lambda: reader.insert(other)`), pulls the PSAM out of its own reader. After it the card works
on, unless it raised `CardRemoved`; that a swapped card's answer is lost is the reader's business.

Several plans can be on a card, `card.faults = (one, other)`: a cut after DEBIT, and no proof when it is asked for. One
plan can be on several cards, and counts their events together. `card.faults = None` takes all of them off.

What a fault's events are, and what it does at the n-th:

| fault | event | effect |
|---|---|---|
| `CUT_BEFORE` | APDU | not executed; the card is gone (`CardRemoved`) |
| `CUT_AFTER` | APDU | executed; the card is gone before the answer |
| `CUT_BEFORE_COMMIT` | write to persistent memory | nothing is written; the card is gone |
| `CUT_AFTER_COMMIT` | write to persistent memory | written as a whole; the card is gone |
| `MUTE` | APDU | not executed and never answered: `CardMute`; the card stays in the reader |
| `LATE` | APDU | executed, but the reader has given up: `CardMute`; the card stays |
| `TRUNCATED` | answer with data | the last byte of the data is missing, the status word is there |
| `WRONG_MAC2` | answer to DEBIT or GREY LOCK | MAC2, its last 4 data bytes, is wrong; the proof keeps the right one |
| `REFUSED` | APDU | not executed; the status word is `status` |
| `RESPONSE_REFUSED` | GET RESPONSE (T=0) | as `REFUSED`; the answer that waited is lost |
| `PROOF_GONE` | GET TRANSACTION PROOF | the card has lost its proof: 9406, until the next transaction (OPS §4.3 E1) |
| `PROOF_REFUSED` | GET TRANSACTION PROOF | the same, with 6985, which is no evidence (OPS §4.3) |

GET RESPONSE of a T=0 card is an APDU of its own. A status word 61xx has no data: the faults of answers fire when the
data come, and `only` means the command that the data belong to.

Behind vpcd, which has no time-outs, a mute card sends one byte instead of an answer; `cardio.transport.pcsc` makes
`LinkCorrupt` of it, as of the error that most real readers report for a mute card.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum

from cardio.errors import CardMute, CardRemoved
from cardio.virtual.card import VirtualCard
from cardio.virtual.chip import Chip, Moment
from cardio.virtual.purse import PurseFunction
from cardio.virtual.received import Received, Status

DEBIT = ("805401", "B02C01")
"""Beginning of the commands that answer TAC ‖ MAC2 (EW §3.2, SSC §7)."""
GREY_LOCK = "E07C08"
"""Beginning of the one that answers GTAC ‖ MAC2 (EW §3.5)."""
PROOF = ("805A", "B02E")
"""Beginning of GET TRANSACTION PROOF."""
RESPONSE = ("00C0",)
"""Beginning of GET RESPONSE."""
UNKNOWN_ERROR = 0x6F00
STATUS_SIZE = 2


class Fault(StrEnum):
    """What goes wrong; the module's table says when and how."""

    CUT_BEFORE = "cut-before"
    CUT_AFTER = "cut-after"
    CUT_BEFORE_COMMIT = "cut-before-commit"
    CUT_AFTER_COMMIT = "cut-after-commit"
    MUTE = "mute"
    LATE = "late"
    TRUNCATED = "truncated"
    WRONG_MAC2 = "wrong-mac2"
    REFUSED = "refused"
    RESPONSE_REFUSED = "response-refused"
    PROOF_GONE = "proof-gone"
    PROOF_REFUSED = "proof-refused"


CUTS = frozenset({Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.CUT_BEFORE_COMMIT, Fault.CUT_AFTER_COMMIT})
"""Faults in whose place an `action` can be."""
_MOMENTS = {
    Fault.CUT_AFTER: Moment.ANSWER,
    Fault.CUT_BEFORE_COMMIT: Moment.BEFORE_COMMIT,
    Fault.CUT_AFTER_COMMIT: Moment.AFTER_COMMIT,
    Fault.LATE: Moment.ANSWER,
}
"""All others act when the command comes in."""
_ALTER_ANSWERS = frozenset({Fault.TRUNCATED, Fault.WRONG_MAC2})
_COMMANDS = {
    Fault.WRONG_MAC2: (*DEBIT, GREY_LOCK),
    Fault.RESPONSE_REFUSED: RESPONSE,
    Fault.PROOF_GONE: PROOF,
    Fault.PROOF_REFUSED: PROOF,
}
"""What `only` is if nothing is given."""
_NO_PROOF = {Fault.PROOF_GONE: 0x9406, Fault.PROOF_REFUSED: 0x6985}


@dataclass(eq=False)
class FaultPlan:
    """One fault at the n-th event.

    Attributes:
        fault: What goes wrong.
        n: Number of the event at which it does, counted from 1.
        only: Beginning of the commands that count, in hex from CLA on; several as a tuple. Empty for the fault's own.
        action: Called instead of the cut, for the four cuts.
        status: Status word of a refusal.
        seen: Events so far.
    """

    fault: Fault
    n: int = 1
    _: KW_ONLY
    only: str | tuple[str, ...] = ()
    action: Callable[[], object] | None = None
    status: int = UNKNOWN_ERROR
    seen: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError("events are counted from 1")
        if self.action is not None and self.fault not in CUTS:
            raise ValueError(f"an action takes the place of a cut, not of {self.fault}")
        only = (self.only,) if isinstance(self.only, str) else self.only
        self._only = tuple(bytes.fromhex(beginning) for beginning in only or _COMMANDS.get(self.fault, ()))

    @property
    def fired(self) -> bool:
        """Whether the fault has happened."""
        return self.seen >= self.n

    def reach(self, moment: Moment, card: Chip, command: Received) -> None:
        """The card's call at every moment.

        Raises:
            CardRemoved: The card is gone.
            CardMute: The card gives no answer.
            Status: The card refuses the command.
        """
        if self.fault in _ALTER_ANSWERS or moment is not _MOMENTS.get(self.fault, Moment.COMMAND):
            return
        if not self._strikes(command):
            return
        told = f"fault {self.fault} at event {self.n}"
        match self.fault:
            case Fault.MUTE | Fault.LATE:
                raise CardMute(told)
            case Fault.REFUSED | Fault.RESPONSE_REFUSED:
                raise Status(self.status)
            case Fault.PROOF_GONE | Fault.PROOF_REFUSED:
                _lose_proof(card, _NO_PROOF[self.fault])
            case _ if self.action is not None:
                self.action()
            case _:
                raise CardRemoved(told)

    def alter(self, command: Received, answer: bytes) -> bytes:
        """The card's call before every answer.

        Args:
            command: The command that was executed; not the GET RESPONSE that fetches its data.
            answer: Data ‖ SW1 SW2.
        """
        data, status = answer[:-STATUS_SIZE], answer[-STATUS_SIZE:]
        if self.fault not in _ALTER_ANSWERS or not data:
            return answer
        if self.fault is Fault.WRONG_MAC2 and status != b"\x90\x00":
            return answer
        if not self._strikes(command):
            return answer
        end = b"" if self.fault is Fault.TRUNCATED else bytes([data[-1] ^ 0x01])
        return data[:-1] + end + status

    def _strikes(self, command: Received) -> bool:
        """Count an event, if it is one; whether it is the n-th."""
        head = bytes([*command.instruction, *command.parameters])
        if self._only and not head.startswith(self._only):
            return False
        self.seen += 1
        return self.seen == self.n


def _lose_proof(card: Chip, status: int) -> None:
    """Take the proof of the selected purse away; a directory without a purse has none."""
    purse: object = card.current.function if isinstance(card, VirtualCard) else None
    if isinstance(purse, PurseFunction):
        purse.proof = None
        purse.no_proof = status
