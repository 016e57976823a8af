"""The token that all tests of the HSM share: PKCS#11 libraries know one configuration in a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cardio.security.card_keys import CARD_KEYS
from cardio.security.hsm import Hsm
from cardio.virtual import cards
from tests.security.purchases import CASES, NATIONAL_ROOT
from tests.security.softhsm import MODULE, PIN, TOKEN, configuration, make_token
from tests.security.worked_cards import issuer_keys, readable_keys


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Label of a token with the roots of the specifications (`spec-…`, `<vector>-<levels>`) and of virtual cards."""
    folder = tmp_path_factory.mktemp("softhsm")
    keys = {
        "spec-root": NATIONAL_ROOT,
        "spec-city": bytes.fromhex("A72F39A2C5EC2D76139500193807F79F"),
        "spec-card": bytes.fromhex("91FA66C7FAEBB77353E749A57FD42676"),
        "DPK": NATIONAL_ROOT,
        "WALLET-DPK": cards.test_root(cards.WALLET_ROOT, "DPK"),
        **{name: cards.test_root(cards.SOCIAL_SECURITY_ROOT, name) for name in CARD_KEYS},
    }
    for case in CASES:
        # DES2 keys have 16 bytes.
        keys |= {f"{case}-{levels}": key for levels, key in case.levels.items() if len(key) == 16}
    keys |= issuer_keys()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(configuration(folder)))
        make_token(folder, keys, readable_keys())
        yield TOKEN


@pytest.fixture
def hsm(token: str) -> Iterator[Hsm]:
    """The token, opened."""
    opened = Hsm(MODULE, token, PIN)
    yield opened
    opened.close()
