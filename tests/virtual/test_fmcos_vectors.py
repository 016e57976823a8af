"""The maintenance vectors of the e-wallet file on the card's side (EW §10), and published bytes of FMCOS."""

from typing import Any

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite
from cardio.files.file_header import FileHeader
from cardio.security.maintenance import ReloadMac
from cardio.virtual.fmcos_access import FmcosChoices
from cardio.virtual.fmcos_keys import FmcosKey, KeyKind
from tests.virtual.fmcos import ADF, MF, FmcosCard
from tests.virtual.vectors import entries

PARTS = ("-sm-", "-reload-pin-", "-external-authenticate", "-psam-app-block")
WRITE_KEY = frozenset({"3des-sm-write-key", "sm4-sm-write-key"})
"""`test_write_key_vectors` sends them to blank cards."""
VECTORS = {entry["id"]: entry for entry in entries() if any(part in entry["id"] for part in PARTS)}


def named(*parts: str) -> list[str]:
    return sorted(name for name in VECTORS if name not in WRITE_KEY and any(part in name for part in parts))


def card_of(name: str, choices: FmcosChoices | None = None) -> FmcosCard:
    """All keys of the wallet and of the MF are the vector's."""
    vector = VECTORS[name]
    card = FmcosCard(Algorithm.SM4 if vector["alg"] == "SM4" else Algorithm.TRIPLE_DES, choices)
    inputs, outputs = vector["inputs"], vector["outputs"]
    (master,) = (value for field, value in inputs.items() if field.startswith("master_"))
    factors = inputs.get("factors_in_order_of_use") or [inputs["factor"]]
    value = card.suite.diversify(bytes.fromhex(master), [bytes.fromhex(factor) for factor in factors])
    assert value.hex().upper() in outputs.values()
    for label in (MF, ADF):
        for one in card.security.key_files[label].keys:
            if one.kind is not KeyKind.PIN:
                one.value = value
    return card


def play(card: FmcosCard, apdus: list[dict[str, Any]]) -> None:
    for apdu in apdus:
        if apdu["command"].startswith("0084"):
            card.give(apdu["response"][:-4])
        elif "PSAM" not in apdu.get("note", ""):
            assert card.send(apdu["command"]) == apdu.get("response", "9000"), apdu


def test_no_vector_is_left_out() -> None:
    played = named("-update-binary-", "-append-record", "-read-binary", "-app-block", "-app-unblock", "-card-block")
    played += named("-pin-unblock-", "-reload-pin-", "-external-authenticate")
    assert set(played) | WRITE_KEY == set(VECTORS)
    assert len(VECTORS) == 56


@pytest.mark.parametrize("name", named("-update-binary-"))
def test_update_binary_with_line_protection(name: str) -> None:
    card, vector = card_of(name), VECTORS[name]
    header, data = vector["inputs"]["header"], bytes.fromhex(vector["inputs"]["data"])
    file = card.public if header[4:6] == "95" else card.holder
    file.own_header = FileHeader(0xE8 if "-enc-" in name else 0xA8, 0xF0, 0xF0)
    play(card, vector["apdus"])
    offset = int(header[6:], 16)
    assert file.data[offset : offset + len(data)] == data


@pytest.mark.parametrize("name", named("-append-record"))
def test_append_record_with_line_protection(name: str) -> None:
    card, vector = card_of(name), VECTORS[name]
    card.log.own_header = FileHeader(0xAE, 0xF1, 0xF0)
    play(card, vector["apdus"])
    assert card.log.records == [bytes.fromhex(vector["inputs"]["data"])]


@pytest.mark.parametrize("name", named("-read-binary"))
def test_read_binary_with_line_protection(name: str) -> None:
    """The answer's MAC is EW PC-12: the data alone, under the same challenge and key."""
    card, vector = card_of(name), VECTORS[name]
    card.public.own_header = FileHeader(0xA8, 0xF0, 0xF0, 0x7F)
    card.public.records[0] = bytes(range(30))
    challenge, read = vector["apdus"]
    card.give(challenge["response"][:-4])
    mac = card.suite.line_mac(card.key(KeyKind.LINE).value, bytes.fromhex(challenge["response"][:-4]), bytes(range(30)))
    assert card.send(read["command"]) == (bytes(range(30)) + mac).hex().upper() + "9000"


@pytest.mark.parametrize("name", named("-app-block"))
def test_application_block(name: str) -> None:
    card = card_of(name)
    play(card, VECTORS[name]["apdus"])
    assert card.send("00B0950000") == ("9303" if "permanent" in name else "6A81")


@pytest.mark.parametrize("name", named("-app-unblock"))
def test_application_unblock(name: str) -> None:
    card = card_of(name)
    card.security.blocked.add(ADF)
    play(card, VECTORS[name]["apdus"])
    assert card.send("00B0950000").endswith("9000")


@pytest.mark.parametrize("name", named("-card-block"))
def test_card_block(name: str) -> None:
    card = card_of(name)
    card.select("00A40000023F00")
    play(card, VECTORS[name]["apdus"])
    assert card.send("0084000004") == "6A81"


@pytest.mark.parametrize("name", named("-pin-unblock-"))
def test_pin_unblock(name: str) -> None:
    card = card_of(name)
    for _ in range(3):
        card.verify("999999")
    assert card.verify() == "6983"
    play(card, VECTORS[name]["apdus"])
    assert card.verify() == "9000"


@pytest.mark.parametrize("name", named("-reload-pin-"))
def test_reload_pin(name: str) -> None:
    rule = ReloadMac.WHOLE_COMMAND if "whole-command" in name else ReloadMac.PIN_ONLY
    other = ReloadMac.PIN_ONLY if "whole-command" in name else ReloadMac.WHOLE_COMMAND
    card = card_of(name, FmcosChoices(reload_mac=rule))
    card.key(KeyKind.PIN).tries_left = 0
    play(card, VECTORS[name]["apdus"])
    assert card.verify(VECTORS[name]["inputs"]["pin"]) == "9000"
    refusing = card_of(name, FmcosChoices(reload_mac=other))
    assert refusing.send(VECTORS[name]["apdus"][0]["command"]) == "6988"


@pytest.mark.parametrize("name", named("-external-authenticate"))
def test_external_authenticate(name: str) -> None:
    card = card_of(name)
    play(card, VECTORS[name]["apdus"])
    assert card.security.state == 0x0A


def test_published_external_authentication_of_a_single_des_key() -> None:
    """`pub-external-auth-fmcos`: a challenge of 4 bytes."""
    card = FmcosCard()
    card.key(KeyKind.EXTERNAL).value = bytes.fromhex("0102030405060708")
    card.give("BB83BFF3")
    assert card.send("008200000874B0047DD681D96C") == "9000"


def test_published_internal_authentication() -> None:
    """`pub-internal-auth-fmcos`: encryption and MAC under one single DES key."""
    card = FmcosCard()
    for kind in (KeyKind.ENCRYPT, KeyKind.DECRYPT, KeyKind.MAC):
        card.key(kind).value = bytes.fromhex("1122334455667788")
    assert card.send("008800000801020304050607080 0") == "178F59F8578E0D3F9000"
    assert card.send("0088010008178F59F8578E0D3F00") == "01020304050607089000"
    assert card.send("0088020008010203040506070800") == "A82A8CEB9000"


@pytest.mark.parametrize(
    "entry",
    [entry for entry in entries() if entry["id"].startswith("pub-write-key-") or entry["id"] in WRITE_KEY],
    ids=lambda entry: entry["id"],
)
def test_line_protection_of_write_key(entry: dict[str, Any]) -> None:
    """The protection that WRITE KEY uses gives the plain key block back (EW §4.7)."""
    suite = PbocSuite(Algorithm.SM4 if entry["alg"] == "SM4" else Algorithm.TRIPLE_DES)
    inputs, command = entry["inputs"], bytes.fromhex(entry["apdus"][-1]["command"])
    value = bytes.fromhex(inputs["key"] if "key" in inputs else entry["outputs"]["DAMK"])
    assert suite.line_mac(value, bytes.fromhex(inputs["challenge"]), command[:-4]) == command[-4:]
    plain = inputs["plain"] if "plain" in inputs else inputs["data"]
    assert suite.line_decrypt(value, command[5:-4]).hex().upper() == plain


@pytest.mark.parametrize(
    ("command", "plain"),
    [
        ("19479307DF791D7F", "01020304050607"),
        ("A5DFE4940B63DC35471ED8A8CD098843", "0102030405060708090A0B0C"),
        ("F397B1FD0CD1747A", "44332211"),
    ],
)
def test_published_line_encryption_is_undone(command: str, plain: str) -> None:
    """`pub-enc-*`."""
    suite = PbocSuite(Algorithm.TRIPLE_DES)
    assert suite.line_decrypt(b"\x44" * 8, bytes.fromhex(command)).hex().upper() == plain


def test_keys_know_their_cipher() -> None:
    assert FmcosKey(bytes(8), kind=KeyKind.LINE).suite.algorithm is Algorithm.TRIPLE_DES
    assert FmcosKey(bytes(16), kind=KeyKind.LINE, algorithm=Algorithm.SM4).suite.algorithm is Algorithm.SM4
