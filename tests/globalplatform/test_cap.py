"""CAP files: components in the card's order, whatever order the archive has."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardio.errors import LoadFileInvalid
from cardio.personalize.globalplatform.cap import CapFile
from tests.globalplatform.caps import APPLET, LOAD_FILE, PACKAGE, components, write_cap


def test_a_cap_file_gives_the_published_load_file(tmp_path: Path) -> None:
    cap = CapFile.read(write_cap(tmp_path / "hello.cap", components()))
    assert cap.load_file(descriptor=True) == LOAD_FILE
    assert (cap.package, cap.version, cap.applets) == (PACKAGE, (1, 0), (APPLET,))


def test_the_descriptor_stays_at_home_unless_it_is_wanted(tmp_path: Path) -> None:
    parts = components()
    cap = CapFile.read(write_cap(tmp_path / "hello.cap", parts))
    short = cap.load_file()
    assert parts["Descriptor"] not in short
    assert len(short) == len(LOAD_FILE) - len(parts["Descriptor"]) - 1  # C4 with a length of 81 xx
    assert CapFile.of({name: part for name, part in parts.items() if name != "Descriptor"}).load_file() == short


@pytest.mark.parametrize("name", ["Header", "Directory", "Import", "Method", "RefLocation"])
def test_a_missing_component_is_named(tmp_path: Path, name: str) -> None:
    parts = {kept: part for kept, part in components().items() if kept != name}
    with pytest.raises(LoadFileInvalid, match=f"component {name} is missing"):
        CapFile.read(write_cap(tmp_path / "hello.cap", parts))


@pytest.mark.parametrize("name", ["Header", "Applet", "Class"])
def test_a_component_that_is_cut_short_is_named(tmp_path: Path, name: str) -> None:
    parts = components() | {name: components()[name][:-1]}
    with pytest.raises(LoadFileInvalid, match=f"component {name} is malformed"):
        CapFile.read(write_cap(tmp_path / "hello.cap", parts))


def test_a_package_without_magic_or_with_a_short_aid_is_refused() -> None:
    header = components()["Header"]
    with pytest.raises(LoadFileInvalid, match="Header is malformed"):
        CapFile.of(components() | {"Header": header.replace(b"\xde\xca", b"\xde\xad")})
    with pytest.raises(LoadFileInvalid, match="malformed AID"):
        CapFile.of(components() | {"Header": header[:12] + b"\x04" + header[13:]})


def test_what_is_no_cap_file_is_told_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "note.cap"
    with pytest.raises(LoadFileInvalid, match=r"note\.cap: No such file"):
        CapFile.read(path)
    path.write_text("no archive")
    with pytest.raises(LoadFileInvalid, match=r"note\.cap"):
        CapFile.read(path)


def test_a_library_has_no_applets() -> None:
    parts = {name: part for name, part in components().items() if name != "Applet"}
    assert CapFile.of(parts).applets == ()
