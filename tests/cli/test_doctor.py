"""`cardio doctor`: the library's part, on a real pcscd and without one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cardio.virtual.pcscd import PrivatePcscd

CARDIO = Path(sys.executable).with_name("cardio")


def doctor(*arguments: str, **environment: str) -> tuple[int, dict[str, Any]]:
    """Exit code, and findings by name."""
    done = subprocess.run(
        [CARDIO, "doctor", "--json", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    return done.returncode, {one["name"]: one for one in json.loads(done.stdout)["checks"]}


@pytest.mark.pcsc
def test_a_computer_with_readers_is_fit(pcscd: PrivatePcscd) -> None:
    code, found = doctor()
    assert (code, {one["outcome"] for one in found.values()}) == (0, {"ok"})
    assert "pcsc-lite version" in found["pcsc.service"]["en"]
    assert all(name in found["readers"]["en"] for name in pcscd.readers)


def test_without_a_reader_service_it_says_how_to_get_one(tmp_path: Path) -> None:
    code, found = doctor(PCSCLITE_CSOCK_NAME=str(tmp_path / "none"))
    assert code == 6
    assert [name for name, one in found.items() if one["outcome"] == "fail"] == ["pcsc.service", "readers"]
    assert "apt-get install pcscd" in found["pcsc.service"]["remedy_en"]


def test_a_wrong_card_product_is_named(tmp_path: Path) -> None:
    (tmp_path / "city.toml").write_text("nonsense = 1")
    code, found = doctor("--profiles", str(tmp_path))
    assert code == 6
    assert "city.toml" in found["products"]["en"]
