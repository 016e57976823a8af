"""The vectors of WRITE KEY on blank cards of both kinds (EW §4.7, §10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.virtual.blank_fmcos import blank_fmcos_card
from cardio.virtual.blank_ldt import blank_ldt_card
from cardio.virtual.card import VirtualCard
from tests.virtual.issuer import MASTER, MF_KEY_FILE, Issuer
from tests.virtual.vectors import entries
from tests.virtual.wire import fixed

VECTORS: dict[str, dict[str, Any]] = {
    entry["id"]: entry for entry in entries() if entry["kind"] == "write-key" and "psam" not in entry["id"]
}


@pytest.mark.parametrize("make", [blank_fmcos_card, blank_ldt_card])
@pytest.mark.parametrize("name", VECTORS)
def test_vector_writes_its_key(make: Callable[..., VirtualCard], name: str) -> None:
    vector = VECTORS[name]
    inputs, command = vector["inputs"], vector["apdus"][-1]["command"]
    algorithm = Algorithm.SM4 if vector["alg"] == "SM4" else Algorithm.TRIPLE_DES
    issuer = Issuer(make(algorithm=algorithm), algorithm)
    issuer.take_over()
    issuer.ok(MF_KEY_FILE)
    master = bytes.fromhex(inputs["key"] if "key" in inputs else vector["outputs"]["DAMK"])
    assert issuer.plain(MASTER, master) == "9000"
    p1, identifier = bytes.fromhex(command)[2:4]
    if p1 == 0x39:
        assert issuer.plain(MASTER, bytes(8), identifier) == "9000"
    issuer.card.random = fixed(bytes.fromhex(inputs["challenge"]))
    assert issuer.send("0084000004") == inputs["challenge"] + "9000"
    assert issuer.send(command) == "9000"
    block = bytes.fromhex(inputs["plain"] if "plain" in inputs else inputs["data"])
    (written,) = (key for key in issuer.keys()["3F00"] if key.id == identifier and key.type_byte == block[0])
    assert (written.value, written.use, written.change) == (block[5:], block[1], block[2])


def test_there_are_vectors_of_all_ciphers() -> None:
    assert sorted(vector["alg"] for vector in VECTORS.values()) == ["3DES", "DES", "DES", "SM4"]
