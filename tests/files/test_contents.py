"""What files hold, as cards store it."""

from __future__ import annotations

import pytest

from cardio.files.codecs import Number
from cardio.files.contents import blank_records, encode_records
from cardio.files.declaration import FREE, FileDeclaration, Structure
from cardio.files.record import FixedRecord, Record, field


class Fixed(FixedRecord):
    number: int = field(Number(2), "数", "number")


def declared(structure: Structure, size: int) -> FileDeclaration:
    """A file for up to three of these records."""
    return FileDeclaration(0xEF06, 6, "文件", "file", structure, Fixed, read=FREE, update=FREE, size=size, records=3)


CYCLIC = declared(Structure.CYCLIC, 2)
TRANSPARENT = declared(Structure.TRANSPARENT, 6)
FIXED = declared(Structure.LINEAR_FIXED, 2)


def test_transparent_files_are_filled_up() -> None:
    assert encode_records(TRANSPARENT, [Fixed(number=1)]) == [bytes.fromhex("000100000000")]


@pytest.mark.parametrize(
    ("file", "blank"), [(CYCLIC, []), (TRANSPARENT, [bytes.fromhex("FFFF00000000")]), (FIXED, [b"\xff\xff"] * 3)]
)
def test_files_that_were_never_written_are_blank(file: FileDeclaration, blank: list[bytes]) -> None:
    assert blank_records(file) == blank


def test_contents_must_fit_their_file() -> None:
    with pytest.raises(ValueError, match="3 records"):
        encode_records(CYCLIC, [Fixed(number=1)] * 4)
    with pytest.raises(ValueError, match="longer"):
        encode_records(CYCLIC, [Fixed(number=1, trailing=b"\x00")])
    with pytest.raises(ValueError, match="one record"):
        encode_records(TRANSPARENT, [Fixed(number=1)] * 2)
    with pytest.raises(TypeError, match="no encoding"):
        encode_records(TRANSPARENT, [Record()])
