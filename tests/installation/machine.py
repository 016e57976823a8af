"""A machine for tests: the real systemd, with the service installed from its wheel as `docs/running.md` says.

It lives in namespaces of its own, beside the host's systemd and unseen by it.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.counter import eventually

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "running.md"
SCRIPT = Path(__file__).with_name("machine.sh")
PATIENCE = 60.0

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
"""Of commands in the machine: nothing of the tests' own reaches them."""
ERRORS_TO_A_FILE = "[Service]\nStandardError=append:/run/shared/log\n"


def installation() -> list[str]:
    """The lines of the page that install the service; the last two start it and have it examined."""
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(block).splitlines()


class Machine:
    """A running systemd with our units installed, and nothing started; a context manager.

    Args:
        shared: Folder that the machine sees as /run/shared.
        wheel: The wheel to install.
        pcscd: Folder with the socket of a pcscd that the machine sees as its own.
        drop_in: More lines for the service.
    """

    def __init__(self, shared: Path, wheel: Path, *, pcscd: Path | None = None, drop_in: str = "") -> None:
        self._shared = shared
        self._wheel = wheel
        self._pcscd = pcscd
        self._drop_in = drop_in
        self._process: subprocess.Popen[bytes] | None = None
        self._init = 0

    def __enter__(self) -> Self:
        self._shared.mkdir(exist_ok=True)
        (self._shared / "tests.conf").write_text(ERRORS_TO_A_FILE + self._drop_in)
        (self._shared / "log").touch()
        (self._shared / "log").chmod(0o666)
        places = {
            "MACHINE_NAME": f"cardio-tests-{secrets.token_hex(4)}",
            "MACHINE_BASE": sys.base_prefix,
            "MACHINE_PYTHON": f"python{sys.version_info.major}.{sys.version_info.minor}",
            "MACHINE_SITE": sysconfig.get_path("purelib"),
            "MACHINE_WHEEL": str(self._wheel),
            "MACHINE_SHARED": str(self._shared),
            "MACHINE_PCSCD": "" if self._pcscd is None else str(self._pcscd),
        }
        with (self._shared / "boot").open("wb") as boot:
            self._process = subprocess.Popen(
                ["unshare", "--mount", "setpriv", "--pdeathsig", "KILL", "sh", str(SCRIPT), "outside"],
                env={**os.environ, **places},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=boot,
            )
        try:
            eventually(self._is_up, PATIENCE)
            done = self.run("sh", "-e", "-c", "\n".join(installation()[:-2]))
            assert done.returncode == 0, done.stderr
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process, self._process = self._process, None
        if process is not None:
            if self._init:
                # Process 1 takes everything in its namespace with it; the script then clears up.
                os.kill(self._init, 9)
            process.wait(PATIENCE)

    @property
    def log(self) -> str:
        """What the service wrote to its standard error."""
        return (self._shared / "log").read_text(encoding="utf-8")

    def path(self, inside: str) -> Path:
        """A file of the machine, as it is reached from outside."""
        return Path(f"/proc/{self._init}/root{inside}")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the machine, as root."""
        enter = [
            "nsenter",
            "--target",
            str(self._init),
            "--mount",
            "--pid",
            "--ipc",
            "--uts",
            "--net",
            "--root",
            "--wd=/",
        ]
        return subprocess.run(
            [*enter, *command], capture_output=True, text=True, check=False, timeout=PATIENCE, env=ENVIRONMENT
        )

    def systemctl(self, *arguments: str) -> str:
        """What systemctl answers; it must succeed."""
        done = self.run("systemctl", *arguments)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}{self.log}"
        return done.stdout.strip()

    def show(self, name: str, unit: str = "cardiod.service") -> str:
        """A property of a unit."""
        return self.systemctl("show", "--property", name, "--value", unit)

    def _is_up(self) -> bool:
        assert self._process is not None
        messages = (self._shared / "boot").read_text(errors="replace")
        assert self._process.poll() is None, f"systemd does not start: {messages}"
        self._init = self._init or _process_one(self._process.pid)
        return bool(self._init) and self.run("systemctl", "is-system-running").stdout.strip() == "running"


def _process_one(script: int) -> int:
    """Process 1 of the machine: the grandchild of its script, behind unshare; 0 if it is not there yet."""
    for child in _children(script):
        for grandchild in _children(child):
            if _name(grandchild) == "systemd":
                return grandchild
    return 0


def _children(process: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def _name(process: int) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:
        return ""
