"""Sites for the doctor: folders that stand for a computer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cardiod.doctor.site import Site
from cardiod.settings import Settings

MakeSite = Callable[..., Site]


@pytest.fixture
def site(tmp_path: Path) -> MakeSite:
    """Makes sites: a journal in a folder, an empty system."""

    def make(user: str = "root", **settings: Any) -> Site:
        (tmp_path / "state").mkdir(mode=0o700, exist_ok=True)
        values = {"journal": tmp_path / "state" / "journal.db", "socket": None, "port": 0, **settings}
        return Site(Settings(**values), user, tmp_path / "root")

    return make
