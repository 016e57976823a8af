"""What the tests of the installation share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.installation.machine import ROOT


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], check=True, cwd=ROOT)
    (made,) = folder.glob("*.whl")
    return made
