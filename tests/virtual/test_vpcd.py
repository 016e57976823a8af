"""The link to vpcd and the private pcscd, both real."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cardio.errors import CardRemoved, CardUnpowered, ReaderServiceStopped, ReaderUnavailable
from cardio.virtual import pcscd as pcscd_module
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.vpcd import VpcdLink

ATR = bytes.fromhex("3B021450")
COMMAND = bytes.fromhex("00B0950004")


class DiaryCard:
    """Writes down what happens to it; `answer` may be an error to raise."""

    atr = ATR

    def __init__(self) -> None:
        self.diary: list[str] = []
        self.answer: bytes | Exception = b"\x90\x00"

    def power_on(self) -> None:
        self.diary.append("on")

    def power_off(self) -> None:
        self.diary.append("off")

    def transmit(self, command: bytes) -> bytes:
        self.diary.append(command.hex())
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Reader:
    """vpcd's side of one slot, byte by byte."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(5)
        self.port: int = self._listener.getsockname()[1]
        self._card: socket.socket | None = None

    def accept(self) -> None:
        self.eject()
        self._card, _ = self._listener.accept()
        self._card.settimeout(5)

    def send(self, frame: bytes) -> None:
        assert self._card is not None
        self._card.sendall(len(frame).to_bytes(2) + frame)

    def receive(self) -> bytes | None:
        """The next frame, or None if the card is gone."""
        assert self._card is not None
        try:
            header = self._exactly(2)
            return self._exactly(int.from_bytes(header)) if header else None
        except ConnectionResetError:
            return None

    def _exactly(self, size: int) -> bytes:
        """A socket with a time-out may hand over less than it was asked for, MSG_WAITALL or not."""
        assert self._card is not None
        received = b""
        while len(received) < size and (part := self._card.recv(size - len(received))):
            received += part
        return received

    def eject(self) -> None:
        if self._card is not None:
            self._card.close()

    def close(self) -> None:
        self.eject()
        self._listener.close()


@pytest.fixture
def reader() -> Iterator[Reader]:
    reader = Reader()
    yield reader
    reader.close()


@pytest.fixture
def card() -> DiaryCard:
    return DiaryCard()


@pytest.fixture
def link(reader: Reader, card: DiaryCard) -> Iterator[VpcdLink]:
    with VpcdLink(card, port=reader.port) as link:
        reader.accept()
        yield link


def await_drop(link: VpcdLink) -> None:
    deadline = time.monotonic() + 5
    while link.inserted:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    link.remove()


# ---- the link ------------------------------------------------------------------------------------


def test_frames(reader: Reader, card: DiaryCard, link: VpcdLink) -> None:
    reader.send(b"\x04")
    assert reader.receive() == ATR
    reader.send(b"\x01")
    reader.send(COMMAND)
    assert reader.receive() == b"\x90\x00"
    reader.send(b"\x02")
    reader.send(b"\x00")
    reader.send(b"\x04")
    assert reader.receive() == ATR
    assert card.diary == ["on", COMMAND.hex(), "off", "on", "off"]


def test_frames_may_come_in_pieces_or_together(reader: Reader, card: DiaryCard, link: VpcdLink) -> None:
    stream = b"\x00\x01\x01" + b"\x00\x05" + COMMAND + b"\x00\x01\x04"
    assert reader._card is not None
    for byte in stream[:6]:
        reader._card.sendall(bytes([byte]))
        time.sleep(0.005)
    reader._card.sendall(stream[6:])
    assert reader.receive() == b"\x90\x00"
    assert reader.receive() == ATR
    assert card.diary == ["on", COMMAND.hex()]


def test_long_answers(reader: Reader, card: DiaryCard, link: VpcdLink) -> None:
    card.answer = bytes(0xFFFD) + b"\x90\x00"
    reader.send(b"\x01")
    reader.send(COMMAND)
    assert reader.receive() == card.answer


def test_remove_takes_the_power_away(reader: Reader, card: DiaryCard, link: VpcdLink) -> None:
    reader.send(b"\x01")
    reader.send(b"\x04")
    assert reader.receive() == ATR
    seen = [link.inserted]
    link.remove()
    link.remove()
    assert [*seen, link.inserted] == [True, False]
    assert card.diary == ["on", "off"]
    assert reader.receive() is None


def test_torn_card_gives_no_answer(reader: Reader, card: DiaryCard, link: VpcdLink) -> None:
    card.answer = CardRemoved()
    reader.send(b"\x01")
    reader.send(COMMAND)
    assert reader.receive() is None
    await_drop(link)
    assert link.failure is None
    assert card.diary == ["on", COMMAND.hex(), "off"]


@pytest.mark.parametrize("failure", [ZeroDivisionError("card"), OSError("card"), ValueError("x")])
def test_broken_card_is_reported(reader: Reader, card: DiaryCard, link: VpcdLink, failure: Exception) -> None:
    card.answer = failure
    reader.send(b"\x01")
    reader.send(COMMAND)
    assert reader.receive() is None
    await_drop(link)
    assert link.failure is failure
    assert card.diary[-1] == "off"


def test_command_without_power(reader: Reader, card: DiaryCard, link: VpcdLink) -> None:
    reader.send(COMMAND)
    assert reader.receive() is None
    await_drop(link)
    assert isinstance(link.failure, CardUnpowered)
    assert card.diary == []


def test_answer_too_long_for_a_frame(reader: Reader, card: DiaryCard, link: VpcdLink) -> None:
    card.answer = bytes(0x10000)
    reader.send(b"\x01")
    reader.send(COMMAND)
    assert reader.receive() is None
    await_drop(link)
    assert isinstance(link.failure, ValueError)


def test_vpcd_goes_away(reader: Reader, card: DiaryCard, link: VpcdLink) -> None:
    reader.send(b"\x01")
    reader.eject()
    await_drop(link)
    assert link.failure is None
    assert card.diary == ["on", "off"]


def test_slot_stays_empty_for_a_while_even_for_another_card(reader: Reader, card: DiaryCard, link: VpcdLink) -> None:
    link.remove()
    removed = time.monotonic()
    with VpcdLink(DiaryCard(), port=reader.port) as other:
        reader.accept()
        assert time.monotonic() - removed > 0.4
        other.insert()  # without effect
    link.insert()
    reader.accept()
    reader.send(b"\x04")
    assert reader.receive() == ATR


def test_nobody_listens(reader: Reader, card: DiaryCard) -> None:
    reader.close()
    with pytest.raises(ReaderUnavailable, match=str(reader.port)):
        VpcdLink(card, port=reader.port).insert()


# ---- the private pcscd ---------------------------------------------------------------------------


def test_names_ports_and_files() -> None:
    with PrivatePcscd(3) as pcscd:
        assert pcscd.readers == [
            "Virtual PCD 1 00 00",
            "Virtual PCD 1 00 01",
            "Virtual PCD 2 00 00",
        ]
        assert len({pcscd.port(slot) for slot in range(3)}) == 3
        with pytest.raises(IndexError):
            pcscd.port(3)
        assert pcscd.environment() == {"PCSCLITE_CSOCK_NAME": str(pcscd.socket)}
        folder = pcscd.socket.parents[2]
        assert pcscd.socket.is_socket()
        assert pcscd.log == ""
    assert not folder.exists()
    with pytest.raises(ReaderServiceStopped):
        _ = pcscd.socket


@pytest.mark.parametrize("slots", [0, 17])
def test_number_of_slots(slots: int) -> None:
    with pytest.raises(ValueError, match="1 to 16"):
        PrivatePcscd(slots)


def test_sixteen_slots_at_most() -> None:
    with PrivatePcscd(16) as pcscd:
        assert "Failed" not in pcscd.log


def test_taken_port_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = iter([other.getsockname()[1], pcscd_module._free_ports([])])
        monkeypatch.setattr(pcscd_module, "_free_ports", lambda _: next(ports))
        with PrivatePcscd(2):
            assert list(ports) == []


def test_restart_keeps_the_place() -> None:
    with PrivatePcscd(2) as pcscd:
        place = (pcscd.socket, pcscd.port(0), pcscd.port(1), pcscd.readers)
        pcscd.halt()
        with pytest.raises(ReaderUnavailable):
            VpcdLink(DiaryCard(), port=pcscd.port(0)).insert()
        pcscd.resume()
        pcscd.resume()
        VpcdLink(DiaryCard(), port=pcscd.port(0)).insert()
        assert place == (pcscd.socket, pcscd.port(0), pcscd.port(1), pcscd.readers)


def test_a_killed_pcscd_comes_back_without_the_readers_that_were_unplugged() -> None:
    with PrivatePcscd(4) as pcscd:
        pcscd.halt(crash=True)
        pcscd.resume(unplugged=[1])
        for slot in (0, 1):
            with pytest.raises(ReaderUnavailable):
                VpcdLink(DiaryCard(), port=pcscd.port(slot)).insert()
        VpcdLink(DiaryCard(), port=pcscd.port(2)).insert()
        pcscd.restart()
        VpcdLink(DiaryCard(), port=pcscd.port(1)).insert()


def test_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def which(program: str, path: str) -> str | None:
        return None if program == "pcscd" else f"{path}/{program}"

    monkeypatch.setattr("cardio.virtual.pcscd.shutil.which", which)
    with pytest.raises(ReaderServiceStopped, match="program pcscd is not installed"):
        PrivatePcscd(1).start()


def test_forbidden_namespace_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcscd_module, "_SCRIPT", "echo unshare failed: no permission; exit 1")
    with pytest.raises(ReaderServiceStopped, match="no permission"):
        PrivatePcscd(1).start()


def test_pcscd_dies_with_its_killed_owner() -> None:
    # The starting thread is gone before: only the end of the process may stop pcscd.
    program = textwrap.dedent(
        """
        import threading, time
        from cardio.virtual.pcscd import PrivatePcscd
        pcscd = PrivatePcscd(1)
        thread = threading.Thread(target=pcscd.start)
        thread.start()
        thread.join()
        time.sleep(0.2)
        print(pcscd._process.pid, pcscd._process.poll(), pcscd.socket, flush=True)
        time.sleep(60)
        """
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid, ended, comm = owner.stdout.readline().split()
        try:
            assert ended == "None"
            os.kill(int(pid), 0)
        finally:
            owner.kill()
    deadline = time.monotonic() + 5
    with socket.socket(socket.AF_UNIX) as probe:
        while probe.connect_ex(comm) == 0:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    folder = Path(comm).parents[2]
    assert folder.name.startswith("pcscd-")
    subprocess.run(["rm", "-r", str(folder)], check=True)


def test_stops_a_pcscd_that_ignores_its_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcscd_module, "STOP_TIMEOUT", 0.3)
    pcscd = PrivatePcscd(1)
    pcscd.start()
    process = pcscd._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    pcscd.stop()
    assert process.returncode == -signal.SIGKILL
