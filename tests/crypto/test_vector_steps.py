"""Every step of every vector, recomputed with the ciphers."""

import pytest

from cardio.crypto.ciphers import SM4_CIPHER, TRIPLE_DES, BlockCipher, pad80, xor
from tests.crypto.vectors import Step, Vector, all_vectors

ENCRYPTIONS: dict[str, tuple[BlockCipher, int]] = {
    "DES-ECB-encrypt": (TRIPLE_DES, 8),
    "3DES-ECB-encrypt": (TRIPLE_DES, 16),
    "SM4-ECB-encrypt": (SM4_CIPHER, 16),
}
MACS: dict[str, tuple[BlockCipher, int]] = {
    "DES-CBC-MAC": (TRIPLE_DES, 8),
    "3DES-RETAIL-MAC": (TRIPLE_DES, 16),
    "SM4-CBC-MAC": (SM4_CIPHER, 16),
}


def test_no_vector_and_no_step_is_lost() -> None:
    assert len(all_vectors()) == 151
    assert sum(len(vector.steps) for vector in all_vectors()) == 523
    assert len({vector.id for vector in all_vectors()}) == 151


@pytest.mark.parametrize("vector", all_vectors(), ids=str)
def test_every_step_comes_out_the_same(vector: Vector) -> None:
    assert vector.steps
    for step in vector.steps:
        check(step)


def check(step: Step) -> None:
    data, out = step.bytes("input"), step.bytes("out")
    if step.operation in ENCRYPTIONS:
        cipher, key_size = ENCRYPTIONS[step.operation]
        key = step.bytes("key")
        assert len(key) == key_size, step.name
        assert cipher.encrypt(key, data) == out, step.name
        assert cipher.decrypt(key, out) == data, step.name
    elif step.operation in MACS:
        cipher, key_size = MACS[step.operation]
        key = step.bytes("key")
        assert len(key) == key_size, step.name
        assert pad80(data, cipher.block) == step.bytes("padded"), step.name
        block = cipher.mac_block(key, data, step.bytes("iv"))
        assert block == step.bytes("full_block"), step.name
        assert block[:4] == out, step.name
    elif step.operation == "XOR-halves":
        half = len(data) // 2
        assert xor(data[:half], data[half:]) == out, step.name
    else:
        assert step.operation == "IDENTITY", step.name
        assert data == out, step.name
