"""Test keys of wallets in software."""

from __future__ import annotations

from cardio.security.derived_keys import Terminal
from cardio.security.keyring import Keyring, RootKey
from cardio.virtual.roots import WALLET_ROOT, test_root
from cardio.virtual.sams import TERMINAL_NUMBER

WALLET_PURCHASE = test_root(WALLET_ROOT, "DPK")
"""Root of the purchase keys; citizen cards are one factor below it, T-Union cards two."""


def wallet_keyring(levels: int = 1) -> Keyring:
    """The root in a keyring, with the virtual PSAM's terminal number."""
    root = RootKey(WALLET_PURCHASE, levels)
    return Keyring("bench", {"WALLET-DPK": root}, test=True, terminal=Terminal(TERMINAL_NUMBER))
