"""How much money one client has moved, for limits that its caller set (OPS §4.7)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from cardio.ledger.model import Request, State
from cardio.ledger.times import first_id
from cardio.purse.operation import Operation

MOVED_OR_MAY_HAVE = (State.COMPLETED, State.NOT_GENUINE, State.ARMED, State.UNCERTAIN, State.RESOLVED)
NO_MONEY = (Operation.GREY_LOCK, Operation.OVERDRAFT)
"""A grey lock only freezes, and the amount of an overdraft update is a limit, not money."""


@dataclass(frozen=True)
class Spending:
    """What the journal knows about a client and one of its requests.

    Attributes:
        moved_fen: Moved since a time, or possibly moved, in either direction; without the requests that run now.
        begun_at: When the request was begun; None for a new one.
        state: Its state; None for a new one.
    """

    moved_fen: int
    begun_at: datetime | None
    state: State | None


def of_client(db: sqlite3.Connection, request: Request, since: datetime, running: Collection[str]) -> Spending:
    """See `Spending`.

    Args:
        db: The journal.
        request: The client and its key.
        since: Transactions that were begun before do not count.
        running: Keys of the client's requests that are not counted, since somebody else counts them.
    """
    begun = db.execute(
        "SELECT created_at, state FROM (SELECT id, created_at, state FROM transactions"
        " UNION ALL SELECT id, created_at, state FROM settlements)"
        " WHERE id = (SELECT subject FROM requests WHERE client = ? AND key = ?)",
        (request.client, request.key),
    ).fetchone()
    return Spending(
        _moved(db, request.client, since, running),
        None if begun is None else datetime.fromisoformat(begun["created_at"]),
        None if begun is None else State(begun["state"]),
    )


def _moved(db: sqlite3.Connection, client: str, since: datetime, running: Collection[str]) -> int:
    (moved,) = db.execute(
        "WITH running AS (SELECT subject FROM requests"
        "   WHERE client = :client AND key IN (SELECT value FROM json_each(:running)))"
        " SELECT COALESCE(SUM(json_extract(amounts, '$[0]')), 0) FROM transactions"
        " WHERE id >= :first AND client = :client"
        "   AND state IN (SELECT value FROM json_each(:states))"
        "   AND operation NOT IN (SELECT value FROM json_each(:no_money))"
        "   AND COALESCE(json_extract(resolution, '$.money'), '') <> 'none'"
        "   AND id NOT IN running AND COALESCE(settlement, '') NOT IN running",
        {
            "client": client,
            "first": first_id(since),
            "running": json.dumps(list(running)),
            "states": json.dumps(MOVED_OR_MAY_HAVE),
            "no_money": json.dumps(NO_MONEY),
        },
    ).fetchone()
    return int(moved)
