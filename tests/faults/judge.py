"""Compares card, PSAM, host and journal after a fault: is every fen where the journal says?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cardio.errors import CardioError, Money, NotReversible
from cardio.ledger.model import Request, Transaction
from cardio.purse.operation import Operation
from cardio.security.keys import Mac2
from cardio.security.software_load_host import BookingState
from cardio.virtual.filesystem import Directory
from cardio.virtual.medical import MedicalFunction
from cardio.virtual.psam import PsamFunction
from cardio.virtual.wallet import WalletFunction
from tests.faults.scenarios import Scenario
from tests.faults.world import Source, World

KEY = "k"
"""Idempotency key of the one request of a case."""


class Verdict(StrEnum):
    """How a case ended; the words of the tally."""

    RIGHT = "right"
    LOST = "lost"
    DOUBLED = "doubled"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True)
class CardState:
    """What of a purse must move together.

    Attributes:
        balance: Fen.
        counter: The counter of the operation: on-line or off-line.
        log: Number of log records.
        locked: Whether a grey lock is on it.
        records: Contents of all other record files of the purse's directory.
    """

    balance: int
    counter: int
    log: int
    locked: bool
    records: tuple[tuple[bytes, ...], ...]


def state_of(scenario: Scenario, world: World) -> CardState:
    """The card, seen from inside."""
    directory, function = next(
        (d, d.function)
        for d in world.outside.card.master_file.walk()
        if isinstance(d.function, (WalletFunction, MedicalFunction))
    )
    online, locked = scenario.operation.online, False
    if isinstance(function, MedicalFunction):
        counter = function.load_counter if online else function.purchase_counter
        balance = function.balance
    else:
        purse = function.passbook if scenario.passbook else function.purse
        assert purse is not None
        counter = purse.online_counter if online else purse.offline_counter
        balance, locked = purse.balance, purse.grey is not None
    others = tuple(tuple(file.records) for file in directory.files if file is not function.log)
    return CardState(balance, counter, len(function.log.records), locked, others)


def sequences_of(world: World) -> int:
    """Sum of the PSAM's sequences: purchases that it saw to their end."""
    return sum(
        d.function.sequence for d in world.outside.sam.master_file.walk() if isinstance(d.function, PsamFunction)
    )


class Unequal(AssertionError):
    """Card, PSAM, host and journal disagree."""


def judge(
    scenario: Scenario,
    world: World,
    before: tuple[CardState, int],
    transaction: Transaction | None,
    *,
    evidence_left: bool = True,
    alone: bool = True,
    repeats: bool = True,
) -> Verdict:
    """Where the fen are, and whether the journal knows.

    Args:
        scenario: What was asked.
        world: The world at rest.
        before: Card and PSAM before.
        transaction: The transaction; None if the journal never heard of it.
        evidence_left: Whether the fault left two pieces of evidence, so that an open question is a failure.
        alone: Whether nobody else used the purse meanwhile.
        repeats: Whether to ask once more with the same key, which must change nothing and get the same answer.

    Raises:
        Unequal: Something smaller is wrong: a log record, a TAC, a booking, the chain.
    """
    world.audit()
    was, now = before[0], state_of(scenario, world)
    lock = scenario.operation is Operation.GREY_LOCK
    changes = int(now.locked) - int(was.locked) if lock else now.counter - was.counter
    if changes > 1:
        return Verdict.DOUBLED
    _check_card(scenario, was, now, changes)
    # What the journal says of the card: a lock moves no money, but changes the card all the same.
    money = Money.NONE if transaction is None else transaction.state.money
    if money is Money.UNKNOWN:
        return Verdict.UNRESOLVED if evidence_left else Verdict.RIGHT
    if (money is Money.MOVED) is not (changes == 1):
        return Verdict.LOST
    if transaction is not None and transaction.armed is not None:
        _check_transaction(scenario, world, transaction, alone=alone)
    if transaction is not None and repeats and transaction.state.final:
        _check_repeat(scenario, world, transaction)
    _check_psam(scenario, world, before[1], transaction)
    _check_host(scenario, world, transaction)
    _check_given_back(scenario, world, transaction)
    return Verdict.RIGHT


def _check_card(scenario: Scenario, was: CardState, now: CardState, changes: int) -> None:
    """All of it moved, or nothing."""
    old_limit = 1000 if scenario.operation is Operation.OVERDRAFT else 0
    moved = scenario.operation.balance_after(was.balance, scenario.amount_fen, old_limit) - was.balance
    _equal("balance", now.balance - was.balance, changes * moved)
    if scenario.operation is Operation.GREY_LOCK:
        _equal("counter", now.counter, was.counter)
    else:
        _equal("locked", now.locked, was.locked and not changes)
    _equal("log records", now.log - was.log, changes if scenario.operation.moves_money else 0)
    if scenario.operation is Operation.COMPOSITE:
        _equal("records changed", now.records != was.records, changes == 1)


def _check_transaction(scenario: Scenario, world: World, transaction: Transaction, *, alone: bool) -> None:
    outcome = transaction.outcome
    if transaction.state.money is Money.MOVED and alone:
        _equal("balance after", outcome.balance_after, state_of(scenario, world).balance)
        proof = _purse(world)[1].proof
        if outcome.tac is not None and proof is not None:
            _equal("TAC", outcome.tac, proof.tac.hex().upper())


def _check_repeat(scenario: Scenario, world: World, transaction: Transaction) -> None:
    was = state_of(scenario, world)
    again = scenario.ask(world, world.outside.card, KEY)
    _equal("the same key's answer", again.answer, transaction.answer)
    _equal("its transaction", again.id, transaction.id)
    _equal("the card after the repeat", state_of(scenario, world), was)


def _check_psam(scenario: Scenario, world: World, before: int, transaction: Transaction | None) -> None:
    """The PSAM has counted every purchase whose MAC2 it accepted, and no other."""
    off_line = scenario.source is Source.PSAM and not scenario.operation.online
    if not off_line or transaction is None or _counts_attempts(world):
        return
    accepted = transaction.outcome.mac2 is Mac2.OK
    counted = sequences_of(world) - before
    if accepted:
        _equal("PSAM sequence", counted, 1)
    elif transaction.outcome.mac2 is not Mac2.UNCHECKED:
        _equal("PSAM sequence", counted, 0)


def _counts_attempts(world: World) -> bool:
    """Whether the PSAM's sequence advances at 80 70 already."""
    functions = (d.function for d in world.outside.sam.master_file.walk())
    return any(f.advances_at_init for f in functions if isinstance(f, PsamFunction))


def _check_host(scenario: Scenario, world: World, transaction: Transaction | None) -> None:
    """No booking stands for money that is not on the card, and none is missing."""
    if not scenario.operation.online or transaction is None:
        return
    world.engine.tell_host()
    _equal("untold notices", world.ledger.host_notices(), [])
    booking = world.outside.host.host.bookings.get(transaction.id)
    state = booking.state if booking else None
    if transaction.money is Money.MOVED:
        _equal("booking", state, BookingState.CONFIRMED)
    elif state is not None:
        _equal("booking", state, BookingState.REVERSED)


def _check_given_back(scenario: Scenario, world: World, transaction: Transaction | None) -> None:
    """What came back to the card cannot be given back again; what did not, can."""
    if not scenario.gives_back:
        return
    try:
        again = Request("judge", "again", "refund", b"")
        left = world.ledger.reversals.order(again, scenario.paid(world.engine).id, None, None, "the judge").amount_fen
    except NotReversible:
        left = 0
    back = transaction is not None and (transaction.money is Money.MOVED or not transaction.state.final)
    _equal("left to give back", left, 0 if back else scenario.amount_fen)


def _purse(world: World) -> tuple[Directory, WalletFunction | MedicalFunction]:
    for directory in world.outside.card.master_file.walk():
        if isinstance(directory.function, (WalletFunction, MedicalFunction)):
            return directory, directory.function
    raise LookupError("the card has no purse")


def _equal(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise Unequal(f"{what}: {found} instead of {expected}")


def come_to_rest(scenario: Scenario, world: World, tries: int = 4) -> Transaction | None:
    """What a cashier does after trouble: put the same card back and ask again with the same key, until it is decided.

    Returns:
        The transaction; None if it never came so far that the journal knows it.
    """
    transaction: Transaction | None = None
    for _ in range(tries):
        try:
            transaction = scenario.ask(world, world.outside.card, KEY)
        except (CardioError, LookupError):
            continue
        if transaction.state.final:
            break
    return transaction
