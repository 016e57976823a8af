"""Steers diskfault.c, the disk that fails, kills and forgets, and takes away what a power loss would have taken.

    disk = DiskFaults(tmp_path / "disk", tmp_path / "state")
    disk.track()
    disk.kill(When.AFTER, Event.WRITE, n=7)
    subprocess.run(program, env=os.environ | disk.environment())
    disk.lose_unsynced()

Model of the power loss: bytes and lengths are durable once their file was synced. Names (creation, deletion, renaming,
mkdir) are durable once their folder was synced, or in a more lenient file system sooner: see `Names`. A sync that
failed has lost what it should have written: the kernel takes the pages for clean, and no later sync writes them.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import mmap
import os
import random
import shutil
import stat
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from pathlib import Path
from typing import ClassVar, Self

SOURCE = Path(__file__).with_name("diskfault.c")
CACHE = Path(__file__).parents[2] / "build" / "faults"
CONTROL = "DISKFAULT_CONTROL"
PATH_MAX = 4096
# What a disk writes as a whole; SQLite takes it for granted that the bytes around a torn write stay.
SECTOR = 512


class Event(IntEnum):
    """Kinds of events."""

    WRITE = 0
    SYNC = 1
    NAME = 2


class When(IntEnum):
    """Where in an event the process is killed; inside a write, half of it is done."""

    BEFORE = 3
    INSIDE = 4
    AFTER = 5


class Action(IntEnum):
    """What becomes of the n-th event, beside the kills of `When`."""

    OFF = 0
    FAIL = 1
    SHORT = 2


class Names(Enum):
    """When creation, deletion and renaming are durable."""

    POSIX = "once the folder was synced; more is not promised"
    JOURNALLED = "once anything was synced: so do ext4 and xfs, whose log is written in its order"


class RecordKind(IntEnum):
    """What a record tells."""

    WRITTEN = 0
    TRUNCATED = 1
    CREATED = 2
    UNLINKED = 3
    RENAMED = 4
    SYNCED = 5
    SYNC_FAILED = 6


class Block(ctypes.Structure):
    """`struct control` of diskfault.c."""

    ready: int
    action: int
    events: int
    error: int
    lasting: int
    tracking: int
    sync_failed: int
    fired: int
    n: int
    seen: int
    counts: ctypes.Array[ctypes.c_uint64]
    sequence: int
    last_sync: int
    prefix: bytes
    records: bytes

    _fields_ = (
        ("ready", ctypes.c_uint32),
        ("action", ctypes.c_uint32),
        ("events", ctypes.c_uint32),
        ("error", ctypes.c_uint32),
        ("lasting", ctypes.c_uint32),
        ("tracking", ctypes.c_uint32),
        ("sync_failed", ctypes.c_uint32),
        ("fired", ctypes.c_uint32),
        ("n", ctypes.c_uint64),
        ("seen", ctypes.c_uint64),
        ("counts", ctypes.c_uint64 * len(Event)),
        ("sequence", ctypes.c_uint64),
        ("last_sync", ctypes.c_uint64),
        ("prefix", ctypes.c_char * PATH_MAX),
        ("records", ctypes.c_char * PATH_MAX),
        ("mutex", ctypes.c_uint64 * 16),  # at least as large as any pthread_mutex_t
    )


@dataclass
class Record:
    """One thing that a power loss could take away, or the sync that put it out of reach."""

    HEAD: ClassVar[struct.Struct] = struct.Struct("<QIIQQQQ")
    NAMES: ClassVar[frozenset[RecordKind]] = frozenset(
        {RecordKind.CREATED, RecordKind.UNLINKED, RecordKind.RENAMED},
    )

    log: str
    sequence: int
    kind: RecordKind
    path: str
    offset: int
    length: int
    size_before: int
    before: bytes
    after: bytes = field(default=b"", init=False)

    @classmethod
    def of_log(cls, log: Path) -> Iterator[Record]:
        """Read the records of one file or folder.

        The last one may be cut off: the process was killed while it was written, before what it tells was done.
        """
        content = log.read_bytes()
        at = 0
        while len(content) - at >= cls.HEAD.size:
            sequence, kind, path_length, offset, length, size_before, kept = cls.HEAD.unpack_from(content, at)
            path_at = at + cls.HEAD.size
            before_at = path_at + path_length
            at = before_at + kept
            if at > len(content):
                return
            path = os.fsdecode(content[path_at:before_at])
            before = content[before_at:at]
            yield cls(log.stem, sequence, RecordKind(kind), path, offset, length, size_before, before)


def library() -> Path:
    """Build the library, once for each text of its source."""
    text = SOURCE.read_bytes()
    built = CACHE / f"diskfault-{hashlib.sha256(text).hexdigest()[:16]}.so"
    if not built.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        # Other test processes may build it too: each its own, and the last one to be renamed stays.
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            made = Path(folder) / "diskfault.so"
            options = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-pthread"]
            subprocess.run(["gcc", *options, "-o", str(made), str(SOURCE)], check=True)
            made.replace(built)
    return built


class DiskFaults:
    """The control of the disk under all processes that have its `environment()`.

    Args:
        folder: Where control block and records are kept, on the file system of the watched files and not one of them.
            If there is a control block already, it is used as it is.
        prefix: Beginning of the paths to watch.
    """

    def __init__(self, folder: Path, prefix: Path | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._control = folder.resolve() / "control"
        self._records = folder.resolve() / "records"
        self._records.mkdir(exist_ok=True)
        with self._control.open("ab") as file:
            file.truncate(ctypes.sizeof(Block))
        with self._control.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), ctypes.sizeof(Block))
        self._block = Block.from_buffer(self._memory)
        self._block.records = os.fsencode(self._records)
        if prefix is not None:
            self.watch(prefix)

    @classmethod
    def inherited(cls) -> Self:
        """The control of the disk under this very process."""
        return cls(Path(os.environ[CONTROL]).parent)

    def environment(self, inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Variables for a subprocess, to be added to those it `inherited`."""
        preload = f"{library()}:{inherited.get('LD_PRELOAD', '')}".rstrip(":")
        return {"LD_PRELOAD": preload, CONTROL: str(self._control)}

    def watch(self, prefix: Path) -> None:
        """Watch the files whose path begins with `prefix`, from now on.

        Syncs of the folder in which the prefix is are seen too. Nothing that was recorded is kept.
        """
        resolved = prefix.parent.resolve() / prefix.name
        if self._records.stat().st_dev != resolved.parent.stat().st_dev:
            raise ValueError("deleted files are kept as links: the records must be on the file system of the files")
        self.reset()
        self._block.prefix = os.fsencode(resolved)

    def reset(self) -> None:
        """No fault, no tracking, nothing counted, nothing recorded."""
        self.off()
        self._block.tracking = 0
        self._block.sync_failed = 0
        for event in Event:
            self._block.counts[event] = 0
        shutil.rmtree(self._records)
        self._records.mkdir()

    def off(self) -> None:
        """No fault; goes on counting and tracking."""
        self._set(Action.OFF, set(), 0)

    def fail(self, events: set[Event], n: int, error: int = errno.EIO, *, lasting: bool = False) -> None:
        """Let the n-th event from now on, counted over `events`, fail; or, lasting, all from the n-th on."""
        self._set(Action.FAIL, events, n, error, lasting=lasting)

    def fail_write(self, n: int, error: int = errno.EIO, *, lasting: bool = False) -> None:
        """Let the n-th write from now on fail with EIO, ENOSPC or what `error` says."""
        self.fail({Event.WRITE}, n, error, lasting=lasting)

    def fail_sync(self, n: int, error: int = errno.EIO, *, lasting: bool = False) -> None:
        """Let the n-th sync from now on fail. What it should have written is lost, even if a later one succeeds."""
        self.fail({Event.SYNC}, n, error, lasting=lasting)

    def short_write(self, n: int, error: int = errno.ENOSPC, *, lasting: bool = False) -> None:
        """Let the n-th write take half of the bytes, and the next one (or, lasting, all further ones) fail."""
        self._set(Action.SHORT, {Event.WRITE}, n, error, lasting=lasting)

    def kill(self, when: When, events: set[Event], n: int) -> None:
        """Let the process kill itself at the n-th event from now on, counted over `events`."""
        if when is When.INSIDE and events != {Event.WRITE}:
            raise ValueError("only a write has an inside")
        self._set(when, events, n)

    def track(self) -> None:
        """Record from now on what a power loss could take away. What was written earlier counts as durable."""
        self._block.tracking = 1

    @property
    def fired(self) -> bool:
        """Whether the fault that was set has happened."""
        return bool(self._block.fired)

    @property
    def writes(self) -> int:
        """Writes and truncations since the reset."""
        return self._block.counts[Event.WRITE]

    @property
    def syncs(self) -> int:
        """Syncs since the reset."""
        return self._block.counts[Event.SYNC]

    @property
    def names(self) -> int:
        """Creations, deletions and renamings since the reset."""
        return self._block.counts[Event.NAME]

    @property
    def events(self) -> int:
        """All events since the reset."""
        return sum(self._block.counts)

    def lose_unsynced(self, rng: random.Random | None = None, *, names: Names = Names.POSIX) -> int:
        """Take away what was not synced, after the process has died; ends fault and tracking.

        Everything is first undone, newest first, and then what stays is done again in its order. So a write that was
        lost does not take a later one at the same place with it.

        Args:
            rng: Without, all of it is lost. With, the disk had written some: of the bytes any writes, whole or by
                sectors, in any order; of each folder's names a beginning, because file systems log them in order.
            names: Which names are lost too.

        Returns:
            How many writes and names were lost, torn writes included.
        """
        self.off()
        self._block.tracking = 0
        records = sorted(
            (record for log in self._records.glob("*.log") for record in Record.of_log(log)),
            key=lambda record: record.sequence,
        )
        stays = _durable(records)
        if names is Names.JOURNALLED:
            synced = self._block.last_sync
            stays.update(each.sequence for each in records if each.kind in Record.NAMES and each.sequence <= synced)
        with _Files([*self._watched(), *self._records.glob("kept-*")]) as files:
            for record in reversed(records):
                if record.kind in Record.NAMES:
                    self._undo_name(record)
                else:
                    files.undo(record)
            lost = self._redo_names([record for record in records if record.kind in Record.NAMES], stays, rng)
            lost += files.redo([record for record in records if record.kind not in Record.NAMES], stays, rng)
        self.reset()
        return lost

    def close(self) -> None:
        """Give the control block back; processes under the disk keep theirs."""
        del self._block
        self._memory.close()

    def _set(
        self,
        action: Action | When,
        events: set[Event],
        n: int,
        error: int = 0,
        *,
        lasting: bool = False,
    ) -> None:
        block = self._block
        block.action = Action.OFF
        block.fired = 0
        block.seen = 0
        block.events = sum(1 << event for event in events)
        block.n = n
        block.error = error
        block.lasting = lasting
        block.action = action

    def _watched(self) -> Iterator[Path]:
        prefix = Path(os.fsdecode(self._block.prefix))
        for path in prefix.parent.iterdir():
            if path.name.startswith(prefix.name):
                yield path
                yield from path.rglob("*")

    def _kept(self, record: Record) -> Path:
        return self._records / f"kept-{record.sequence}"

    def _undo_name(self, record: Record) -> None:
        kept = self._kept(record)
        if record.kind is RecordKind.CREATED:
            Path(record.path).rename(kept)
        elif record.kind is RecordKind.UNLINKED:
            kept.rename(record.path)
        else:
            old, new = record.path.split("\0")
            Path(new).rename(old)
            if kept.exists():
                kept.rename(new)

    def _redo_name(self, record: Record) -> None:
        kept = self._kept(record)
        if record.kind is RecordKind.CREATED:
            kept.rename(record.path)
        elif record.kind is RecordKind.UNLINKED:
            Path(record.path).rename(kept)
        else:
            old, new = record.path.split("\0")
            Path(old).replace(new)

    def _redo_names(self, records: list[Record], stays: set[int], rng: random.Random | None) -> int:
        ended: set[str] = set()
        lost = 0
        for record in records:
            if record.sequence not in stays and (rng is None or rng.random() < 1 / 4):
                ended.add(record.log)
            if record.log in ended:
                lost += 1
                continue
            # Its folder may be lost, and all that is in it.
            with suppress(FileNotFoundError):
                self._redo_name(record)
        return lost


class _Files:
    """Undoes and redoes changes of files, which are open meanwhile, whatever becomes of their names.

    A file that is not among `paths` is gone for good: it was deleted and its folder synced.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._descriptors: dict[str, int] = {}
        for path in paths:
            status = path.lstat()
            log = f"{status.st_dev:x}-{status.st_ino:x}"
            if stat.S_ISREG(status.st_mode) and log not in self._descriptors:
                self._descriptors[log] = os.open(path, os.O_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in self._descriptors.values():
            os.close(descriptor)

    def undo(self, record: Record) -> None:
        if record.kind not in {RecordKind.WRITTEN, RecordKind.TRUNCATED}:
            return
        descriptor = self._descriptors.get(record.log)
        if descriptor is None:
            return
        record.after = os.pread(descriptor, record.length, record.offset)
        os.ftruncate(descriptor, record.size_before)
        os.pwrite(descriptor, record.before, record.offset)

    def redo(self, records: list[Record], stays: set[int], rng: random.Random | None) -> int:
        lost = 0
        for record in records:
            descriptor = self._descriptors.get(record.log)
            if descriptor is None or record.kind in {RecordKind.SYNCED, RecordKind.SYNC_FAILED}:
                continue
            share = 1.0 if record.sequence in stays else 0.0 if rng is None else rng.choice((0.0, 0.5, 1.0))
            lost += share < 1
            if record.kind is RecordKind.TRUNCATED:
                if _drawn(share, rng):
                    os.ftruncate(descriptor, record.offset)
                continue
            for offset, piece in _sectors(record.offset, record.after):
                if _drawn(share, rng):
                    os.pwrite(descriptor, piece, offset)
        return lost


def _drawn(share: float, rng: random.Random | None) -> bool:
    return share == 1 or (rng is not None and rng.random() < share)


def _sectors(offset: int, content: bytes) -> Iterator[tuple[int, bytes]]:
    at = offset
    while at < offset + len(content):
        end = min(at - at % SECTOR + SECTOR, offset + len(content))
        yield at, content[at - offset : end - offset]
        at = end


def _durable(records: list[Record]) -> set[int]:
    """Which records a sync covered although they are still there: some other sync had failed.

    Of a file, a failed sync has lost the bytes for good. The names of a folder are in the file system's log, and the
    next sync writes them.
    """
    durable: set[int] = set()
    pending: dict[str, list[Record]] = {}
    for record in records:
        waiting = pending.setdefault(record.log, [])
        if record.kind is RecordKind.SYNCED:
            durable.update(each.sequence for each in waiting)
            waiting.clear()
        elif record.kind is RecordKind.SYNC_FAILED:
            waiting[:] = [each for each in waiting if each.kind in Record.NAMES]
        else:
            waiting.append(record)
    return durable
