"""What of a purchase was given back, or is on its way (T-14).

A card has no way to undo a purchase. Money returns by a load of the same card, or by an order to the settlement centre;
either is linked to the purchase, and together they never give back more than was taken.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import uuid6

from cardio.errors import Money, NotReversible
from cardio.ledger import store
from cardio.ledger.chain import Note
from cardio.ledger.database import Database
from cardio.ledger.model import Request, State, Transaction
from cardio.ledger.rows import insert, update
from cardio.purse.operation import Operation, PurseKind

PAYMENTS = frozenset({Operation.PURCHASE, Operation.CASH, Operation.COMPOSITE, Operation.GREY_DEBIT})
"""Operations whose money can be given back."""


@dataclass(frozen=True)
class RefundOrder:
    """An order to the settlement centre to give money back.

    Attributes:
        id: UUIDv7.
        purchase: Id of the purchase.
        amount_fen: Fen to give back.
        operator: Who gave the order.
        reason: Why.
        created_at: When.
    """

    id: str
    purchase: str
    amount_fen: int
    operator: str | None
    reason: str
    created_at: datetime


class Reversals:
    """The refunds of one journal.

    Args:
        database: The journal.
        note: Adds a row to its chain.
        clock: Source of the time.
    """

    def __init__(self, database: Database, note: Note, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._note = note
        self._clock = clock

    def order(
        self, request: Request, identifier: str, amount_fen: int | None, operator: str | None, reason: str
    ) -> RefundOrder:
        """Write an order to give money back; it goes to the centre with the next batch.

        Args:
            request: Key and caller; the same key gets the same order.
            identifier: The purchase.
            amount_fen: Fen to give back; None for all that is left.
            operator: Who gives the order.
            reason: Why.

        Raises:
            TransactionUnknown: There is no such purchase.
            NotReversible: So much cannot be given back.
            IdempotencyMismatch: The key belongs to another request.
        """

        def job(db: sqlite3.Connection) -> RefundOrder:
            known = store.subject(db, request)
            if known is not None:
                return _order(db, known)
            order = self._order(db, store.transaction(db, identifier), request.client, amount_fen, operator, reason)
            store.remember(db, request, order.id)
            return order

        return self._database.write(job)

    def order_settlement(
        self, request: Request, identifier: str, operator: str | None, reason: str
    ) -> list[RefundOrder]:
        """Write orders for all that the cards of a settlement paid; its cash is the till's to pay out.

        Args:
            request: Key and caller; the same key gets the same orders.
            identifier: The settlement.
            operator: Who gives the orders.
            reason: Why.

        Raises:
            TransactionUnknown: There is no such settlement.
            NotReversible: It is not completed, or was given back before, wholly or in part.
            IdempotencyMismatch: The key belongs to another request.
        """

        def job(db: sqlite3.Connection) -> list[RefundOrder]:
            settlement = store.settlement(db, identifier)
            if store.subject(db, request) is not None:
                return [order for leg in settlement.legs for order in _orders(db, leg.id)]
            (given_back,) = db.execute("SELECT reversed_at FROM settlements WHERE id = ?", (identifier,)).fetchone()
            paid = [leg for leg in settlement.legs if leg.money is Money.MOVED and leg.amount_fen > 0]
            if settlement.state is not State.COMPLETED or given_back or any(_given_back(db, leg.id) for leg in paid):
                raise NotReversible(f"{settlement.state}, given back: {given_back or 'in part, or not'}")
            store.remember(db, request, identifier)
            update(db, "settlements", identifier, {"reversed_at": self._clock().isoformat()})
            self._note(db, "refund.settlement", identifier, {"due_fen": settlement.due_fen})
            return [self._order(db, leg, request.client, None, operator, reason) for leg in paid]

        return self._database.write(job)

    def of(self, identifier: str) -> tuple[list[RefundOrder], list[str]]:
        """Orders, and ids of the loads, by which a purchase was or is being given back, oldest first."""
        return self._database.read(lambda db: (_orders(db, identifier), _loads(db, identifier)))

    def left(self, identifier: str) -> int:
        """Fen of a purchase that can still be given back.

        Raises:
            TransactionUnknown: There is no such purchase.
            NotReversible: Its money did not move, or all of it was given back.
        """
        return self._database.read(lambda db: claim(db, store.transaction(db, identifier), None))

    def _order(
        self,
        db: sqlite3.Connection,
        purchase: Transaction,
        client: str,
        amount_fen: int | None,
        operator: str | None,
        reason: str,
    ) -> RefundOrder:
        """One order, and its record in the outbox."""
        order = RefundOrder(
            str(uuid6.uuid7()), purchase.id, claim(db, purchase, amount_fen), operator, reason, self._clock()
        )
        columns = {
            "id": order.id,
            "purchase": order.purchase,
            "amount_fen": order.amount_fen,
            "operator": operator,
            "reason": reason,
            "created_at": order.created_at.isoformat(),
        }
        insert(db, "refund_orders", {**columns, "client": client})
        self._note(db, "refund.ordered", purchase.id, {"order": order.id, "amount_fen": order.amount_fen})
        document = {**columns, "state": "ordered", "operation": "refund", "purse": purchase.purse.value}
        store.report(db, purchase.id, document, order.created_at)
        return order


def claim(db: sqlite3.Connection, purchase: Transaction, amount_fen: int | None, purse: PurseKind | None = None) -> int:
    """How much may be given back, of what is asked; inside the database transaction that will give it.

    Args:
        db: The journal.
        purchase: The purchase.
        amount_fen: What is asked; None for all that is left.
        purse: Purse that it goes to by a load; None for an order.

    Raises:
        NotReversible: It is no purchase whose money moved, so much is not left, or another purse paid.
    """
    if purse not in {None, purchase.purse}:
        raise NotReversible(f"the {purchase.purse} paid, not the {purse}")
    if purchase.operation not in PAYMENTS or purchase.money is not Money.MOVED:
        raise NotReversible(f"{purchase.operation} {purchase.state}")
    left = purchase.amount_fen - _given_back(db, purchase.id)
    wanted = left if amount_fen is None else amount_fen
    if not 0 < wanted <= left:
        raise NotReversible(f"{left} of {purchase.amount_fen} fen are left to give back")
    return wanted


def _given_back(db: sqlite3.Connection, identifier: str) -> int:
    """Fen that were ordered, loaded, or may have been loaded."""
    (ordered,) = db.execute(
        "SELECT COALESCE(SUM(amount_fen), 0) FROM refund_orders WHERE purchase = ?", (identifier,)
    ).fetchone()
    loads = [store.transaction(db, load) for load in _loads(db, identifier)]
    # One that still waits for its card counts: two of them must not both get what is left.
    counted = [load for load in loads if not load.state.final or load.money is not Money.NONE]
    return int(ordered) + sum(load.amount_fen for load in counted)


def _loads(db: sqlite3.Connection, identifier: str) -> list[str]:
    rows = db.execute("SELECT id FROM transactions WHERE reverses = ? ORDER BY created_at, id", (identifier,))
    return [row["id"] for row in rows]


def _orders(db: sqlite3.Connection, identifier: str) -> list[RefundOrder]:
    rows = db.execute("SELECT * FROM refund_orders WHERE purchase = ? ORDER BY created_at, id", (identifier,))
    return [_loaded(row) for row in rows]


def _order(db: sqlite3.Connection, identifier: str) -> RefundOrder:
    return _loaded(db.execute("SELECT * FROM refund_orders WHERE id = ?", (identifier,)).fetchone())


def _loaded(row: sqlite3.Row) -> RefundOrder:
    return RefundOrder(
        id=row["id"],
        purchase=row["purchase"],
        amount_fen=row["amount_fen"],
        operator=row["operator"],
        reason=row["reason"],
        created_at=datetime.fromisoformat(row["created_at"]),
    )
