"""Padding, key lengths and the edges of the suites that no vector reaches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio.crypto.ciphers import SM4_CIPHER, TRIPLE_DES, Algorithm, BlockCipher, cipher_for, complement, pad80, xor
from cardio.crypto.suites import LdtSuite, PbocSuite

KEY = bytes(range(16))


@given(st.binary(max_size=64), st.sampled_from([8, 16]))
def test_padding_adds_80_always_and_at_most_one_block(data: bytes, block: int) -> None:
    padded = pad80(data, block)
    assert len(padded) % block == 0
    assert 0 < len(padded) - len(data) <= block
    assert padded == data + b"\x80" + bytes(len(padded) - len(data) - 1)


@given(st.binary(min_size=8, max_size=8))
def test_complement_inverts_every_bit(data: bytes) -> None:
    assert xor(data, complement(data)) == b"\xff" * 8


def test_xor_refuses_unequal_lengths() -> None:
    with pytest.raises(ValueError, match="shorter"):
        xor(b"\x00\x01", b"\x00")


@pytest.mark.parametrize("cipher", [TRIPLE_DES, SM4_CIPHER])
@given(data=st.binary(max_size=6))
def test_decryption_undoes_encryption_over_several_blocks(cipher: BlockCipher, data: bytes) -> None:
    plain = pad80(data, 48)
    encrypted = cipher.encrypt(KEY, plain)
    assert len(encrypted) == len(plain)
    assert encrypted != plain
    assert cipher.decrypt(KEY, encrypted) == plain


@pytest.mark.parametrize("cipher", [TRIPLE_DES, SM4_CIPHER])
@pytest.mark.parametrize("size", [0, 7, 15, 17, 24])
def test_a_key_of_another_length_is_refused(cipher: BlockCipher, size: int) -> None:
    with pytest.raises(ValueError, match=r"bytes|key size"):
        cipher.encrypt(bytes(size), bytes(16))


@pytest.mark.parametrize("cipher", [TRIPLE_DES, SM4_CIPHER])
def test_part_of_a_block_is_refused(cipher: BlockCipher) -> None:
    with pytest.raises(ValueError, match="block length"):
        cipher.encrypt(KEY, bytes(cipher.block + 1))


@pytest.mark.parametrize(("algorithm", "block"), [(Algorithm.TRIPLE_DES, 8), (Algorithm.SM4, 16)])
def test_an_algorithm_has_its_cipher(algorithm: Algorithm, block: int) -> None:
    cipher = cipher_for(algorithm)
    assert (cipher.algorithm, cipher.block) == (algorithm, block)


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize("size", [0, 7, 9, 16])
def test_a_factor_of_another_length_is_refused(algorithm: Algorithm, size: int) -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        PbocSuite(algorithm).diversify(KEY, [bytes(8), bytes(size)])


@pytest.mark.parametrize("algorithm", Algorithm)
def test_without_factors_the_key_stays(algorithm: Algorithm) -> None:
    assert LdtSuite(algorithm).diversify(KEY, []) == KEY


def test_single_des_keys_stay_single_and_are_their_own_tac_key() -> None:
    suite = PbocSuite(Algorithm.TRIPLE_DES)
    single = KEY[:8]
    assert suite.diversify(single, [bytes(8)]) == TRIPLE_DES.encrypt(single, bytes(8))
    assert suite.tac_key(single) == single
    assert suite.tac_key(KEY) == xor(KEY[:8], KEY[8:])
    assert PbocSuite(Algorithm.SM4).tac_key(KEY) == KEY


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_full_block_gets_no_padding_for_encryption_but_does_for_the_mac(algorithm: Algorithm) -> None:
    suite = PbocSuite(algorithm)
    block = suite.cipher.block
    assert len(suite.line_encrypt(KEY, bytes(block - 1))) == block
    assert len(suite.line_encrypt(KEY, bytes(block))) == 2 * block
    one = suite.cipher.mac_block(KEY, bytes(block - 1))
    two = suite.cipher.mac_block(KEY, bytes(block))
    assert one == suite.cipher.mac_block(KEY, bytes(block - 1), bytes(block))
    assert one != two


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize("size", [0, 6, 7, 8, 15, 16, 30])
def test_social_security_data_are_encrypted_with_their_length(algorithm: Algorithm, size: int) -> None:
    suite = LdtSuite(algorithm)
    session = KEY[: suite.cipher.block]
    plain = suite.cipher.decrypt(session, suite.encrypt(session, bytes(range(size))))
    assert plain[: size + 1] == bytes([size, *range(size)])
    filler = plain[size + 1 :]
    assert filler == (b"\x80" + bytes(len(filler) - 1) if filler else b"")
    assert len(filler) < suite.cipher.block


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize("size", [0, 3, 7, 8, 15, 16, 30])
def test_data_come_back_from_their_encryption(algorithm: Algorithm, size: int) -> None:
    wallet, social = PbocSuite(algorithm), LdtSuite(algorithm)
    data = bytes(range(size))
    assert wallet.line_decrypt(KEY, wallet.line_encrypt(KEY, data)) == data
    assert social.decrypt(KEY, social.encrypt(KEY, data)) == data


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize(
    "plain",
    [
        "",
        "FF" + "00" * 15,  # longer than what follows
        "03" + "AABBCC" + "00" * 12,  # no 80
        "03" + "AABBCC" + "80" + "00" * 10 + "01",
        "0F" + "AA" * 15 + "80" + "00" * 15,  # a block too many
        "03" + "AABBCC80",  # no whole block
    ],
)
def test_what_is_no_encryption_of_anything_is_refused(algorithm: Algorithm, plain: str) -> None:
    suite = LdtSuite(algorithm)
    raw = bytes.fromhex(plain)
    data = suite.cipher.encrypt(KEY, raw) if len(raw) % 16 == 0 else raw
    with pytest.raises(ValueError, match=r"padding|block"):
        suite.decrypt(KEY, data)


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize("key", [KEY, KEY[:8]])
def test_mac_in_pieces_is_the_mac_of_the_whole(algorithm: Algorithm, key: bytes) -> None:
    suite = PbocSuite(algorithm)
    if algorithm is Algorithm.SM4:
        key = KEY
    cipher, data = suite.cipher, bytes(range(40))
    padded, block = pad80(data, cipher.block), bytes(cipher.block)
    for at in range(0, len(padded), cipher.block):
        block = cipher.mac_chain(key, padded[at : at + cipher.block], block)
    assert cipher.mac_end(key, block) == cipher.mac_block(key, data)
    assert suite.shorten(cipher.mac_end(key, block)) == suite.mac(key, data)
