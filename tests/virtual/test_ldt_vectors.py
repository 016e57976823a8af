"""The worked bytes of SSC §9.3 and PERS §5.3 on the card's side, in both ciphers."""

from dataclasses import dataclass

import pytest

from cardio.crypto.ciphers import Algorithm
from tests.virtual.ldt import FACTORS, ROOT, SELECT_DF03, STK, LdtCard

RELOAD_CHALLENGE = "2AFD6A015D2D9BAC"


@dataclass(frozen=True)
class Column:
    """One cipher's column of the tables."""

    algorithm: Algorithm
    card_key: str
    internal: str
    external: str
    update: str
    reload: str
    unblock: str


COLUMNS = (
    Column(
        Algorithm.TRIPLE_DES,
        "91FA66C7FAEBB77353E749A57FD42676",
        "D37A16ADCA76F60A",
        "0082000A10C19097635C8A7E4AE603E2CAADAF02B6",
        "B444279D30BB1208",
        "842400010C0D9FFC3E8DDDFD57625B5C45",
        "8424000004E8F2CC3B",
    ),
    Column(
        Algorithm.SM4,
        "0BE536BFB1C839EA4B3F501265A146E2",
        "8E276A4B66C148E9",
        "0082000A10E22DF1EADB14A960E603E2CAADAF02B6",
        "9EE4AB14DC3A3AFE",
        "842400011444B9A0ED7E78181B677405201B73DFEDE7BB7779",
        "8424000004516E9B63",
    ),
)
each_cipher = pytest.mark.parametrize("column", COLUMNS, ids=[str(c.algorithm) for c in COLUMNS])


def card_of(column: Column) -> LdtCard:
    """All keys are the vector's card key, the STKs its card STK."""
    card = LdtCard(column.algorithm)
    for keys in card.security.keys.values():
        for one in keys:
            one.keys = (bytes.fromhex(STK[column.algorithm] if one.name.startswith("STK") else column.card_key),)
    return card


@each_cipher
def test_card_key_comes_from_the_root(column: Column) -> None:
    card = LdtCard(column.algorithm)
    assert card.suite.diversify(ROOT, FACTORS).hex().upper() == column.card_key


@each_cipher
def test_internal_authentication(column: Column) -> None:
    assert card_of(column).send("0088000010 32D9E876ADB31BBF DBF7A936D0D18C9E 00") == column.internal + "9000"


@each_cipher
def test_external_authentication_of_a_global_key(column: Column) -> None:
    card = card_of(column)
    card.give("98B4D293D091C331")
    assert card.send("00B2013400") == "6982"
    assert card.send(column.external) == "9000"
    assert card.send("00B2013400") == "0A01319000"


@each_cipher
def test_external_authentication_of_a_specific_key(column: Column) -> None:
    card = card_of(column)
    card.select(SELECT_DF03)
    card.give("1122334455667788")
    assert card.send(f"0082008410{column.update}0102030405060708") == "9000"
    assert card.send("00B2013400") == "7101319000"


def test_challenge_of_four_bytes_makes_the_printed_session() -> None:
    card = card_of(COLUMNS[0])
    card.give("98B4D293")
    original = bytes.fromhex("E603E2CAADAF02B6")
    data = card.suite.authentication(bytes.fromhex("BD306B56DD0A948F"), original) + original
    assert card.send(f"0082000A10{data.hex()}") == "9000"


@each_cipher
def test_pin_unblock(column: Column) -> None:
    card = card_of(column)
    for _ in range(6):
        card.verify("999999")
    assert card.verify() == "6983"
    assert card.authenticate("PUK") == "9000"
    card.give(RELOAD_CHALLENGE)
    assert card.send(column.unblock) == "9000"
    assert card.verify() == "9000"


@each_cipher
def test_pin_reload(column: Column) -> None:
    card = card_of(column)
    assert card.security.pin is not None
    card.security.pin.value = bytes.fromhex("999999")
    card.security.pin.tries_left = 0
    assert card.authenticate("PUK") == "9000"
    card.give(RELOAD_CHALLENGE)
    assert card.send(column.reload) == "9000"
    assert card.verify("999999") == "63C5"
    assert card.verify("123456") == "9000"


def test_application_block() -> None:
    card = card_of(COLUMNS[0])
    card.select(SELECT_DF03)
    assert card.authenticate("LKDF03") == "9000"
    card.give(RELOAD_CHALLENGE)
    assert card.send("841E0001047A103B76") == "9000"
    card.select("00A4000002DDF1")
    assert card.send(SELECT_DF03) == "9303"


def test_card_block() -> None:
    card = card_of(COLUMNS[0])
    assert card.authenticate("BK") == "9000"
    card.give(RELOAD_CHALLENGE)
    assert card.send("841600000419437F5D") == "9000"
    assert card.send("00A40000023F00") == "6A81"


def test_write_with_secure_messaging() -> None:
    """PERS §5.3: the same write as B85 under STKSSSE; UKSSSE is still required."""
    card = LdtCard()
    card.key("STKSSSE").keys = (bytes.fromhex("73B04D22CFCBED0E882F45944EDFB05E"),)
    records = card.card.current.files[1].records
    records[:] = [bytes.fromhex("080131"), bytes.fromhex("090132"), bytes([0x4E, 0x14]) + bytes(range(20))]
    command = "04DC03341A4E1400000000000000000000000000000000000000003B69390B"
    card.give("C0DE00F0")
    assert card.send(command) == "6982"
    assert card.authenticate("UKSSSE") == "9000"
    card.give("C0DE00F0")
    assert card.send(command) == "9000"
    assert records[2] == bytes([0x4E, 0x14]) + bytes(20)
