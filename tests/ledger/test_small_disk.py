"""A disk that fills up, a real one: nothing new is begun, what is open is finished, and no fen moves unseen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_SCRIPT = 'mount -t tmpfs -o size=32m tmpfs "$1" && exec "$2" -m tests.ledger.small_disk "$1" "$3"'


def on_small_disk(folder: Path, story: str) -> dict[str, Any]:
    """Tell a story on a tmpfs of 32 MiB that only its process sees."""
    namespace = ["--mount"] if os.geteuid() == 0 else ["--mount", "--map-root-user"]
    command = ["unshare", *namespace, "sh", "-c", _SCRIPT, "small-disk", str(folder), sys.executable, story]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_on_a_nearly_full_disk_nothing_new_is_begun_and_what_is_open_is_finished(tmp_path: Path) -> None:
    assert on_small_disk(tmp_path, "low") == {
        "before": "completed",
        "torn": "uncertain",
        "new": "storage.low none",
        "settlement": "storage.low none",
        "recovered": ["completed"],
        "begun": "completed",
        "same answer": True,
        "taken": 300,
        "cleared": "completed",
    }


def test_the_part_that_must_be_free_counts_as_well_as_the_bytes(tmp_path: Path) -> None:
    assert on_small_disk(tmp_path, "share") == {"before": "completed", "new": "storage.low none"}


def test_on_a_full_disk_no_card_is_touched(tmp_path: Path) -> None:
    assert on_small_disk(tmp_path, "full") == {
        "begun": "storage.unavailable none",
        "taken": 0,
        "cleared": "completed",
        "taken then": 100,
    }
