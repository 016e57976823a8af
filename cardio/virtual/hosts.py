"""A ready-made load host for virtual cards.

All keys are test keys (PERS §5.1), so it loads no real card; its books are in memory.
"""

from __future__ import annotations

from collections.abc import Callable

from cardio.security.keyring import MAX_LEVELS, Keyring, RootKey
from cardio.security.software_load_host import SESSION_KEYS, TAC_KEYS, SoftwareLoadHost
from cardio.virtual.roots import SOCIAL_SECURITY_ROOT, WALLET_ROOT, test_root

_WALLET = "WALLET-"


def load_host(clock: Callable[[], bytes], *, wallet_levels: int = 1) -> SoftwareLoadHost:
    """A host that loads every virtual wallet and medical account of `cardio.virtual.cards`.

    Args:
        clock: Its time, 7 bytes YYYYMMDDhhmmss in the cards' time zone.
        wallet_levels: Factors from which the wallets' keys are made: 1 for `citizen_card`, up to 3 for other products.
    """
    roots = {
        name: RootKey(test_root(WALLET_ROOT, name.removeprefix(_WALLET)), wallet_levels)
        if name.startswith(_WALLET)
        else RootKey(test_root(SOCIAL_SECURITY_ROOT, name), MAX_LEVELS)
        for name in {*SESSION_KEYS.values(), *TAC_KEYS.values()}
    }
    return SoftwareLoadHost(Keyring("virtual", roots, test=True), clock)
