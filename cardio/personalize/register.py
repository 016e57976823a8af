"""The register of personalized cards: what is known of each, written before it is done (PERS §3.2).

A card that was torn out in the middle is found here again by its identity, with the last thing that was about to be
written. Every change is synced, and has its row in a hash chain of the journal's form: the audit log of the bureau.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

from cardio.errors import InputInvalid, JournalBroken
from cardio.ledger import chain
from cardio.ledger.ledger import now
from cardio.ledger.synced import SyncedDatabase
from cardio.ledger.times import stamp
from cardio.personalize.attempts import Attempt, CardState, JobHead, Presented
from cardio.personalize.register_audit import audit

SCHEMA = 1
_SCRIPT = resources.files("cardio.personalize") / "register.sql"


class _RegisterDatabase(SyncedDatabase):
    def _prepare(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA:
            raise JournalBroken(f"schema {version} is newer than this program's {SCHEMA}")
        if version == 0:
            script = _SCRIPT.read_text(encoding="utf-8")
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {SCHEMA};\nCOMMIT;")


class Register:
    """The register in one file; may be used from several threads.

    Args:
        path: The file; made if missing.
        clock: Source of the time.

    Raises:
        JournalLocked: Another process works with it.
        JournalBroken: It is damaged, or newer than this program.
        StorageUnavailable: It cannot be opened.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime] = now) -> None:
        self._database = _RegisterDatabase(path)
        self._clock = clock

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def open_job(self, job: JobHead) -> None:
        """Begin a job, or go on with it.

        Raises:
            InputInvalid: The name stands for other rows, or was begun with other keys or another layout; or the rows
                are those of another job.
        """

        def write(db: sqlite3.Connection) -> None:
            known = db.execute("SELECT * FROM jobs WHERE id = ?", (job.id,)).fetchone()
            if known is not None:
                _refuse_other(job, known)
                self._note(db, "job.resumed", job.id, {"operators": job.operators})
                return
            query = "SELECT id FROM jobs WHERE product = ? AND digest = ?"
            twin = db.execute(query, (job.product, job.digest)).fetchone()
            if twin is not None:
                raise InputInvalid(f"job {twin['id']} has the very same rows: its cards would be made a second time")
            columns = (job.id, job.product, job.cards, job.digest, job.made_with, job.keys, ", ".join(job.operators))
            db.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*columns, stamp(self._clock())))
            told = {"product": job.product, "cards": job.cards, "digest": job.digest.hex(), "keys": job.keys}
            told |= {"made_with": job.made_with.hex(), "operators": job.operators}
            self._note(db, "job.opened", job.id, told)

        self._database.write(write)

    def made(self, job: str) -> set[str]:
        """Rows of a job of which a card is finished."""
        query = "SELECT DISTINCT record FROM attempts WHERE job = ? AND state = ?"
        return self._database.read(
            lambda db: {record for (record,) in db.execute(query, (job, CardState.FINISHED.value))}
        )

    def attempts(self, job: str | None = None) -> list[Attempt]:
        """All attempts of a job, or of all jobs, oldest first."""
        query = "SELECT id FROM attempts WHERE :job IS NULL OR job = :job ORDER BY id"
        return self._database.read(lambda db: [_attempt(db, number) for (number,) in db.execute(query, {"job": job})])

    def newest(self, identity: str) -> Attempt | None:
        """The newest attempt with a card; None for a card that was never seen."""
        query = "SELECT id FROM attempts WHERE identity = ? ORDER BY id DESC LIMIT 1"

        def read(db: sqlite3.Connection) -> Attempt | None:
            row = db.execute(query, (identity,)).fetchone()
            return None if row is None else _attempt(db, row["id"])

        return self._database.read(read)

    def begin(self, job: str, record: str, identity: str, reader: str) -> Attempt:
        """Write down that a card is about to be made for a row.

        Raises:
            InputInvalid: The row is made already, or the row or the card is being worked on.
        """
        return self._database.write(lambda db: _attempt(db, self._begin(db, job, record, identity, reader)))

    def begin_again(self, rejected: Attempt, job: str, record: str, reader: str) -> Attempt:
        """A new attempt with a card that was rejected; what is known of its keys goes with it.

        Raises:
            InputInvalid: As in `begin`.
        """

        def write(db: sqlite3.Connection) -> Attempt:
            number = self._begin(db, job, record, rejected.identity, reader)
            db.execute(
                "INSERT INTO key_writes SELECT ?, name, kcv, confirmed FROM key_writes WHERE attempt = ?",
                (number, rejected.id),
            )
            # Whoever tries again has been told; what the card has refused is not asked of it once more.
            db.execute(
                "INSERT INTO presentations SELECT ?, kcv, 0, refused FROM presentations WHERE attempt = ? AND refused",
                (number, rejected.id),
            )
            self._note(db, "card.tried-again", str(number), {"rejected": rejected.id})
            return _attempt(db, number)

        return self._database.write(write)

    def attempt(self, number: int) -> Attempt:
        """One attempt by its number."""
        return self._database.read(lambda db: _attempt(db, number))

    def presenting(self, attempt: int, name: str, kcv: str) -> None:
        """Write down that a master key is about to be presented: if no answer comes, it may have cost a try."""

        def write(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO presentations VALUES (?, ?, 1, 0) ON CONFLICT DO UPDATE SET unanswered = unanswered + 1",
                (attempt, kcv),
            )
            self._note(db, "card.presenting", str(attempt), {"key": name, "kcv": kcv})

        self._database.write(write)

    def refused(self, attempt: int, name: str, kcv: str) -> None:
        """Write down that the card has another master key than the one that was presented."""

        def write(db: sqlite3.Connection) -> None:
            query = "UPDATE presentations SET unanswered = 0, refused = 1 WHERE attempt = ? AND kcv = ?"
            db.execute(query, (attempt, kcv))
            self._note(db, "card.refused", str(attempt), {"key": name, "kcv": kcv})

        self._database.write(write)

    def erasing(self, attempt: int, kept: str) -> None:
        """Write down that everything on the card is about to be erased; of its keys it may keep one.

        Args:
            attempt: Its number.
            kept: Name of the key that it has until it is erased, and will get first afterwards.
        """

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM key_writes WHERE attempt = ? AND name <> ?", (attempt, kept))
            self._note(db, "card.erasing", str(attempt), {"kept": kept})

        self._database.write(write)

    def writing_key(self, attempt: int, name: str, kcv: str | None) -> None:
        """Write down that a key is about to be sent; all keys before it have been confirmed by the card."""

        def write(db: sqlite3.Connection) -> None:
            _confirm(db, attempt)
            db.execute(
                "INSERT INTO key_writes VALUES (?, ?, ?, 0)"
                " ON CONFLICT DO UPDATE SET confirmed = 0, kcv = excluded.kcv",
                (attempt, name, kcv),
            )
            self._move(db, attempt, CardState.KEY_UNCONFIRMED, {"key": name, "kcv": kcv})

        self._database.write(write)

    def move(self, attempt: int, state: CardState, **told: Any) -> None:
        """Write down how far a card is; the keys that were sent before are confirmed by it, unless it is rejected.

        Args:
            attempt: Its number.
            state: How far it is.
            told: What else is to be known, without personal data: `reason` is kept with the card.
        """

        def write(db: sqlite3.Connection) -> None:
            if state is not CardState.REJECTED:
                _confirm(db, attempt)
            self._move(db, attempt, state, told)

        self._database.write(write)

    def interrupted(self, attempt: int, reason: str) -> None:
        """Write down what interrupted a card; its state stays as it is."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("UPDATE attempts SET reason = ? WHERE id = ?", (reason, attempt))
            self._note(db, "card.interrupted", str(attempt), {"reason": reason})

        self._database.write(write)

    def give_up(self, attempt: int, reason: str, operators: tuple[str, ...], *, destroyed: bool = False) -> None:
        """Register a card that does not come back as rejected, so that its row can be made on another.

        Args:
            attempt: Its number.
            reason: Why it does not come back.
            operators: Who says so.
            destroyed: Whether it was finished, and destroyed afterwards: two cards of one number must never be in use.

        Raises:
            InputInvalid: There is no such attempt, or it is not open; or not finished, if it was destroyed.
        """

        def write(db: sqlite3.Connection) -> None:
            row = db.execute("SELECT state FROM attempts WHERE id = ?", (attempt,)).fetchone()
            state = None if row is None else CardState(row["state"])
            if destroyed and state is not CardState.FINISHED:
                raise InputInvalid(f"no attempt {attempt} is finished")
            if not destroyed and (state is None or state.final):
                raise InputInvalid(f"no attempt {attempt} is open")
            said = "destroyed" if destroyed else "given up"
            self._move(db, attempt, CardState.REJECTED, {"reason": f"{said}: {reason}", "operators": operators})

        self._database.write(write)

    def note(self, kind: str, job: str, told: dict[str, Any]) -> None:
        """Write down what was done with a job besides making cards, such as exporting its PIN mailer."""
        self._database.write(lambda db: self._note(db, kind, job, told))

    def verify(self) -> int:
        """Check the chain, and that jobs, cards and keys are what the chain says; returns the number of its rows.

        Raises:
            JournalBroken: The chain does not hold, or something was changed without it.
        """
        return self._database.read(audit)

    def rows_after(self, seq: int, limit: int) -> list[chain.ChainRow]:
        """Rows of the chain that follow one, oldest first."""
        return self._database.read(lambda db: chain.rows_after(db, seq, limit))

    def _begin(self, db: sqlite3.Connection, job: str, record: str, identity: str, reader: str) -> int:
        columns = (job, record, identity, reader, CardState.STARTED.value, stamp(self._clock()))
        try:
            cursor = db.execute(
                "INSERT INTO attempts (job, record, identity, reader, state, started_at) VALUES (?, ?, ?, ?, ?, ?)",
                columns,
            )
        except sqlite3.IntegrityError as error:
            raise InputInvalid(f"row {record} of job {job} is made already, or it or its card is worked on") from error
        number = cursor.lastrowid or 0
        told = {"job": job, "record": record, "identity": identity, "reader": reader}
        self._note(db, "card.started", str(number), told)
        return number

    def _move(self, db: sqlite3.Connection, attempt: int, state: CardState, told: dict[str, Any]) -> None:
        row = self._note(db, f"card.{state}", str(attempt), told)
        finished = stamp(row.time) if state.final else None
        db.execute(
            "UPDATE attempts SET state = ?, reason = ?, finished_at = ? WHERE id = ?",
            (state.value, told.get("reason"), finished, attempt),
        )

    def _note(self, db: sqlite3.Connection, kind: str, subject: str, payload: dict[str, Any]) -> chain.ChainRow:
        return chain.append(db, self._clock(), kind, subject, payload)


def _refuse_other(job: JobHead, known: sqlite3.Row) -> None:
    """A job is gone on with as it was begun.

    Raises:
        InputInvalid: Its rows, its product, its keys or its layout are others.
    """
    if (known["product"], known["digest"]) != (job.product, job.digest):
        raise InputInvalid(f"job {job.id} was begun with other rows, or for another product")
    if known["made_with"] != job.made_with:
        raise InputInvalid(f"job {job.id} was begun with other keys ({known['keys']}), or with another layout")


def _confirm(db: sqlite3.Connection, attempt: int) -> None:
    """Whatever is written after it shows that the card took all that came before."""
    db.execute("UPDATE key_writes SET confirmed = 1 WHERE attempt = ?", (attempt,))
    db.execute("DELETE FROM presentations WHERE attempt = ?", (attempt,))


def _attempt(db: sqlite3.Connection, number: int) -> Attempt:
    row = db.execute("SELECT * FROM attempts WHERE id = ?", (number,)).fetchone()
    keys = db.execute("SELECT * FROM key_writes WHERE attempt = ?", (number,)).fetchall()
    presented = db.execute("SELECT * FROM presentations WHERE attempt = ?", (number,)).fetchall()
    return Attempt(
        id=row["id"],
        job=row["job"],
        record=row["record"],
        identity=row["identity"],
        reader=row["reader"],
        state=CardState(row["state"]),
        reason=row["reason"],
        started_at=datetime.fromisoformat(row["started_at"]),
        finished_at=datetime.fromisoformat(row["finished_at"]) if row["finished_at"] else None,
        keys={key["name"]: bool(key["confirmed"]) for key in keys},
        kcvs={key["name"]: key["kcv"] for key in keys if key["kcv"]},
        presented={one["kcv"]: Presented(one["unanswered"], bool(one["refused"])) for one in presented},
    )
