"""Data groupings in as few commands as their order allows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardio.personalize.globalplatform.dgi import DataBlock, Dgi, DgiProtection, data_blocks

KEY = bytes(range(16))


def invert(data: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in data)


def blocks(*groupings: Dgi, capacity: int = 32) -> list[DataBlock]:
    return list(data_blocks(groupings, capacity, invert, 8))


def test_short_groupings_share_a_command() -> None:
    assert blocks(Dgi(0x0101, b"\x01\x02"), Dgi(0x9102, b"\x03")) == [
        DataBlock(bytes.fromhex("0101020102 91020103"), encrypted=False)
    ]


def test_a_grouping_that_does_not_fit_any_more_begins_the_next_command() -> None:
    found = blocks(Dgi(0x0101, bytes(20)), Dgi(0x0102, bytes(20)))
    assert [block.data[:3].hex() for block in found] == ["010114", "010214"]


def test_a_length_of_255_and_more_takes_three_bytes() -> None:
    (block,) = blocks(Dgi(0x0101, bytes(254)), capacity=300)
    assert block.data[:3] == bytes.fromhex("0101FE")
    (block,) = blocks(Dgi(0x0101, bytes(255)), capacity=300)
    assert block.data[:5] == bytes.fromhex("0101FF00FF")


def test_encrypted_groupings_have_commands_of_their_own() -> None:
    found = blocks(Dgi(0x0101, b"\x01"), Dgi(0x8113, KEY, DgiProtection.ENCRYPTED), Dgi(0x0102, b"\x02"))
    assert [block.encrypted for block in found] == [False, True, False]
    assert found[1].data == bytes.fromhex("811310") + invert(KEY)


def test_padded_groupings_are_filled_to_whole_blocks() -> None:
    (block,) = blocks(Dgi(0x0101, b"\x01\x02\x03", DgiProtection.PADDED))
    assert block.data == bytes.fromhex("010108") + invert(bytes.fromhex("0102038000000000"))


def test_an_encrypted_grouping_of_other_lengths_is_refused_without_being_shown() -> None:
    with pytest.raises(ValueError, match="8113: 15 bytes") as refused:
        blocks(Dgi(0x8113, KEY[:15], DgiProtection.ENCRYPTED))
    assert KEY[:15].hex() not in str(refused.value)


def test_a_value_is_not_shown() -> None:
    assert KEY.hex() not in repr(Dgi(0x8113, KEY)) + repr(blocks(Dgi(0x8113, KEY)))


@settings(deadline=None)
@given(
    groupings=st.lists(
        st.builds(
            Dgi,
            st.integers(0, 0xFFFF),
            st.binary(max_size=300),
            st.sampled_from([DgiProtection.PLAIN, DgiProtection.PADDED]),
        ),
        max_size=8,
    ),
    capacity=st.integers(8, 247),
)
def test_nothing_is_lost_reordered_or_too_long(groupings: list[Dgi], capacity: int) -> None:
    found = list(data_blocks(groupings, capacity, invert, 8))
    assert b"".join(block.data for block in found) == b"".join(dgi.encode(invert, 8) for dgi in groupings)
    assert all(1 <= len(block.data) <= capacity for block in found)
