"""The computer that is looked at."""

from __future__ import annotations

import fcntl
import grp
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cardio.cli.doctor.checks import SYSTEM_PROGRAMS
from cardiod.settings import Settings

SERVICE_USER = "cardio"
PROGRAM_SECONDS = 30.0


@dataclass(frozen=True)
class ServiceUser:
    """The user of the service.

    Attributes:
        uid: Its number.
        gid: Number of its group.
        groups: Numbers of all its groups.
    """

    uid: int
    gid: int
    groups: tuple[int, ...]


@dataclass(frozen=True)
class Site:
    """A computer with the service on it, or without.

    Attributes:
        settings: The service's configuration.
        user_name: Name of its user.
        root: Where the system's files are.
    """

    settings: Settings
    user_name: str = SERVICE_USER
    root: Path = field(default=Path("/"))

    @cached_property
    def user(self) -> ServiceUser | None:
        """The user of the service; None if there is none of that name."""
        try:
            known = pwd.getpwnam(self.user_name)
        except KeyError:
            return None
        return ServiceUser(known.pw_uid, known.pw_gid, tuple(os.getgrouplist(known.pw_name, known.pw_gid)))

    @property
    def group_exists(self) -> bool:
        """Whether there is the group whose members may call on the Unix socket."""
        try:
            grp.getgrnam(self.settings.socket_group)
        except KeyError:
            return False
        return True

    def holder(self) -> int | None:
        """The process that works with the journal; None if none does. 0 if it does not say who it is."""
        lock = self.settings.journal.with_name(self.settings.journal.name + ".lock")
        try:
            descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            # Shared and for a moment: nobody who starts now is kept out for longer.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            content = os.read(descriptor, 32).decode("ascii", "replace").strip()
            return int(content) if content.isdecimal() else 0
        finally:
            os.close(descriptor)
        return None

    def installed(self, name: str, *folders: str) -> Path | None:
        """A file of the system, in the first of these folders that has it and can be looked into."""
        places = [self.root / folder / name for folder in folders]
        return next((place for place in places if _is_there(place)), None)

    def may(self, path: Path, mode: int) -> bool | None:
        """Whether the service's user may use a file.

        Args:
            path: The file.
            mode: `os.R_OK`, `os.W_OK`, or both.

        Returns:
            None where that cannot be found out: by whoever is neither root nor that user.
        """
        user = self.user
        if user is None or user.uid == os.geteuid():
            return os.access(path, mode)
        if os.geteuid() != 0:
            return None
        wanted = [flag for bit, flag in ((os.R_OK, "-r"), (os.W_OK, "-w")) if mode & bit]
        return all(self._as_user(user, "test", flag, str(path)) for flag in wanted)

    @staticmethod
    def _as_user(user: ServiceUser, *command: str) -> bool:
        done = subprocess.run(  # noqa: S603 - no shell; a program of the system
            command, user=user.uid, group=user.gid, extra_groups=user.groups, check=False, stderr=subprocess.DEVNULL
        )
        return done.returncode == 0


def _is_there(path: Path) -> bool:
    """As `is_file`, which raises where a folder may not be looked into."""
    try:
        return path.is_file()
    except PermissionError:
        return False


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str] | None:
    """Run a program of the system; None if it is not installed or does not end."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *SYSTEM_PROGRAMS])
    found = shutil.which(program, path=path)
    if found is None:
        return None
    try:
        return subprocess.run(  # noqa: S603 - no shell
            [found, *arguments], capture_output=True, text=True, check=False, timeout=PROGRAM_SECONDS
        )
    except subprocess.TimeoutExpired:
        return None
