"""How transactions and settlements move on: state, chain, outbox, notices, notes and vouchers.

All of it happens in one database transaction, which the caller has begun.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime

from cardio.errors import HostAnswerLost, Money
from cardio.ledger import card_notes, notices, signed_vouchers, store
from cardio.ledger.chain import Note
from cardio.ledger.document import settlement_document, settlement_money, transaction_document
from cardio.ledger.model import Document, Evidence, Outcome, Settlement, State, Transaction
from cardio.ledger.rows import outcome_columns, update
from cardio.ledger.times import stamp
from cardio.security.device_keys import DeviceKeys

NEVER_SENT = Outcome(
    State.NOT_DEBITED,
    evidence=(Evidence("journal", False, "no grant of the host is on disk"),),
    recovered=True,
    error=HostAnswerLost.code,
)


class Transitions:
    """What follows from an outcome.

    Args:
        note: Adds a row to the chain.
        keys: The terminal's keys, which sign vouchers.
    """

    def __init__(self, note: Note, keys: DeviceKeys) -> None:
        self._note = note
        self._keys = keys

    def move(self, db: sqlite3.Connection, transaction: Transaction, outcome: Outcome) -> Transaction:
        """Write an outcome, and everything that follows from it.

        A final state ends the question about the card, freezes the answer and signs a voucher if money moved; a new
        state fills the outbox.
        """
        store.check_transition(transaction.state, outcome.state)
        identifier, columns = transaction.id, outcome_columns(outcome)
        told = {name: value for name, value in columns.items() if name != "state"}
        what = {
            "purse": transaction.purse,
            "operation": transaction.operation,
            "amount_fen": transaction.amount_fen,
        }
        row = self._note(db, f"transaction.{outcome.state}", identifier, {**told, **what})
        if outcome.state.final:
            columns["finished_at"] = stamp(row.time)
            db.execute('DELETE FROM pending_cards WHERE "transaction" = ?', (identifier,))
        update(db, "transactions", identifier, columns)
        moved = store.transaction(db, identifier)
        if moved.state is State.COMPLETED:
            moved = replace(moved, notes=card_notes.write(db, moved, row.time))
        shown = transaction_document(moved)
        if outcome.state.final:
            moved = store.freeze(db, moved, shown)
            if moved.money is Money.MOVED:
                signed_vouchers.write(db, self._keys, moved, shown, row)
        if moved.armed is not None and moved.state is not transaction.state:
            _report(db, moved.id, shown, row.time)
            if outcome.state.final and moved.operation.online:
                notices.write(db, moved, row.time)
        self._refresh_settlement(db, moved)
        return moved

    def park_armed(self, db: sqlite3.Connection) -> None:
        """After a crash an armed transaction may have happened: uncertain until the card says."""
        rows = db.execute("SELECT id FROM transactions WHERE state = ?", (State.ARMED.value,))
        for (identifier,) in rows.fetchall():
            armed = store.transaction(db, identifier)
            if armed.operation.online and armed.armed is not None and not armed.armed.card_time:
                # Nothing is sent to the card before the host's grant is on disk.
                self.move(db, armed, NEVER_SENT)
                continue
            update(db, "transactions", identifier, {"state": State.UNCERTAIN.value})
            told = {"purse": armed.purse, "operation": armed.operation, "reason": "restart"}
            row = self._note(db, "transaction.uncertain", identifier, told)
            parked = store.transaction(db, identifier)
            _report(db, identifier, transaction_document(parked), row.time)
            self._refresh_settlement(db, parked)

    def move_settlement(self, db: sqlite3.Connection, settlement: Settlement, state: State) -> None:
        """Write where a settlement stands; a final one gets its frozen answer, and a voucher if money moved."""
        told = {"due_fen": replace(settlement, state=state).due_fen}
        row = self._note(db, f"settlement.{state}", settlement.id, told)
        columns = {"state": state.value} | ({"finished_at": stamp(row.time)} if state.final else {})
        update(db, "settlements", settlement.id, columns)
        if not state.final:
            return
        ended = store.settlement(db, settlement.id)
        shown = settlement_document(ended)
        store.freeze_settlement(db, ended, shown)
        if settlement_money(ended) == Money.MOVED:
            signed_vouchers.write(db, self._keys, ended, shown, row)

    def _refresh_settlement(self, db: sqlite3.Connection, leg: Transaction) -> None:
        """Bring a leg's settlement to where its legs stand."""
        if leg.settlement is None:
            return
        settled = store.settlement(db, leg.settlement)
        if settled.standing is not settled.state:
            self.move_settlement(db, settled, settled.standing)


def _report(db: sqlite3.Connection, identifier: str, shown: Document, at: datetime) -> None:
    """A record for the centre; whoever sends it asks `Ledger.privacy` for the card's number."""
    store.report(db, identifier, {name: value for name, value in shown.items() if name != "voucher"}, at)
