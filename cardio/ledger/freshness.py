"""Whether the journal knows all that its cards and PSAMs know: a restored backup does not (design §3).

A PSAM counts its purchases itself, and so does a card. If a PSAM is ahead of the journal, transactions are missing
here: the idempotency keys of sales are missing too, and a caller's repeat would charge twice. So money stops until two
persons have compared the records and said so.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from typing import NoReturn

from cardio.errors import JournalBehind
from cardio.ledger.database import Database
from cardio.ledger.model import State, check_persons
from cardio.purse.operation import Operation

_DOUBT = "behind"


def doubt(db: sqlite3.Connection) -> dict[str, object] | None:
    """What the journal was found to miss; None if nothing."""
    row = db.execute("SELECT value FROM meta WHERE name = ?", (_DOUBT,)).fetchone()
    return None if row is None else dict(json.loads(row["value"]))


def set_doubt(db: sqlite3.Connection, found: dict[str, object]) -> None:
    """Keep what was found, until it is reconciled."""
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_DOUBT, json.dumps(found).encode()))


def clear_doubt(db: sqlite3.Connection) -> None:
    """It is reconciled."""
    db.execute("DELETE FROM meta WHERE name = ?", (_DOUBT,))


def newest_sequence(db: sqlite3.Connection, counter: str) -> int | None:
    """Newest sequence of a PSAM's counter that this journal knows; None if it does not know the counter."""
    row = db.execute("SELECT sequence FROM sam_counters WHERE name = ?", (counter,)).fetchone()
    return None if row is None else int(row["sequence"])


def set_sequence(db: sqlite3.Connection, counter: str, sequence: int) -> None:
    """A debit was armed with this sequence, or it was used up without one, or two persons accepted it."""
    db.execute("INSERT OR REPLACE INTO sam_counters VALUES (?, ?)", (counter, sequence))


def known_counter(db: sqlite3.Connection, card_key: str, operation: Operation) -> int | None:
    """The card's counter after the newest transaction on it that the journal knows; None for a new card.

    A grey lock takes no number: its debit has the one that the lock found.
    """
    counted = [other for other in Operation if other.moves_money and other.online is operation.online]
    row = db.execute(
        "SELECT card_counter, state FROM transactions"
        " WHERE card_key = ? AND operation IN (SELECT value FROM json_each(?))"
        " ORDER BY card_counter DESC, created_at DESC LIMIT 1",
        (card_key, json.dumps(counted)),
    ).fetchone()
    if row is None:
        return None
    changed = State(row["state"]) not in {State.DECLINED, State.NOT_DEBITED}
    return int(row["card_counter"]) + (1 if changed else 0)


def knows(db: sqlite3.Connection, card_key: str, terminal: str, counter: int) -> bool:
    """Whether a transaction that a card remembers of this terminal is in the journal."""
    row = db.execute(
        "SELECT 1 FROM transactions WHERE card_key = ? AND terminal_number = ? AND card_counter = ? AND operation <> ?",
        (card_key, terminal, counter, Operation.GREY_LOCK),
    ).fetchone()
    return row is not None


ENOUGH_CARDS = 16
"""Returning cards whose logs are compared after the journal was opened."""


class Freshness:
    """Compares cards and PSAMs with one journal.

    Args:
        database: The journal.
        note: Adds a row to the chain.
    """

    def __init__(
        self, database: Database, note: Callable[[sqlite3.Connection, str, dict[str, object]], object]
    ) -> None:
        self._database = database
        self._note = note
        self._agreeing_cards = 0

    @property
    def behind(self) -> dict[str, object] | None:
        """What the journal was found to miss; money stops while it is not None."""
        return self._database.read(doubt)

    def check_sequence(self, sam_counter: str, sequence: int, slack: int = 0) -> None:
        """Compare a PSAM's counter with the journal's, before a debit is armed with it.

        Where numbers are used up without a debit, each is kept at once: any number of attempts may come to nothing.

        Args:
            sam_counter: Name of the counter: terminal number and application.
            sequence: The sequence that the PSAM gave.
            slack: Numbers that the PSAM may have used up unseen, in a crash before the newest could be kept.

        Raises:
            JournalBehind: The PSAM has made purchases that the journal does not know.
            StorageUnavailable: The number cannot be kept.
        """
        known = self._database.read(lambda db: newest_sequence(db, sam_counter))
        # A torn debit's number comes again; one that was finished is followed by the next (EW PC-16).
        if known is not None and sequence > known + 1 + slack:
            self._found_behind({"sam_counter": sam_counter, "known": known, "found": sequence})
        if slack:
            self._database.write(lambda db: set_sequence(db, sam_counter, sequence))

    def known_counter(self, card_key: str, operation: Operation) -> int | None:
        """The card's counter after its newest transaction here, on the side of the operation; None for a new card."""
        return self._database.read(lambda db: known_counter(db, card_key, operation))

    @property
    def log_checks_wanted(self) -> bool:
        """Whether the logs of cards are still to be compared: until enough of them agreed since the journal was opened.

        A backup is put back while the journal is closed, so what some cards did not miss soon after, no later one will.
        """
        return self._agreeing_cards < ENOUGH_CARDS

    def check_log(self, card_key: str, terminal: str, counters: Iterable[int]) -> None:
        """Compare what a card remembers of this terminal with the journal.

        Args:
            card_key: The card.
            terminal: Terminal number, 12 digits.
            counters: Off-line counters of the card's log records with that terminal number.

        Raises:
            JournalBehind: The card remembers a transaction that the journal does not know.
        """

        def unknown(db: sqlite3.Connection) -> int | None:
            found = (counter for counter in counters if not knows(db, card_key, terminal, counter))
            return next(found, None)

        missing = self._database.read(unknown)
        if missing is not None:
            self._found_behind({"terminal_number": terminal, "card_counter": missing})
        self._agreeing_cards += 1

    def reconcile(self, persons: tuple[str, str], reason: str) -> None:
        """Two persons have compared the journal with cards and centre: money may move again.

        Raises:
            InputInvalid: Not two different persons, or no reason.
        """
        check_persons(persons, reason)

        def job(db: sqlite3.Connection) -> None:
            found = doubt(db)
            if found is None:
                return
            sam_counter, sequence = found.get("sam_counter"), found.get("found")
            if isinstance(sam_counter, str) and isinstance(sequence, int):
                set_sequence(db, sam_counter, sequence)
            clear_doubt(db)
            self._note(db, "journal.reconciled", {"persons": persons, "reason": reason, **found})

        self._database.write(job)

    def _found_behind(self, found: dict[str, object]) -> NoReturn:
        def job(db: sqlite3.Connection) -> None:
            set_doubt(db, found)
            self._note(db, "journal.behind", found)

        self._database.write(job)
        raise JournalBehind(", ".join(f"{name} {value}" for name, value in found.items()))
