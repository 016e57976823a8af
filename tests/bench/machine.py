"""The machine: what it is, and where journals lie on it while they are measured."""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

DISK = Path("/var/tmp")
"""Unlike /tmp it is never kept in memory (Filesystem Hierarchy Standard §5.15), where a sync would cost nothing."""
PACKAGES = ("pyscard", "cryptography", "construct", "fastapi", "uvicorn", "pydantic")


@contextmanager
def journal_folder() -> Iterator[Path]:
    """A folder for a journal, on a disk."""
    with tempfile.TemporaryDirectory(prefix="cardio-bench-", dir=DISK) as name:
        yield Path(name)


def facts() -> dict[str, str]:
    """What the numbers depend on, as it is now."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GiB",
        "journal": f"on {_file_system(DISK)}",
        "system": f"Linux {'.'.join(platform.release().split('.')[:2])}, {platform.machine()}",
        "Python": f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}",
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "load before": f"{os.getloadavg()[0]:.1f} processes",
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or "unknown"


def _file_system(folder: Path) -> str:
    """Type of the file system of a folder: that of the longest mount point above it."""
    mounts = (line.split() for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines())
    above = {mount[1]: mount[2] for mount in mounts if folder.resolve().is_relative_to(mount[1])}
    return above[max(above, key=len)]
