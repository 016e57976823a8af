"""The social security suite and its factors, row by row of the worked examples (SSC §9.3)."""

from dataclasses import dataclass

import pytest

from cardio.apdu.atr import card_factor
from cardio.crypto.ciphers import Algorithm, pad80
from cardio.crypto.factors import city_factor, province_factor
from cardio.crypto.suites import LdtSuite

h = bytes.fromhex

REGION = "519900"
HISTORICAL = h("00814A444686605199000001AC")
CARD = HISTORICAL[-8:]
ROOT = h("0123456789ABCDEFFEDCBA9876543210")
TAC_ROOT = h("FEDCBA98765432100123456789ABCDEF")


@dataclass(frozen=True)
class Column:
    """One column of the table."""

    algorithm: Algorithm
    province: str
    city: str
    card: str
    internal_session: str
    internal_answer: str
    external_session: str
    external_apdu: str
    other_session: str
    other_data: str
    full_block: str
    full_block_mac: str
    stk_root: str
    stk: str
    reload_session: str
    reload_plain: str
    reload_header: str
    reload_encrypted: str
    reload_mac: str
    unblock_mac: str
    purchase_session: str
    mac1: str
    mac2: str
    dtk: str
    tac_key: str
    tac: str

    @property
    def suite(self) -> LdtSuite:
        return LdtSuite(self.algorithm)

    @property
    def key(self) -> bytes:
        return h(self.card)


COLUMNS = [
    Column(
        algorithm=Algorithm.TRIPLE_DES,
        province="1ECE88D67B41FDA68DD49246736851AE",
        city="A72F39A2C5EC2D76139500193807F79F",
        card="91FA66C7FAEBB77353E749A57FD42676",
        internal_session="3B9B133CDA6D23CA",
        internal_answer="D37A16ADCA76F60A",
        external_session="B2BC266498EB85CF",
        external_apdu="0082000A10C19097635C8A7E4AE603E2CAADAF02B6",
        other_session="38851E825AFFF207",
        other_data="B444279D30BB1208",
        full_block="0011223344556677",
        full_block_mac="E722149A",
        stk_root="0123456789ABCDEF",
        stk="ED38D0F158263E8D",
        reload_session="07C8A87D470FEA07",
        reload_plain="0312345680000000",
        reload_header="842400010C",
        reload_encrypted="0D9FFC3E8DDDFD57",
        reload_mac="625B5C45",
        unblock_mac="E8F2CC3B",
        purchase_session="9141F2367B5BB348",
        mac1="F01120FD",
        mac2="7A0EC137",
        dtk="4E3CB7F7C515831391ED5B6B62C03025",
        tac_key="DFD1EC9CA7D5B336",
        tac="731F5CB3",
    ),
    Column(
        algorithm=Algorithm.SM4,
        province="79AFE3B9FAA8B47C0695EFD6907CB8D5",
        city="74CD9EA6B603BEECBFAF1C5D92168081",
        card="0BE536BFB1C839EA4B3F501265A146E2",
        internal_session="50FEA509245D555EA51F12EA382A5C7C",
        internal_answer="8E276A4B66C148E9",
        external_session="A0E29F2CB3D48B63D209113E9684D45B",
        external_apdu="0082000A10E22DF1EADB14A960E603E2CAADAF02B6",
        other_session="CBC65DFB7CCBB471F92A33EEE935F2F5",
        other_data="9EE4AB14DC3A3AFE",
        full_block="000102030405060708090A0B0C0D0E0F",
        full_block_mac="359CC812",
        stk_root="0123456789ABCDEFFEDCBA9876543210",
        stk="8D2FA0906FD89D8E42A473DA82E3826A",
        reload_session="B8D401E07082E9C1E611260F188218E5",
        reload_plain="03123456800000000000000000000000",
        reload_header="8424000114",
        reload_encrypted="44B9A0ED7E78181B677405201B73DFED",
        reload_mac="E7BB7779",
        unblock_mac="516E9B63",
        purchase_session="4E256B2FF14E96F969D3A8C951CFD6D0",
        mac1="BFAFFB0A",
        mac2="01EBE18A",
        dtk="E971FE53807B2B1E4B3AA17361B66640",
        tac_key="E971FE53807B2B1E4B3AA17361B66640",
        tac="CA7CCA6A",
    ),
]
each_column = pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.algorithm.value)


def test_the_factors_of_province_city_and_card() -> None:
    assert province_factor(REGION) == h("3531303030307368")
    assert city_factor(REGION) == h("3531393930307378")
    assert card_factor(h("3B6D0000") + HISTORICAL) == h("86605199000001AC")


@pytest.mark.parametrize("region", ["330100", "330106", "330199"])
def test_zhejiang_counts_four_digits_of_the_city(region: str) -> None:
    assert city_factor(region) == h("3333303130307378")
    assert province_factor(region) == h("3333303030307368")


def test_other_provinces_count_all_six_digits() -> None:
    assert city_factor("430299") == b"430299sx"


@each_column
def test_keys_go_from_the_root_over_province_and_city_to_the_card(column: Column) -> None:
    factors = [province_factor(REGION), city_factor(REGION), CARD]
    for levels, expected in enumerate((column.province, column.city, column.card), start=1):
        assert column.suite.diversify(ROOT, factors[:levels]) == h(expected)


@each_column
def test_internal_authentication(column: Column) -> None:
    session = column.suite.challenge_key(column.key, h("32D9E876ADB31BBF"))
    assert session == h(column.internal_session)
    assert column.suite.authentication(session, h("DBF7A936D0D18C9E")) == h(column.internal_answer)


@each_column
def test_external_authentication(column: Column) -> None:
    session = column.suite.challenge_key(column.key, h("98B4D293D091C331"))
    original = h("E603E2CAADAF02B6")
    assert session == h(column.external_session)
    data = column.suite.authentication(session, original)
    assert h("0082000A10") + data + original == h(column.external_apdu)


@each_column
def test_external_authentication_with_another_key(column: Column) -> None:
    session = column.suite.challenge_key(column.key, h("1122334455667788"))
    assert session == h(column.other_session)
    assert column.suite.authentication(session, h("0102030405060708")) == h(column.other_data)


def test_a_challenge_of_four_bytes_is_filled_with_zeros() -> None:
    assert LdtSuite(Algorithm.TRIPLE_DES).challenge_key(h(COLUMNS[0].card), h("98B4D293")) == h("BD306B56DD0A948F")


def test_a_challenge_of_sixteen_bytes_is_taken_whole() -> None:
    suite, key = LdtSuite(Algorithm.SM4), h(COLUMNS[1].card)
    assert suite.challenge_key(key, bytes(range(16))) == suite.cipher.encrypt(key, bytes(range(16)))


@each_column
def test_the_mac_of_a_full_block_has_a_block_of_padding(column: Column) -> None:
    data = h(column.full_block)
    assert len(data) == column.suite.cipher.block
    assert column.suite.mac(h(column.internal_session), data) == h(column.full_block_mac)


@each_column
def test_pin_reload_and_unblock(column: Column) -> None:
    suite = column.suite
    stk = suite.diversify(h(column.stk_root), [CARD])
    assert stk == h(column.stk)
    session = suite.challenge_key(stk, h("2AFD6A015D2D9BAC"))
    assert session == h(column.reload_session)
    encrypted = suite.encrypt(session, h("123456"))
    assert suite.cipher.decrypt(session, encrypted) == h(column.reload_plain)
    assert encrypted == h(column.reload_encrypted)
    assert suite.mac(session, h(column.reload_header) + encrypted) == h(column.reload_mac)
    assert suite.mac(session, h("8424000004")) == h(column.unblock_mac)


def test_application_block_and_card_block() -> None:
    suite, session = LdtSuite(Algorithm.TRIPLE_DES), h(COLUMNS[0].reload_session)
    assert suite.mac(session, h("841E000104")) == h("7A103B76")
    assert suite.mac(session, h("8416000004")) == h("19437F5D")


AMOUNTS = h("00000000 00002710 00001F40")
TERMINAL = h("519900000001")
TIME = h("20260115093045")


@each_column
def test_a_debit_has_its_session_key_and_both_macs(column: Column) -> None:
    suite = column.suite
    session = suite.session_key(column.key, h("A1B2C3D4 0005 002A"))
    assert session == h(column.purchase_session)
    assert suite.mac(session, AMOUNTS + b"\x32" + TERMINAL + TIME) == h(column.mac1)
    assert suite.mac(session, AMOUNTS) == h(column.mac2)


@each_column
def test_a_debit_has_its_tac(column: Column) -> None:
    suite = column.suite
    dtk = suite.diversify(TAC_ROOT, [CARD])
    assert dtk == h(column.dtk)
    assert suite.tac_key(dtk) == h(column.tac_key)
    assert suite.tac(dtk, AMOUNTS + b"\x32" + TERMINAL + h("0000002A") + TIME) == h(column.tac)


def test_a_load() -> None:
    suite, key = LdtSuite(Algorithm.TRIPLE_DES), h(COLUMNS[0].card)
    amount, operation = h("0000C350"), b"\x31" + TERMINAL
    session = suite.session_key(key, h("A1B2C3D4 0003"))
    assert session == h("FA695549FE3A4F49")
    assert suite.mac(session, h("00003039") + amount + operation) == h("1D35AE13")
    assert suite.mac(session, amount + operation + TIME) == h("E9596762")
    dtk = h(COLUMNS[0].dtk)
    assert suite.tac(dtk, h("0000F389 0003") + amount + operation + TIME) == h("08E44B1D")


def test_a_load_seed_is_completed_by_8000_before_the_block_is_filled() -> None:
    suite, key, seed = LdtSuite(Algorithm.SM4), h(COLUMNS[1].card), h("A1B2C3D4 0003")
    assert suite.session_key(key, seed) == suite.cipher.encrypt(key, pad80(seed, 8) + bytes(8))
