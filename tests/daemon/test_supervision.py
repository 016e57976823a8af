"""What the service manager hears from a daemon, and the socket that it hands over (OPS §4.13)."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from cardio.ledger.ledger import Ledger
from cardio.ledger.terminal_keys import keys_file
from cardio.transport.embedded import EmbeddedDriver
from cardio.virtual.card import Moment
from cardio.virtual.received import Received
from cardiod.counter import Counter
from cardiod.listening import listeners
from cardiod.service import background, counter_on, server
from cardiod.settings import Settings
from cardiod.supervisor import BEATS, Supervisor
from tests.counter import DEBIT_INSTRUCTIONS, TestCounter
from tests.daemon.processes import PATIENCE, get, serving, wait_until_it_listens

BEAT = 0.05


class Manager:
    """The service manager's end: a real datagram socket."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1))
        self._socket.settimeout(PATIENCE)

    def hear(self) -> str:
        return self._socket.recv(1024).decode()

    def hear_all(self) -> list[str]:
        """Whatever lies there."""
        heard = []
        while self.is_told_something(0):
            heard.append(self.hear())
        return heard

    def is_told_something(self, seconds: float) -> bool:
        return bool(select.select([self._socket], [], [], seconds)[0])

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    with closing(Manager(str(tmp_path / "notify") if request.param == "path" else f"@cardio-{tmp_path}")) as manager:
        yield manager


@pytest.fixture
def journal_of_a_killed_daemon(tmp_path: Path) -> str:
    """A journal with an armed debit, as it lay on the disk when DEBIT reached the card; the debit's id."""
    counter = TestCounter(tmp_path / "before")

    def hook(moment: Moment, command: Received) -> None:
        if moment is Moment.COMMAND and command.instruction in DEBIT_INSTRUCTIONS:
            counter.wallet_card.hook = None
            with (
                closing(sqlite3.connect(counter.journal)) as source,
                closing(sqlite3.connect(tmp_path / "journal.db")) as copy,
            ):
                source.backup(copy)

    shutil.copy2(keys_file(counter.journal), tmp_path)
    counter.wallet_card.hook = hook
    identifier = counter.debit(100).id
    counter.close()
    return identifier


def test_ready_comes_after_recovery_and_when_all_sockets_answer_then_signs_of_life_then_stopping(
    manager: Manager, tmp_path: Path, journal_of_a_killed_daemon: str
) -> None:
    told = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": str(int(BEATS * BEAT * 1e6))}
    with serving(tmp_path, told) as process:
        assert manager.hear() == "READY=1"
        recovered = get(tmp_path / "socket", f"/v1/transactions/{journal_of_a_killed_daemon}").json()
        assert recovered["state"] == "uncertain"
        assert {manager.hear() for _ in range(10)} == {"WATCHDOG=1"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        rest = manager.hear_all()
        assert "STOPPING=1" in rest
        assert set(rest) == {"WATCHDOG=1", "STOPPING=1"}


def test_a_daemon_that_cannot_start_never_says_that_it_is_ready(tmp_path: Path) -> None:
    with closing(Manager(str(tmp_path / "notify"))) as manager:
        (tmp_path / "journal.db").mkdir()
        with serving(tmp_path, {"NOTIFY_SOCKET": manager.address}) as process:
            assert process.wait(PATIENCE) == 6
        assert manager.hear_all() == []


@pytest.mark.parametrize(
    ("variables", "beats"),
    [
        ({"WATCHDOG_USEC": "150000"}, True),
        ({"WATCHDOG_USEC": "150000", "WATCHDOG_PID": str(os.getpid())}, True),
        ({"WATCHDOG_USEC": "150000", "WATCHDOG_PID": "1"}, False),
        ({"WATCHDOG_USEC": "soon"}, False),
        ({}, False),
    ],
)
def test_signs_of_life_are_shown_where_this_process_is_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], beats: bool
) -> None:
    with closing(Manager(str(tmp_path / "notify"))) as manager:
        monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with in_this_process(tmp_path, Supervisor.from_environment()):
            assert manager.hear() == "READY=1"
            assert manager.is_told_something(PATIENCE if beats else 0.5) is beats


@dataclass
class Here:
    """A daemon in this process."""

    url: str
    counter: Counter

    @property
    def ledger(self) -> Ledger:
        return self.counter.engine.ledger


@contextmanager
def in_this_process(folder: Path, supervisor: Supervisor) -> Iterator[Here]:
    settings = Settings(port=0, socket=None, journal=folder / "journal.db")
    with (
        listeners(settings) as bound,
        counter_on(EmbeddedDriver([]), settings) as counter,
        background(server(counter, settings, supervisor), bound) as url,
    ):
        yield Here(url, counter)


def test_a_journal_that_hangs_ends_the_signs_of_life_while_the_service_still_answers(tmp_path: Path) -> None:
    with (
        closing(Manager(str(tmp_path / "notify"))) as manager,
        in_this_process(tmp_path, Supervisor(manager.address, BEAT * BEATS)) as daemon,
    ):
        assert [manager.hear(), manager.hear()] == ["READY=1", "WATCHDOG=1"]
        began, goes_on = threading.Event(), threading.Event()

        def hang(_: sqlite3.Connection) -> None:
            began.set()
            goes_on.wait(PATIENCE)

        writer = threading.Thread(target=lambda: daemon.ledger._database.write(hang))
        writer.start()
        assert began.wait(PATIENCE)
        manager.hear_all()
        assert not manager.is_told_something(BEAT * 20)
        assert httpx.get(daemon.url + "/healthz", trust_env=False).is_success
        goes_on.set()
        writer.join()
        assert manager.hear() == "WATCHDOG=1"


def test_a_loop_that_stands_still_ends_the_signs_of_life(tmp_path: Path) -> None:
    with (
        closing(Manager(str(tmp_path / "notify"))) as manager,
        in_this_process(tmp_path, Supervisor(manager.address, BEAT * BEATS)) as daemon,
    ):
        assert [manager.hear(), manager.hear()] == ["READY=1", "WATCHDOG=1"]
        began, goes_on = threading.Event(), threading.Event()

        def stand_still() -> None:
            began.set()
            goes_on.wait(PATIENCE)

        daemon.counter.work.from_elsewhere(stand_still)
        assert began.wait(PATIENCE)
        manager.hear_all()
        assert not manager.is_told_something(BEAT * 20)
        goes_on.set()
        assert manager.hear() == "WATCHDOG=1"


def test_a_journal_that_refuses_is_no_reason_to_be_killed(tmp_path: Path) -> None:
    with (
        closing(Manager(str(tmp_path / "notify"))) as manager,
        in_this_process(tmp_path, Supervisor(manager.address, BEAT * BEATS)) as daemon,
    ):
        assert manager.hear() == "READY=1"
        daemon.ledger._database.read(lambda db: db.execute("ALTER TABLE meta RENAME TO lost"))
        manager.hear_all()
        assert [manager.hear() for _ in range(3)] == ["WATCHDOG=1"] * 3
        daemon.ledger._database.read(lambda db: db.execute("ALTER TABLE lost RENAME TO meta"))


def test_nobody_to_tell_is_no_error(tmp_path: Path) -> None:
    for address in ("", str(tmp_path / "none"), "@nobody-listens-here"):
        Supervisor(address).ready()
        Supervisor(address).stopping()


# ---- the socket that systemd hands over ------------------------------------------------------------------------


@pytest.fixture
def systemds_socket(tmp_path: Path) -> Iterator[socket.socket]:
    """A Unix socket that listens before any daemon runs."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "systemds"))
        listening.listen()
        yield listening


def test_callers_on_the_inherited_socket_are_served_also_those_who_came_before_the_daemon(
    tmp_path: Path, systemds_socket: socket.socket
) -> None:
    for _ in range(2):  # and again after a restart: the socket and its name are systemd's
        with socket.socket(socket.AF_UNIX) as early:
            early.settimeout(PATIENCE)
            early.connect(str(tmp_path / "systemds"))
            early.sendall(b"GET /healthz HTTP/1.1\r\nHost: cardio\r\nConnection: close\r\n\r\n")
            with serving(tmp_path, inherited=systemds_socket) as process:
                assert early.makefile("rb").read().endswith(b'{"status":"ok"}')
                assert get(tmp_path / "systemds").is_success
                assert not (tmp_path / "socket").exists()
                process.terminate()
                assert process.wait(PATIENCE) == 0
        assert (tmp_path / "systemds").is_socket()


def test_a_socket_meant_for_another_process_is_left_alone(tmp_path: Path, systemds_socket: socket.socket) -> None:
    with serving(tmp_path, inherited=systemds_socket, meant_for="1"):
        wait_until_it_listens(tmp_path / "socket")


def test_anything_else_that_is_handed_over_is_refused(tmp_path: Path) -> None:
    for given in (socket.socket(socket.AF_INET), socket.socket(socket.AF_UNIX)):
        with given, serving(tmp_path, inherited=given) as process:
            _, said = process.communicate(timeout=PATIENCE)
            assert process.returncode == 6
            assert "not a listening Unix stream socket" in said
