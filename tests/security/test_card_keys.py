"""The key table against the rows of SSC §6.2, typed here from the specification."""

import pytest

from cardio.security.card_keys import CARD_KEYS, Authority

SSC_6_2 = """
IRK 00 08 7 0170 N
STKSSSE 02 09 8 0173 N
UKSSSE 04 12 8 0094 P
BK 05 11 8 0091 P
PUK 06 10 8 0090 P
RKSSSE 0A 0A 7 004C N
UK1DF01 83 42 8 0097 P
UK2DF01 84 43 8 009A P
UK3DF01 85 24 7 0176 N
UK4DF01 86 25 7 0179 N
UK5DF01 87 44 8 009D P
RK1DF01 88 2E 7 004F N
UK6DF01 89 2F 7 0052 N
UK1DF02 83 26 7 0187 N
UK2DF02 84 45 8 00A0 P
UK3DF02 85 46 8 00A3 P
UK4DF02 86 27 7 018A N
UK5DF02 87 28 7 018D N
RK1DF02 88 35 7 0064 N
UK6DF02 89 36 7 0067 N
LKDF03 83 40 8 0092 P
RK1DF03 84 2B 7 0193 N
RK2DF03 85 2C 7 0196 N
UK1DF03 86 47 8 00A6 P
UK2DF03 87 29 7 0190 N
UK3DF03 88 48 8 00A9 P
UK4DF03 89 37 7 006A N
UK5DF03 8A 38 7 006D N
UK6DF03 8B 39 7 0070 N
UK7DF03 8C 3A 7 0073 N
UK8DF03 8D 3B 7 0076 N
LKDF04 83 41 8 0093 P
RK1DF04 84 2D 7 0182 N
UK1DF04 85 49 8 00AC P
UK2DF04 86 2A 7 017C N
DSK 89 4A 8 00AF P
UK1DF05 83 B4 7 008D N
RK1DF07 83 3D 7 007A N
RK2DF07 84 3F 7 0080 N
RK3DF07 85 B1 7 0086 N
UK1DF07 86 3E 7 007D N
UK2DF07 87 B0 7 0083 N
UK3DF07 88 B2 7 0089 N
"""
ROWS = [line.split() for line in SSC_6_2.strip().splitlines()]


@pytest.mark.parametrize(("name", "kid", "psam_id", "kind", "hsm", "level"), ROWS, ids=[row[0] for row in ROWS])
def test_a_key_has_the_numbers_of_the_specification(
    name: str, kid: str, psam_id: str, kind: str, hsm: str, level: str
) -> None:
    key = CARD_KEYS[name]
    assert (key.kid, key.psam_id, key.psam_kind) == (int(kid, 16), int(psam_id, 16), int(kind))
    assert key.hsm_address == int(hsm, 16)
    assert key.authority is (Authority.NATIONAL if level == "N" else Authority.PROVINCE)
    assert key.application in {"SSSE", name[-4:], "DF04"}


def test_no_two_keys_of_one_directory_share_a_number() -> None:
    numbers = [(key.application, key.kid) for key in CARD_KEYS.values()]
    assert len(set(numbers)) == len(numbers)


def test_the_purpose_byte_counts_the_levels() -> None:
    """SSC §6.2: 67 three levels and encryption, 47 and 48 two levels, 27 and 28 one level."""
    assert [CARD_KEYS["IRK"].purpose(levels) for levels in (3, 2, 1)] == [0x67, 0x47, 0x27]
    assert [CARD_KEYS["UKSSSE"].purpose(levels) for levels in (2, 1)] == [0x48, 0x28]
