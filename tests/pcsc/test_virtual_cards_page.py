"""The page about virtual cards: its code runs as it is printed, and it names what there is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cardio.virtual.faults import Fault

PAGE = Path(__file__).parents[2] / "docs" / "virtual-cards.md"


@pytest.mark.pcsc
def test_the_pages_code_runs_from_top_to_bottom(tmp_path: Path) -> None:
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    socket, places, time = done.stdout.splitlines()[-3:]
    assert socket.startswith("PCSCLITE_CSOCK_NAME = /")
    assert re.fullmatch(r"no fen lost in [1-9]\d* places", places)
    assert re.fullmatch(r"\d+\.\d ms, of which the chip takes \d+\.\d", time)


def test_the_page_names_every_fault() -> None:
    assert set(re.findall(r"`([A-Z0-9_]+)`", PAGE.read_text(encoding="utf-8"))) >= {fault.name for fault in Fault}
