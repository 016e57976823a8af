"""`cardio virtual CARD=FILE`: a card that goes on where it stopped."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cardio.errors import CardAbsent, CardRemoved
from cardio.transport.pcsc import PcscDriver
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.saving import load
from tests.counter import eventually
from tests.virtual.wire import VERIFY_WRONG

pytestmark = pytest.mark.pcsc

CARDIO = Path(sys.executable).with_name("cardio")


def verify_wrong(driver: PcscDriver, reader: str) -> str:
    answers: list[bytes] = []

    def present() -> bool:
        try:
            channel = driver.connect(reader)
        except (CardAbsent, CardRemoved):
            return False
        answers.append(channel.transmit(bytes.fromhex(VERIFY_WRONG)))
        channel.close()
        return True

    eventually(present)
    return answers[0].hex().upper()


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
