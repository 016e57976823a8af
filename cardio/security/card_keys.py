"""Authentication keys of the social security card: how card, PSAM and HSM name each of them (SSC §6.1, §6.2).

The names are those of the standard; access rights in file declarations refer to them. A city with other numbers says so
in its product file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

ENCRYPT, MAC, MAC_ENCRYPT = 7, 6, 8
"""Kinds of PSAM keys (SSC §6.2)."""

ENVIRONMENT = "SSSE"


class Authority(Enum):
    """Whose root a key comes from: how many factors a PSAM that holds the root expects, likeliest number first."""

    NATIONAL = (3, 2, 1)
    PROVINCE = (2, 1, 3)


@dataclass(frozen=True)
class CardKey:
    """One key of the card.

    Attributes:
        name: Name in the standard, such as RK1DF03.
        application: Directory on whose level it lies: SSSE or DF01 to DF07.
        kid: P2 of EXTERNAL AUTHENTICATION; 0 for the internal key.
        psam_id: Key identifier in the PSAM; None where no source gives one.
        psam_kind: Kind in the PSAM: 6 MAC, 7 encryption, 8 both.
        hsm_address: Logical address of its first group in the HSM; None where no source gives one.
        authority: Whose root it comes from.
    """

    name: str
    application: str
    kid: int
    psam_id: int | None
    psam_kind: int
    hsm_address: int | None
    authority: Authority

    def purpose(self, levels: int) -> int:
        """Purpose byte of the PSAM key: levels and kind (SSC §6.2)."""
        return levels << 5 | self.psam_kind


_N, _P = Authority.NATIONAL, Authority.PROVINCE

_ROWS: tuple[tuple[str, str, int, int | None, int, int | None, Authority], ...] = (
    ("IRK", ENVIRONMENT, 0x00, 0x08, ENCRYPT, 0x0170, _N),
    ("STKSSSE", ENVIRONMENT, 0x02, 0x09, MAC_ENCRYPT, 0x0173, _N),
    ("UKSSSE", ENVIRONMENT, 0x04, 0x12, MAC_ENCRYPT, 0x0094, _P),
    ("BK", ENVIRONMENT, 0x05, 0x11, MAC_ENCRYPT, 0x0091, _P),
    ("PUK", ENVIRONMENT, 0x06, 0x10, MAC_ENCRYPT, 0x0090, _P),
    ("RKSSSE", ENVIRONMENT, 0x0A, 0x0A, ENCRYPT, 0x004C, _N),
    ("STKDF01", "DF01", 0x82, 0x20, MAC_ENCRYPT, 0x0174, _N),
    ("UK1DF01", "DF01", 0x83, 0x42, MAC_ENCRYPT, 0x0097, _P),
    ("UK2DF01", "DF01", 0x84, 0x43, MAC_ENCRYPT, 0x009A, _P),
    ("UK3DF01", "DF01", 0x85, 0x24, ENCRYPT, 0x0176, _N),
    ("UK4DF01", "DF01", 0x86, 0x25, ENCRYPT, 0x0179, _N),
    ("UK5DF01", "DF01", 0x87, 0x44, MAC_ENCRYPT, 0x009D, _P),
    ("RK1DF01", "DF01", 0x88, 0x2E, ENCRYPT, 0x004F, _N),
    ("UK6DF01", "DF01", 0x89, 0x2F, ENCRYPT, 0x0052, _N),
    # SSC PC-7: the card's numbers of the next five are a project choice.
    ("UK7DF01", "DF01", 0x8A, 0x30, ENCRYPT, 0x0055, _N),
    ("UK8DF01", "DF01", 0x8B, 0x31, ENCRYPT, 0x0058, _N),
    ("UK9DF01", "DF01", 0x8C, 0x32, ENCRYPT, 0x005B, _N),
    ("UKADF01", "DF01", 0x8D, 0x33, ENCRYPT, 0x005E, _N),
    ("UKBDF01", "DF01", 0x8E, 0x34, ENCRYPT, 0x0061, _N),
    ("STKDF02", "DF02", 0x82, 0x21, MAC_ENCRYPT, 0x0185, _N),
    ("UK1DF02", "DF02", 0x83, 0x26, ENCRYPT, 0x0187, _N),
    ("UK2DF02", "DF02", 0x84, 0x45, MAC_ENCRYPT, 0x00A0, _P),
    ("UK3DF02", "DF02", 0x85, 0x46, MAC_ENCRYPT, 0x00A3, _P),
    ("UK4DF02", "DF02", 0x86, 0x27, ENCRYPT, 0x018A, _N),
    ("UK5DF02", "DF02", 0x87, 0x28, ENCRYPT, 0x018D, _N),
    ("RK1DF02", "DF02", 0x88, 0x35, ENCRYPT, 0x0064, _N),
    ("UK6DF02", "DF02", 0x89, 0x36, ENCRYPT, 0x0067, _N),
    ("STKDF03", "DF03", 0x82, 0x22, MAC_ENCRYPT, 0x0186, _N),
    ("LKDF03", "DF03", 0x83, 0x40, MAC_ENCRYPT, 0x0092, _P),
    ("RK1DF03", "DF03", 0x84, 0x2B, ENCRYPT, 0x0193, _N),
    ("RK2DF03", "DF03", 0x85, 0x2C, ENCRYPT, 0x0196, _N),
    ("UK1DF03", "DF03", 0x86, 0x47, MAC_ENCRYPT, 0x00A6, _P),
    ("UK2DF03", "DF03", 0x87, 0x29, ENCRYPT, 0x0190, _N),
    ("UK3DF03", "DF03", 0x88, 0x48, MAC_ENCRYPT, 0x00A9, _P),
    ("UK4DF03", "DF03", 0x89, 0x37, ENCRYPT, 0x006A, _N),
    ("UK5DF03", "DF03", 0x8A, 0x38, ENCRYPT, 0x006D, _N),
    ("UK6DF03", "DF03", 0x8B, 0x39, ENCRYPT, 0x0070, _N),
    ("UK7DF03", "DF03", 0x8C, 0x3A, ENCRYPT, 0x0073, _N),
    ("UK8DF03", "DF03", 0x8D, 0x3B, ENCRYPT, 0x0076, _N),
    ("STKDF04", "DF04", 0x82, 0x23, MAC_ENCRYPT, 0x0175, _N),
    ("LKDF04", "DF04", 0x83, 0x41, MAC_ENCRYPT, 0x0093, _P),
    ("RK1DF04", "DF04", 0x84, 0x2D, ENCRYPT, 0x0182, _N),
    ("UK1DF04", "DF04", 0x85, 0x49, MAC_ENCRYPT, 0x00AC, _P),
    ("UK2DF04", "DF04", 0x86, 0x2A, ENCRYPT, 0x017C, _N),
    ("DSK", "DF04", 0x89, 0x4A, MAC_ENCRYPT, 0x00AF, _P),  # SSC PC-7
    ("STKDF05", "DF05", 0x82, 0xB3, MAC_ENCRYPT, 0x008C, _N),
    ("UK1DF05", "DF05", 0x83, 0xB4, ENCRYPT, 0x008D, _N),
    # SSC PC-7: after the pattern of DF04; no source gives their numbers in PSAM and HSM.
    ("LKDF06", "DF06", 0x83, None, MAC_ENCRYPT, None, _P),
    ("RK1DF06", "DF06", 0x84, None, ENCRYPT, None, _N),
    ("UK1DF06", "DF06", 0x85, 0x53, MAC_ENCRYPT, None, _P),
    ("UK2DF06", "DF06", 0x86, None, ENCRYPT, None, _N),
    # SSC PC-7: inferred from the gap.
    ("STKDF07", "DF07", 0x82, 0x3C, MAC_ENCRYPT, 0x0079, _N),
    ("RK1DF07", "DF07", 0x83, 0x3D, ENCRYPT, 0x007A, _N),
    ("RK2DF07", "DF07", 0x84, 0x3F, ENCRYPT, 0x0080, _N),
    ("RK3DF07", "DF07", 0x85, 0xB1, ENCRYPT, 0x0086, _N),
    ("UK1DF07", "DF07", 0x86, 0x3E, ENCRYPT, 0x007D, _N),
    ("UK2DF07", "DF07", 0x87, 0xB0, ENCRYPT, 0x0083, _N),
    ("UK3DF07", "DF07", 0x88, 0xB2, ENCRYPT, 0x0089, _N),
    # SSC PC-1: the employer card's own directory; it borrows the numbers of DF04, no PSAM is known to hold its keys.
    ("RK1DF0A", "DF0A", 0x84, None, ENCRYPT, None, _N),
    ("UK1DF0A", "DF0A", 0x85, None, MAC_ENCRYPT, None, _P),
)
CARD_KEYS: Mapping[str, CardKey] = {row[0]: CardKey(*row) for row in _ROWS}
"""All keys by name."""

INTERNAL_KEY = CARD_KEYS["IRK"]
"""Key of INTERNAL AUTHENTICATION, which proves that the card is the issuer's."""
