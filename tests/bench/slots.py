"""Real PC/SC readers with virtual cards, which live in a process of their own so that they take no time from ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cardio.transport.pcsc import PcscDriver

CARDIO = Path(sys.executable).with_name("cardio")
CARDS = ("citizen", "citizen", "citizen", "social-security", "psam", "psam")
EXPORT = "export "
PATIENCE = 30.0


@dataclass(frozen=True)
class Slots:
    """Names of readers, by what lies in them.

    Attributes:
        wallets: Three equal citizen cards.
        social_security: A social security card 2.0.
        sams: Two equal PSAMs.
    """

    wallets: tuple[str, ...]
    social_security: str
    sams: tuple[str, ...]


@contextmanager
def pcsc_slots() -> Iterator[Slots]:
    """Readers with cards; this process and its children reach no others.

    libpcsclite keeps the first socket name that it meets, so this comes before anything else that uses PC/SC.
    """
    process = subprocess.Popen(
        [CARDIO, "virtual", "--pcscd", *CARDS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        for line in iter(process.stdout.readline, ""):
            if line.startswith(EXPORT):
                name, _, value = line.removeprefix(EXPORT).strip().partition("=")
                os.environ[name] = value
            elif "Ctrl-C" in line:
                break
        else:
            raise RuntimeError(f"no virtual readers: {process.stderr.read()}")
        names = _filled()
        yield Slots(tuple(names[:3]), names[3], tuple(names[4:]))
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()


def _filled() -> list[str]:
    """The readers, once pcscd has seen their cards."""
    driver, deadline = PcscDriver(), time.monotonic() + PATIENCE
    states = driver.readers()
    while sum(state.present for state in states.values()) < len(CARDS):
        if time.monotonic() > deadline:
            raise RuntimeError(f"pcscd does not see all cards: {states}")
        states = driver.wait(states, 1.0)
    driver.release()
    return list(states)[: len(CARDS)]
