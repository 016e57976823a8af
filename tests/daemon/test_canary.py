"""The canary test (design §7, OPS §4.8).

A PIN, keys, an ID number and a name that nobody else has go through every operation of a daemon that logs what it can,
records every exchange, meets bugs and is aborted at last. Then nothing that it left behind holds them, in any form.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import signal
import sqlite3
import sys
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from cardio.applications.pin import encode_pin
from cardio.cli.main import app
from cardio.ledger.ledger import now
from cardio.virtual.roots import social_security_root
from cardiod.settings import CASHIER, Scope, hash_token
from cardiod.tokens import Token, TokenFile
from tests.counter import eventually
from tests.daemon.canaries import HOLDER, MASKED, NUMBERS, PERSONAL, PIN, SECRETS, TOKEN
from tests.daemon.canary_search import Canary, found
from tests.daemon.canary_work import BUGS, Answer, Work
from tests.daemon_process import running

ROOT = Path(__file__).parents[2]
SH = 'ulimit -c "$(ulimit -H -c)"; cd "$1"; shift; exec "$@"'
"""Core files are allowed, and would be made in the folder."""
READINGS = re.compile(r"POST /v1/(read|cards/[0-9a-f]+/cardholder) ")
"""What may tell of a person."""
BATCH_FILES = re.compile(r"GET /v1/batches/[0-9]+/file ")
"""What goes to the clearing centre."""
LONGEST = 4
"""Recordings that are explained: the longest ones."""
EVERYTHING = (*SECRETS, *PERSONAL, *NUMBERS)


@dataclass(frozen=True)
class Left:
    """What the daemon left behind.

    Attributes:
        answers: What it said.
        files: Contents of the files of its folder, by name; its log is among them.
        dumped: Whether the kernel made a dump of its memory.
        journal: The journal's file.
    """

    answers: list[Answer]
    files: dict[str, bytes]
    dumped: bool
    journal: Path


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """A daemon lives, works, and is aborted while a settlement with its PIN waits for a card."""
    folder = tmp_path_factory.mktemp("canary")
    scopes = CASHIER - {Scope.READ_PERSON}
    TokenFile(folder / "tokens.json").add(Token(name="m", sha256=hash_token(MASKED), scopes=scopes, created=now()))
    command = ("sh", "-c", SH, "sh", str(folder), sys.executable, "-m", "tests.daemon.canary_daemon", str(folder))
    environment = {
        "CARDIO_SCOPES": json.dumps(list(Scope)),
        "CARDIO_RATE_BURST": "100000",
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
        "PYTHONFAULTHANDLER": "1",
        "PYTHONASYNCIODEBUG": "1",
    }
    with running(folder, command, environment, TOKEN) as daemon, ThreadPoolExecutor(1) as cashier:
        work = Work(daemon)
        work.do_all()
        waiting = cashier.submit(work.wait_for_ever)
        eventually(lambda: "for ever" in dict(daemon.requests()))
        daemon.process.send_signal(signal.SIGABRT)
        ended = os.waitid(os.P_PID, daemon.process.pid, os.WEXITED | os.WNOWAIT)
        daemon.process.wait()
        assert isinstance(waiting.exception(), httpx.TransportError)
    files = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    return Left(work.answers, files, ended is not None and ended.si_code == os.CLD_DUMPED, daemon.journal)


def test_no_secret_is_in_any_answer_and_a_person_only_in_readings_of_those_who_may(left: Left) -> None:
    assert found(SECRETS, {answer.asked: answer.content for answer in left.answers}) == []
    others = {one.asked: one.content for one in left.answers if not (one.full and READINGS.search(one.asked))}
    assert found(PERSONAL, others) == []
    assert found(NUMBERS, {asked: said for asked, said in others.items() if not BATCH_FILES.search(asked)}) == []


def test_whoever_may_read_persons_is_told_of_them(left: Left) -> None:
    """Otherwise the tests above would find nothing because nothing was read."""
    readings = {one.asked: one.content for one in left.answers if one.full and READINGS.search(one.asked)}
    told = {line.partition(" as ")[0] for line in found((*PERSONAL, *NUMBERS), readings)}
    assert told == {canary.name for canary in (*PERSONAL, *NUMBERS)}


def test_no_log_recording_or_page_of_the_journal_holds_a_secret_or_a_person(left: Left) -> None:
    assert {"log", "journal.db", "journal.db-wal", "recording-1.jsonl"} <= left.files.keys()
    assert found((*SECRETS, *PERSONAL), left.files) == []


def test_the_numbers_of_cards_are_kept_only_under_keys_that_can_be_destroyed(left: Left) -> None:
    assert found(NUMBERS, left.files) == []
    with closing(sqlite3.connect(left.journal)) as journal:
        (kept,) = journal.execute("SELECT count(*) FROM persons WHERE data_key IS NOT NULL").fetchone()
    assert kept


def test_a_crash_leaves_where_it_happened_and_no_memory(left: Left) -> None:
    log = left.files["log"].decode()
    assert "Fatal Python error: Aborted" in log
    assert log.count('"event": "internal error"') == len(BUGS)
    assert not left.dumped
    assert "core" not in {name.partition(".")[0] for name in left.files}


def test_an_explained_recording_holds_neither_secret_nor_person(left: Left) -> None:
    recordings = sorted((len(content), name) for name, content in left.files.items() if name.startswith("recording-"))
    explained = {}
    for _, name in recordings[-LONGEST:]:
        for options in ([], ["--json"]):
            done = CliRunner().invoke(app, ["trace", str(left.journal.with_name(name)), *options])
            assert done.exit_code == 0, done.output
            explained[f"{name} {options}"] = done.output.encode()
    assert found(EVERYTHING, explained) == []


@pytest.mark.parametrize("canary", EVERYTHING, ids=lambda canary: canary.name)
def test_the_search_finds_a_canary_in_every_form(canary: Canary) -> None:
    noise = hashlib.shake_256(canary.name.encode()).digest(1000)
    assert found([canary], {"noise": noise}) == []
    for way, form in canary.exact.items():
        assert f"{canary.name} as {way} in noise" in found([canary], {"noise": noise + form + noise})
    for way, form in canary.caseless.items():
        assert f"{canary.name} as {way} in noise" in found([canary], {"noise": noise + form.upper() + noise})


@pytest.mark.parametrize(
    "written",
    [
        f"PIN={PIN}".encode(),
        json.dumps({"name": HOLDER.name}).encode(),
        json.dumps({"name": HOLDER.name}, ensure_ascii=False).encode("gbk"),
        repr(HOLDER.name.encode("gbk")).encode(),
        base64.b64encode(f"pin {PIN} of {HOLDER.number}".encode()),
        b"0020000006" + encode_pin(PIN).hex().upper().encode(),
        str(list(bytes.fromhex("0020000006") + encode_pin(PIN))).encode(),
        urllib.parse.urlencode({"name": HOLDER.name}).encode(),
        repr(social_security_root("DPK")).encode(),
        base64.urlsafe_b64encode(b"k" + social_security_root("DPK")),
    ],
)
def test_the_search_finds_what_programs_write(written: bytes) -> None:
    assert found(EVERYTHING, {"somewhere": b"... " + written + b" ..."})
