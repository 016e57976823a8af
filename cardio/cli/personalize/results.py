"""The result file of a run, written as it goes, and the progress that people see."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cardio.cli.reporting import stderr
from cardio.errors import StorageUnavailable
from cardio.ledger.times import stamp
from cardio.personalize.attempts import Attempt, CardState
from cardio.personalize.batch import INTERRUPTED, REFUSED, Result
from cardio.personalize.jobs import Job
from cardio.personalize.personalizer import CHIP

FEW = 3
"""Cards before which a rate says nothing."""


class ResultFile:
    """One JSON line for every card in the hand, synced before the next card is taken; for its owner only.

    Args:
        path: The file; lines are added to one that is there.

    Raises:
        StorageUnavailable: It cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageUnavailable(f"{path}: {error.strerror}") from error

    def add(self, result: Result) -> None:
        """Write one result.

        Raises:
            StorageUnavailable: It is not on disk.
        """
        self._write(json.dumps(document(result), ensure_ascii=False) + "\n")

    def add_missing(self, job: Job, attempts: Iterable[Attempt]) -> None:
        """Write what a run that was killed has not: the register knows more cards than the file.

        Args:
            job: The job.
            attempts: What the register knows of its cards.

        Raises:
            StorageUnavailable: The file cannot be read or written.
        """
        numbers = {row.data.record: row.data.identity for row in job.rows}
        ended = [_ended(one, numbers.get(one.record, "")) for one in attempts if one.finished_at is not None]
        there = self._read()
        if there and not there.endswith("\n"):
            self._write("\n")
        known = {_key(line) for line in map(_parsed, there.splitlines()) if line is not None}
        for result in ended:
            if _key(document(result)) not in known:
                self.add(result)

    def _read(self) -> str:
        try:
            return self._path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise StorageUnavailable(f"{self._path}: {error.strerror}") from error

    def _write(self, text: str) -> None:
        left = text.encode("utf-8")
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
            os.fsync(self._descriptor)
        except OSError as error:
            raise StorageUnavailable(f"{self._path}: {error.strerror}") from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def _ended(attempt: Attempt, number: str) -> Result:
    """The result that a card had in a run that could not tell it any more."""
    ended = attempt.finished_at or attempt.started_at
    return Result(
        attempt.record,
        number,
        attempt.identity,
        attempt.reader,
        attempt.state.value,
        attempt.reason or "",
        attempt.kcvs if attempt.state is CardState.FINISHED else {},
        attempt.started_at,
        (ended - attempt.started_at).total_seconds(),
    )


def _parsed(line: str) -> dict[str, Any] | None:
    """A line of the file; None for one that was torn, or is none of ours."""
    try:
        parsed = json.loads(line)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _key(line: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(line.get(name) for name in ("record", "state", "atr", "uid", "cplc"))


def document(result: Result) -> dict[str, Any]:
    """A result as JSON; check values of keys are no secrets."""
    atr, *more = result.identity.split(" ")
    chip = next((one.removeprefix(CHIP) for one in more if one.startswith(CHIP)), None)
    uid = next((one for one in more if not one.startswith(CHIP)), None)
    return {
        "record": result.record,
        "card_number": result.number or None,
        "atr": atr or None,
        "uid": uid,
        "cplc": chip,
        "reader": result.reader,
        "state": result.state,
        "reason": result.reason or None,
        "kcvs": result.kcvs,
        "started": stamp(result.started),
        "seconds": round(result.seconds, 3),
    }


class RunProgress:
    """A bar with rate and time left, and a line for every card that was not finished.

    Args:
        total: Rows of the job.
        made: Rows that were made before.
        console: Where to draw; standard error.
    """

    def __init__(self, total: int, made: int, console: Console = stderr) -> None:
        self._progress = Progress(
            TextColumn("制卡 cards"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._progress.add_task("", total=total, completed=made, rate="")
        self.counts: Counter[str] = Counter()
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def add(self, result: Result) -> None:
        """Show one result."""
        self.counts[result.state] += 1
        self.seconds += result.seconds
        if result.state == CardState.FINISHED.value:
            made, elapsed = self.counts[result.state], self._progress.tasks[0].elapsed
            rate = f"{made / elapsed:.1f} 张/秒 cards/s" if elapsed and made >= FEW else ""
            self._progress.update(self._task, advance=1, rate=rate)
            return
        words = {REFUSED: "未动 refused", INTERRUPTED: "中断 interrupted", CardState.REJECTED.value: "废卡 rejected"}
        row = f" 第{result.record}行 row {result.record}" if result.record else ""
        text = f"{words.get(result.state, result.state)}{row} [{result.reader}]: {result.reason}"
        self._progress.console.print(text, markup=False)
