"""Keys that an issuer must not take (PERS §1.1, §3.2), components, and check values (PERS §2.4)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio.crypto.check_values import KeyAlgorithm, key_check_value
from cardio.crypto.ciphers import TRIPLE_DES
from cardio.errors import KeyRejected, KeyringInvalid, SamKeyMissing
from cardio.security.key_components import KeyComponent, combine
from cardio.security.key_quality import WEAK_DES_KEYS, accept, check_key, odd_parity
from cardio.security.keyring import Keyring, RootKey

DES, SM4, AES = KeyAlgorithm.TRIPLE_DES, KeyAlgorithm.SM4, KeyAlgorithm.AES
BLOCK = b"8 bytes."
GOOD = bytes.fromhex("404142434445464748494A4B4C4D4E4F")
FIRST = odd_parity(bytes.fromhex("0123456789ABCDEF1122334455667788"))
SECOND = odd_parity(bytes.fromhex("102030405060708090A0B0C0D0E0F001"))


@pytest.mark.parametrize(
    ("algorithm", "key", "kcv"),
    [
        (DES, GOOD, "8BAF47"),
        (AES, GOOD, "504A77"),
        (DES, b"\xff" * 8, "CAAAAF"),
        # by `openssl enc -sm4-ecb`
        (SM4, bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"), "2677F4"),
    ],
)
def test_check_values_are_those_of_the_specification(algorithm: KeyAlgorithm, key: bytes, kcv: str) -> None:
    assert key_check_value(algorithm, key).hex().upper() == kcv


@given(st.binary(min_size=16, max_size=16))
def test_odd_parity_changes_only_what_des_ignores(key: bytes) -> None:
    adjusted = odd_parity(key)
    assert all(byte.bit_count() % 2 == 1 for byte in adjusted)
    assert key_check_value(DES, adjusted) == key_check_value(DES, key)


def test_the_list_of_weak_keys_is_whole_and_each_has_one_that_undoes_it() -> None:
    assert len(WEAK_DES_KEYS) == 16
    undone = {
        one: [other for other in WEAK_DES_KEYS if TRIPLE_DES.encrypt(other, TRIPLE_DES.encrypt(one, BLOCK)) == BLOCK]
        for one in WEAK_DES_KEYS
    }
    assert all(len(partners) == 1 and odd_parity(one) == one for one, partners in undone.items())
    assert sum(partners == [one] for one, partners in undone.items()) == 4


@pytest.mark.parametrize(
    ("algorithm", "key", "said"),
    [
        (DES, "FF" * 8, "weak"),
        (DES, "00" * 8 + "404142434445464F", "weak"),
        (DES, "404142434445464F" + "1FE01FE00EF10EF1", "weak"),
        (DES, "3E3C3E3C3E3C3E3C3F3D3F3D3F3D3F3D", "single DES"),
        (SM4, "3E3C3E3C3E3C3E3C3F3D3F3D3F3D3F3D", "single DES"),
        (DES, "40" * 15, "8 or 16 bytes"),
        (SM4, "40" * 8, "16 bytes"),
        (SM4, "00" * 16, "equal"),
        (AES, "40" * 32, "equal"),
    ],
)
def test_keys_that_protect_nothing_are_refused(algorithm: KeyAlgorithm, key: str, said: str) -> None:
    with pytest.raises(KeyRejected, match=said) as caught:
        check_key(bytes.fromhex(key), algorithm)
    assert key not in str(caught.value)


def test_a_key_that_des_cannot_tell_from_another_is_refused() -> None:
    ring = accept(Keyring("city", {}, test=False), "PURCHASE", RootKey(GOOD, 1), DES)
    twin = RootKey(bytes(byte ^ 1 for byte in GOOD), 1)
    with pytest.raises(KeyRejected, match="the same key as PURCHASE"):
        accept(ring, "LOAD", twin, DES)
    for algorithm in (SM4, AES):
        # The keyring does not remember what a key is for: both can be used in a 3DES card.
        with pytest.raises(KeyRejected, match="the same key as PURCHASE"):
            accept(ring, "LOAD", twin, algorithm)
    for algorithm in (SM4, AES):
        assert accept(ring, "LOAD", RootKey(FIRST, 1), algorithm).names() == ["LOAD", "PURCHASE"]
    with pytest.raises(KeyRejected, match="already"):
        accept(ring, "PURCHASE", RootKey(FIRST, 1), DES)
    with pytest.raises(KeyRejected, match="A to Z"):
        accept(ring, "two words", RootKey(FIRST, 1), DES)
    assert ring.names() == ["PURCHASE"]


# ---- components --------------------------------------------------------------------------------------------------


def test_components_are_the_key_only_together() -> None:
    parts = [KeyComponent("Li", DES, FIRST), KeyComponent("Wang", DES, SECOND)]
    root = combine(parts, 3)
    assert (root.key, root.levels) == (odd_parity(bytes(a ^ b for a, b in zip(FIRST, SECOND, strict=True))), 3)
    third = [KeyComponent.generate(name, SM4) for name in ("Li", "Wang", "Zhao")]
    assert combine(third, 0).key not in {part.value for part in third}


def test_too_few_unequal_or_cancelling_components_are_refused() -> None:
    one = KeyComponent("Li", DES, FIRST)
    with pytest.raises(KeyRejected, match="two components"):
        combine([one], 1)
    with pytest.raises(KeyRejected, match="different kinds"):
        combine([one, KeyComponent("Wang", SM4, SECOND)], 1)
    with pytest.raises(KeyRejected, match="weak"):
        combine([one, KeyComponent("Wang", DES, FIRST)], 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [(GOOD.hex(), "odd parity"), ("not hexadecimal", "hexadecimal"), (FIRST.hex()[:-2], "bytes"), ("", "bytes")],
)
def test_a_mistyped_component_is_refused_and_not_repeated(text: str, said: str) -> None:
    with pytest.raises(KeyRejected, match=said) as caught:
        KeyComponent.typed("Li", DES, text)
    assert not text or text not in str(caught.value)


def test_a_component_lies_in_a_file_under_its_custodians_passphrase(tmp_path: Path) -> None:
    made, path = KeyComponent.generate("Li", AES), tmp_path / "li.json"
    made.save(path, "secret")
    assert KeyComponent.load(path, "secret", AES) == made
    assert made.value.hex() not in path.read_text()
    with pytest.raises(KeyringInvalid, match="passphrase"):
        KeyComponent.load(path, "guess", AES)
    with pytest.raises(KeyringInvalid, match="exists"):
        made.save(path, "secret")
    Keyring("city", {"IRK": RootKey(GOOD, 3)}, test=False).save(tmp_path / "ring.json", "secret")
    with pytest.raises(SamKeyMissing, match="COMPONENT"):
        KeyComponent.load(tmp_path / "ring.json", "secret", AES)


def test_a_component_does_not_show_itself() -> None:
    assert FIRST.hex() not in repr(KeyComponent("Li", DES, FIRST)).lower()
