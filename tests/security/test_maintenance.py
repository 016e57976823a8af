"""Protected commands from keyring and token, held to the worked bytes of EW §10 and SSC §9.3."""

from __future__ import annotations

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.errors import SamKeyMissing
from cardio.security.hsm import Hsm, HsmKey
from cardio.security.keyring import Keyring, RootKey
from cardio.security.keys import Family
from cardio.security.maintenance import KeyOfCard, MaintenanceKeys
from tests.security.purchases import NATIONAL_ROOT
from tests.security.softhsm import MODULE, PIN
from tests.virtual.ldt import FACTORS, ROOT
from tests.virtual.vectors import entries

VECTORS = {entry["id"]: entry for entry in entries()}
LINE = [
    name
    for name, entry in VECTORS.items()
    if "-sm-" in name and "master_DAMK" in entry["inputs"] and "-read-binary" not in name
]
"""Reading with a MAC has an Le behind it, and no use here."""
UNBLOCK = [name for name in VECTORS if "-sm-pin-unblock" in name]
RELOAD = [name for name in VECTORS if "-reload-pin-" in name]
RELOAD_CHALLENGE = bytes.fromhex("2AFD6A015D2D9BAC")
STK = {
    # The STK of a 3DES card has single length (SSC §9.3).
    Algorithm.TRIPLE_DES: Keyring("stk", {"STKSSSE": RootKey(bytes.fromhex("0123456789ABCDEF"), 1)}, test=True),
    Algorithm.SM4: Keyring("stk", {"STKSSSE": RootKey(ROOT, 1)}, test=True),
}


def source_and_key(name: str) -> tuple[Keyring, KeyOfCard]:
    """A keyring with the vector's master key, and the key of its card."""
    inputs = VECTORS[name]["inputs"]
    (master,) = (value for field, value in inputs.items() if field.startswith("master_"))
    algorithm = Algorithm.SM4 if VECTORS[name]["alg"] == "SM4" else Algorithm.TRIPLE_DES
    keyring = Keyring("vector", {"KEY": RootKey(bytes.fromhex(master), 1)}, test=True)
    return keyring, KeyOfCard("KEY", Family.PBOC, algorithm, (bytes.fromhex(inputs["factor"]),))


def test_the_vectors_are_there() -> None:
    assert (len(LINE), len(UNBLOCK), len(RELOAD)) == (38, 2, 10)


@pytest.mark.parametrize("name", LINE + UNBLOCK)
def test_line_protection_of_a_wallet(name: str) -> None:
    keyring, key = source_and_key(name)
    inputs = VECTORS[name]["inputs"]
    header, challenge = bytes.fromhex(inputs["header"]), bytes.fromhex(inputs["challenge"])
    encrypt = "-enc-" in name or "-unblock-" in name or "-write-key" in name
    encrypt = encrypt and "-app-unblock" not in name
    body = keyring.protect(key, challenge, header, bytes.fromhex(inputs["data"]), encrypt=encrypt)
    command = (header + bytes([len(body)]) + body).hex().upper()
    assert command == VECTORS[name]["apdus"][1]["command"]


@pytest.mark.parametrize("name", RELOAD)
def test_reload_mac_of_a_wallet_by_both_rules(name: str) -> None:
    keyring, key = source_and_key(name)
    command = bytes.fromhex(VECTORS[name]["apdus"][0]["command"])
    covered = command[:-4] if "whole-command" in name else command[5:-4]
    assert keyring.reload_mac(key, covered) == command[-4:]


@pytest.mark.parametrize(
    ("algorithm", "header", "data", "expected"),
    [
        (Algorithm.TRIPLE_DES, "84240001", "123456", "0D9FFC3E8DDDFD57625B5C45"),
        (Algorithm.TRIPLE_DES, "84240000", "", "E8F2CC3B"),
        (Algorithm.TRIPLE_DES, "841E0001", "", "7A103B76"),
        (Algorithm.TRIPLE_DES, "84160000", "", "19437F5D"),
        (Algorithm.SM4, "84240001", "123456", "44B9A0ED7E78181B677405201B73DFEDE7BB7779"),
        (Algorithm.SM4, "84240000", "", "516E9B63"),
    ],
)
def test_secure_messaging_of_a_social_security_card(
    algorithm: Algorithm, header: str, data: str, expected: str
) -> None:
    key = KeyOfCard("STKSSSE", Family.LDT, algorithm, tuple(FACTORS))
    made = STK[algorithm].protect(key, RELOAD_CHALLENGE, bytes.fromhex(header), bytes.fromhex(data), encrypt=bool(data))
    assert made.hex().upper() == expected


def test_a_token_makes_the_same_as_a_keyring(token: str) -> None:
    hsm = Hsm(MODULE, token, PIN, {"KEY": HsmKey("spec-root", 3), "STK": HsmKey("spec-card", 0)})
    keyring = Keyring("same", {"KEY": RootKey(NATIONAL_ROOT, 3), "STK": RootKey(NATIONAL_ROOT, 3)}, test=True)
    sources: list[MaintenanceKeys] = [hsm, keyring]
    wallet = KeyOfCard("KEY", Family.PBOC, Algorithm.TRIPLE_DES, tuple(FACTORS))
    social = KeyOfCard("STK", Family.LDT, Algorithm.TRIPLE_DES, tuple(FACTORS))
    header, pin = bytes.fromhex("84240001"), bytes.fromhex("123456")
    line = {source.protect(wallet, bytes(4), header, pin, encrypt=True) for source in sources}
    messaging = {source.protect(social, RELOAD_CHALLENGE, header, pin, encrypt=True) for source in sources}
    reload = {source.reload_mac(wallet, pin) for source in sources}
    assert (len(line), len(messaging), len(reload)) == (1, 1, 1)
    hsm.close()


def test_a_token_keeps_a_card_key_that_it_holds_itself(token: str) -> None:
    hsm = Hsm(MODULE, token, PIN, {"KEY": HsmKey("spec-card", 0)})
    with pytest.raises(SamKeyMissing, match="does not give"):
        hsm.protect(KeyOfCard("KEY", Family.PBOC, Algorithm.TRIPLE_DES, tuple(FACTORS)), bytes(4), bytes(4))
    hsm.close()


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_missing_key_is_named(algorithm: Algorithm) -> None:
    empty = Keyring("empty", {}, test=True)
    for family in Family:
        with pytest.raises(SamKeyMissing, match="NONE"):
            empty.protect(KeyOfCard("NONE", family, algorithm, tuple(FACTORS)), bytes(8), bytes(4))
    with pytest.raises(SamKeyMissing, match="NONE"):
        empty.reload_mac(KeyOfCard("NONE", Family.PBOC, algorithm, tuple(FACTORS)), b"")
