"""The faulty disk does what it says: shown on plain files, on SQLite, and on the journal's own database."""

from __future__ import annotations

import errno
import os
import random
import signal
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from cardio.errors import StorageUnavailable
from cardio.ledger.database import Database
from tests.faults.disk import DiskFaults, Event, Names, When
from tests.faults.forks import Forks, Outcome, say

ROWS = 6
ALL = {Event.WRITE, Event.SYNC, Event.NAME}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DiskFaults, Forks]]:
    faults = DiskFaults(tmp_path_factory.mktemp("disk"))
    with Forks(faults, __name__) as forks:
        yield faults, forks
    faults.close()


@pytest.fixture
def forks(shared: tuple[DiskFaults, Forks]) -> Forks:
    return shared[1]


@pytest.fixture
def disk(shared: tuple[DiskFaults, Forks], tmp_path: Path) -> DiskFaults:
    """The disk under what the forks do in `tmp_path`."""
    shared[0].watch(tmp_path)
    return shared[0]


# ---- what the forked processes do ----


def script(path: str, *steps: str) -> None:
    """Do steps like `pwrite 0 text`, telling each that succeeded, on a file that is open throughout."""
    os.chdir(Path(path).parent)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    folder = os.open(".", os.O_RDONLY)
    doings: dict[str, Callable[..., object]] = {
        "pwrite": lambda offset, text: os.pwrite(file, text.encode(), int(offset)),
        "writev": lambda *texts: os.writev(os.dup(file), [text.encode() for text in texts]),
        "truncate": lambda length: os.ftruncate(file, int(length)),
        "sync": lambda: os.fsync(file),
        "datasync": lambda: os.fdatasync(file),
        "sync-folder": lambda: os.fsync(folder),
        "replace": lambda text, name: Path(name).write_text(text),
        "append": lambda text, name: append(name, text),
        "unlink": os.unlink,
        "rename": os.rename,
        "mkdir": os.mkdir,
    }
    for step in steps:
        doing, *arguments = step.split()
        try:
            result = doings[doing](*arguments)
        except OSError as error:
            say(errno.errorcode[error.errno or 0])
        else:
            say("ok" if result is None else str(result))


def append(name: str, text: str) -> None:
    with Path(name).open("a") as file:
        file.write(text)


def journal(path: str, synchronous: str, ending: str = "close") -> None:
    """Commit rows, telling each whose COMMIT returned; checkpoints happen on the way and when it is closed."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute(f"PRAGMA synchronous = {synchronous}")
    database.execute("PRAGMA wal_autocheckpoint = 4")
    for row in range(ROWS):
        try:
            database.execute("BEGIN IMMEDIATE")
            database.execute("INSERT INTO rows VALUES (?, ?)", (row, str(row) * 500))
            database.execute("COMMIT")
        except sqlite3.OperationalError as error:
            say(f"{error.sqlite_errorname} {row}")
            if database.in_transaction:
                database.execute("ROLLBACK")
        else:
            say(f"committed {row}")
    if ending == "close":
        database.close()


def insert(row: int, database: sqlite3.Connection) -> None:
    database.execute("INSERT INTO meta VALUES (?, ?)", (f"row {row}", bytes(500)))


def write_rows(database: Database) -> None:
    for row in range(ROWS):
        try:
            database.write(partial(insert, row))
        except StorageUnavailable:
            say(f"refused {row}")
        else:
            say(f"committed {row}")


def write_on_failing_disk(path: str, fault: str, n: str) -> None:
    """The same with the journal's own class, which stays open, as in a crash; the disk fails once it is open."""
    database = Database(Path(path))
    set_fault(DiskFaults.inherited(), fault, int(n))
    write_rows(database)


def open_on_failing_disk(path: str) -> None:
    """Open the journal, and if that fails once more, then write."""
    try:
        database = Database(Path(path))
    except StorageUnavailable:
        say("refused to open")
        database = Database(Path(path))
    write_rows(database)


def set_fault(disk: DiskFaults, fault: str, n: int) -> None:
    {
        "write fails": lambda: disk.fail_write(n),
        "disk is full": lambda: disk.fail_write(n, errno.ENOSPC),
        "disk stays full": lambda: disk.fail_write(n, errno.ENOSPC, lasting=True),
        "disk takes a last half": lambda: disk.short_write(n),
        "disk takes a last half and stays full": lambda: disk.short_write(n, lasting=True),
        "sync fails": lambda: disk.fail_sync(n),
        "syncs fail from then on": lambda: disk.fail_sync(n, lasting=True),
        "name fails": lambda: disk.fail({Event.NAME}, n, errno.ENOSPC),
    }[fault]()


LASTING = ["disk stays full", "disk takes a last half and stays full", "syncs fail from then on"]
PASSING = ["write fails", "disk is full", "disk takes a last half", "sync fails"]


# ---- helpers ----


def new_journal(folder: Path, n: int) -> Path:
    """A journal that is there already: what is looked at is commits, not the making of the file."""
    path = folder / f"{n}.db"
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE rows (n INTEGER PRIMARY KEY, text)")
    database.close()
    return path


def told(outcome: Outcome, what: str) -> set[int]:
    return {int(line.split()[1]) for line in outcome.said if line.startswith(f"{what} ")}


def rows(path: Path) -> set[int]:
    """The rows in a journal, which must be whole."""
    database = sqlite3.connect(path)
    try:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {row for (row,) in database.execute("SELECT n FROM rows")}
    finally:
        database.close()


def rows_of_database(path: Path) -> set[int]:
    database = Database(path)
    try:
        assert database.read(lambda db: db.execute("PRAGMA integrity_check").fetchone()[0]) == "ok"
        found = database.read(lambda db: db.execute("SELECT name FROM meta WHERE name LIKE 'row %'").fetchall())
        return {int(name.split()[1]) for (name,) in found}
    finally:
        database.close()


def power_lost(
    disk: DiskFaults,
    forks: Forks,
    folder: Path,
    synchronous: str,
    *,
    when: When = When.AFTER,
    events: set[Event] = ALL,
    rng: random.Random | None = None,
    power: bool = True,
) -> list[set[int]]:
    """Lose the power at every n-th event of a journal's life: which committed rows were lost at each."""
    lost = []
    for n in count(1):
        path = new_journal(folder, n)
        disk.watch(path)
        disk.track()
        disk.kill(when, events, n)
        outcome = forks.call("journal", str(path), synchronous)
        fired = disk.fired
        assert outcome.status == (-signal.SIGKILL if fired else 0)
        if power:
            disk.lose_unsynced(rng)
        committed = told(outcome, "committed")
        there = rows(path)
        lost.append(committed - there)
        # The row that was under way may be there or not, nothing else may.
        assert there - committed <= {len(committed)}
        if not fired:
            assert committed == set(range(ROWS))
            return lost
    raise AssertionError


# ---- plain files ----


def test_every_write_sync_and_name_is_counted(disk: DiskFaults, forks: Forks, tmp_path: Path) -> None:
    steps = ("pwrite 0 abc", "writev d e f", "truncate 2", "sync", "datasync", "sync-folder", "mkdir m", "rename f g")
    outcome = forks.call("script", str(tmp_path / "f"), *steps, "unlink g")
    assert outcome == Outcome(0, ("3", "3", "ok", "ok", "ok", "ok", "ok", "ok", "ok"))
    # The creation of the file is one of the names.
    assert (disk.writes, disk.syncs, disk.names, disk.events) == (3, 3, 4, 10)
    assert not disk.fired


def test_files_elsewhere_and_the_wal_index_are_left_alone(disk: DiskFaults, forks: Forks, tmp_path: Path) -> None:
    disk.watch(tmp_path / "watched")
    disk.fail(ALL, 1, lasting=True)
    for name in ("other", "watched-shm"):
        assert forks.call("script", str(tmp_path / name), "pwrite 0 abc", "sync").said == ("3", "ok")
    assert disk.events == 0
    assert forks.call("script", str(tmp_path / "watched")).status == 1
    assert disk.events == 1


def test_only_the_nth_write_fails(disk: DiskFaults, forks: Forks, tmp_path: Path) -> None:
    disk.fail_write(2)
    outcome = forks.call("script", str(tmp_path / "f"), "pwrite 0 a", "pwrite 1 b", "sync", "pwrite 2 c")
    assert outcome.said == ("1", "EIO", "ok", "1")
    assert disk.fired
    assert (tmp_path / "f").read_bytes() == b"a\0c"


def test_a_full_disk_stays_full(disk: DiskFaults, forks: Forks, tmp_path: Path) -> None:
    disk.fail_write(2, errno.ENOSPC, lasting=True)
    outcome = forks.call("script", str(tmp_path / "f"), "pwrite 0 a", "pwrite 1 b", "truncate 0", "sync")
    assert outcome.said == ("1", "ENOSPC", "ENOSPC", "ok")


def test_a_short_write_takes_half_and_the_next_none(disk: DiskFaults, forks: Forks, tmp_path: Path) -> None:
    disk.short_write(1)
    outcome = forks.call("script", str(tmp_path / "f"), "pwrite 0 abcdef", "pwrite 3 def", "pwrite 3 xyz")
    assert outcome.said == ("3", "ENOSPC", "3")
    assert (tmp_path / "f").read_bytes() == b"abcxyz"


def test_a_short_write_of_several_pieces_takes_half_of_their_sum(
    disk: DiskFaults, forks: Forks, tmp_path: Path
) -> None:
    disk.short_write(1)
    assert forks.call("script", str(tmp_path / "f"), "writev ab cdefgh").said == ("4",)
    assert (tmp_path / "f").read_bytes() == b"abcd"


@pytest.mark.parametrize(
    ("when", "content", "said"),
    [(When.BEFORE, b"ab", ("2",)), (When.INSIDE, b"abcd", ("2",)), (When.AFTER, b"abcdef", ("2",))],
)
def test_the_process_is_killed_at_the_write(
    disk: DiskFaults, forks: Forks, tmp_path: Path, when: When, content: bytes, said: tuple[str, ...]
) -> None:
    disk.kill(when, {Event.WRITE}, 2)
    outcome = forks.call("script", str(tmp_path / "f"), "pwrite 0 ab", "pwrite 2 cdef", "pwrite 0 x")
    assert outcome == Outcome(-signal.SIGKILL, said)
    assert (tmp_path / "f").read_bytes() == content


def test_a_killed_sync_counts_only_if_it_was_done(disk: DiskFaults, forks: Forks, tmp_path: Path) -> None:
    for when, content in ((When.BEFORE, b""), (When.AFTER, b"abc")):
        path = tmp_path / when.name
        disk.watch(path)
        path.touch()
        disk.track()
        disk.kill(when, {Event.SYNC}, 1)
        assert forks.call("script", str(path), "pwrite 0 abc", "sync") == Outcome(-signal.SIGKILL, ("3",))
        disk.lose_unsynced()
        assert path.read_bytes() == content


def test_a_power_loss_takes_every_unsynced_change_back(disk: DiskFaults, forks: Forks, tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"0123456789")
    disk.track()
    steps = ("pwrite 2 ab", "sync", "pwrite 3 cd", "pwrite 8 long", "truncate 5", "pwrite 20 x", "truncate 30")
    forks.call("script", str(path), *steps, "replace new f", "append more f")
    assert path.read_bytes() == b"newmore"
    assert disk.lose_unsynced() == 8
    assert path.read_bytes() == b"01ab456789"
    assert disk.lose_unsynced() == 0


def test_a_power_loss_takes_unsynced_names_back(disk: DiskFaults, forks: Forks, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "gone").write_text("gone")
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    disk.track()
    steps = ("replace new new", "rename new old", "unlink gone", "mkdir m", "replace inside m/inside")
    forks.call("script", str(tmp_path / "f"), *steps)
    assert {path.name for path in tmp_path.iterdir()} == {"f", "old", "m"}
    disk.lose_unsynced()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before


def test_a_synced_folder_keeps_its_names_but_not_unsynced_bytes(disk: DiskFaults, forks: Forks, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    disk.track()
    forks.call("script", str(tmp_path / "f"), "replace new new", "rename new old", "sync-folder")
    disk.lose_unsynced()
    # The well-known file of no length: renamed into place without a sync before.
    assert (tmp_path / "old").read_text() == ""
    assert (tmp_path / "f").exists()


def test_a_journalled_file_system_keeps_names_that_came_before_any_sync(
    disk: DiskFaults, forks: Forks, tmp_path: Path
) -> None:
    (tmp_path / "gone").touch()
    for names, there in ((Names.POSIX, {"gone"}), (Names.JOURNALLED, {"gone", "f"})):
        disk.watch(tmp_path)
        disk.track()
        forks.call("script", str(tmp_path / "f"), "pwrite 0 abc", "sync", "unlink gone")
        disk.lose_unsynced(names=names)
        assert {path.name for path in tmp_path.iterdir()} == there


def test_what_a_failed_sync_lost_is_not_saved_by_a_later_one(disk: DiskFaults, forks: Forks, tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"......")
    disk.track()
    disk.fail_sync(1)
    outcome = forks.call("script", str(path), "pwrite 0 abc", "sync", "pwrite 1 xyz", "sync", "pwrite 5 !")
    assert outcome.said == ("3", "EIO", "3", "ok", "1")
    disk.lose_unsynced()
    assert path.read_bytes() == b".xyz.."


def test_a_disk_that_wrote_some_of_it_wrote_whole_sectors(disk: DiskFaults, forks: Forks, tmp_path: Path) -> None:
    path = tmp_path / "f"
    seen = set()
    for seed in range(40):
        path.write_bytes(bytes(1100))
        disk.watch(path)
        disk.track()
        forks.call("script", str(path), f"pwrite 100 {'a' * 1000}", f"pwrite 600 {'b' * 10}")
        disk.lose_unsynced(random.Random(seed))  # noqa: S311
        content = path.read_bytes()
        assert len(content) == 1100
        first, second, third = content[100:512], content[512:1024], content[1024:1100]
        rest = second[:88] + second[98:]
        assert all(len(set(piece)) == 1 for piece in (first, rest, second[88:98], third))
        seen.add((first[0], rest[0], second[88], third[0]))
    # The later write without the earlier one, and the earlier one torn.
    assert (0, 0, ord("b"), 0) in seen
    assert any(len({first, rest, third}) == 2 for first, rest, _, third in seen)


# ---- SQLite ----


@pytest.mark.parametrize(
    ("when", "events"),
    [(When.BEFORE, ALL), (When.INSIDE, {Event.WRITE}), (When.AFTER, ALL)],
    ids=["before", "inside", "after"],
)
def test_with_every_commit_synced_no_power_loss_takes_a_committed_row(
    disk: DiskFaults, forks: Forks, tmp_path: Path, when: When, events: set[Event]
) -> None:
    lost = power_lost(disk, forks, tmp_path, "FULL", when=when, events=events)
    assert not any(lost)
    assert len(lost) > 2 * ROWS


@pytest.mark.parametrize("seed", range(3))
def test_nor_does_one_that_left_some_of_it_on_disk(disk: DiskFaults, forks: Forks, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    assert not any(power_lost(disk, forks, tmp_path, "FULL", rng=rng))


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_with_fewer_syncs_the_loss_of_committed_rows_is_seen(
    disk: DiskFaults, forks: Forks, tmp_path: Path, synchronous: str
) -> None:
    assert any(power_lost(disk, forks, tmp_path, synchronous))


def test_a_kill_alone_would_not_show_the_missing_syncs(disk: DiskFaults, forks: Forks, tmp_path: Path) -> None:
    assert not any(power_lost(disk, forks, tmp_path, "OFF", power=False))


@pytest.mark.parametrize("fault", PASSING + LASTING)
def test_a_failed_write_or_sync_fails_the_commit_and_nothing_else(
    disk: DiskFaults, forks: Forks, tmp_path: Path, fault: str
) -> None:
    refusals = set()
    for n in count(1):
        path = new_journal(tmp_path, n)
        disk.watch(path)
        set_fault(disk, fault, n)
        outcome = forks.call("journal", str(path), "FULL")
        fired = disk.fired
        disk.reset()
        committed = told(outcome, "committed")
        assert outcome.status == 0
        there = rows(path)
        if fault in PASSING:
            # The file is closed in order: what was refused is not there.
            assert there == committed
        else:
            # Closed on a disk that still fails, the WAL is left as after a crash: see below.
            assert committed <= there <= committed | {ROWS - 1}
        names = {line.split()[0] for line in outcome.said} - {"committed"}
        assert len(names) <= 1
        refusals |= names
        if fault in PASSING:
            assert len(committed) >= ROWS - 1
        if not fired:
            assert committed == set(range(ROWS))
            break
    expected = "SQLITE_IOERR_FSYNC" if "sync" in fault else "SQLITE_FULL" if "disk" in fault else "SQLITE_IOERR_WRITE"
    assert refusals == {expected}


def test_sqlite_takes_no_notice_of_a_failed_sync_of_the_folder(disk: DiskFaults, forks: Forks, tmp_path: Path) -> None:
    """It syncs the name of its WAL file once, and if that fails, as its own comment says, goes on.

    Where POSIX is all that holds, what is in the WAL may be lost. On ext4 and xfs the next commit saves the name too.
    """
    lost: dict[Names, set[int]] = {}
    for names in Names:
        path = new_journal(tmp_path, len(lost))
        disk.watch(path)
        disk.track()
        disk.fail_sync(2)  # after the WAL's header, before the first commit
        outcome = forks.call("journal", str(path), "FULL", "stay open")
        assert disk.fired
        assert told(outcome, "committed") == set(range(ROWS))
        disk.lose_unsynced(names=names)
        lost[names] = set(range(ROWS)) - rows(path)
    assert lost[Names.POSIX]
    assert not lost[Names.JOURNALLED]


# ---- the journal's own database ----


@pytest.mark.parametrize("power", [False, True], ids=["killed", "power lost"])
@pytest.mark.parametrize("fault", PASSING + LASTING)
def test_what_the_database_reported_written_is_there_after_any_fault(
    disk: DiskFaults, forks: Forks, tmp_path: Path, fault: str, power: bool
) -> None:
    came_back = set()
    for n in count(1):
        path = tmp_path / f"{n}.db"
        Database(path).close()
        disk.watch(path)
        disk.track()
        outcome = forks.call("write_on_failing_disk", str(path), fault, str(n))
        fired = disk.fired
        if power:
            # SQLite takes no notice of a failed sync of the folder: see above.
            disk.lose_unsynced(names=Names.JOURNALLED if "sync" in fault else Names.POSIX)
        else:
            disk.reset()
        assert outcome.status == 0
        committed, refused = told(outcome, "committed"), told(outcome, "refused")
        assert committed | refused == set(range(ROWS))
        if fault in PASSING:
            # The connection is as good as before.
            assert len(refused) <= 1
        there = rows_of_database(path)
        assert committed <= there
        # A row that was refused may come back with a crash, but only if nothing was committed since.
        assert all(row in refused and row > max(committed, default=-1) for row in there - committed)
        came_back |= there - committed
        if not fired:
            assert committed == set(range(ROWS))
            break
    # It is a failed sync after which it does: the whole commit is in the file, and only the power takes it from there.
    assert came_back == ({ROWS - 1} if "sync" in fault and not power else set())


def opened_on_failing_disk(
    disk: DiskFaults, forks: Forks, folder: Path, fault: str
) -> Iterator[tuple[Outcome, set[int]]]:
    """Let each n-th event fail from the very making of the journal on, then lose the power."""
    for n in count(1):
        path = folder / f"{n}.db"
        disk.watch(path)
        disk.track()
        set_fault(disk, fault, n)
        outcome = forks.call("open_on_failing_disk", str(path))
        fired = disk.fired
        disk.lose_unsynced(names=Names.JOURNALLED)
        yield outcome, rows_of_database(path)
        if not fired:
            return


@pytest.mark.parametrize("fault", ["write fails", "disk is full", "name fails"])
def test_a_database_that_could_not_be_opened_says_so_and_can_be_opened_later(
    disk: DiskFaults, forks: Forks, tmp_path: Path, fault: str
) -> None:
    for outcome, _ in opened_on_failing_disk(disk, forks, tmp_path, fault):
        assert outcome.status == 0


@pytest.mark.parametrize("fault", ["write fails", "disk is full", "sync fails", "name fails"])
def test_a_fault_while_the_journal_is_made_takes_no_committed_row_later(
    disk: DiskFaults, forks: Forks, tmp_path: Path, fault: str
) -> None:
    for outcome, there in opened_on_failing_disk(disk, forks, tmp_path, fault):
        assert told(outcome, "committed") <= there


def test_a_new_journal_survives_a_power_loss_with_its_new_folder(
    disk: DiskFaults, forks: Forks, tmp_path: Path
) -> None:
    path = tmp_path / "state" / "journal.db"
    disk.watch(path.parent)
    disk.track()
    committed = told(forks.call("open_on_failing_disk", str(path)), "committed")
    disk.lose_unsynced()
    assert rows_of_database(path) == committed == set(range(ROWS))
