"""A wallet made by CREATE FILE and WRITE KEY works as the ready-made ones do, out of its key file (EW §3, §4.8)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite
from cardio.virtual.blank_fmcos import blank_fmcos_card
from cardio.virtual.blank_ldt import blank_ldt_card
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import psam
from cardio.virtual.key_file_purses import KeyFileWallet, WalletChoices
from cardio.virtual.roots import WALLET_ROOT
from cardio.virtual.roots import test_root as root
from tests.counter import wallet_of
from tests.virtual.issuer import Issuer, key
from tests.virtual.personalization import play, steps
from tests.virtual.till import TERMINAL, WalletTill, corrupt
from tests.virtual.wire import SELECT_WALLET, VERIFY_RIGHT, VERIFY_WRONG, complete

ED, EP, LOG = "80E00001072F0208F100FF18", "80E00002072F0208F000FF18", "80E00018072E0A17F1EFFFFF"
INITIALIZE = f"805001020B01000000C8{TERMINAL}0F"
FACTOR = bytes.fromhex(WalletTill.factors)


class PersonalizedTill(WalletTill):
    """A till with card A, as if it had just been loaded with 100.00."""

    def __init__(self) -> None:
        self.card = blank_fmcos_card()
        play(self.card, steps("a"))
        self.sam = psam()
        complete(self.sam, "00A40000021001")
        self.application, self.function = self._wallet()
        self.select()


def till_of_ready_made_card() -> WalletTill:
    """The same wallet from `citizen_card`, brought into the same state."""
    till = WalletTill(9000, native=True, passbook_fen=0)
    till.function.purse.online_counter = till.function.purse.offline_counter = 1
    return till


class WalletIssuer(Issuer):
    """An application in the making; keys and files of money are the test's to write and create."""

    def __init__(
        self,
        algorithm: Algorithm = Algorithm.TRIPLE_DES,
        wallet: WalletChoices | None = None,
        *,
        make: Callable[..., VirtualCard] = blank_fmcos_card,
    ) -> None:
        super().__init__(make(algorithm=algorithm, wallet=wallet), algorithm)
        self.make_application()

    def load(self, header: str, value: bytes, identifier: int) -> None:
        assert self.plain(header, value, identifier) == "9000"


# ---- beside the ready-made card ----------------------------------------------------------------------------------

CONDUCT: dict[str, Callable[[WalletTill], object]] = {
    "balances": lambda till: [till.send("805C000204"), till.send("805C000104"), till.send("805C030204")],
    "balances after the PIN": lambda till: [till.send(VERIFY_RIGHT), till.send("805C000204"), till.send("805C000104")],
    "purchase": lambda till: [till.pay(), till.send("805C000204"), till.send("805A000602000208")],
    "purchase beyond the balance": lambda till: till.initialize(9001),
    "wrong MAC1": lambda till: [till.send(corrupt(till.prepare())), till.send("805C000204")],
    "unknown key": lambda till: till.initialize(key_index=2),
    "composite purchase without records": lambda till: till.send(f"805003020B01000000C8{TERMINAL}0F")[:22],
    "load without PIN": lambda till: till.open_load(),
    "passbook without PIN": lambda till: till.send(f"805001010B01000000C8{TERMINAL}0F"),
    "debit out of order": lambda till: till.send("805401000F" + "00" * 15 + "08"),
    "wrong P1": lambda till: till.send(f"805006020B01000000C8{TERMINAL}0F"),
    "wrong length": lambda till: till.send(f"805001020A01000000C8{TERMINAL[:10]}0F"),
    "wrong PIN": lambda till: [till.send(VERIFY_WRONG), till.send(VERIFY_RIGHT), till.send(VERIFY_RIGHT)],
    "log without PIN": lambda till: till.send("00B201C417"),
    "public data": lambda till: till.send("00B095001E"),
    "SELECT": lambda till: till.send(SELECT_WALLET + "00"),
}


@pytest.mark.parametrize("conduct", CONDUCT.values(), ids=CONDUCT)
def test_conduct_is_that_of_a_ready_made_card(conduct: Callable[[WalletTill], object]) -> None:
    answers = []
    for till in (PersonalizedTill(), till_of_ready_made_card()):
        till.card.random = bytes
        answers.append(conduct(till))
    assert answers[0] == answers[1]


def test_pin_is_unblocked_and_reloaded_under_the_written_keys() -> None:
    till = PersonalizedTill()
    suite = PbocSuite(Algorithm.TRIPLE_DES)
    for _ in range(3):
        till.send(VERIFY_WRONG)
    assert till.send(VERIFY_RIGHT) == "6983"
    dpuk, drpk = (suite.diversify(root(WALLET_ROOT, name), [FACTOR]) for name in ("DPUK", "DRPK"))
    challenge = bytes.fromhex(till.send("0084000004")[:-4])
    start = bytes.fromhex("842400000C") + suite.line_encrypt(dpuk, bytes.fromhex("123456"))
    assert till.send((start + suite.line_mac(dpuk, challenge, start)).hex()) == "9000"
    assert till.send(VERIFY_RIGHT) == "9000"
    mac = suite.tac(drpk, bytes.fromhex("654321"))
    assert till.send(f"805E000007654321{mac.hex()}") == "9000"
    assert till.send("0020000003654321") == "9000"


def test_application_is_locked_by_three_wrong_macs_on_its_public_file() -> None:
    till = PersonalizedTill()
    for _ in range(3):
        till.send("0084000004")
        assert till.send("04D695000512345678AA") == "6988"
    assert till.send("00B095001E") == "9303"
    assert till.send(SELECT_WALLET) == "9303"


# ---- out of the key file -----------------------------------------------------------------------------------------


def test_answer_of_initialize_tells_version_and_algorithm_of_the_key_that_it_names() -> None:
    issuer = WalletIssuer()
    issuer.load("3EF0AA0501", key("DPK"), 0x01)
    issuer.load("3EF0AA0700", key("DPK2"), 0x02)
    issuer.load("34F0AA0100", key("DTK"), 0x00)
    issuer.ok(LOG, EP)
    assert issuer.send(f"805001020B0100000000{TERMINAL}0F")[18:22] == "0501"
    assert issuer.send(f"805001020B0200000000{TERMINAL}0F")[18:22] == "0700"


@pytest.mark.parametrize(
    ("missing", "status"),
    [("purchase key", "9403"), ("TAC key", "6A88"), ("log", "6A82"), ("purse", "6A86"), (None, "9000")],
)
def test_purchase_needs_purse_keys_and_log(missing: str | None, status: str) -> None:
    issuer = WalletIssuer()
    if missing != "purchase key":
        issuer.load("3EF0AA0100", key("DPK"), 0x01)
    if missing != "TAC key":
        issuer.load("34F0AA0100", key("DTK"), 0x00)
    if missing != "log":
        issuer.ok(LOG)
    issuer.ok(ED if missing == "purse" else EP)
    assert issuer.send(INITIALIZE.replace("C8", "00")).endswith(status)


def test_log_of_another_length_is_none() -> None:
    issuer = WalletIssuer()
    issuer.load("3EF0AA0100", key("DPK"), 0x01)
    issuer.load("34F0AA0100", key("DTK"), 0x00)
    issuer.ok("80E00018072E0A18F1EFFFFF", EP)
    assert issuer.send(INITIALIZE.replace("C8", "00")) == "6981"


@pytest.mark.parametrize(
    ("use", "state", "status"),
    [("F0", None, "9000"), ("F1", None, "6982"), ("F1", "AMK", "9000"), ("11", "AMK", "6982")],
)
def test_use_rights_of_key_and_purse_are_asked(use: str, state: str | None, status: str) -> None:
    for key_use, purse_use in ((use, "F0"), ("F0", use)):
        issuer = WalletIssuer()
        issuer.load(f"3E{key_use}AA0100", key("DPK"), 0x01)
        issuer.load("34F0AA0100", key("DTK"), 0x00)
        issuer.ok(LOG, EP.replace("2F0208F0", f"2F0208{purse_use}"))
        issuer.reenter()
        if state is not None:
            assert issuer.authenticate(key(state)) == "9000"
        assert issuer.send(INITIALIZE.replace("C8", "00")).endswith(status)


def test_each_purse_names_its_tac_key() -> None:
    issuer = WalletIssuer()
    issuer.load("3EF0AA0100", key("DPK"), 0x01)
    issuer.load("34F0AA0100", key("DTK"), 0x02)
    issuer.ok(LOG, EP)
    assert issuer.send(INITIALIZE.replace("C8", "00")) == "6A88"
    issuer = WalletIssuer()
    issuer.load("3EF0AA0100", key("DPK"), 0x01)
    issuer.load("34F0AA0100", key("DTK"), 0x02)
    issuer.ok(LOG, EP.replace("F000FF", "F002FF"))
    assert issuer.send(INITIALIZE.replace("C8", "00")).endswith("9000")


def test_erasing_the_application_takes_purse_and_money_away() -> None:
    till = PersonalizedTill()
    issuer = Issuer(till.card)
    suite = PbocSuite(Algorithm.TRIPLE_DES)
    assert issuer.authenticate(suite.diversify(root(WALLET_ROOT, "AMK"), [FACTOR])) == "9000"
    issuer.ok("800E000000")
    assert issuer.send("805C000204") == "6D00"
    issuer.ok(EP, "805C000204")


@pytest.mark.parametrize("make", [blank_fmcos_card, blank_ldt_card])
@pytest.mark.parametrize(("algorithm", "index"), [(Algorithm.TRIPLE_DES, 0x01), (Algorithm.SM4, 0x41)])
def test_wallet_pays_with_the_psam_of_all_products(
    make: Callable[..., VirtualCard], algorithm: Algorithm, index: int
) -> None:
    """A social security card with a wallet is a combined card."""
    issuer = WalletIssuer(algorithm, make=make)
    suite = PbocSuite(algorithm)
    version = "04" if algorithm is Algorithm.SM4 else "00"
    for header, name, identifier in ((f"3EF0AA01{version}", "DPK", index), (f"34F0AA01{version}", "DTK", 0x00)):
        value = suite.diversify(root(WALLET_ROOT, name), [FACTOR])
        assert issuer.protected(header, value, key("AMK"), identifier) == "9000"
    issuer.ok(LOG, EP)
    wallet_of(issuer.card).balance = 1000
    till = WalletTill()
    till.card, till.function = issuer.card, wallet_of(issuer.card)
    paid = till.send(till.debit_command(till.initialize(key_index=index)))
    assert paid.endswith("9000")
    assert complete(till.sam, f"8072000004{paid[8:16]}") == "9000"
    assert till.function.balance == 800


# ---- what only the chip knows ------------------------------------------------------------------------------------


def wallet_with(choices: WalletChoices) -> WalletIssuer:
    issuer = WalletIssuer(wallet=choices)
    issuer.load("3EF0AA0100", key("DPK"), 0x01)
    issuer.load("34F0AA0100", key("DTK"), 0x00)
    issuer.ok(LOG, EP)
    return issuer


def test_composite_purchases_and_grey_lock_are_the_chip_s() -> None:
    with_both = wallet_with(WalletChoices(grey_lock=True))
    with_none = wallet_with(WalletChoices(composite=False))
    composite, grey = f"805003020B0100000000{TERMINAL}0F", f"E07A080207 01{TERMINAL}0F"
    assert [with_both.send(one)[-4:] for one in (composite, grey)] == ["9000", "9000"]
    assert [with_none.send(one)[-4:] for one in (composite, grey)] == ["6A86", "6E00"]
    assert with_none.send("80DC01C801AA") == "6D00"


def test_wallet_survives_the_power() -> None:
    till = PersonalizedTill()
    assert till.pay().endswith("9000")
    till.card.power_off()
    till.card.power_on()
    till.select()
    assert till.send("805C000204") == "000022609000"
    assert isinstance(till.function, KeyFileWallet)
