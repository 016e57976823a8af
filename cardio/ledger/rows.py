"""Rows of the journal's tables as model objects, and back."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from cardio.errors import Money
from cardio.ledger import card_notes
from cardio.ledger.bill import Bill, BillDetails
from cardio.ledger.model import (
    Armed,
    CardReference,
    Evidence,
    Outcome,
    Resolution,
    Settlement,
    State,
    Tender,
    Transaction,
)
from cardio.purse.operation import Operation, PurseKind
from cardio.security.keys import Mac2

ARMED_COLUMNS = (
    "reader",
    "product",
    "application",
    "terminal_number",
    "terminal_sequence",
    "key_source",
    "key_index",
    "key_version",
    "algorithm_id",
    "card_counter",
    "card_random",
    "card_time",
    "mac1_sha256",
    "balance_before",
    "balance_expected",
)
ABOUT_HEALTH = frozenset({"notes", "settlement_class", "bill_details"})
"""A settlement class and its notes say what somebody suffers from; so do the funds that pay."""
BILL_COLUMNS = tuple(part.name for part in fields(Bill))
CARD_COLUMNS = {"card_key": "key", "card_masked": "masked"}


def transaction_from(row: sqlite3.Row) -> Transaction:
    """A row of `transactions`."""
    return Transaction(
        id=row["id"],
        state=State(row["state"]),
        purse=PurseKind(row["purse"]),
        operation=Operation(row["operation"]),
        amounts=tuple(json.loads(row["amounts"])),
        client=row["client"],
        reference=row["reference"],
        operator=row["operator"],
        settlement=row["settlement"],
        created_at=datetime.fromisoformat(row["created_at"]),
        grey_lock=row["grey_lock"],
        reverses=row["reverses"],
        shift=row["shift"],
        finished_at=_time(row["finished_at"]),
        armed=_armed(row),
        outcome=Outcome(
            state=State(row["state"]),
            tac=row["tac"],
            mac2=Mac2(row["mac2"]) if row["mac2"] else None,
            balance_after=row["balance_after"],
            evidence=tuple(Evidence(**found) for found in json.loads(row["evidence"])),
            recovered=bool(row["recovered"]),
            error=row["error"],
            resolution=_resolution(row["resolution"]),
        ),
        answer=row["answer"],
    )


def settlement_from(row: sqlite3.Row, legs: tuple[Transaction, ...]) -> Settlement:
    """A row of `settlements` with its transactions."""
    return Settlement(
        id=row["id"],
        state=State(row["state"]),
        client=row["client"],
        reference=row["reference"],
        operator=row["operator"],
        bill=Bill(**{name: row[name] for name in BILL_COLUMNS}),
        details=None if row["bill_details"] is None else BillDetails.decode(row["bill_details"]),
        tender=Tender(row["tender"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        finished_at=_time(row["finished_at"]),
        legs=legs,
        answer=row["answer"],
        settlement_class=row["settlement_class"],
        temporary_offline=bool(row["temporary_offline"]),
        shift=row["shift"],
    )


def transaction_columns(transaction: Transaction) -> dict[str, Any]:
    """Columns of a new transaction."""
    return {
        "id": transaction.id,
        "state": transaction.state.value,
        "purse": transaction.purse.value,
        "operation": transaction.operation.value,
        "amounts": json.dumps(transaction.amounts),
        "client": transaction.client,
        "reference": transaction.reference,
        "operator": transaction.operator,
        "settlement": transaction.settlement,
        "grey_lock": transaction.grey_lock,
        "reverses": transaction.reverses,
        "shift": transaction.shift,
        "created_at": transaction.created_at.isoformat(),
    }


def settlement_columns(settlement: Settlement) -> dict[str, Any]:
    """Columns of a new settlement."""
    return {
        "id": settlement.id,
        "state": settlement.state.value,
        "client": settlement.client,
        "reference": settlement.reference,
        "operator": settlement.operator,
        **asdict(settlement.bill),
        "bill_details": settlement.details.encode() if settlement.details else None,
        "tender": settlement.tender.value,
        "created_at": settlement.created_at.isoformat(),
        "settlement_class": settlement.settlement_class,
        "temporary_offline": int(settlement.temporary_offline),
        "shift": settlement.shift,
    }


def armed_columns(armed: Armed) -> dict[str, Any]:
    """Columns that ARMED fills."""
    columns: dict[str, Any] = {name: getattr(armed, name) for name in ARMED_COLUMNS}
    columns.update({column: getattr(armed.card, name) for column, name in CARD_COLUMNS.items()})
    columns["records"] = json.dumps(armed.records)
    columns["notes"] = card_notes.encode(armed.notes)
    return columns


def for_chain(columns: dict[str, Any]) -> dict[str, Any]:
    """What the chain, which is kept for ever, is told of columns: nothing about anybody's health."""
    return {name: value for name, value in columns.items() if name not in ABOUT_HEALTH}


def outcome_columns(outcome: Outcome) -> dict[str, Any]:
    """Columns that an outcome fills; what it does not know stays as it is."""
    known = {
        "tac": outcome.tac,
        "mac2": outcome.mac2.value if outcome.mac2 else None,
        "balance_after": outcome.balance_after,
        "evidence": json.dumps([asdict(found) for found in outcome.evidence]) if outcome.evidence else None,
        "resolution": json.dumps(asdict(outcome.resolution), ensure_ascii=False) if outcome.resolution else None,
    }
    return {
        "state": outcome.state.value,
        "error": outcome.error,
        "recovered": int(outcome.recovered),
        **{name: value for name, value in known.items() if value is not None},
    }


def insert(connection: sqlite3.Connection, table: str, columns: dict[str, Any]) -> None:
    """Insert one row; table and column names are ours, never a caller's."""
    names = ", ".join(columns)
    marks = ", ".join(f":{name}" for name in columns)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", columns)  # noqa: S608


def update(connection: sqlite3.Connection, table: str, identifier: str, columns: dict[str, Any]) -> None:
    """Update one row by its id."""
    changes = ", ".join(f"{name} = :{name}" for name in columns)
    connection.execute(
        f"UPDATE {table} SET {changes} WHERE id = :row_id",  # noqa: S608
        {**columns, "row_id": identifier},
    )


def _armed(row: sqlite3.Row) -> Armed | None:
    if row["card_key"] is None:
        return None
    card = CardReference(**{name: row[column] for column, name in CARD_COLUMNS.items()})
    records = tuple((sfi, record, data) for sfi, record, data in json.loads(row["records"]))
    notes = card_notes.decode(row["notes"])
    return Armed(card=card, records=records, notes=notes, **{name: row[name] for name in ARMED_COLUMNS})


def _resolution(text: str | None) -> Resolution | None:
    if text is None:
        return None
    found = json.loads(text)
    first, second = found["persons"]
    return Resolution(Money(found["money"]), (first, second), found["reason"])


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
