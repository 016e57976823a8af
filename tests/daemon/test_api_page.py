"""The page about the API: its commands and programs run as they are printed, and their answers are as printed."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
import pytest

from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.card import Moment
from cardiod.demo import EmbeddedCounter
from cardiod.listening import listeners
from cardiod.service import background, counter_on, server
from cardiod.settings import PeerRule, Scope, Settings, hash_token
from tests.counter import eventually, tear

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
BIN = Path(sys.executable).parent
TOKEN = "demo-token"
PIECE = re.compile(r"^<!-- (?P<direction>.*?) -->$|^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
ANYTHING = "…"
SOCKET = "/run/cardio/cardio.sock"


class Stage:
    """The demonstration's daemon, whose citizen card can be torn out.

    Args:
        folder: Where everything is.
        stack: Ends it.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.socket = folder / "cardio.sock"
        settings = Settings(
            port=0,
            socket=self.socket,
            peers=(PeerRule(user=str(os.getuid())),),
            journal=folder / "journal.db",
            token_sha256=hash_token(TOKEN),
            scopes=frozenset(Scope),
        )
        readers = EmbeddedCounter()
        assert isinstance(readers.driver, EmbeddedDriver)
        self.reader: EmbeddedReader = readers.driver.slots[readers.citizen]
        bound = stack.enter_context(listeners(settings))
        counter = stack.enter_context(counter_on(readers.driver, settings))
        self.url = stack.enter_context(background(server(counter, settings), bound))
        self.folder = folder
        self.card: Any = self.reader.card
        self.directions: dict[str, Callable[[], None]] = {
            "the citizen card is torn out in the next debit": self.tear,
            "the citizen card is put back": self.put_back,
            "the citizen card is torn out in the next debit, and put back": self.tear_and_put_back,
        }
        self.environment = {
            **os.environ,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "CARDIO_URL": self.url,
            "CARDIO_TOKEN": TOKEN,
            "CARDIO_JOURNAL": str(settings.journal),
        }

    def tear(self) -> None:
        tear(self.card, Moment.AFTER_COMMIT)

    def put_back(self) -> None:
        self.reader.insert(self.card)

    def tear_and_put_back(self) -> None:
        self.tear()

        def holder() -> None:
            eventually(lambda: self.reader.card is None, timeout=60)
            self.put_back()

        threading.Thread(target=holder, daemon=True).start()

    def run(self, command: list[str]) -> str:
        """What a command prints; `$ID` is the id in the last answer that had one."""
        placed = [part.replace(SOCKET, str(self.socket)) for part in command]
        done = subprocess.run(
            placed, capture_output=True, text=True, timeout=90, check=False, cwd=self.folder, env=self.environment
        )
        assert done.returncode == 0, done.stderr
        with suppress(ValueError):
            self.environment["ID"] = json.loads(done.stdout).get("id", "")
        return done.stdout


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Where the page is played."""
    assert shutil.which("curl"), "curl is missing"
    with ExitStack() as stack:
        yield Stage(tmp_path, stack)


def pieces() -> Iterator[tuple[str, str]]:
    """Blocks and stage directions of the page, from top to bottom."""
    for found in PIECE.finditer(PAGE.read_text(encoding="utf-8")):
        yield found["kind"] or "direction", found["text"] or found["direction"]


def pattern(text: str) -> str:
    """A pattern for a text in which `…` stands for anything."""
    return ".*".join(map(re.escape, text.strip().split(ANYTHING)))


def check(shown: Any, got: Any) -> None:
    """What the page shows must be in the answer; members that it leaves out may be there."""
    if isinstance(shown, dict):
        assert isinstance(got, dict)
        for name, value in shown.items():
            check(value, got[name])
    elif isinstance(shown, list):
        assert isinstance(got, list)
        assert len(shown) == len(got)
        for one, other in zip(shown, got, strict=True):
            check(one, other)
    elif isinstance(shown, str):
        assert isinstance(got, str)
        assert re.fullmatch(pattern(shown), got, re.DOTALL), (shown, got)
    else:
        assert shown == got


def test_the_page_is_played_from_top_to_bottom(stage: Stage) -> None:
    prelude, output, ran = "", "", 0
    for kind, text in pieces():
        match kind:
            case "direction":
                stage.directions[text]()
            case "sh":
                # The daemon runs already, and the environment tells where.
                prelude = "\n".join(line for line in text.splitlines() if not line.startswith(("cardiod", "export")))
            case "bash":
                output = stage.run(["bash", "-euc", f"{prelude}\n{text}"])
                ran += 1
            case "python":
                output = stage.run([sys.executable, "-W", "error", "-c", text])
                ran += 1
            case "json":
                check(json.loads(text), json.loads(output))
            case "text":
                # A program may ask again before the card is back, and say so once more.
                said = "\n".join(line for line, _ in groupby(output.strip().splitlines()))
                assert re.fullmatch(pattern(text), said, re.DOTALL), output
            case _:
                pytest.fail(f"nobody runs {kind}")
    assert ran > 10


def test_the_daemon_is_started_as_the_page_says(tmp_path: Path) -> None:
    start, setting = [text for kind, text in pieces() if kind == "sh"]
    read = next(text for kind, text in pieces() if kind == "bash")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    with subprocess.Popen([*start.split(), "--port", str(port)], env=environment, stdout=subprocess.DEVNULL) as daemon:
        try:
            eventually(lambda: answers(port), timeout=60)
            script = (setting + read).replace("7816", str(port))
            done = subprocess.run(
                ["bash", "-euc", script], capture_output=True, text=True, timeout=60, check=True, env=environment
            )
        finally:
            daemon.terminate()
    assert json.loads(done.stdout)["groups"]["wallet"]["data"]["balance_fen"] == 10000


def answers(port: int) -> bool:
    """Whether a daemon is there."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).is_success
    except httpx.TransportError:
        return False
