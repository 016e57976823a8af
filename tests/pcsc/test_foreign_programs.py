"""Programs that are not ours read our virtual cards through a real pcscd (SSC §2.1, §4.1, §9)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cardio.virtual.pcscd import PrivatePcscd

pytestmark = pytest.mark.pcsc

SELECT_SSSE = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"
FCI = "6F1C840F7378312E73682EC9E7BBE1B1A3D5CFA50988011E9F0C03860101"
CARDIO = Path(sys.executable).with_name("cardio")


def run(*command: str, stdin: str = "") -> str:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def cardio_virtual(pcscd: PrivatePcscd, *kinds: str) -> Iterator[None]:
    """`cardio virtual` as a process of its own, its cards in the readers."""
    arguments = [str(CARDIO), "virtual", *kinds, "--port", str(pcscd.port(0))]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while "Ctrl-C" not in (line := process.stdout.readline()):
            assert line, "cardio virtual ended"
        try:
            time.sleep(0.6)  # pcscd looks at its slots every 0.4 s
            yield
        finally:
            process.terminate()


@pytest.fixture(scope="module", autouse=True)
def card(pcscd: PrivatePcscd) -> Iterator[None]:
    """A social security card in the first slot."""
    with cardio_virtual(pcscd, "social-security"):
        yield


def test_opensc_tool_lists_the_reader_with_its_card(pcscd: PrivatePcscd) -> None:
    listing = run("opensc-tool", "--list-readers")
    row = next(line for line in listing.splitlines() if pcscd.readers[0] in line)
    assert row.split()[1] == "Yes"


def test_opensc_tool_sees_the_atr_of_the_card(pcscd: PrivatePcscd) -> None:
    atr = run("opensc-tool", "--reader", pcscd.readers[0], "--atr").strip()
    assert atr.replace(":", "").upper() == "3B6D000099992606019999260101000123"


def test_opensc_tool_selects_the_environment(pcscd: PrivatePcscd) -> None:
    """Without Le opensc-tool asks for no answer data; it gets 61xx, which it reports as success."""
    output = run("opensc-tool", "--reader", pcscd.readers[0], "-s", SELECT_SSSE)
    assert "Received (SW1=0x90, SW2=0x00)" in output


def test_opensc_tool_gets_the_fci_when_it_asks_for_it(pcscd: PrivatePcscd) -> None:
    output = run("opensc-tool", "--reader", pcscd.readers[0], "-s", SELECT_SSSE + "00")
    assert received(output) == FCI + "9000"


def received(output: str) -> str:
    """Status word and hex dump of opensc-tool as one string, data first."""
    status = re.search(r"SW1=0x([0-9A-F]{2}), SW2=0x([0-9A-F]{2})", output)
    assert status is not None, output
    rows = output.split("\n", 1)[1].splitlines()[1:]
    data = "".join(re.sub(r"[^0-9A-F]", "", row[:48]) for row in rows)
    return data + status.group(1) + status.group(2)


def test_scriptor_walks_through_the_issuer_data_as_a_contact_card_answers(pcscd: PrivatePcscd) -> None:
    """61xx, GET RESPONSE, 6Cxx and single records, as in the trace of SSC §9.1."""
    script = "\n".join(
        ("reset", "00A404000F7378312E73682EC9E7BBE1B1A3D5CF", "00C000001E", "00B2012C00", "00B2012C12", "00B2072C0B")
    )
    output = run("scriptor", "-u", "-r", pcscd.readers[0], stdin=script + "\n")
    answers = [answer(line) for line in joined(output) if line.startswith("<")]
    assert answers == [
        "3B6D000099992606019999260101000123",
        "611E",
        FCI + "9000",
        "6C12",
        "0110999900D15600000500000123FFFFFFFF9000",
        "07094130303030303132369000",
    ]


def answer(line: str) -> str:
    """Hex of "< 61 1E : 0x1E bytes …" and of "< OK: 3B 6D …"."""
    return re.sub(r"[^0-9A-F]", "", line.removeprefix("< OK:").split(":")[0])


def joined(output: str) -> list[str]:
    """Lines of scriptor, continued answers put together."""
    lines: list[str] = []
    for line in output.splitlines():
        if lines and lines[-1].startswith("<") and not line.startswith((">", "<", "Using", "#")):
            lines[-1] += line
        else:
            lines.append(line)
    return lines


def test_the_environment_leads_other_programs_to_our_pcscd(pcscd: PrivatePcscd) -> None:
    assert os.environ["PCSCLITE_CSOCK_NAME"] == str(pcscd.socket)
