"""What the log holds, and what it never does (OPS §4.8, §4.13)."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cardiod
from cardiod.logs import FIELDS

CANARY = "canary-910203"

SCRIPT = """
import asyncio, logging, sys
import structlog
from cardiod.logs import configure_logging
configure_logging(*sys.argv[1:])
log = structlog.get_logger("cardiod.test")
log.debug("small")
log.info("paid", transaction="t-1", client="till", name="CANARY", pin="CANARY")
log.error("broken", code="card.mute")
with structlog.contextvars.bound_contextvars(request="r-1"):
    log.warning("within a request")
try:
    raise ValueError("CANARY")
except ValueError:
    logging.getLogger("uvicorn.error").exception("Exception in ASGI application %s", "CANARY")

async def fail():
    raise KeyError("CANARY")

async def forget():
    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    del task

asyncio.run(forget())
sys.stderr.close()
log.error("nobody hears this")
print("sold")
""".replace("CANARY", CANARY)


def lines(tmp_path: Path, *arguments: str, into_the_journal: bool = False) -> list[str]:
    """What a process writes to its standard error."""
    with (tmp_path / "log").open("w") as log:
        status = os.fstat(log.fileno())
        stream = f"{status.st_dev}:{status.st_ino}" if into_the_journal else "8:12345"
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *arguments],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            check=True,
            env={**os.environ, "JOURNAL_STREAM": stream},
        )
    assert done.stdout == "sold\n", "a log that cannot be written stopped a sale"
    return (tmp_path / "log").read_text(encoding="utf-8").splitlines()


def documents(written: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written]


def test_a_line_is_json_with_time_level_and_the_listed_fields_only(tmp_path: Path) -> None:
    written = lines(tmp_path)
    assert CANARY not in "\n".join(written)
    paid, broken, within, *_ = documents(written)
    assert paid.pop("timestamp").startswith("20")
    assert paid == {"event": "paid", "level": "info", "transaction": "t-1", "client": "till"}
    assert (broken["level"], broken["code"]) == ("error", "card.mute")
    assert within["request"] == "r-1"
    assert all(document.keys() <= FIELDS for document in documents(written))


def test_lines_of_the_server_and_the_loop_tell_the_kind_of_an_error_and_never_its_message(tmp_path: Path) -> None:
    *_, server, loop = documents(lines(tmp_path))
    assert (server["logger"], server["kind"], server["level"]) == ("uvicorn.error", "ValueError", "error")
    assert (loop["event"], loop["kind"]) == ("Task exception was never retrieved", "KeyError")


@pytest.mark.parametrize(
    ("level", "first", "count"),
    [("debug", "small", 4), ("info", "paid", 3), ("warning", "broken", 2), ("error", "broken", 1)],
)
def test_the_level_of_the_configuration_holds(tmp_path: Path, level: str, first: str, count: int) -> None:
    written = documents(lines(tmp_path, level))
    own = [line for line in written if "logger" not in line]
    assert (own[0]["event"], len(own)) == (first, count)


def test_the_systems_journal_gets_the_priority_of_each_line(tmp_path: Path) -> None:
    written = lines(tmp_path, into_the_journal=True)
    assert [line[:3] for line in written[:3]] == ["<6>", "<3>", "<4>"]
    assert json.loads(written[0][3:])["event"] == "paid"


def log_calls() -> Iterator[tuple[str, ast.keyword]]:
    """Every field of every call to a log in the daemon's sources, with its place."""
    for file in sorted(Path(cardiod.__path__[0]).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log."):
                for field in node.keywords:
                    yield f"{file.name}:{node.lineno}", field


def test_every_field_that_the_daemon_logs_is_listed() -> None:
    found = list(log_calls())
    assert len(found) > 10
    assert [place for place, field in found if field.arg is not None and field.arg not in FIELDS] == []
