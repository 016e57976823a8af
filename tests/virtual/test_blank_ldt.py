"""A personalized social security card gives its rights as a set of states (PERS §5.3, and project choices on it)."""

from __future__ import annotations

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import LdtSuite
from cardio.virtual.blank_ldt import blank_ldt_card
from cardio.virtual.blank_ldt_access import LdtChoices
from tests.virtual.issuer import SELECT_MF, Issuer, key
from tests.virtual.personalization import play, steps
from tests.virtual.wire import SELECT_DF04, SELECT_SSSE, fixed

DF04_NAME = "D15600000503"
SSSE_NAME = SELECT_SSSE[10:]
PIN = "123456"
VERIFY = f"0020000003{PIN}"
READ_PIN_OR_KEY, READ_PIN_AND_KEY = "00B2012C03", "00B2013403"
KEYS = {
    "SSSE": {
        "IRK": ("F0F0AA0100", 0x00),
        "STKSSSE": ("F6F0AAFF33", 0x00),
        "UKSSSE": ("F9F0AA0833", 0x02),
        "RKSSSE": ("F9F0AA0233", 0x0A),
        "PUK": ("F9F0AA0433", 0x06),
        "BK": ("F9F0AA0533", 0x0B),
    },
    "DF04": {
        "STKDF04": ("F6F0AAFF33", 0x00),
        "UK1DF04": ("F9F0AA0833", 0x81),
        "RK1DF04": ("F9F0AA0233", 0x82),
        "PIN AND RK1DF04": ("F911AA0333", 0xC2),
        "UK2DF04": ("F9F0AA0933", 0x83),
        "DSK": ("F9F0AA0633", 0x84),
        "LKDF04": ("F9F0AA0533", 0x85),
        "DPK": ("FEF0AA0100", 0x01),
        "DLK": ("FFF0AA0100", 0x01),
        "DTK": ("F4F0AA0100", 0x00),
    },
}
KIDS = {name: kid for keys in KEYS.values() for name, (_, kid) in keys.items()}


class LdtIssuer(Issuer):
    """A card with SSSE and DF04, both left and so with their rights in force; the SSSE is selected."""

    def __init__(self, algorithm: Algorithm = Algorithm.TRIPLE_DES, choices: LdtChoices | None = None) -> None:
        super().__init__(blank_ldt_card(algorithm=algorithm, choices=choices), algorithm)
        self.ldt = LdtSuite(algorithm)
        self.make_master_file()
        self.ok(f"80E0DDF11738 1800AAAA1EFFFF {SSSE_NAME}", SELECT_SSSE, "80E00000073F01401EAAFFFF")
        self._load("SMK", "CCK", "SSSE")
        self.ok("80E0EF05072C0060F088FFFF", "80E0EF07072C00602288FFFF")
        self.ok(f"80E0DF040E38 0C00AAAA80FFFF {DF04_NAME}", SELECT_DF04, "80E00000073F014080AAFFFF")
        self._load("DF04MK", "SMK", "DF04")
        self.ok("80E0EF05072C00E02188FFFF", "80E0EF06072C00803399FFFF", "80E0EF0807 2E1E1C11EFFFFF")
        self.ok("80E0EF01072D00141100FF08", "80E0EF0907A80008F088FFFF", "80E0EF0A07E80008F088FFFF")
        # Still free: no right is asked yet.
        self.ok("00DC012C03800131", "00DC013403810132")
        self.ok(SELECT_SSSE)

    def _load(self, master: str, parent: str, label: str) -> None:
        assert self.protected("F9F0AAAA33", key(master), key(parent)) == "9000"
        for name, (header, kid) in KEYS[label].items():
            assert self.protected(header, key(name.removeprefix("PIN AND ")), key(master), kid) == "9000", name
        assert self.protected("3AF0EF0166", bytes.fromhex(PIN), key(master)) == "9000"

    def authentication(self, name: str, version: str = "", kid: int | None = None) -> str:
        """EXTERNAL AUTHENTICATION of LD/T that is right for fresh challenges."""
        original, factor = self.challenge(8), self.challenge(8)
        session = self.ldt.challenge_key(key(name), factor)
        data = self.ldt.authentication(session, original) + original
        number = KIDS[name] if kid is None else kid
        return f"008200{number:02X}{16 + len(version) // 2:02X}{data.hex()}{version}"

    def authenticate_ldt(self, name: str) -> str:
        return self.send(self.authentication(name))

    def secured(self, header: str, name: str, data: str = "", *, encrypt: bool = False) -> str:
        """A command with secure messaging of LD/T."""
        session = self.ldt.challenge_key(key(name), self.challenge(8))
        body = bytes.fromhex(data)
        body = self.ldt.encrypt(session, body) if encrypt else body
        start = bytes.fromhex(header) + bytes([len(body) + 4]) + body
        return self.send((start + self.ldt.mac(session, start)).hex())


@pytest.fixture(params=list(Algorithm))
def issuer(request: pytest.FixtureRequest) -> LdtIssuer:
    return LdtIssuer(request.param)


# ---- keys and PIN ------------------------------------------------------------------------------------------------


def test_update_key_opens_the_files_of_its_directory(issuer: LdtIssuer) -> None:
    assert issuer.send("00DC012C03020133") == "6982"
    assert issuer.authenticate_ldt("UKSSSE") == "9000"
    assert issuer.send("00DC012C03020133") == "9000"
    assert issuer.send("00B2012C03").endswith("0201339000")
    issuer.ok(SELECT_DF04, SELECT_SSSE)
    assert issuer.send("00DC012C03020133") == "6982", "another directory was selected meanwhile"


def test_selecting_the_same_directory_again_keeps_what_keys_earned(issuer: LdtIssuer) -> None:
    assert issuer.authenticate_ldt("UKSSSE") == "9000"
    issuer.ok(SELECT_SSSE, "00DC012C03020133")


def test_several_keys_count_together(issuer: LdtIssuer) -> None:
    assert issuer.authenticate_ldt("UKSSSE") == "9000"
    assert issuer.authenticate_ldt("RKSSSE") == "9000"
    issuer.ok("00DC012C03020133", "00DC013C03330131", "00B2013C03")


def test_failed_key_loses_its_own_right_only(issuer: LdtIssuer) -> None:
    assert issuer.authenticate_ldt("UKSSSE") == "9000"
    issuer.ok("00DC013C03330131")
    assert issuer.authenticate_ldt("RKSSSE") == "9000"
    issuer.ok("00B2013C03")
    assert issuer.send(issuer.authentication("UKSSSE", kid=0x0A)) == "63C2"
    assert issuer.send("00B2013C03") == "6982"
    issuer.ok("00DC012C03020133")


def test_specific_key_is_of_the_current_directory_and_a_global_one_above_it_too(issuer: LdtIssuer) -> None:
    assert issuer.authenticate_ldt("RK1DF04") == "6A88"
    issuer.ok(SELECT_DF04)
    assert issuer.authenticate_ldt("RK1DF04") == "9000"
    assert issuer.authenticate_ldt("PUK") == "9000"


def test_global_key_opens_no_file_of_the_directory_below(issuer: LdtIssuer) -> None:
    """UKSSSE and UK1DF04 have the same state 8, RKSSSE and RK1DF04 the same state 2."""
    issuer.ok(SELECT_DF04)
    assert issuer.authenticate_ldt("UKSSSE") == "9000"
    assert issuer.authenticate_ldt("RKSSSE") == "9000"
    assert issuer.send("00DC012C03800131") == "6982"
    assert issuer.send(READ_PIN_OR_KEY) == "6982"
    assert issuer.authenticate_ldt("UK1DF04") == "9000"
    issuer.ok("00DC012C03800131")


@pytest.mark.parametrize("first", [VERIFY, "RK1DF04"])
def test_pin_and_key_open_in_either_order(issuer: LdtIssuer, first: str) -> None:
    issuer.ok(SELECT_DF04)
    assert issuer.send(READ_PIN_AND_KEY) == "6982"
    for step in (first, "RK1DF04" if first == VERIFY else VERIFY):
        assert issuer.send(READ_PIN_AND_KEY) == "6982"
        assert (issuer.send(step) if step == VERIFY else issuer.authenticate_ldt(step)) == "9000"
        assert issuer.send(READ_PIN_OR_KEY).endswith("9000")
    assert issuer.send(READ_PIN_AND_KEY).endswith("9000")


def test_record_for_pin_and_key_is_not_presented(issuer: LdtIssuer) -> None:
    issuer.ok(SELECT_DF04, VERIFY)
    assert issuer.send(issuer.authentication("RK1DF04", kid=0xC2)) == "6A88"


def test_pin_is_one_for_all_directories_and_lasts(issuer: LdtIssuer) -> None:
    issuer.ok(VERIFY, SELECT_DF04, READ_PIN_OR_KEY, SELECT_MF, SELECT_SSSE, SELECT_DF04, READ_PIN_OR_KEY)
    issuer.card.power_off()
    issuer.card.power_on()
    issuer.ok(SELECT_SSSE, SELECT_DF04)
    assert issuer.send(READ_PIN_OR_KEY) == "6982"
    assert issuer.send("0020000003654321") == "63C5"
    issuer.ok(SELECT_SSSE)
    assert issuer.send("0020000000") == "63C5", "its tries are those of the one PIN"


def test_copy_of_the_pin_below_is_never_asked(issuer: LdtIssuer) -> None:
    """PERS §5.3: B58 is taken, and has no effect."""
    issuer.ok(SELECT_DF04, "805E010007123456FF654321")
    assert issuer.send(VERIFY) == "63C5"
    issuer.ok("0020000003654321", SELECT_SSSE, "0020000003654321")


def test_pin_that_was_taken_off_is_everybody_s(issuer: LdtIssuer) -> None:
    issuer.ok("805E010004123456FF", SELECT_DF04, READ_PIN_OR_KEY, "0020000000")


def test_wrong_pin_takes_its_right_away(issuer: LdtIssuer) -> None:
    issuer.ok(SELECT_DF04, VERIFY, READ_PIN_OR_KEY)
    assert issuer.send("0020000003654321") == "63C5"
    assert issuer.send(READ_PIN_OR_KEY) == "6982"


def test_master_has_the_form_of_fmcos_and_all_others_that_of_ldt(issuer: LdtIssuer) -> None:
    assert issuer.authenticate(key("SMK")) == "9000"
    assert issuer.send(issuer.authentication("UKSSSE", kid=0x00)) == "6700"
    assert issuer.authenticate(key("UKSSSE"), 0x02) == "6700"
    assert issuer.send(issuer.authentication("UKSSSE", version="01")) == "9000"
    assert issuer.send(issuer.authentication("UKSSSE", version="02")) == "6A88"
    assert issuer.send("0082000008" + "00" * 8) == "6984"
    assert issuer.send("0082000208") == "6700"


def test_master_of_one_directory_opens_no_other(issuer: LdtIssuer) -> None:
    assert issuer.authenticate(key("SMK")) == "9000"
    issuer.ok("80E0EF0907280001F0F0FFFF", SELECT_DF04)
    assert issuer.authenticate(key("SMK")) == "63C2"
    assert issuer.send("80E0EF0B07280001F0F0FFFF") == "6982"


def test_key_without_tries_is_6983(issuer: LdtIssuer) -> None:
    for tries in (2, 1, 0):
        assert issuer.send(issuer.authentication("RKSSSE", kid=0x02)) == f"63C{tries}"
    assert issuer.authenticate_ldt("UKSSSE") == "6983"


# ---- what keys are for -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("select", [(), (SELECT_DF04,)], ids=["in the SSSE", "in DF04"])
def test_puk_unblocks_and_reloads_the_pin_under_the_stk_of_its_directory(
    issuer: LdtIssuer, select: tuple[str, ...]
) -> None:
    issuer.ok(*select)
    for _ in range(6):
        issuer.send("0020000003654321")
    assert issuer.send(VERIFY) == "6983"
    assert issuer.secured("84240000", "STKSSSE") == "6982"
    assert issuer.authenticate_ldt("PUK") == "9000"
    assert issuer.secured("84240000", "STKSSSE") == "9000"
    issuer.ok(VERIFY)
    assert issuer.secured("84240001", "STKSSSE", "654321", encrypt=True) == "9000"
    assert issuer.send("0020000003654321") == "9000"
    assert issuer.secured("84240000", "STKDF04") == "6988"


def test_lk_blocks_its_application(issuer: LdtIssuer) -> None:
    issuer.ok(SELECT_DF04)
    assert issuer.authenticate_ldt("BK") == "9000"
    assert issuer.secured("841E0001", "STKDF04") == "6982", "BK has the state of LK, but is no key of DF04"
    assert issuer.authenticate_ldt("LKDF04") == "9000"
    assert issuer.secured("841E0001", "STKDF04") == "9000"
    assert issuer.send(READ_PIN_OR_KEY) == "9303"
    issuer.ok(SELECT_SSSE)
    assert issuer.send(SELECT_DF04) == "9303"


def test_bk_blocks_the_card(issuer: LdtIssuer) -> None:
    issuer.ok(SELECT_DF04)
    assert issuer.authenticate_ldt("LKDF04") == "9000"
    assert issuer.secured("84160000", "STKSSSE") == "6982", "LK has the state of BK, but blocks no card"
    issuer.ok(SELECT_SSSE)
    assert issuer.authenticate_ldt("BK") == "9000"
    assert issuer.secured("84160000", "STKSSSE") == "9000"
    assert issuer.send(SELECT_MF) == "6A81"


def test_dsk_sets_the_starting_day(issuer: LdtIssuer) -> None:
    issuer.ok(SELECT_DF04)
    assert issuer.authenticate_ldt("UK1DF04") == "9000"
    assert issuer.send("B0560000020701") == "6982"
    assert issuer.authenticate_ldt("DSK") == "9000"
    issuer.ok("B0560000020701")
    assert issuer.send("B056010002") == "07019000"


def test_irk_proves_the_card_from_every_directory(issuer: LdtIssuer) -> None:
    for select in (SELECT_SSSE, SELECT_DF04):
        issuer.ok(select)
        factor, original = bytes(range(8)), bytes(range(8, 16))
        proof = issuer.ldt.authentication(issuer.ldt.challenge_key(key("IRK"), factor), original)
        assert issuer.send(f"0088000010{(factor + original).hex()}08") == proof.hex().upper() + "9000"


def test_card_without_irk_proves_nothing() -> None:
    issuer = Issuer(blank_ldt_card())
    issuer.make_application()
    assert issuer.send("0088000010" + "00" * 16 + "08") == "6A88"


def test_account_opens_with_the_use_right_of_its_file_and_keys(issuer: LdtIssuer) -> None:
    issuer.ok(SELECT_DF04)
    assert issuer.send("B026000104") == "6982"
    assert issuer.send("B02800010B010000271099999900000110") == "6982"
    issuer.ok(VERIFY, "B026000104")
    assert issuer.send("B02800010B020000271099999900000110") == "9403"
    issuer.ok("B02800010B010000271099999900000110")


# ---- files -------------------------------------------------------------------------------------------------------


def test_class_04_adds_a_mac_under_the_directory_s_stk(issuer: LdtIssuer) -> None:
    issuer.ok(SELECT_DF04)
    assert issuer.authenticate_ldt("UK1DF04") == "9000"
    assert issuer.secured("04DC012C", "STKSSSE", "800135") == "6988"
    assert issuer.secured("04DC012C", "STKDF04", "800135") == "9000"
    assert issuer.send("04DC012C03800131") == "6984"


def test_type_byte_demands_mac_and_encryption(issuer: LdtIssuer) -> None:
    issuer.ok(SELECT_DF04)
    assert issuer.authenticate_ldt("UK1DF04") == "9000"
    assert issuer.send("00D6890001AA") == "6987"
    assert issuer.line("04D68900", "AA", key("STKDF04")) == "9000"
    assert issuer.line("04D68A00", "AB", key("STKDF04")) == "6A80"
    encrypted = issuer.suite.line_encrypt(key("STKDF04"), b"\xab").hex()
    assert issuer.line("04D68A00", encrypted, key("STKDF04")) == "9000"
    assert issuer.send("00B0890001") == "AA9000"
    assert issuer.send("00B08A0001") == "AB9000"


def test_records_are_appended_to_files_with_line_protection_only(issuer: LdtIssuer) -> None:
    issuer.ok(SELECT_DF04)
    assert issuer.authenticate(key("DF04MK")) == "9000"
    issuer.ok("80E0EF0B07AC0040F0F0FFFF")
    assert issuer.line("04E20058", "27017DAABB", key("STKDF04")) == "9000"
    assert issuer.send("00B2015C05") == "27017DAABB9000"
    assert issuer.send("00E2002803800131") == "6D00"


def test_there_is_no_protected_read(issuer: LdtIssuer) -> None:
    issuer.challenge(4)
    assert issuer.send("04B2012C0400000000") == "6882"


def test_write_under_secure_messaging_is_the_printed_one() -> None:
    """PERS §5.3, the alternative to B85."""
    card = blank_ldt_card()
    play(card, [step for step in steps("b") if step.name <= "B84" and len(step.name) == 3])
    card.random = fixed(bytes.fromhex("C0DE00F0"))
    assert card.transmit(bytes.fromhex("0084000004")).hex().upper() == "C0DE00F09000"
    command = "04DC03341A4E1400000000000000000000000000000000000000003B69390B"
    assert card.transmit(bytes.fromhex(command)).hex() == "9000"


# ---- the environment ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("algorithm", "announces", "content"),
    [
        (Algorithm.TRIPLE_DES, False, "A50388011E"),
        (Algorithm.TRIPLE_DES, True, "A50988011E9F0C03860101"),
        (Algorithm.SM4, True, "A50988011E9F0C03860103"),
    ],
)
def test_environment_may_announce_the_algorithm(algorithm: Algorithm, announces: bool, content: str) -> None:
    issuer = LdtIssuer(algorithm, LdtChoices(announces=announces))
    assert issuer.send(SELECT_SSSE).endswith(content + "9000")
    assert issuer.send(SELECT_MF).endswith("A5038801019000")


def test_environments_may_be_found_by_name_from_the_master_file_only() -> None:
    issuer = Issuer(blank_ldt_card(names_from_master_file=True))
    issuer.make_master_file()
    issuer.ok(f"80E0DDF11738 1000AAAA1EFFFF {SSSE_NAME}", SELECT_SSSE)
    assert issuer.send(SELECT_SSSE) == "6A82"
    issuer.ok(SELECT_MF, SELECT_SSSE)


def test_card_that_has_no_pin_yet_takes_none() -> None:
    issuer = Issuer(blank_ldt_card())
    issuer.make_application()
    issuer.ok(VERIFY)
    assert issuer.send("805E010004FF123456") == "6A88"
    issuer.reenter()
    issuer.ok(SELECT_MF)
    assert issuer.card.rights() == frozenset()


def test_directory_may_have_keys_of_another_cipher() -> None:
    """A combined card: 3DES wallet on an SM4 card."""
    name = "A00000000386980701"
    issuer = Issuer(blank_ldt_card(algorithm=Algorithm.SM4, ciphers={name: Algorithm.TRIPLE_DES}), Algorithm.SM4)
    issuer.make_application()
    wallet = Issuer(issuer.card)
    assert wallet.authenticate(key("AMK")) == "9000"
    assert wallet.protected("3EF0AA0100", key("DPK"), key("AMK"), 0x01) == "9000"
    assert len(wallet.protected_command("3FF0AA0100", key("DLK"), key("AMK"), 0x01)) == 5 + 0x1C
    assert issuer.protected("3FF0AA0100", key("DLK"), key("AMK"), 0x01) == "6700"
    assert wallet.plain("3FF0AA0100", bytes(8), 0x01) == "9000"
    issuer.ok(SELECT_MF)
    assert issuer.authenticate(key("CCK")) == "9000"
