"""Session keys and ciphering of a virtual PSAM (SSC §6.2, §6.4; EW §5.2, §5.3, §5.4)."""

import pytest

from cardio.crypto.ciphers import Algorithm, xor
from cardio.crypto.factors import city_factor, province_factor
from cardio.crypto.suites import CipherSuite, LdtSuite, PbocSuite
from cardio.security.card_keys import CARD_KEYS
from cardio.security.keys import Family
from cardio.transport.channel import CardProtocol
from cardio.virtual import cards
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import SOCIAL_SECURITY_ROOT, WALLET_ROOT, citizen_card, psam, social_security_card
from cardio.virtual.filesystem import Directory
from cardio.virtual.fmcos_access import FmcosAccess
from cardio.virtual.provisioning import ldt_card_keys, psam_cipher_keys
from cardio.virtual.psam import PsamFunction
from cardio.virtual.psam_cipher import PsamCipher, PsamCipherKey, PsamEnvironment
from tests.virtual.vectors import entries
from tests.virtual.wire import SELECT_SSSE, complete, send

CARD, CITY, PROVINCE = "86605199000001AC", "3531393930307378", "3531303030307368"
ROOT = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
ENCRYPTING, MACING, BOTH = 7, 6, 8
DES, SM4 = LdtSuite(Algorithm.TRIPLE_DES), LdtSuite(Algorithm.SM4)


def sam_of(*keys: PsamCipherKey, family: Family = Family.LDT, folds: bool = False) -> VirtualCard:
    """A PSAM, T=1, with its application selected."""
    function = PsamFunction(family, [], terminal=bytes(6), cipher_keys=keys)
    function.cipher.folds = folds
    master = Directory(0x3F00, function=PsamEnvironment())
    master.add(Directory(0xDF01, function=function))
    card = VirtualCard(b"\x3b\x00", master, CardProtocol.T1)
    function.card = card
    assert run(card, "00A4000002DF01").endswith("9000")
    return card


def root_key(
    suite: CipherSuite = DES, kind: int = BOTH, levels: int = 3, identifier: int = 0x0A, key: bytes = ROOT
) -> PsamCipherKey:
    return PsamCipherKey(kind, identifier, levels, suite, key)


def run(card: VirtualCard, command: str) -> str:
    return send(card, command.replace(" ", ""))


def deliver(card: VirtualCard, factor: str, *factors: str, purpose: int = 0x68, identifier: int = 0x0A) -> str:
    data = "".join(factors) + factor
    return run(card, f"BFDE{purpose:02X}{identifier:02X}{len(data) // 2:02X}{data}")


# ---- social security cards ---------------------------------------------------------------------------------------

AUTHENTICATIONS = [
    (DES, "98B4D293D091C331", "E603E2CAADAF02B6", "C19097635C8A7E4A"),
    (SM4, "98B4D293D091C331", "E603E2CAADAF02B6", "E22DF1EADB14A960"),
    (DES, "1122334455667788", "0102030405060708", "B444279D30BB1208"),
    (SM4, "1122334455667788", "0102030405060708", "9EE4AB14DC3A3AFE"),
    (DES, "32D9E876ADB31BBF", "DBF7A936D0D18C9E", "D37A16ADCA76F60A"),
    (SM4, "32D9E876ADB31BBF", "DBF7A936D0D18C9E", "8E276A4B66C148E9"),
]


def block(data: str, suite: CipherSuite) -> str:
    return data.ljust(2 * suite.cipher.block, "0")


@pytest.mark.parametrize(("suite", "factor", "original", "expected"), AUTHENTICATIONS)
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_authentications_of_ssc_9_3(suite: LdtSuite, factor: str, original: str, expected: str, levels: int) -> None:
    factors = [CARD, CITY, PROVINCE]
    above = [bytes.fromhex(one) for one in factors[: levels - 1 : -1]]
    key = root_key(suite, levels=levels, kind=ENCRYPTING, key=suite.diversify(ROOT, above))
    for folds in (False, True):
        card = sam_of(key, folds=folds)
        delivered = deliver(card, block(factor, suite), *factors[:levels], purpose=levels << 5 | ENCRYPTING)
        assert delivered == "9000"
        answer = run(card, f"80FA0000{suite.cipher.block:02X}{block(original, suite)}00")
        assert answer.endswith("9000")
        data = bytes.fromhex(answer[:-4])
        assert len(data) == (8 if folds else suite.cipher.block)
        assert (data if len(data) == 8 else xor(data[:8], data[8:])).hex().upper() == expected


@pytest.mark.parametrize(
    ("suite", "header", "plain", "apdu"),
    [
        (DES, "842400010C", "0312345680000000", "842400010C0D9FFC3E8DDDFD57625B5C45"),
        (SM4, "8424000114", "03123456" + "80" + "00" * 11, "842400011444B9A0ED7E78181B677405201B73DFEDE7BB7779"),
        (DES, "8424000004", "", "8424000004E8F2CC3B"),
        (SM4, "8424000004", "", "8424000004516E9B63"),
        (DES, "841E000104", "", "841E0001047A103B76"),
        (DES, "8416000004", "", "841600000419437F5D"),
    ],
)
def test_maintenance_of_ssc_9_3(suite: LdtSuite, header: str, plain: str, apdu: str) -> None:
    """The STK is single DES, or SM4 diversified with the card's factor only."""
    root = ROOT[:8] if suite is DES else ROOT
    card = sam_of(root_key(suite, levels=1, key=root))
    assert deliver(card, block("2AFD6A015D2D9BAC", suite), CARD, purpose=0x28) == "9000"
    size = suite.cipher.block
    body = run(card, f"80FA0000{len(plain) // 2:02X}{plain}")[:-4] if plain else ""
    signed = bytes.fromhex(header + body) + b"\x80"
    signed += bytes(-len(signed) % size)
    mac = run(card, f"80FA0500{size + len(signed):02X}{'00' * size}{signed.hex()}00")
    assert header + body + mac == apdu + "9000"


@pytest.mark.parametrize("suite", [DES, SM4])
def test_mac_may_come_in_pieces(suite: LdtSuite) -> None:
    size = suite.cipher.block
    card = sam_of(root_key(suite, levels=1))
    deliver(card, block("2AFD6A015D2D9BAC", suite), CARD, purpose=0x28)
    iv, parts = "11" * size, [f"{number:02X}" * size for number in range(1, 4)]
    whole = run(card, f"80FA0500{4 * size:02X}{iv}{''.join(parts)}00")
    assert run(card, f"80FA0700{2 * size:02X}{iv}{parts[0]}") == "9000"
    assert run(card, f"80FA0300{size:02X}{parts[1]}") == "9000"
    assert run(card, f"80FA0100{size:02X}{parts[2]}00") == whole
    assert len(whole) == 12
    assert run(card, f"80FA0100{size:02X}{parts[2]}00") == "6985"
    assert run(card, f"80FA0700{size:02X}{iv}") == "9000"
    assert run(card, f"80FA0100{3 * size:02X}{''.join(parts)}00") == whole


def test_encryption_may_come_in_pieces() -> None:
    card = sam_of(root_key())
    deliver(card, "2AFD6A015D2D9BAC", CARD, CITY, PROVINCE)
    one, two = (run(card, f"80FA{p1}0008{'AA' * 8}00") for p1 in ("02", "00"))
    assert one == two != "6A86"


def test_wrong_number_of_levels_is_6a80() -> None:
    card = sam_of(root_key(levels=2))
    factor = "2AFD6A015D2D9BAC"
    assert deliver(card, factor, CARD, purpose=0x28) == "6A80"
    assert deliver(card, factor, CARD, CITY, PROVINCE, purpose=0x68) == "6A80"
    assert deliver(card, factor, CARD, CITY, PROVINCE, purpose=0x48) == "6A80"
    assert deliver(card, factor, CARD, CITY, purpose=0x28) == "6A80"
    assert deliver(card, factor[2:], CARD, CITY, purpose=0x48) == "6A80"
    assert run(card, f"80FA000008{'00' * 8}00") == "6901"
    assert deliver(card, factor, CARD, CITY, purpose=0x48) == "9000"


def test_unknown_keys_are_6a88() -> None:
    card = sam_of(root_key(kind=ENCRYPTING))
    assert deliver(card, "00" * 8, CARD, CITY, PROVINCE, purpose=0x68) == "6A88"
    assert deliver(card, "00" * 8, CARD, CITY, PROVINCE, purpose=0x67, identifier=0x0B) == "6A88"
    assert deliver(card, "00" * 8, CARD, CITY, PROVINCE, purpose=0x67) == "9000"


def test_failed_delivery_ends_the_session() -> None:
    card = sam_of(root_key())
    deliver(card, "00" * 8, CARD, CITY, PROVINCE)
    deliver(card, "00" * 8, CARD)
    assert run(card, f"80FA000008{'00' * 8}00") == "6901"


@pytest.mark.parametrize("ending", ["select", "power"])
def test_session_key_is_gone_with_selection_and_power(ending: str) -> None:
    card = sam_of(root_key())
    deliver(card, "00" * 8, CARD, CITY, PROVINCE)
    if ending == "power":
        card.power_on()
    run(card, "00A4000002DF01")
    assert run(card, f"80FA000008{'00' * 8}00") == "6901"


def test_keys_do_what_their_kind_says() -> None:
    card = sam_of(root_key(kind=ENCRYPTING), root_key(kind=MACING))
    deliver(card, "00" * 8, CARD, CITY, PROVINCE, purpose=0x67)
    assert run(card, f"80FA050010{'00' * 16}00") == "6985"
    assert run(card, f"80FA000008{'00' * 8}00").endswith("9000")
    deliver(card, "00" * 8, CARD, CITY, PROVINCE, purpose=0x66)
    assert run(card, f"80FA000008{'00' * 8}00") == "6985"
    assert run(card, f"80FA050010{'00' * 16}00").endswith("9000")


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("80FA000007" + "00" * 7, "6700"),
        ("80FA0000", "6700"),
        ("80FA080008" + "00" * 8, "6A86"),
        ("80FA040008" + "00" * 8, "6A86"),
        ("80FA000108" + "00" * 8, "6A86"),
        ("80FA030008" + "00" * 8, "6985"),
        ("80FA010008" + "00" * 8, "6985"),
    ],
)
def test_malformed_ciphering(command: str, status: str) -> None:
    card = sam_of(root_key())
    deliver(card, "00" * 8, CARD, CITY, PROVINCE)
    assert run(card, command) == status


def test_two_ciphers_under_one_identifier_are_told_apart_by_the_session_factor() -> None:
    card = sam_of(root_key(DES), root_key(SM4))
    for factor in ("00" * 8, "00" * 16):
        assert deliver(card, factor, CARD, CITY, PROVINCE) == "9000"
        size = len(factor) // 2
        assert len(run(card, f"80FA0000{size:02X}{'00' * size}00")) == 2 * size + 4


def test_environment_is_initialized_in_master_file_and_application() -> None:
    card = sam_of(root_key())
    for command, status in (("BFEC00000151", "9000"), ("BFEC0000025199", "6700"), ("BFEC01000151", "6A86")):
        assert run(card, command) == status
        assert run(psam_in_master_file(), command) == status
    assert run(card, "80CA000009" + "00" * 9) == "6D00"


def psam_in_master_file() -> VirtualCard:
    card = psam()
    card.protocol = CardProtocol.T1
    return card


# ---- wallets -----------------------------------------------------------------------------------------------------


PSAM_VECTORS = {entry["id"]: entry for entry in entries() if entry["kind"] == "psam-cipher"}


@pytest.mark.parametrize("name", PSAM_VECTORS)
def test_psam_vectors(name: str) -> None:
    entry = PSAM_VECTORS[name]
    suite = PbocSuite(Algorithm.SM4 if entry["alg"] == "SM4" else Algorithm.TRIPLE_DES)
    (master,) = (bytes.fromhex(value) for name, value in entry["inputs"].items() if name.startswith("master_"))
    deliver_key = entry["apdus"][0]["command"]
    purpose, identifier = int(deliver_key[4:6], 16), int(deliver_key[6:8], 16)
    key = PsamCipherKey(purpose & 0x1F, identifier, purpose >> 5, suite, master)
    card = sam_of(key, family=Family.PBOC)
    for apdu in entry["apdus"]:
        if apdu["command"].startswith("80"):
            assert run(card, apdu["command"]) == apdu["response"]


def test_authenticity_code_of_the_card_is_accepted() -> None:
    card = sam_of(family=Family.PBOC)
    code = run(citizen_card(native=True), "80CA000009")[:-4]
    assert run(card, f"80CA000009{code}") == "9000"
    assert run(card, f"80CA000008{code[2:]}") == "6700"
    assert run(card, f"80CA010009{code}") == "6A86"


def test_families_do_not_take_each_others_commands() -> None:
    assert run(sam_of(root_key()), "801A280A08" + CARD) == "6D00"
    assert run(sam_of(family=Family.PBOC), "BFDE280A08" + CARD) == "6E00"


# ---- ready-made cards --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize("name", ["RK1DF04", "UK1DF04"])
def test_ready_made_psam_opens_the_ready_made_card(algorithm: Algorithm, name: str) -> None:
    card, sam = social_security_card(algorithm=algorithm), psam()
    complete(card, SELECT_SSSE)
    complete(card, "00A4000002DF04")
    complete(sam, "00A4000002DF01")
    key = CARD_KEYS[name]
    levels = key.authority.value[0]
    size = 16 if algorithm is Algorithm.SM4 else 8
    challenge = send(card, "0084000008")[:-4].ljust(2 * size, "0")
    factors = [card.atr[-8:], city_factor("999900"), province_factor("999900")][:levels]
    data = b"".join(factors).hex() + challenge
    assert send(sam, f"BFDE{key.purpose(levels):02X}{key.psam_id:02X}{len(data) // 2:02X}{data}") == "9000"
    original = "0102030405060708"
    answer = bytes.fromhex(complete(sam, f"80FA0000{size:02X}{original.ljust(2 * size, '0')}00")[:-4])
    proof = answer if size == 8 else xor(answer[:8], answer[8:])
    assert send(card, f"008200{key.kid:02X}10{proof.hex()}{original}") == "9000"
    assert send(card, "00B28F2803") == ("8F01319000" if name == "RK1DF04" else "6982")


@pytest.mark.parametrize(("algorithm", "identifier"), [(Algorithm.TRIPLE_DES, "01"), (Algorithm.SM4, "41")])
def test_ready_made_psam_blocks_the_ready_made_wallet(algorithm: Algorithm, identifier: str) -> None:
    card, sam = citizen_card(algorithm=algorithm, native=True), psam()
    complete(sam, "00A40000021001")
    assert send(card, "00A4040009A00000000386980701").endswith("9000")
    assert send(sam, f"801A25{identifier}088600000000000123") == "9000"
    size = 16 if algorithm is Algorithm.SM4 else 8
    challenge = send(card, "0084000004")[:-4].ljust(2 * size, "0")
    signed = "841E00000480".ljust(2 * size, "0")
    mac = complete(sam, f"80FA0500{2 * size:02X}{challenge}{signed}00")[:-4]
    assert send(card, f"841E000004{mac}") == "9000"
    assert send(card, "00B0950000") == "6A81"


def test_ready_made_wallet_has_the_keys_of_the_worked_example() -> None:
    """PERS §5.2: card keys of card A."""
    security = citizen_card(native=True).security
    assert isinstance(security, FmcosAccess)
    values = {one.value.hex().upper() for file in security.key_files.values() for one in file.keys}
    assert values == {
        "73C7C36C2C2A37A9CA9C03351C7677CC",  # CCK
        "9C10600B16CA203C26C7067DAA182732",  # CLK
        "4581BAB88CA648CC6886DE64D85187DE",  # AMK
        "B347FBC766679942F05E732C4668C984",  # DAMK
        "3156312FC484BDAA207869C9CC85DDB1",  # DPUK
        "062900D728F63A5B3E60DCD429E47DEC",  # DRPK
        "123456",
    }


def test_card_keys_come_from_the_worked_example() -> None:
    """PERS §5.3: RKSSSE and UK1DF04 of card B."""
    factors = [province_factor("999900"), city_factor("999900"), bytes.fromhex("9999260101000123")]
    keys = ldt_card_keys(lambda name: cards.test_root(SOCIAL_SECURITY_ROOT, name), DES, factors)
    by_name = {key.name: key.keys[0].hex().upper() for found in keys.values() for key in found}
    assert by_name["RKSSSE"] == "7CE2D3CA76C5A6259F642F0A112B75DA"
    assert by_name["UK1DF04"] == "4026CE699E95414D1805D037E4A9C74A"
    assert by_name.keys() == CARD_KEYS.keys()
    assert [key.kid for key in keys["SSSE"]] == [0x00, 0x02, 0x04, 0x05, 0x06, 0x0A]


def test_psam_keys_are_those_that_a_source_numbers() -> None:
    keys = psam_cipher_keys(lambda name: cards.test_root(WALLET_ROOT, name), DES, [bytes(8), bytes(8)])
    assert len(keys) == len([key for key in CARD_KEYS.values() if key.psam_id is not None])
    assert {key.levels for key in keys} == {2, 3}


def test_cipher_alone_knows_no_purchase() -> None:
    card = sam_of(root_key())
    function = card.current.function
    assert isinstance(function, PsamFunction)
    assert isinstance(function.cipher, PsamCipher)
    assert run(card, "8072000004" + "00" * 4) == "6901"
