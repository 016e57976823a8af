"""`cardio virtual CARD=FILE`: a card that goes on where it stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite
from cardio.errors import CardAbsent, CardRemoved
from cardio.transport.channel import Channel
from cardio.transport.pcsc import PcscDriver
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.saving import load
from tests.counter import eventually
from tests.virtual.issuer import MASTER, MF_KEY_FILE, key
from tests.virtual.wire import VERIFY_WRONG

pytestmark = pytest.mark.pcsc

CARDIO = Path(sys.executable).with_name("cardio")


def verify_wrong(driver: PcscDriver, reader: str) -> str:
    channel = connected(driver, reader)
    answer = channel.transmit(bytes.fromhex(VERIFY_WRONG))
    channel.close()
    return answer.hex().upper()


def authenticate(channel: Channel, value: bytes) -> None:
    challenge = channel.transmit(bytes.fromhex("0084000008"))[:8]
    cryptogram = PbocSuite(Algorithm.TRIPLE_DES).external_authentication(value, challenge)
    assert channel.transmit(bytes.fromhex("0082000008") + cryptogram).hex() == "9000"


def connected(driver: PcscDriver, reader: str) -> Channel:
    found: list[Channel] = []

    def present() -> bool:
        try:
            found.append(driver.connect(reader))
        except (CardAbsent, CardRemoved):
            return False
        return True

    eventually(present)
    return found[0]


def test_a_kept_card_goes_on_where_it_stopped(pcscd: PrivatePcscd, tmp_path: Path) -> None:
    file, driver = tmp_path / "card.json", PcscDriver()
    arguments = [str(CARDIO), "virtual", f"citizen={file}", "--port", str(pcscd.port(0))]
    for left, end in ((5, signal.SIGINT), (4, signal.SIGTERM)):
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            while "Ctrl-C" not in (line := process.stdout.readline()):
                assert line, "cardio virtual ended"
            assert verify_wrong(driver, pcscd.readers[0]) == f"63C{left}"
            process.send_signal(end)
            _, errors = process.communicate(timeout=20)
        assert "Traceback" not in errors
        pin = load(file).pin
        assert pin is not None
        assert pin.tries_left == left
    driver.release()


@pytest.mark.parametrize("kind", ["blank-fmcos", "blank-ldt"])
def test_a_blank_card_is_kept_as_far_as_it_was_personalized(pcscd: PrivatePcscd, tmp_path: Path, kind: str) -> None:
    file, driver = tmp_path / "card.json", PcscDriver()
    arguments = [str(CARDIO), "virtual", f"{kind}={file}", "--port", str(pcscd.port(0))]
    for round_ in ("take over", "go on"):
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            while "Ctrl-C" not in (line := process.stdout.readline()):
                assert line, "cardio virtual ended"
            channel = connected(driver, pcscd.readers[0])
            if round_ == "take over":
                authenticate(channel, bytes.fromhex("FF" * 8))
                for command in ("800E000000", MF_KEY_FILE, f"80D4010015{MASTER}{key('CCK').hex()}"):
                    assert channel.transmit(bytes.fromhex(command)).hex() == "9000"
            authenticate(channel, key("CCK"))
            channel.close()
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=20)
        assert "Traceback" not in errors
    driver.release()


def test_a_file_that_cannot_be_kept_is_told_before_anything_else(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(CARDIO), "virtual", f"citizen={tmp_path / 'nowhere' / 'card.json'}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "virtual.invalid" in done.stderr
    assert "已插入" not in done.stdout
