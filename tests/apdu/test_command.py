"""Command and response APDUs as bytes (ISO 7816-3 §12.1, ISO 7816-4 §5.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio.apdu.command import GET_RESPONSE, MASTER_FILE, Command, Response, select_file, select_name
from cardio.errors import LinkCorrupt
from cardio.transport.channel import CardProtocol, Disclosure

T0, T1 = CardProtocol.T0, CardProtocol.T1
BOTH = pytest.mark.parametrize("protocol", CardProtocol)


def command(data: bytes = b"", le: int | None = None) -> Command:
    return Command("TEST", 0x80, 0x5C, 0x01, 0x02, data=data, le=le)


HEADER = bytes.fromhex("805C0102")


def test_case_1_is_the_header_and_under_t0_a_zero() -> None:
    assert command().encode(T1) == HEADER
    assert command().encode(T0) == HEADER + b"\x00"


@BOTH
@pytest.mark.parametrize(("le", "byte"), [(0, 0x00), (1, 0x01), (255, 0xFF), (256, 0x00)])
def test_case_2_short_ends_with_le(protocol: CardProtocol, le: int, byte: int) -> None:
    assert command(le=le).encode(protocol) == HEADER + bytes([byte])


@BOTH
@pytest.mark.parametrize("size", [1, 255])
def test_case_3_short_has_length_and_data(protocol: CardProtocol, size: int) -> None:
    data = bytes(range(size))
    assert command(data).encode(protocol) == HEADER + bytes([size]) + data


@pytest.mark.parametrize(("le", "byte"), [(0, 0x00), (8, 0x08), (256, 0x00)])
def test_case_4_short_ends_with_le_only_where_the_protocol_carries_it(le: int, byte: int) -> None:
    full = HEADER + bytes([2]) + b"\xab\xcd"
    assert command(b"\xab\xcd", le).encode(T1) == full + bytes([byte])
    assert command(b"\xab\xcd", le).encode(T0) == full


def test_without_a_protocol_le_is_written() -> None:
    assert command(b"\xab", 8).encode() == HEADER + b"\x01\xab\x08"


@BOTH
@pytest.mark.parametrize(("le", "field"), [(257, "0101"), (65535, "FFFF"), (65536, "0000")])
def test_case_2_extended_has_three_bytes_of_le(protocol: CardProtocol, le: int, field: str) -> None:
    assert command(le=le).encode(protocol) == HEADER + b"\x00" + bytes.fromhex(field)


@BOTH
@pytest.mark.parametrize(("size", "field"), [(256, "0100"), (65535, "FFFF")])
def test_case_3_extended_has_three_bytes_of_lc(protocol: CardProtocol, size: int, field: str) -> None:
    assert command(bytes(size)).encode(protocol) == HEADER + b"\x00" + bytes.fromhex(field) + bytes(size)


@pytest.mark.parametrize(
    ("size", "le", "lc_field", "le_field"),
    [(256, 1, "000100", "0001"), (256, 65536, "000100", "0000"), (1, 257, "000001", "0101")],
)
def test_case_4_extended_has_both_lengths_extended(size: int, le: int, lc_field: str, le_field: str) -> None:
    expected = HEADER + bytes.fromhex(lc_field) + bytes(size) + bytes.fromhex(le_field)
    assert command(bytes(size), le).encode(T1) == expected


def test_more_data_than_an_apdu_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="TEST: 65536 bytes"):
        command(bytes(65536)).encode()


def test_with_le_changes_nothing_else() -> None:
    original = Command("READ", 0x00, 0xB2, 1, 0x2C, le=0, disclosure=Disclosure.ALL, repeatable=False)
    changed = original.with_le(0x12)
    assert changed.encode() == bytes.fromhex("00B2012C12")
    assert changed.with_le(0) == original


def test_a_forgotten_declaration_hides_the_data() -> None:
    assert command().disclosure is Disclosure.HEADER
    assert GET_RESPONSE.disclosure is Disclosure.HEADER


def test_select_by_name_and_by_identifier() -> None:
    assert select_name(bytes.fromhex("A00000000386980701")).encode() == bytes.fromhex("00A4040009A0000000038698070100")
    assert select_file(MASTER_FILE).encode() == bytes.fromhex("00A40000023F0000")
    assert select_file(0x0015).encode(T0) == bytes.fromhex("00A40000020015")
    assert select_name(b"HOLDER", Disclosure.HEADER).disclosure is Disclosure.HEADER


@pytest.mark.parametrize("raw", [b"", b"\x90"])
def test_an_answer_without_a_status_word_is_a_fault_of_the_link(raw: bytes) -> None:
    with pytest.raises(LinkCorrupt, match=f"{len(raw)} bytes"):
        Response.decode(raw)


@given(st.binary(min_size=2, max_size=300))
def test_a_response_is_data_and_the_last_two_bytes(raw: bytes) -> None:
    response = Response.decode(raw)
    assert response.data == raw[:-2]
    assert response.sw == raw[-2] << 8 | raw[-1]
    assert response.encode() == raw
    assert response.ok == (raw[-2:] == b"\x90\x00")


def test_data_are_in_no_representation() -> None:
    secret = bytes.fromhex("0102030405060708")
    shown = repr(Command("VERIFY", 0x00, 0x20, data=secret)) + repr(Response(secret, 0x9000))
    assert repr(secret)[2:-1] not in shown
    assert "VERIFY" in shown
