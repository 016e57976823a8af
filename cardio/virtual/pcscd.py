"""A pcscd of one's own with virtual readers, beside the host's and invisible to it.

pcscd's folders are compiled in, so it runs in a mount namespace where a private folder lies over
its socket's folder, and an empty one over its USB drivers: the host's real readers are never
touched. TCP ports and files stay visible, so cards and clients outside the namespace reach it.

vpcd has two slots for each library and keeps them in the library's globals: a second configuration
entry on the same library lists readers that never see a card. So every entry loads a copy of the
library of its own.
"""

from __future__ import annotations

import os
import queue
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from cardio.errors import ReaderServiceStopped

MAX_SLOTS = 16
"""PCSCLITE_MAX_READERS_CONTEXTS of pcsc-lite."""

SLOTS_PER_LIBRARY = 2

START_TIMEOUT = 10.0
"""Seconds until pcscd must accept clients."""

STOP_TIMEOUT = 3.0
"""Seconds that pcscd gets to end by itself before it is killed."""

START_ATTEMPTS = 3
"""A port may be taken by another program between its choice and pcscd's start."""

PORTS = range(20000, 32000, SLOTS_PER_LIBRARY)
"""First ports of entries: below Linux's ephemeral ports, so no outgoing connection takes them."""

MAX_SOCKET_NAME = 107
"""Length of sun_path without its terminator; libpcsclite cuts a longer name off silently."""

_PORT_TAKEN = "Failed"
"""Part of what pcscd prints about a reader that it cannot set up."""

# $1 private run folder, $2 the host's, $3 empty folder, $4 USB drivers, $5 pcscd, $6 configuration.
# pdeathsig: pcscd dies with us even if we are killed.
_SCRIPT = """
mount --bind "$1" "$2" && mount --bind "$3" "$4" &&
exec setpriv --pdeathsig KILL "$5" --foreground --config "$6"
"""


@dataclass(frozen=True)
class _Installation:
    """Where this host keeps pcscd and vpcd."""

    daemon: Path
    drivers: Path
    socket_folder: Path
    library: Path

    @classmethod
    def find(cls) -> _Installation:
        """Ask pcscd for its compiled-in folders.

        Raises:
            ReaderServiceStopped: A program or the library is not installed.
        """
        path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
        for program in ("pcscd", "unshare", "mount", "setpriv"):
            if shutil.which(program, path=path) is None:
                raise ReaderServiceStopped(f"program {program} is not installed")
        daemon = Path(str(shutil.which("pcscd", path=path)))
        version = subprocess.run(  # noqa: S603 - no shell; the program comes from PATH
            [daemon, "--version"], capture_output=True, text=True, check=False
        )
        folders = dict(re.findall(r"\b(usbdropdir|ipcdir)=(\S+)", version.stdout))
        drivers = Path(folders.get("usbdropdir", "/usr/lib/pcsc/drivers"))
        library = drivers / "serial" / "libifdvpcd.so"
        if not library.exists():
            raise ReaderServiceStopped(f"vpcd library {library} is missing (package vsmartcard-vpcd)")
        return cls(daemon, drivers, Path(folders.get("ipcdir", "/run/pcscd")), library)


class PrivatePcscd:
    """A pcscd with virtual readers only; a context manager that starts and stops it.

    Clients find it by the environment variable of `environment()`. libpcsclite reads that variable
    once, at its first contact with a pcscd, and keeps the name for the life of the process: set it
    before the first PC/SC call, and let one process use one `PrivatePcscd` at most (`restart` keeps
    the name). Other processes are free.

    vpcd listens on all network interfaces; whoever reaches a port may put a card into its slot.
    This is a device for tests and training, not for a till.

    Args:
        slots: Number of slots, 1 to 16. With an odd number pcscd lists one more reader, which stays
            empty.
    """

    host = "127.0.0.1"

    def __init__(self, slots: int = SLOTS_PER_LIBRARY) -> None:
        if not 1 <= slots <= MAX_SLOTS:
            raise ValueError(f"slots must be 1 to {MAX_SLOTS}, not {slots}")
        self._slots = slots
        self._ports: list[int] = []
        self._entries: list[str] = []
        self._folder: Path | None = None
        self._installation: _Installation | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def readers(self) -> list[str]:
        """PC/SC names of the slots, in the order in which pcscd lists them."""
        return [f"{_friendly_name(slot)} 00 {slot % SLOTS_PER_LIBRARY:02X}" for slot in range(self._slots)]

    @property
    def socket(self) -> Path:
        """Socket on which pcscd serves PC/SC clients.

        Raises:
            ReaderServiceStopped: It was not started.
        """
        folder, installation = self._parts()
        return folder / "run" / installation.socket_folder.name / "pcscd.comm"

    @property
    def log(self) -> str:
        """What pcscd printed so far, errors only."""
        folder, _ = self._parts()
        return (folder / "log").read_text(errors="replace")

    def port(self, slot: int) -> int:
        """TCP port on which vpcd awaits the card of `slot`, counted from 0."""
        self._parts()
        if not 0 <= slot < self._slots:
            raise IndexError(f"no slot {slot}")
        return self._ports[slot // SLOTS_PER_LIBRARY] + slot % SLOTS_PER_LIBRARY

    def environment(self) -> dict[str, str]:
        """Environment variables that lead libpcsclite here."""
        return {"PCSCLITE_CSOCK_NAME": str(self.socket)}

    def start(self) -> None:
        """Start pcscd and wait until it accepts clients; at most 10 s.

        Raises:
            ReaderServiceStopped: Something is missing or forbidden; the detail says what.
        """
        if self._folder is not None:
            return
        self._installation = _Installation.find()
        self._folder = Path(tempfile.mkdtemp(prefix="pcscd-"))
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop pcscd and delete its files; cards are pulled. Without effect if it does not run."""
        self.halt()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def halt(self, *, crash: bool = False) -> None:
        """Stop pcscd, but keep ports, names and socket for `resume`.

        Args:
            crash: Kill it, so that it leaves its socket and its pid file behind.
        """
        process, self._process = self._process, None
        if process is None:
            return
        if crash:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def resume(self, unplugged: Collection[int] = ()) -> None:
        """Start pcscd again after `halt`.

        pcscd looks for the readers of its configuration at its start only, so this is when one can come or go.

        Args:
            unplugged: Slots whose readers are missing this time; a reader has both slots of its library.

        Raises:
            ReaderServiceStopped: It does not come up.
        """
        if self._process is not None:
            return
        gone = {slot // SLOTS_PER_LIBRARY for slot in unplugged}
        folder, _ = self._parts()
        plugged = [entry for number, entry in enumerate(self._entries) if number not in gone]
        (folder / "reader.conf.d" / "vpcd").write_text("\n".join(plugged))
        # Remains of a killed pcscd: the next one refuses to start if that pid is in use again.
        shutil.rmtree(self.socket.parent, ignore_errors=True)
        self._process = self._launch()
        deadline = time.monotonic() + START_TIMEOUT
        while not self._accepts():
            if self._process.poll() is not None:
                self._process = None
                raise ReaderServiceStopped(f"pcscd does not start: {self.log.strip()}")
            if time.monotonic() > deadline:
                self.halt()
                raise ReaderServiceStopped(f"pcscd not ready in {START_TIMEOUT} s: {self.log.strip()}")
            time.sleep(0.01)

    def restart(self) -> None:
        """Stop pcscd and start it again with the same ports, names and socket; cards are pulled."""
        self.halt()
        self.resume()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _parts(self) -> tuple[Path, _Installation]:
        if self._folder is None or self._installation is None:
            raise ReaderServiceStopped("the private pcscd was not started")
        return self._folder, self._installation

    def _start(self) -> None:
        for _ in range(START_ATTEMPTS):
            self._configure()
            self.resume()
            if _PORT_TAKEN not in self.log:
                return
            self.halt()
        raise ReaderServiceStopped(f"vpcd does not open its ports: {self.log.strip()}")

    def _configure(self) -> None:
        """Choose ports, and write libraries and their entries in the configuration."""
        folder, installation = self._parts()
        if len(str(self.socket)) > MAX_SOCKET_NAME:
            raise ReaderServiceStopped(f"socket name {self.socket} is too long for pcsc-lite")
        for name in ("run", "empty", "reader.conf.d"):
            (folder / name).mkdir(exist_ok=True)
        self._ports, self._entries = [], []
        for first_slot in range(0, self._slots, SLOTS_PER_LIBRARY):
            library = folder / f"vpcd{first_slot}.so"
            shutil.copyfile(installation.library, library)
            self._ports.append(port := _free_ports(self._ports))
            self._entries.append(
                f'FRIENDLYNAME "{_friendly_name(first_slot)}"\n'
                f"DEVICENAME /dev/null:{port}\n"
                f"LIBPATH {library}\n"
                f"CHANNELID {port}\n"
            )

    def _launch(self) -> subprocess.Popen[bytes]:
        """Start pcscd from a thread of its own that lives as long as it.

        The kernel sends pdeathsig when the starting thread ends, not the process.
        """
        folder, installation = self._parts()
        namespace = ["--mount"] if os.geteuid() == 0 else ["--mount", "--map-root-user"]
        command: list[str | Path] = [
            *("unshare", *namespace, "sh", "-c", _SCRIPT, "pcscd"),
            *(folder / "run", installation.socket_folder.parent),
            *(folder / "empty", installation.drivers),
            *(installation.daemon, folder / "reader.conf.d"),
        ]
        started: queue.SimpleQueue[subprocess.Popen[bytes] | OSError] = queue.SimpleQueue()

        def own() -> None:
            try:
                with (folder / "log").open("wb") as log:
                    process = subprocess.Popen(  # noqa: S603 - no shell; all parts are ours
                        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/"
                    )
            except OSError as error:
                started.put(error)
                return
            started.put(process)
            process.wait()

        threading.Thread(target=own, name="private-pcscd", daemon=True).start()
        process = started.get()
        if isinstance(process, OSError):
            raise ReaderServiceStopped(f"pcscd does not start: {process}")
        return process

    def _accepts(self) -> bool:
        """Whether pcscd serves clients; all configured readers are set up before its socket."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0


def _friendly_name(slot: int) -> str:
    """Name of the entry that holds `slot`: unique, as pcscd numbers readers per library."""
    return f"Virtual PCD {slot // SLOTS_PER_LIBRARY + 1}"


def _free_ports(taken: list[int]) -> int:
    """First of consecutive free TCP ports for one entry."""
    for _ in range(len(PORTS)):
        first = secrets.choice(PORTS)
        if first not in taken and all(_is_free(first + slot) for slot in range(SLOTS_PER_LIBRARY)):
            return first
    raise ReaderServiceStopped("no free TCP ports for virtual readers")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
