"""The folder of the journal."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from cardio.cli.doctor.findings import Outcome
from cardiod.doctor import storage
from tests.daemon.doctor.conftest import MakeSite
from tests.privileges import NEEDS_ROOT

ME = "root" if os.geteuid() == 0 else os.environ.get("USER", "root")


def test_a_folder_of_the_services_own_is_well(site: MakeSite) -> None:
    assert storage.folder(site(ME)).outcome is Outcome.OK


def test_a_folder_that_is_not_there_yet_is_told(site: MakeSite, tmp_path: Path) -> None:
    assert storage.folder(site(ME, journal=tmp_path / "none" / "journal.db")).outcome is Outcome.WARN


def test_a_folder_that_others_may_look_into_is_told(site: MakeSite) -> None:
    given = site(ME)
    given.settings.journal.parent.chmod(0o750)
    found = storage.folder(given)
    assert found.outcome is Outcome.WARN
    assert found.remedy is not None
    assert "chmod 0700" in found.remedy.en


@NEEDS_ROOT
def test_a_folder_that_the_service_cannot_write_to_fails_though_root_can(site: MakeSite) -> None:
    found = storage.folder(site("nobody"))
    assert found.outcome is Outcome.FAIL
    assert found.remedy is not None
    assert "chown -R nobody:" in found.remedy.en


def test_a_journal_in_memory_fails(site: MakeSite) -> None:
    assert storage.file_system(Path("/dev/shm")) == "tmpfs"
    assert storage.durable(site(journal=Path("/dev/shm/none/journal.db"))).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("path", "kind"), [("/", "ext4"), ("/var/lib/x", "xfs"), ("/var/library", "ext4"), ("/mnt/a b/c", "nfs4")]
)
def test_the_nearest_mount_tells_the_file_system(tmp_path: Path, path: str, kind: str) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
        "23 22 0:21 / /proc rw shared:5 - proc proc rw\n"
        "24 22 254:1 / /var/lib rw shared:6 master:1 - xfs /dev/vdb rw\n"
        "25 22 0:50 / /mnt/a\\040b rw - nfs4 server:/x rw\n"
    )
    assert storage.file_system(Path(path), mounts) == kind


def test_the_cost_of_a_synced_commit_is_measured_and_leaves_nothing_behind(site: MakeSite) -> None:
    given = site(ME)
    found = storage.sync_cost(given)
    measured = re.fullmatch(r"a synced commit takes ([0-9.]+) ms, at worst ([0-9.]+) ms \(50 measured\)", found.text.en)
    assert measured is not None
    assert 0 < float(measured[1]) <= float(measured[2])
    assert list(given.settings.journal.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("seconds", "outcome"),
    [([0.0003, 0.0002, 0.5], Outcome.OK), ([0.019] * 3, Outcome.OK), ([0.001, 0.03, 0.04], Outcome.WARN)],
)
def test_a_slow_disk_is_told_but_not_one_slow_commit(seconds: list[float], outcome: Outcome) -> None:
    found = storage.judge_commits(seconds)
    assert found.outcome is outcome
    assert f"at worst {max(seconds) * 1000:.2f} ms" in found.text.en


FULL = """
import resource, sys
from pathlib import Path
from cardiod.doctor import storage
from cardiod.doctor.site import Site
from cardiod.settings import Settings
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
found = storage.sync_cost(Site(Settings(journal=Path(sys.argv[1]), socket=None)))
print(found.outcome, found.text.en)
"""


def test_a_disk_that_takes_nothing_fails(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "journal.db")], capture_output=True, text=True, check=True
    )
    assert told.stdout.startswith("fail Storage not available")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_may_not_be_written_to_is_not_measured(site: MakeSite) -> None:
    assert storage.sync_cost(site(journal=Path("/none/journal.db"))).outcome is Outcome.WARN


MB = 1_000_000


@pytest.mark.parametrize(
    ("total", "free", "outcome"),
    [
        (100_000 * MB, 50_000 * MB, Outcome.OK),
        (100_000 * MB, 9_999 * MB, Outcome.WARN),
        (1_000 * MB, 399 * MB, Outcome.WARN),
        (1_000 * MB, 199 * MB, Outcome.FAIL),
        (100_000 * MB, 4_999 * MB, Outcome.FAIL),
    ],
)
def test_little_room_is_told_and_too_little_fails(
    site: MakeSite, mocker: MockerFixture, total: int, free: int, outcome: Outcome
) -> None:
    usage = shutil.disk_usage("/")._replace(total=total, used=total - free, free=free)
    mocker.patch("shutil.disk_usage", return_value=usage)
    assert storage.free_space(site()).outcome is outcome
