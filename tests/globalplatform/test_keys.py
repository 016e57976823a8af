"""Static keys: check values and diversification, held to published values; nothing shows a key."""

from __future__ import annotations

import pytest

from cardio.crypto import aes
from cardio.crypto.globalplatform.keys import (
    Diversification,
    KeyType,
    MasterKeys,
    StaticKeys,
    default_test_keys,
)
from cardio.crypto.globalplatform.scp02 import USUAL_OPTIONS, Scp02Keys, Scp02Session
from cardio.crypto.globalplatform.scp03 import Scp03Keys
from tests.globalplatform.channels import aes_keys

KDD = bytes(range(10))
LONGEST = bytes(range(0x40, 0x60))


def hexed(values: tuple[bytes, ...]) -> list[str]:
    return [value.hex().upper() for value in values]


def masters(size: int, key_type: KeyType) -> StaticKeys:
    return StaticKeys(LONGEST[:size], LONGEST[:size], LONGEST[:size], type=key_type)


# martinpaljak/GlobalPlatformPro: library/src/test/java/pro/javacard/gp/test/TestPlaintextKeys.java
@pytest.mark.parametrize(
    ("method", "key_type", "size", "expected"),
    [
        (Diversification.EMV, KeyType.TRIPLE_DES, 16, ["C33013", "6F4CA6", "BB8179"]),
        (Diversification.VISA2, KeyType.TRIPLE_DES, 16, ["2BE598", "58DA38", "3C328E"]),
        (Diversification.KDF3, KeyType.AES, 16, ["E79C05", "D1BD77", "3FDE8C"]),
        (Diversification.KDF3, KeyType.AES, 24, ["1DE8EA", "47C00C", "C04D76"]),
        (Diversification.KDF3, KeyType.AES, 32, ["2972D2", "036F94", "5D57B8"]),
    ],
)
def test_diversified_keys_have_the_published_check_values(
    method: Diversification, key_type: KeyType, size: int, expected: list[str]
) -> None:
    assert hexed(MasterKeys(masters(size, key_type), method).for_card(KDD).check_values()) == expected


def test_kdf3_gives_the_published_key() -> None:
    # martinpaljak/GlobalPlatformPro: library/src/test/java/pro/javacard/gp/TestSCP03.java
    master = bytes.fromhex("8C72C72CF908411653018807950D82FBAD947562F0828A0B10B8B9606ABF3BCD")
    derived = aes.derive_kdf3(master, 1, bytes.fromhex("D9B1DE5D0362DEDCE4FB"))
    assert derived.hex().upper() == "9AAC5D0B3601F89438A0D9D0B6B256CFB47E6462DFA5228D3420C4AC7C224781"


def test_check_values_are_those_of_the_table() -> None:
    # PERS §2.4
    assert hexed(default_test_keys(KeyType.TRIPLE_DES).check_values()) == ["8BAF47"] * 3
    assert hexed(default_test_keys(KeyType.AES).check_values()) == ["504A77"] * 3
    # osmocom/pysim: tests/unittests/test_globalplatform.py SCP03_KCV_Test
    enc, mac, dek = (bytes(range(first, first + 16)) for first in (0x00, 0x10, 0x20))
    assert hexed(StaticKeys(enc, mac, dek, type=KeyType.AES).check_values()) == ["C35280", "013808", "840DE5"]


def test_session_keys_have_the_published_check_values() -> None:
    # martinpaljak/GlobalPlatformPro: TestPlaintextKeys.java, testSessionKeys_SCP02 and _SCP03
    old = Scp02Keys.derive(default_test_keys(KeyType.TRIPLE_DES), 0, USUAL_OPTIONS)
    checked = [KeyType.TRIPLE_DES.check_value(key) for key in (old.enc, old.c_mac, old.dek, old.r_mac)]
    assert hexed(tuple(checked)) == ["F2DCDD", "5FCC69", "85272E", "9F749A"]
    new = Scp03Keys.derive(default_test_keys(KeyType.AES), KDD)
    checked = [KeyType.AES.check_value(key) for key in (new.enc, new.mac, new.dek, new.r_mac)]
    assert hexed(tuple(checked)) == ["C25559", "0E12CC", "504A77", "9ACB9C"]


def test_a_key_is_sent_as_published() -> None:
    # martinpaljak/GlobalPlatformPro: TestPlaintextKeys.java, testKeyEncryption_SCP02
    session = Scp02Session(default_test_keys(KeyType.TRIPLE_DES), bytes(8), 0, bytes(6), USUAL_OPTIONS)
    coded = session.encrypt_key(LONGEST[:16])
    assert coded.hex().upper() == "EFBEE6C6D99D7B70BDE9D7E927F020AF"
    assert session.decrypt_key(coded) == LONGEST[:16]


def test_nothing_shows_a_key() -> None:
    keys = aes_keys(32)
    master = MasterKeys(keys, Diversification.KDF3)
    session_keys = Scp03Keys.derive(keys, bytes(16))
    old = Scp02Keys.derive(default_test_keys(KeyType.TRIPLE_DES), 0, USUAL_OPTIONS)
    values = [*keys.values(), session_keys.enc, session_keys.mac, session_keys.r_mac, old.enc, old.c_mac, old.dek]
    shown = f"{keys!r} {keys} {master!r} {session_keys!r} {old!r}"
    assert not any(value.hex() in shown.lower() or repr(value) in shown for value in values)
    assert "version=48" in shown


@pytest.mark.parametrize(("size", "key_type"), [(8, KeyType.TRIPLE_DES), (24, KeyType.TRIPLE_DES), (20, KeyType.AES)])
def test_keys_of_other_lengths_are_refused_without_being_shown(size: int, key_type: KeyType) -> None:
    with pytest.raises(ValueError, match="bytes") as refused:
        StaticKeys(LONGEST[:size], LONGEST[:size], LONGEST[:size], type=key_type)
    assert LONGEST[:8].hex() not in str(refused.value).lower()


def test_methods_and_algorithms_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(ValueError, match="AES"):
        MasterKeys(masters(16, KeyType.AES), Diversification.EMV)
    with pytest.raises(ValueError, match="TRIPLE_DES"):
        MasterKeys(masters(16, KeyType.TRIPLE_DES), Diversification.KDF3)
    with pytest.raises(ValueError, match="10 bytes"):
        MasterKeys(masters(16, KeyType.AES), Diversification.KDF3).for_card(bytes(9))


def test_cmac_is_that_of_nist() -> None:
    # NIST SP 800-38B, as in kaoh/globalplatform: globalplatform/src/cryptoTest.c
    key = bytes.fromhex("8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b")
    message = bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")
    assert aes.cmac(key, message).hex() == "9e99a7bf31e710900662f65e617c5184"
