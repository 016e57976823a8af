"""The folder of the journal: whose it is, on what it lies, how fast and how full that is."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path
from statistics import median

from cardio.cli.doctor.findings import Finding, Text, fail, ok, warn
from cardio.errors import StoreError
from cardio.ledger.database import Database
from cardiod.doctor.site import Site

SYNC = "storage.sync"
COMMITS = 50
SLOW = 0.020
"""Seconds of a commit beyond which it is felt: a debit has three, and a gate 0.4 s for everything (OPS §4.5)."""
VOLATILE = frozenset({"tmpfs", "ramfs"})
OPEN_TO_OTHERS = 0o077
MEGABYTE = 1_000_000


def folder(site: Site) -> Finding:
    """Whether the folder is there, the service's own, and can be written to."""
    name, path = "storage.folder", site.settings.journal.parent
    if not path.is_dir():
        return warn(
            name,
            Text("状态目录尚不存在：", "the state folder does not exist yet:") + str(path),
            Text(
                "服务首次启动时由systemd建立；否则mkdir -m 0700",
                "systemd makes it when the service starts; otherwise mkdir -m 0700",
            ),
        )
    if site.may(path, os.W_OK) is False:
        return fail(
            name,
            Text("服务用户无法写入：", "the service's user cannot write to") + str(path),
            Text(f"chown -R {site.user_name}: {path}", f"chown -R {site.user_name}: {path}"),
        )
    if path.stat().st_mode & OPEN_TO_OTHERS:
        return warn(
            name,
            Text("他人可进入状态目录：", "others may look into the state folder:") + str(path),
            Text(f"chmod 0700 {path}", f"chmod 0700 {path}"),
        )
    return ok(name, Text("状态目录可写：", "state folder:") + str(path))


def durable(site: Site) -> Finding:
    """Whether the folder is on something that survives a power loss."""
    name, path = "storage.durable", _existing(site.settings.journal.parent)
    kind = file_system(path)
    if kind in VOLATILE:
        text = Text("流水位于内存，断电即丢失", "the journal lies in memory: a power loss takes it") + f"({kind})"
        return fail(name, text, Text("把journal设到磁盘上", "set journal to a place on a disk"))
    return ok(name, Text(f"流水位于{kind}", f"the journal lies on {kind}"))


def sync_cost(site: Site) -> Finding:
    """What a synced commit costs on this disk, measured as the journal does it (OPS O10)."""
    name, path = SYNC, site.settings.journal.parent
    if not os.access(path, os.W_OK):
        return warn(
            name,
            Text("无权写入，未测量同步写入", "synced commits were not measured: no right to write there"),
            Text("以root或服务用户运行", "run this as root or as the service's user"),
        )
    try:
        costs = commit_seconds(path)
    except StoreError as error:
        return fail(
            name,
            Text(error.text("zh"), error.text("en")) + error.detail,
            Text("检查磁盘", "check the disk: dmesg, smartctl"),
        )
    return judge_commits(costs)


def judge_commits(seconds: list[float]) -> Finding:
    """A finding from what commits took."""
    middle, worst = median(seconds) * 1000, max(seconds) * 1000
    text = Text(
        f"同步写入中位{middle:.2f}毫秒，最慢{worst:.2f}毫秒（{len(seconds)}次）",
        f"a synced commit takes {middle:.2f} ms, at worst {worst:.2f} ms ({len(seconds)} measured)",
    )
    if median(seconds) > SLOW:
        return warn(SYNC, text, Text("改用固态硬盘或更快的存储", "use an SSD, or a faster disk"))
    return ok(SYNC, text)


def commit_seconds(place: Path) -> list[float]:
    """Seconds of commits into a database of its own, opened as the journal is; it is gone afterwards.

    Raises:
        StoreError: The disk refuses.
    """

    def commit(db: sqlite3.Connection) -> None:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('doctor', randomblob(256))")

    costs: list[float] = []
    with tempfile.TemporaryDirectory(dir=place, prefix="doctor-") as made:
        database = Database(Path(made) / "doctor.db")
        try:
            database.watch_commits(costs.append)
            for _ in range(COMMITS):
                database.write(commit)
        finally:
            database.close()
    return costs


def free_space(site: Site) -> Finding:
    """Whether there is room for sales; below the limit of the configuration nothing new is charged."""
    name, limits = "storage.space", site.settings.limits
    usage = shutil.disk_usage(_existing(site.settings.journal.parent))
    least = max(limits.min_free_bytes, limits.min_free_share * usage.total)
    free = f"{usage.free // MEGABYTE} MB"
    clear = Text("清理磁盘", "make room on the disk")
    if usage.free < least:
        return fail(
            name,
            Text(f"仅剩{free}，已停止收款", f"only {free} are free: nothing is charged"),
            clear,
        )
    if usage.free < 2 * least:
        return warn(name, Text(f"仅剩{free}", f"only {free} are free"), clear)
    return ok(name, Text(f"剩余空间{free}", f"{free} are free"))


def file_system(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """Type of the file system that a path lies on; `?` if the kernel does not tell."""
    resolved, best, found = str(path.resolve()), "", "?"
    for line in mounts.read_text(encoding="utf-8").splitlines():
        # proc(5): the fifth field is the place, the first behind the dash is the type.
        fields, _, kind = line.partition(" - ")
        place = fields.split()[4].replace("\\040", " ")
        if len(place) >= len(best) and Path(resolved).is_relative_to(place):
            best, found = place, kind.split()[0]
    return found


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return path if path.exists() else _existing(path.parent)
