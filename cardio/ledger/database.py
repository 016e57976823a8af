"""The journal's SQLite file (OPS §4.5)."""

from __future__ import annotations

import sqlite3

from cardio.ledger.migration import migrate
from cardio.ledger.synced import SyncedDatabase
from cardio.ledger.terminal_keys import open_keys
from cardio.security.device_keys import DeviceKeys


class Database(SyncedDatabase):
    """The journal.

    Attributes:
        keys: The terminal's keys, from the file beside it.

    Raises:
        JournalBroken: Besides what `SyncedDatabase` raises: its keys are missing.
    """

    keys: DeviceKeys

    def _prepare(self, connection: sqlite3.Connection) -> None:
        self.keys = open_keys(connection, self.path)
        migrate(connection, self.path, self.keys)
