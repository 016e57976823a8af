"""The README's library code runs as it is printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cardio.virtual.cards import social_security_card
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.vpcd import VpcdLink
from tests.counter import eventually

pytestmark = pytest.mark.pcsc

README = Path(__file__).parents[2] / "README.md"


def test_the_readmes_code_reads_a_card(pcscd: PrivatePcscd) -> None:
    code, _ = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    with VpcdLink(social_security_card(), port=pcscd.port(0)):
        eventually(lambda: "card.absent" not in run().stderr)
        assert run().stdout == "测试甲 2036-06-14\n"
