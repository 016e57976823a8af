"""What tests of several folders share."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from cardio.virtual.pcscd import PrivatePcscd
from tests.summary import SUMMARY


@pytest.fixture(scope="session", autouse=True)
def lines_of_daemons() -> None:
    """Daemons inside of this process log through the standard library, where pytest shows their lines.

    Left to itself structlog prints to standard output, which may just then be that of a command under test.
    """
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.dev.ConsoleRenderer(colors=False)],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


@pytest.fixture(scope="session")
def pcscd() -> Iterator[PrivatePcscd]:
    """A pcscd of our own with five slots, the only one that this process can reach.

    libpcsclite keeps the first socket name it meets, so there is one for the whole session. A test
    that halts it must resume it.
    """
    with PrivatePcscd(5) as daemon, pytest.MonkeyPatch.context() as patch:
        for name, value in daemon.environment().items():
            patch.setenv(name, value)
        yield daemon


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands over what its tests counted."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["summary"] = SUMMARY


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker's tests counted is printed with everybody's."""
    SUMMARY.update(node.workeroutput.get("summary", {}) if hasattr(node, "workeroutput") else {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests ran on a real pcscd, so that a silent skip cannot hide, and what other tests counted."""
    ran = {
        outcome: sum(
            "pcsc" in getattr(report, "keywords", ()) and getattr(report, "when", "call") in {"call", "setup"}
            for report in terminalreporter.getreports(outcome)
        )
        for outcome in ("passed", "failed", "skipped", "error")
    }
    told = ", ".join(f"{count} {outcome}" for outcome, count in ran.items())
    terminalreporter.write_line(f"tests on a real pcscd with vpcd: {told}")
    for line in SUMMARY.values():
        terminalreporter.write_line(line)
