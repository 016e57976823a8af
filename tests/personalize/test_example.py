"""The example makes a card, as it is printed in the README."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "personalize.py"


def test_the_example_makes_a_card_and_reads_it() -> None:
    done = subprocess.run([sys.executable, EXAMPLE], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("****0123 10000\n", "")


def test_the_readme_shows_the_example() -> None:
    _, _, code = EXAMPLE.read_text(encoding="utf-8").partition('"""\n\n')
    assert f"```python\n{code}```" in (ROOT / "README.md").read_text(encoding="utf-8")
