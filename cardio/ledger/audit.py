"""Whether a journal is whole: pages, chain, tables, vouchers, access log, destroyed persons (OPS §4.5).

It proves that what is there was written by this terminal, in this order, and not changed. It cannot prove that nothing
is missing at the end: for that its head is compared with an anchor outside, such as a shift slip.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from cardio.errors import JournalBroken, Money
from cardio.ledger import access_log, chain, integrity, persons, signed_vouchers, store, terminal_keys
from cardio.ledger.document import settlement_money
from cardio.ledger.model import State
from cardio.ledger.rebuild import compare
from cardio.ledger.rows import transaction_from


@dataclass(frozen=True)
class Audit:
    """What was found to be whole.

    Attributes:
        rows: Rows of the chain.
        head: Hash of the newest, hex; empty without rows.
        newest: When it was written; None without rows.
        transactions: Transactions that are as the chain tells.
        settlements: Settlements that are as the chain tells.
        vouchers: Vouchers whose signature holds.
        accesses: Rows of the access log.
        destroyed: Transactions whose personal data were destroyed.
        keys: Public keys of the vouchers, hex.
    """

    rows: int
    head: str
    newest: datetime | None
    transactions: int
    settlements: int
    vouchers: int
    accesses: int
    destroyed: int
    keys: tuple[str, ...]


def audit(db: sqlite3.Connection) -> Audit:
    """Check all of a journal, in one pass over each table.

    Raises:
        JournalBroken: Something was changed, taken away, put in, or is damaged; the detail says what.
    """
    integrity.check_all(db)
    rows = chain.verify(db)
    seq, digest = chain.head(db)
    keys, since = _keys(db)
    vouchers = signed_vouchers.check(db, keys)
    return Audit(
        rows=rows,
        head=digest.hex() if seq else "",
        newest=chain.newest_time(db),
        transactions=_transactions(db, since),
        settlements=_settlements(db, since),
        vouchers=vouchers,
        accesses=access_log.check(db),
        destroyed=persons.check(db),
        keys=tuple(key.hex() for key in keys),
    )


def _keys(db: sqlite3.Connection) -> tuple[list[bytes], int]:
    """Public keys that the chain names, and the row of the first."""
    rows = db.execute("SELECT seq, payload FROM journal WHERE kind = ? ORDER BY seq", (terminal_keys.NAMED,)).fetchall()
    if not rows:
        raise JournalBroken("the chain names no public key")
    return [bytes.fromhex(json.loads(row["payload"])["public"]) for row in rows], rows[0]["seq"]


def _transactions(db: sqlite3.Connection, since: int) -> int:
    count = 0
    for row, told in compare(db, "transactions", since):
        count += 1
        if told.ended is not None and told.ended >= since and transaction_from(row).money is Money.MOVED:
            _require_voucher(db, told.id)
    (wrong,) = db.execute(
        'SELECT count(*) FROM (SELECT id, state FROM transactions) LEFT JOIN pending_cards ON "transaction" = id'
        ' WHERE (state IN (?, ?)) <> ("transaction" IS NOT NULL)',
        (State.ARMED, State.UNCERTAIN),
    ).fetchone()
    if wrong:
        raise JournalBroken(f"{wrong} open questions do not stand where they are looked for")
    return count


def _settlements(db: sqlite3.Connection, since: int) -> int:
    count = 0
    for row, told in compare(db, "settlements", since):
        count += 1
        if told.ended is None or told.ended < since:
            continue
        if settlement_money(store.settlement(db, row["id"])) == Money.MOVED:
            _require_voucher(db, told.id)
    return count


def _require_voucher(db: sqlite3.Connection, subject: str) -> None:
    if db.execute("SELECT 1 FROM vouchers WHERE subject = ?", (subject,)).fetchone() is None:
        raise JournalBroken(f"the voucher of {subject} is missing")
