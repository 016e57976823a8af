"""SSC §10.3, lines 16 to 29: rights, keys, log, purchase, PKI."""

from __future__ import annotations

import pytest

from cardio.apdu.command import Command, select_file, select_name
from cardio.apdu.connection import CardConnection
from cardio.files.social_security.medical import MedicalLogRecord
from cardio.products.catalogue import Catalogue
from cardio.security.card_keys import CARD_KEYS, INTERNAL_KEY, Authority
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.building import find_directory
from cardio.virtual.ldt_keys import LdtKey
from cardio.virtual.ldt_security import LdtSecurity
from cardio.virtual.medical import MedicalFunction
from cardio.virtual.products import example_card
from tests.conformance.bench import OK, ORIGINAL, Bench
from tests.conformance.test_structure import current
from tests.virtual.till import AccountTill

# SSC §3.1: (directory, SFI, read key) of files that the PIN or a key opens.
PIN_OR_KEY = [
    *[("DF01", sfi, "RK1DF01") for sfi in (0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x15)],
    *[("DF02", sfi, "RK1DF02") for sfi in (0x05, 0x06, 0x07, 0x09, 0x15, 0x16)],
    ("DF03", 0x05, "RK2DF03"),
    *[("DF03", sfi, "RK1DF03") for sfi in (0x06, 0x07, 0x15, 0x16, 0x17, 0x18, 0x19)],
    *[("DF04", sfi, "RK1DF04") for sfi in (0x05, 0x15)],
]
# SSC §3.1: (directory, SFI, update key).
UPDATE_KEYS = [
    ("SSSE", 0x05, "UKSSSE"), ("DF01", 0x05, "UK1DF01"), ("DF01", 0x06, "UK4DF01"), ("DF01", 0x07, "UK2DF01"),
    ("DF01", 0x08, "UK3DF01"), ("DF01", 0x0A, "UK5DF01"), ("DF01", 0x15, "UK6DF01"), ("DF02", 0x05, "UK1DF02"),
    ("DF02", 0x06, "UK2DF02"), ("DF02", 0x09, "UK4DF02"), ("DF02", 0x15, "UK5DF02"), ("DF03", 0x05, "UK1DF03"),
    ("DF03", 0x06, "UK2DF03"), ("DF03", 0x07, "UK3DF03"), ("DF03", 0x15, "UK4DF03"), ("DF03", 0x16, "UK5DF03"),
    ("DF03", 0x17, "UK6DF03"), ("DF03", 0x18, "UK7DF03"), ("DF03", 0x19, "UK8DF03"), ("DF04", 0x05, "UK1DF04"),
    ("DF04", 0x06, "UK2DF04"),
]  # fmt: skip
pin_or_key = pytest.mark.parametrize(("label", "sfi", "key"), PIN_OR_KEY)
update_keys = pytest.mark.parametrize(("label", "sfi", "key"), UPDATE_KEYS)


def test_16_file_with_free_read_but_keyed_update_refuses_update_without_key() -> None:
    """SSSE EF05 is read by everybody and written by UKSSSE alone."""
    bench = Bench.of("ssc-2.0")
    record = bytes.fromhex("06 04 20991231")
    assert bench.read(0x05) == OK
    assert bench.update(0x05, record, 6) == "6982"
    bench.verify()
    assert bench.update(0x05, record, 6) == "6982"
    assert bench.authenticate("UKSSSE") == OK
    assert bench.update(0x05, record, 6) == OK
    assert bench.record(0x05, 6) == "0604209912319000"


@update_keys
def test_17_authenticating_another_update_key_does_not_help(label: str, sfi: int, key: str) -> None:
    """Only the file's own update key lets it be written; all others of the directory together do not."""
    bench = Bench.of("ssc-2.0")
    record = bytes.fromhex(written_record(label, sfi))
    bench.select(label)
    others = [one.name for one in CARD_KEYS.values() if one.application == label and one.name.startswith("UK")]
    for other in others:
        if other != key:
            assert bench.authenticate(other) == OK
    assert bench.update(sfi, record) == "6982"
    assert bench.authenticate(key) == OK
    assert bench.update(sfi, record) == OK


def written_record(label: str, sfi: int) -> str:
    """The first record of a file as the card holds it."""
    bench = Bench.of("ssc-2.0")
    bench.verify()
    bench.select(label)
    if label == "DF04" and sfi == 0x06:
        assert bench.authenticate("RK1DF04") == OK
    return bench.record(sfi)[:-4]


@current
@pin_or_key
def test_18_pin_read_file_is_unreadable_before_pin(product: str, label: str, sfi: int, key: str) -> None:
    """Without the PIN nothing is read, and an update key alone does not open the file."""
    bench = Bench.of(product)
    bench.select(label)
    assert bench.read(sfi) == "6982"
    for one in CARD_KEYS.values():
        if one.application == label and one.name.startswith("UK"):
            assert bench.authenticate(one.name) == OK
    assert bench.read(sfi) == "6982"


@current
def test_19_different_read_and_update_keys_are_independent(product: str) -> None:
    """RK1DF03 does not open what RK2DF03 opens, and a read key writes nothing."""
    bench = Bench.of(product)
    bench.select("DF03")
    assert bench.authenticate("RK1DF03") == OK
    assert (bench.read(0x05), bench.read(0x07)) == ("6982", OK)
    assert bench.update(0x07, bytes.fromhex("7003313130")) == "6982"
    bench.reset("DF03")
    assert bench.authenticate("RK2DF03") == OK
    assert (bench.read(0x05), bench.read(0x07)) == (OK, "6982")


@current
@pin_or_key
def test_20_pin_or_key_works_with_either_and_both(product: str, label: str, sfi: int, key: str) -> None:
    """The PIN opens the file, the key opens it, and both do."""
    for pin, keyed in ((True, False), (False, True), (True, True)):
        bench = Bench.of(product)
        if pin:
            bench.verify()
        bench.select(label)
        if keyed:
            assert bench.authenticate(key) == OK
        assert bench.read(sfi) == OK


@current
def test_21_pin_and_key_fails_with_only_one(product: str) -> None:
    """DF04 EF06 opens to the PIN and RK1DF04 together, in any order."""
    for steps, expected in (("p", "6982"), ("k", "6982"), ("pk", OK), ("kp", OK)):
        bench = Bench.of(product)
        bench.select("DF04")
        for step in steps:
            if step == "p":
                bench.verify()
            else:
                assert bench.authenticate("RK1DF04") == OK
        assert bench.read(0x06) == expected, steps


@current
@pytest.mark.parametrize("authority", list(Authority))
def test_22_all_national_keys_authenticate(product: str, authority: Authority) -> None:
    """Every external key of the table proves the terminal; those of the province too."""
    names = [
        key.name
        for key in CARD_KEYS.values()
        if key.authority is authority and not key.name.startswith(("IRK", "STK")) and key.application != "DF0A"
    ]
    assert names
    for name in names:
        bench = Bench.of(product)
        bench.select(CARD_KEYS[name].application)
        assert bench.authenticate(name) == OK, name


@current
@pytest.mark.parametrize("version", ["01", "02", "03"])
def test_23_all_key_versions_authenticate(product: str, version: str) -> None:
    """A key has up to three versions; the byte behind the original chooses."""
    bench = Bench.of(product)
    security = bench.card.security
    assert isinstance(security, LdtSecurity)
    values = tuple(bytes([number]) * 16 for number in (0x10, 0x20, 0x40))
    keys = security.keys["DF03"]
    security.keys["DF03"] = [LdtKey(key.name, key.kid, values) if key.name == "RK1DF03" else key for key in keys]
    bench.select("DF03")
    assert bench.authenticate("RK1DF03", version, values[int(version) - 1]) == OK
    assert bench.authenticate("RK1DF03", version, values[int(version) - 2]) == "63C2"
    assert bench.authenticate("RK1DF03", "04", values[0]) == "6A88"


@current
def test_24_transaction_log_readable_not_writable(product: str) -> None:
    """DF04 EF08 opens to the PIN; no key lets it be written."""
    bench = Bench.of(product)
    bench.select("DF04")
    assert bench.read(0x08) == "6982"
    bench.verify()
    assert bench.read(0x08) == OK
    for key in CARD_KEYS.values():
        if key.application == "DF04" and not key.name.startswith("STK"):
            assert bench.authenticate(key.name) == OK
    assert bench.sw(f"00DC0044{0x1C:02X}" + "00" * 0x1C) == "6982"
    assert bench.sw(f"00DC0043{0x1C:02X}" + "00" * 0x1C) == "6982"


@pytest.mark.parametrize("product", ["ssc-1.0", "ssc-2.0", "ssc-3.0", "ssc-employer", "combined"])
def test_25_irk_id_and_diversification(product: str) -> None:
    """INTERNAL AUTHENTICATION with P1 P2 = 00 00 answers under the card's own IRK."""
    bench = Bench.of(product)
    factor = bytes.fromhex("32D9E876ADB31BBF")
    session = bench.suite.challenge_key(bench.card_key(INTERNAL_KEY), factor)
    expected = bench.suite.authentication(session, bytes.fromhex(ORIGINAL)).hex().upper()
    assert bench.send(f"0088000010{factor.hex()}{ORIGINAL}08") == expected + OK


def test_26_purchase_with_account_amount_0_computes_and_logs_correctly() -> None:
    """An on-line card signs a settlement of account amount 0 (SSC §7.3)."""
    till = AccountTill(balance_fen=0)
    paid = till.send(till.debit_command(till.initialize(0, 10000, 8000), 0, 10000, 8000))
    assert paid.endswith(OK)
    function = find_directory(till.card, "DF04").function
    assert isinstance(function, MedicalFunction)
    assert (function.balance, function.self_paid, function.pool) == (0, 10000, 8000)
    record = MedicalLogRecord.decode(function.log.records[0])
    assert (record.account_fen, record.self_pay_fen, record.pool_fen) == (0, 10000, 8000)


PKI_NAME = "504B492EC9E7BBE1B1A3D5CF"
CERTIFICATES = "53532E434552542E41444631"
third = pytest.mark.parametrize("product", ["ssc-3.0", "combined"])


def pki(product: str) -> CardConnection:
    """The certificate application, selected."""

    card = CardConnection(EmbeddedReader("bench", example_card(Catalogue.load()[product])).connect())
    for name in (PKI_NAME, CERTIFICATES):
        card.call(select_name(bytes.fromhex(name)))
    return card


@third
def test_27_pki_records(product: str) -> None:
    """Public keys of 66 bytes, the last 64 the point; two certificates (SSC §2.4)."""
    card = pki(product)
    assert len(read_binary(card, 0x12, 66)) == 66
    assert read_binary(card, 0x18, 2)[:1] == b"\x30"


@third
def test_28_pki_access(product: str) -> None:
    """Private keys are never readable."""
    card = pki(product)
    for identifier in (0x13, 0x15):
        assert binary(card, identifier, 16) == 0x6982


@third
def test_29_certificate_check(product: str) -> None:
    """Signature and encryption certificate are DER sequences of their own length."""
    card = pki(product)
    for identifier in (0x18, 0x19):
        head = read_binary(card, identifier, 4)
        assert head[0] == 0x30
        assert head[1] in {*range(0x80), 0x81, 0x82}


def binary(card: CardConnection, identifier: int, size: int) -> int:

    card.send(select_file(identifier))
    return card.send(Command("READ BINARY", 0x00, 0xB0, le=size)).sw


def read_binary(card: CardConnection, identifier: int, size: int) -> bytes:

    card.send(select_file(identifier))
    return card.call(Command("READ BINARY", 0x00, 0xB0, le=size))
