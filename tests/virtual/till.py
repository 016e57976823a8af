"""A till that speaks bytes: it makes MAC1 with a virtual PSAM, so that conduct can be tested at any step.

It also plays the host of loads, unloads and overdraft updates, with the keys of the card before it.
"""

from __future__ import annotations

from typing import Any

from cardio.virtual.cards import citizen_card, psam, social_security_card
from cardio.virtual.filesystem import Directory
from cardio.virtual.medical import MedicalFunction
from cardio.virtual.purse import PurseFunction
from cardio.virtual.wallet import WalletFunction
from tests.virtual.wire import SELECT_DF04, SELECT_SSSE, SELECT_WALLET, VERIFY_RIGHT, complete

TERMINAL = "999999000001"
TIME = "20260701120000"


class WalletTill:
    """A citizen card with its wallet selected, and a PSAM.

    Attributes:
        card: The card.
        function: Its purse.
    """

    factors = "8600000000000123"

    def __init__(self, balance_fen: int = 10000, **options: Any) -> None:
        self.card = citizen_card(balance_fen=balance_fen, **options)
        self.sam = psam()
        complete(self.sam, "00A40000021001")
        self.application, self.function = self._wallet()
        self.select()

    def _wallet(self) -> tuple[Directory, WalletFunction]:
        for directory in self.card.master_file.walk():
            if isinstance(directory.function, WalletFunction):
                return directory, directory.function
        raise AssertionError("no wallet")

    def select(self) -> None:
        """SELECT the wallet."""
        assert self.send(SELECT_WALLET + "00").endswith("9000")

    def send(self, command: str) -> str:
        """One command to the card."""
        return complete(self.card, command)

    def initialize(self, amount: int = 200, key_index: int = 1, purpose: str = "0102") -> str:
        """INITIALIZE FOR PURCHASE, or for what else P1 and P2 say."""
        return self.send(f"8050{purpose}0B{key_index:02X}{amount:08X}{TERMINAL}0F")

    def debit_command(self, initialized: str, amount: int = 200, kind: int = 0x06) -> str:
        """The DEBIT that goes with an answer to INITIALIZE."""
        counter, version, random = initialized[8:12], initialized[18:22], initialized[22:30]
        order = f"{random}{counter}{amount:08X}{kind:02X}{TIME}{version}{self.factors}"
        answer = complete(self.sam, f"80700000{len(order) // 2:02X}{order}08")
        assert answer.endswith("9000"), answer
        return f"805401000F{answer[:8]}{TIME}{answer[8:16]}08"

    def prepare(self, amount: int = 200) -> str:
        """INITIALIZE, and the DEBIT that may follow."""
        return self.debit_command(self.initialize(amount), amount)

    def pay(self, amount: int = 200) -> str:
        """A whole purchase; TAC ‖ MAC2 ‖ status word."""
        return self.send(self.prepare(amount))

    # ---- the host --------------------------------------------------------------------------------------------

    def open_load(self, amount: int = 300, purse: int = 2) -> str:
        """INITIALIZE FOR LOAD."""
        return self.send(f"805000{purse:02X}0B01{amount:08X}{TERMINAL}10")

    def credit_command(self, opened: str, amount: int = 300, kind: int = 0x02) -> str:
        """The CREDIT that goes with an answer to INITIALIZE FOR LOAD."""
        key = self.function.keys.load[1]
        return f"805200000B{grant(self.function, key, opened, f'{amount:08X}', kind)}04"

    def prepare_load(self, amount: int = 300) -> str:
        """INITIALIZE FOR LOAD of the purse, and the CREDIT that may follow."""
        return self.credit_command(self.open_load(amount), amount)

    def prepare_passbook_load(self, amount: int = 300) -> str:
        """The same for the passbook."""
        return self.credit_command(self.open_load(amount, purse=1), amount, kind=0x01)

    def prepare_unload(self, amount: int = 300) -> str:
        """INITIALIZE FOR UNLOAD, and the DEBIT that may follow."""
        opened = self.send(f"805005010B01{amount:08X}{TERMINAL}10")
        granted = grant(self.function, self.function.keys.unload[1], opened, f"{amount:08X}", 0x03)
        return f"805403000B{granted}04"

    def prepare_limit(self, limit: int = 3000) -> str:
        """INITIALIZE FOR UPDATE, and the UPDATE OVERDRAW LIMIT that may follow."""
        opened = self.send(f"805004010701{TERMINAL}13")
        granted = grant(self.function, self.function.keys.overdraft[1], opened, f"{limit:06X}", 0x07)
        return f"805800000E{limit:06X}{granted}04"


class AccountTill:
    """A social security card with DF04 selected and its PIN presented, and a PSAM.

    Attributes:
        card: The card.
        function: Its account.
    """

    factors = "9999260101000123" + "3939393930307378"

    def __init__(self, balance_fen: int = 10000) -> None:
        self.card = social_security_card(balance_fen=balance_fen)
        self.sam = psam()
        complete(self.sam, "00A4000002DF01")
        self.function = self._account()
        complete(self.card, SELECT_SSSE)
        complete(self.card, SELECT_DF04)
        assert self.send(VERIFY_RIGHT) == "9000"

    def _account(self) -> MedicalFunction:
        for directory in self.card.master_file.walk():
            if isinstance(directory.function, MedicalFunction):
                return directory.function
        raise AssertionError("no account")

    def send(self, command: str) -> str:
        """One command to the card."""
        return complete(self.card, command)

    def initialize(self, account: int = 300, self_pay: int = 20, pool: int = 1000, key_index: int = 1) -> str:
        """INITIALIZE FOR PURCHASE."""
        return self.send(f"B028010113{key_index:02X}{account:08X}{self_pay:08X}{pool:08X}{TERMINAL}16")

    def debit_command(self, initialized: str, account: int = 300, self_pay: int = 20, pool: int = 1000) -> str:
        """The DEBIT that goes with an answer to INITIALIZE."""
        counter, version, random = initialized[28:32], initialized[32:36], initialized[36:44]
        order = f"{random}{counter}{account:08X}{self_pay:08X}{pool:08X}32{TIME}{version}{self.factors}"
        answer = complete(self.sam, f"80700100{len(order) // 2:02X}{order}08")
        assert answer.endswith("9000"), answer
        return f"B02C01000F{answer[:8]}{TIME}{answer[8:16]}08"

    def prepare(self) -> str:
        """INITIALIZE, and the DEBIT that may follow."""
        return self.debit_command(self.initialize())

    def pay(self) -> str:
        """A whole settlement; TAC ‖ MAC2 ‖ status word."""
        return self.send(self.prepare())

    def open_load(self, amount: int = 300, key_index: int = 1) -> str:
        """INITIALIZE FOR LOAD."""
        return self.send(f"B02800010B{key_index:02X}{amount:08X}{TERMINAL}10")

    def prepare_load(self, amount: int = 300) -> str:
        """INITIALIZE FOR LOAD, and the CREDIT that may follow."""
        opened = self.open_load(amount)
        return f"B02A00000B{grant(self.function, self.function.keys.load[1], opened, f'{amount:08X}', 0x31)}04"


def grant(function: PurseFunction, key: bytes, opened: str, amount: str, kind: int) -> str:
    """Time and MAC2 of the host for an answer to an on-line INITIALIZE; a refusal gets a MAC2 that fits nothing."""
    counter, random = opened[8:12], opened[-20:-12]
    if not opened.endswith("9000"):
        return TIME + "00" * 4
    session = function.suite.session_key(key, bytes.fromhex(random + counter))
    return TIME + function.suite.mac(session, bytes.fromhex(f"{amount}{kind:02X}{TERMINAL}{TIME}")).hex()


def corrupt(debit: str) -> str:
    """The same closing command with one bit of its MAC wrong."""
    raw = bytearray.fromhex(debit)
    raw[-2] ^= 1
    return raw.hex()
