"""Keys wrapped under others: TR-31 against foreign vectors, and ECB under a KEK (PERS §3.3)."""

from __future__ import annotations

import pytest

from cardio.crypto.check_values import KeyAlgorithm
from cardio.errors import KeyCheckFailed, KeyRejected, SamKeyMissing
from cardio.security.key_blocks import Tr31Version, ecb_unwrap, ecb_wrap, tr31_unwrap, tr31_wrap
from cardio.security.keyring import Keyring, RootKey

DES, SM4, AES = KeyAlgorithm.TRIPLE_DES, KeyAlgorithm.SM4, KeyAlgorithm.AES
LOAD = bytes.fromhex("76A3AD667AEF097106B796C1C74A204E")
KEK = bytes.fromhex("EFE0853B256B583D868F251CE99EA1D9")
KCV = bytes.fromhex("F043FF")
FOREIGN = [
    # a payShield 10k, as openemv/tr31 test/tr31_decrypt_test.c quotes it
    (
        "EFE0853B256B583D868F251CE99EA1D9",
        "B0080K0TN00N00001C414014375212C24995E405B5EE052CB92B67F455EA2680F6751088F9F1C228",
        DES,
        "5C9405",
    ),
    # the key of TR-31:2018 annex A.7, in its B and D blocks
    (
        "DD7515F2BFC17F85CE48F3CA25CB21F6",
        "B0080P0TE00E000094B420079CC80BA3461F86FE26EFC4A3B8E4FA4C5F5341176EED7B727B8A248E",
        DES,
        "3F419E1CB7079442AA37474C2EFBF8B8",
    ),
    (
        "88E1AB2A2E3DD38C1FA039A536500CC8A87AB9D62DC92C01058FA79F44657DE6",
        "D0112P0AE00E0000B82679114F470F540165EDFBF7E250FCEA43F810D215F8D207E2E417C07156A27E8E31DA05F7425509593D03A457DC34",
        AES,
        "3F419E1CB7079442AA37474C2EFBF8B8",
    ),
]


@pytest.fixture
def ring() -> Keyring:
    roots = {
        "KEK": RootKey(KEK, 0),
        "WALLET-DLK": RootKey(LOAD, 1),
        "TRANSPORT": RootKey(b"\xff" * 8, 0),
        "WIDE": RootKey(bytes(range(32)), 0),
    }
    return Keyring("bureau", roots, test=False)


@pytest.fixture
def receiver() -> Keyring:
    return Keyring("issuer", {"KEK": RootKey(KEK, 0), "WIDE": RootKey(bytes(range(32)), 0)}, test=False)


@pytest.mark.parametrize(("kek", "block", "algorithm", "expected"), FOREIGN)
def test_blocks_of_others_are_unwrapped(kek: str, block: str, algorithm: KeyAlgorithm, expected: str) -> None:
    ring = Keyring("issuer", {"KEK": RootKey(bytes.fromhex(kek), 0)}, test=False)
    arrival = tr31_unwrap(ring, "KEK", block)
    assert (arrival.algorithm, arrival.name, arrival.levels) == (algorithm, "", 0)
    if len(expected) == 6:
        arrival.check(bytes.fromhex(expected))
    else:
        assert arrival.key.hex().upper() == expected


@pytest.mark.parametrize(
    ("version", "kek"), [(Tr31Version.TRIPLE_DES, "KEK"), (Tr31Version.AES, "KEK"), (Tr31Version.AES, "WIDE")]
)
@pytest.mark.parametrize("algorithm", [DES, SM4, AES])
def test_a_block_brings_the_key_its_name_and_its_levels(
    ring: Keyring, receiver: Keyring, version: Tr31Version, kek: str, algorithm: KeyAlgorithm
) -> None:
    block = tr31_wrap(ring, "WALLET-DLK", kek, version, algorithm)
    assert (block[0], block[5:7], block[8]) == (version.value, "E6", "X")
    arrival = tr31_unwrap(receiver, kek, block + "\n")
    assert (arrival.algorithm, arrival.name, arrival.levels) == (algorithm, "WALLET-DLK", 1)
    arrival.check(ring.check_values("WALLET-DLK")[algorithm])
    filled = arrival.accepted(receiver, arrival.name, arrival.levels)
    assert filled.check_values("WALLET-DLK") == ring.check_values("WALLET-DLK")
    assert LOAD.hex() not in repr(arrival).lower() + block.lower()


def test_a_changed_block_is_refused_wherever_it_was_changed(ring: Keyring, receiver: Keyring) -> None:
    block = tr31_wrap(ring, "WALLET-DLK", "KEK", Tr31Version.AES, DES)
    for place in range(len(block)):
        changed = block[:place] + ("1" if block[place] != "1" else "2") + block[place + 1 :]
        with pytest.raises(KeyRejected):
            tr31_unwrap(receiver, "KEK", changed)


@pytest.mark.parametrize(
    ("block", "said"),
    [("", "no TR-31"), ("A0072P0TE00E0000", "no TR-31"), ("D0016", "changed"), ("B" + "Z" * 79, "changed")],
)
def test_what_is_no_block_is_refused(receiver: Keyring, block: str, said: str) -> None:
    with pytest.raises(KeyRejected, match=said):
        tr31_unwrap(receiver, "KEK", block)


def test_keys_that_do_not_fit_are_refused(ring: Keyring) -> None:
    with pytest.raises(KeyRejected, match="TRANSPORT is single DES"):
        tr31_wrap(ring, "WALLET-DLK", "TRANSPORT", Tr31Version.TRIPLE_DES, DES)
    with pytest.raises(KeyRejected, match="WIDE has not the size"):
        tr31_wrap(ring, "WALLET-DLK", "WIDE", Tr31Version.TRIPLE_DES, DES)
    with pytest.raises(KeyRejected, match="TRANSPORT has not the size"):
        tr31_wrap(ring, "TRANSPORT", "KEK", Tr31Version.AES, SM4)
    with pytest.raises(SamKeyMissing, match="NOWHERE"):
        tr31_wrap(ring, "NOWHERE", "KEK", Tr31Version.AES, DES)
    named = Keyring("bureau", {"KEK": RootKey(KEK, 0), "消费": RootKey(LOAD, 1)}, test=False)
    with pytest.raises(KeyRejected, match="cannot travel"):
        tr31_wrap(named, "消费", "KEK", Tr31Version.AES, DES)


@pytest.mark.parametrize(("algorithm", "kcv"), [(DES, "F043FF"), (SM4, None)])
def test_a_key_under_a_kek_arrives_with_its_check_value(
    ring: Keyring, receiver: Keyring, algorithm: KeyAlgorithm, kcv: str | None
) -> None:
    wrapped = ecb_wrap(ring, "WALLET-DLK", "KEK", algorithm)
    told = ring.check_values("WALLET-DLK")[algorithm]
    assert kcv is None or told.hex().upper() == kcv
    arrival = ecb_unwrap(receiver, "KEK", wrapped, algorithm, told)
    assert arrival.accepted(receiver, "DLK", 1).check_values("DLK")[algorithm] == told
    assert LOAD not in wrapped


def test_a_key_under_a_kek_is_refused_without_its_check_value(ring: Keyring, receiver: Keyring) -> None:
    wrapped = ecb_wrap(ring, "WALLET-DLK", "KEK", DES)
    with pytest.raises(KeyCheckFailed):
        ecb_unwrap(receiver, "KEK", wrapped, DES, b"\0\0\0")
    with pytest.raises(KeyCheckFailed):
        ecb_unwrap(receiver, "KEK", wrapped[8:] + wrapped[:8], DES, KCV)
    with pytest.raises(KeyRejected, match="has 15 bytes"):
        ecb_unwrap(receiver, "KEK", wrapped[:15], DES, KCV)
    with pytest.raises(KeyRejected, match="TR-31 key blocks only"):
        ecb_unwrap(receiver, "KEK", wrapped, AES, KCV)


def test_a_weak_key_does_not_arrive(ring: Keyring, receiver: Keyring) -> None:
    block = tr31_wrap(ring, "TRANSPORT", "KEK", Tr31Version.TRIPLE_DES, DES)
    with pytest.raises(KeyRejected, match="weak"):
        tr31_unwrap(receiver, "KEK", block).accepted(receiver, "TRANSPORT", 0)
