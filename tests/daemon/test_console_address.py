"""Where the one-time address of the console comes from: `serve` and `demo` print one, `cardiod console` another."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from cardiod.settings import PeerRule, Scope
from tests.counter import eventually
from tests.daemon.callers import make_token
from tests.daemon.conftest import TOKEN, Daemon, StartDaemon

CARDIOD = Path(sys.executable).with_name("cardiod")
ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)/#login=([\w-]+)")
ME = str(os.geteuid())


def log_in(url: str, code: str) -> httpx.Response:
    return httpx.post(f"{url}/v1/logins", json={"code": code}, timeout=30, trust_env=False)


def works_once(found: re.Match[str] | None) -> bool:
    assert found is not None
    statuses = [log_in(*found.groups()).status_code for _ in range(2)]
    return statuses == [201, 401]


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[list[str]]:
    """A `cardiod` of its own, and the lines that it has printed so far."""
    command = [str(CARDIOD), *arguments]
    everything = {**os.environ, "PYTHONUNBUFFERED": "1", **environment}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=everything
    ) as process:
        assert process.stdout is not None
        printed: list[str] = []
        for line in process.stdout:
            printed.append(line)
            if "console" in line:
                break
        try:
            yield printed
        finally:
            process.terminate()
            process.communicate(timeout=60)


def environment(folder: Path) -> dict[str, str]:
    return {"CARDIO_PORT": "0", "CARDIO_JOURNAL": str(folder / "journal.db"), "CARDIO_SOCKET": ""}


def up(found: re.Match[str] | None) -> None:
    """Wait until the daemon answers; the address is printed just before it does."""
    assert found is not None

    def answers() -> bool:
        try:
            return httpx.get(f"{found.group(1)}/healthz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    eventually(answers, timeout=30)


def test_the_demonstration_prints_an_address_that_works_once() -> None:
    with running("demo", "--port", "0") as printed:
        found = ADDRESS.search("".join(printed))
        up(found)
        assert works_once(found)


def test_the_service_prints_an_address_that_works_once(tmp_path: Path) -> None:
    with running("serve", **environment(tmp_path)) as printed:
        found = ADDRESS.search("".join(printed))
        up(found)
        assert works_once(found)


def test_no_address_goes_into_the_systems_journal(tmp_path: Path) -> None:
    read, write = os.pipe()
    status = os.fstat(write)
    told = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}", "PYTHONUNBUFFERED": "1"}
    everything = {**os.environ, **environment(tmp_path), **told}
    with subprocess.Popen([str(CARDIOD), "serve"], stdout=write, stderr=write, env=everything) as process:
        os.close(write)
        with os.fdopen(read, encoding="utf-8") as lines:
            printed = next(line for line in lines if "控制台" in line)
            process.terminate()
            rest = lines.read()
    assert "cardiod console" in printed
    assert ADDRESS.search(printed + rest) is None


def print_address(daemon: Daemon, **environment: str) -> subprocess.CompletedProcess[str]:
    socket = daemon.settings.socket
    known = {"CARDIO_PORT": str(httpx.URL(daemon.url).port), "CARDIO_URL": f"unix:{socket}" if socket else daemon.url}
    everything = {**os.environ, **known, **environment}
    return subprocess.run(
        [str(CARDIOD), "console"], capture_output=True, text=True, timeout=60, check=False, env=everything
    )


def test_an_administrator_on_the_socket_gets_another_address(start_daemon: StartDaemon, tmp_path: Path) -> None:
    rule = PeerRule(user=ME, scopes=frozenset({Scope.ADMIN}))
    daemon = start_daemon(socket=tmp_path / "cardio.sock", peers=(rule,))
    first, second = print_address(daemon), print_address(daemon)
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout != second.stdout
    assert works_once(ADDRESS.fullmatch(first.stdout.strip()))
    assert works_once(ADDRESS.fullmatch(second.stdout.strip()))


def test_a_token_of_an_administrator_gets_one_too(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(scopes=frozenset({Scope.ADMIN}))
    assert works_once(ADDRESS.fullmatch(print_address(daemon, CARDIO_TOKEN=TOKEN).stdout.strip()))


def test_whoever_is_no_administrator_gets_none(daemon: Daemon) -> None:
    token = make_token(daemon, scopes=frozenset(Scope) - {Scope.ADMIN})
    refused = print_address(daemon, CARDIO_TOKEN=token)
    assert (refused.returncode, refused.stdout) == (4, "")
    assert "client.forbidden" in refused.stderr


def test_without_a_daemon_there_is_no_address(tmp_path: Path) -> None:
    command = [str(CARDIOD), "console"]
    nobody = {**os.environ, "CARDIO_URL": f"unix:{tmp_path}/none.sock"}
    failed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=nobody)
    assert (failed.returncode, failed.stdout) == (6, "")
    assert "service.unavailable" in failed.stderr
