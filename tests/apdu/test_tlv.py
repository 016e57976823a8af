"""Tag-length-value: whatever a card sends becomes objects or a typed error."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio.apdu.tlv import Tlv, encode_ber, encode_simple, find_ber, iterate_ber, iterate_simple
from cardio.errors import CardDataInvalid


def one_byte_tags() -> st.SearchStrategy[int]:
    return st.integers(1, 0xFE).filter(lambda tag: tag & 0x1F != 0x1F)


def long_tags() -> st.SearchStrategy[int]:
    first = st.sampled_from([0x1F, 0x3F, 0x5F, 0x7F, 0x9F, 0xBF, 0xDF])
    last = st.integers(0, 0x7F)
    two = st.builds(lambda a, b: a << 8 | b, first, last)
    three = st.builds(lambda a, b, c: a << 16 | b << 8 | c, first, st.integers(0x80, 0xFF), last)
    return two | three


ber_tags = one_byte_tags() | long_tags()
objects = st.lists(st.builds(Tlv, ber_tags, st.binary(max_size=40)), max_size=6)
simple_objects = st.lists(st.builds(Tlv, st.integers(0, 255), st.binary(max_size=255)), max_size=4)


@given(objects)
def test_ber_objects_come_back_as_they_were_written(tlvs: list[Tlv]) -> None:
    encoded = b"".join(encode_ber(tlv.tag, tlv.value) for tlv in tlvs)
    assert list(iterate_ber(encoded)) == tlvs


@given(simple_objects)
def test_simple_objects_come_back_as_they_were_written(tlvs: list[Tlv]) -> None:
    encoded = b"".join(encode_simple(tlv.tag, tlv.value) for tlv in tlvs)
    assert list(iterate_simple(encoded)) == tlvs


@given(st.binary(max_size=80))
def test_any_bytes_are_ber_objects_or_invalid(data: bytes) -> None:
    with contextlib.suppress(CardDataInvalid):
        for tlv in iterate_ber(data):
            assert tlv.value in data


@given(st.binary(max_size=80))
def test_any_bytes_are_simple_objects_or_invalid(data: bytes) -> None:
    with contextlib.suppress(CardDataInvalid):
        tlvs = list(iterate_simple(data))
        assert b"".join(encode_simple(tlv.tag, tlv.value) for tlv in tlvs) == data


@given(st.binary(max_size=40), st.lists(ber_tags, max_size=3))
def test_a_search_in_any_bytes_finds_a_value_or_nothing_or_is_invalid(data: bytes, path: list[int]) -> None:
    with contextlib.suppress(CardDataInvalid):
        found = find_ber(data, *path)
        assert found is None or found in data


@pytest.mark.parametrize(
    ("size", "length"),
    [(0, "00"), (0x7F, "7F"), (0x80, "8180"), (0xFF, "81FF"), (0x100, "820100"), (0xFFFF, "82FFFF")],
)
def test_ber_lengths_take_the_shortest_form(size: int, length: str) -> None:
    encoded = encode_ber(0x9F0C, bytes(size))
    assert encoded == bytes.fromhex("9F0C" + length) + bytes(size)
    assert list(iterate_ber(encoded)) == [Tlv(0x9F0C, bytes(size))]


def test_fillers_between_ber_objects_are_passed_over() -> None:
    data = bytes.fromhex("00FF 8101AA 0000 8201BB FF")
    assert list(iterate_ber(data)) == [Tlv(0x81, b"\xaa"), Tlv(0x82, b"\xbb")]


@given(objects.filter(bool), st.data())
def test_ber_objects_cut_short_are_never_taken_as_whole(tlvs: list[Tlv], data: st.DataObject) -> None:
    *before, last = [encode_ber(tlv.tag, tlv.value) for tlv in tlvs]
    kept = data.draw(st.integers(1, len(last) - 1)) if len(last) > 1 else 0
    with pytest.raises(CardDataInvalid):
        list(iterate_ber(b"".join(before) + last[:kept]))


@pytest.mark.parametrize(
    "data",
    [
        "6F",
        "6F02AA",
        "6F80",
        "6F83000001AA",
        "6F8101",
        "6F80" + "00" * 128,
        "6F820001",
        "9F",
        "9F8181",
        "9F81818101AA",
        "6F84000000",
    ],
)
def test_malformed_ber_is_invalid(data: str) -> None:
    with pytest.raises(CardDataInvalid):
        list(iterate_ber(bytes.fromhex(data)))


@pytest.mark.parametrize(("data", "byte"), [("01", 0), ("0102AA", 0), ("0101AA02", 3), ("0100 0205FFFFFFFF", 2)])
def test_malformed_simple_objects_are_invalid_and_say_where(data: str, byte: int) -> None:
    with pytest.raises(CardDataInvalid, match=f"item at byte {byte} "):
        list(iterate_simple(bytes.fromhex(data)))


def test_objects_before_a_malformed_one_are_still_given() -> None:
    objects_of = iterate_simple(bytes.fromhex("0101AA 0205"))
    assert next(objects_of) == Tlv(1, b"\xaa")
    with pytest.raises(CardDataInvalid):
        next(objects_of)


WALLET_FCI = bytes.fromhex("6F0F 8403A00001 A508 9F080102 88021122".replace(" ", ""))


def test_a_path_leads_into_templates() -> None:
    assert find_ber(WALLET_FCI, 0x6F, 0x84) == bytes.fromhex("A00001")
    assert find_ber(WALLET_FCI, 0x6F, 0xA5, 0x9F08) == b"\x02"
    assert find_ber(WALLET_FCI, 0x6F, 0xA5, 0x88) == bytes.fromhex("1122")
    assert find_ber(WALLET_FCI) == WALLET_FCI


@pytest.mark.parametrize("path", [(0x70,), (0x6F, 0x9F08), (0x6F, 0xA5, 0x84)])
def test_a_path_that_is_not_there_finds_nothing(path: tuple[int, ...]) -> None:
    assert find_ber(WALLET_FCI, *path) is None


def test_the_algorithm_of_a_third_generation_card_is_found_in_its_fci() -> None:
    fci = bytes.fromhex("6F1C840F7378312E73682EC9E7BBE1B1A3D5CFA50988011E9F0C03860103")  # SSC §9.2
    assert find_ber(fci, 0x6F, 0xA5, 0x9F0C, 0x86) == b"\x03"


def test_the_first_of_several_objects_counts() -> None:
    assert find_ber(bytes.fromhex("8101AA8101BB"), 0x81) == b"\xaa"


@pytest.mark.parametrize("tag", [0, 255])
def test_a_simple_value_has_at_most_255_bytes(tag: int) -> None:
    with pytest.raises(ValueError, match="range"):
        encode_simple(tag, bytes(256))
