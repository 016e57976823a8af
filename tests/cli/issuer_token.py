"""A SoftHSM2 token with the issuer's test keys, made as docs/keys.md says; run as a program with its folder."""

from __future__ import annotations

import sys
from pathlib import Path

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite
from cardio.security.hsm_issuing import LEFT
from cardio.virtual.issuing_keys import BATCH, GLOBALPLATFORM, SSSE_TEMPORARY, TRANSPORT_SM4, issuer_test_keyring
from tests.security.softhsm import make_token

CITY_KEY, CITY_LABEL = "UK1DF01", "city-uk1"
"""A key that the token has from the city on, under a label of its own."""
REGION = (bytes.fromhex("3939393030307368"), bytes.fromhex("3939393930307378"))
"""Factors of the region 999999 (PERS §5.3)."""


def main(folder: Path) -> None:
    """Make the token."""
    issuer = issuer_test_keyring()
    names = [name for name in issuer.names() if not name.startswith(GLOBALPLATFORM) and name != TRANSPORT_SM4]
    keys = {name: issuer.root(name).key for name in names}
    # A transport key of 8 bytes has two equal halves here, which computes the same.
    keys = {name: key * (16 // len(key)) for name, key in keys.items()}
    readable = {name: keys.pop(name) for name in (BATCH, SSSE_TEMPORARY)}
    keys |= {name + LEFT: key[:8] * 2 for name, key in readable.items()}
    keys[CITY_LABEL] = PbocSuite(Algorithm.TRIPLE_DES).diversify(keys.pop(CITY_KEY), REGION)
    make_token(folder, keys, readable)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
