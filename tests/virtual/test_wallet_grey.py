"""Grey lock on a virtual wallet and a virtual PSAM (EW §3.5, PC-6, PC-8)."""

from typing import Any

import pytest

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite
from cardio.security.keys import Family
from cardio.transport.channel import CardProtocol
from cardio.virtual import roots
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.filesystem import Directory
from cardio.virtual.psam import PsamFunction, PsamKey
from cardio.virtual.wallet_purse import StoredPurse
from tests.virtual.tearing import CHANGED, UNCHANGED, cut
from tests.virtual.till import TERMINAL, TIME, WalletTill, corrupt
from tests.virtual.wire import VERIFY_RIGHT, complete

LATER = "20260701121500"
TAC_KEY = bytes(range(16))


class GreyTill(WalletTill):
    """A fuel card with both purses, and a PSAM with grey locks."""

    def __init__(self, number: int = 2, algorithm: Algorithm = Algorithm.TRIPLE_DES) -> None:
        super().__init__(passbook_fen=10000, grey_lock=True, algorithm=algorithm)
        self.number = number
        self.suite = PbocSuite(algorithm)
        self.index = 1 + roots.sm4_offset(self.suite)
        key = PsamKey(
            1, frozenset({self.function.keys.algorithm_id}), self.suite, roots.test_root(roots.WALLET_ROOT, "DPK"), 1
        )
        self.psam = PsamFunction(Family.PBOC, [key], terminal=bytes.fromhex(TERMINAL), grey_tac=TAC_KEY)
        self.sam = VirtualCard(b"\x3b\x00", Directory(0x3F00, function=self.psam), CardProtocol.T1)
        self.psam.card = self.sam
        self.send(VERIFY_RIGHT)

    @property
    def purse(self) -> StoredPurse:
        return self.function.purse_numbered(self.number)

    def ask_sam(self, command: str) -> str:
        return complete(self.sam, command)

    def open_lock(self) -> str:
        return self.send(f"E07A08{self.number:02X}07{self.index:02X}{TERMINAL}0F")

    def lock_command(self, opened: str) -> str:
        """GREY LOCK for an answer to its INITIALIZE."""
        random, counter, balance, version = opened[22:30], opened[8:12], opened[:8], opened[18:22]
        order = f"{random}{counter}{balance}{0x90 + self.number:02X}{TIME}{version}{self.factors}"
        answer = self.ask_sam(f"E04000001C{order}0C")
        assert answer.endswith("9000"), answer
        return f"E07C080013{answer[:16]}{TIME}{answer[16:24]}08"

    def prepare_lock(self) -> str:
        return self.lock_command(self.open_lock())

    def lock(self) -> str:
        """A whole lock; the terminal's sequence."""
        command = self.prepare_lock()
        answer = self.send(command)
        assert answer.endswith("9000"), answer
        assert self.ask_sam(f"E042000004{answer[8:16]}") == "9000"
        return command[10:18]

    def debit_for_unlock(self, sequence: str, amount: int = 2500, counter: int = 0) -> str:
        """DEBIT FOR UNLOCK with the PSAM's GMAC."""
        answer = self.ask_sam(f"E04400000F{0x92 + self.number:02X}{self.factors}{counter:04X}{amount:08X}08")
        assert answer.endswith("9000"), answer
        return f"E07E08{self.number:02X}1B{amount:08X}{counter:04X}{TERMINAL}{sequence}{LATER}{answer[:8]}04"

    def open_unlock(self) -> str:
        return self.send(f"E07A09{self.number:02X}07{self.index:02X}{TERMINAL}12")

    def unlock_command(self, opened: str, amount: int = 2500, ins: str = "7C") -> str:
        """GREY UNLOCK with the host's MAC2."""
        assert opened.endswith("9000"), opened
        random, counter = opened[20:28], opened[12:16]
        session = self.suite.session_key(self.function.keys.unload[self.index], bytes.fromhex(random + counter))
        mac2 = self.suite.mac(session, bytes.fromhex(f"{amount:08X}{0x94 + self.number:02X}{TERMINAL}{LATER}"))
        return f"E0{ins}09000F{amount:08X}{LATER}{mac2.hex()}04"


@pytest.fixture(params=[1, 2], ids=["passbook", "purse"])
def till(request: pytest.FixtureRequest) -> GreyTill:
    return GreyTill(request.param)


def state(till: GreyTill) -> tuple[Any, ...]:
    purse, function = till.purse, till.function
    counters = purse.online_counter, purse.offline_counter
    return purse.balance, counters, purse.grey is not None, function.proof, tuple(function.log.records)


# ---- the card ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", Algorithm)
def test_locked_purse_is_debited_later_and_open_again(algorithm: Algorithm) -> None:
    till = GreyTill(algorithm=algorithm)
    sequence = till.lock()
    assert state(till) == (10000, (0, 0), True, None, ())
    answer = till.send(till.debit_for_unlock(sequence))
    assert answer.endswith("9000")
    assert len(answer) == 12
    balance, counters, locked, proof, log = state(till)
    assert (balance, counters, locked) == (7500, (0, 1), False)
    assert (proof.kind, proof.number, proof.mac2, proof.tac.hex().upper()) == (0x94, 1, bytes(4), answer[:8])
    assert [one.hex().upper() for one in log] == [f"0001000000000009C494{TERMINAL}{LATER}"]
    assert till.initialize(key_index=till.index).endswith("9000")


def test_answers_have_the_lengths_of_the_standard(till: GreyTill) -> None:
    assert len(till.open_lock()) == 2 * 0x0F + 4
    till.lock()
    assert len(till.open_unlock()) == 2 * 0x12 + 4


def test_lock_survives_power_off(till: GreyTill) -> None:
    sequence = till.lock()
    till.card.power_off()
    till.card.power_on()
    till.select()
    till.send(VERIFY_RIGHT)
    assert till.open_lock() == "9408"
    assert till.send(till.debit_for_unlock(sequence)).endswith("9000")


def test_every_initialize_of_a_locked_purse_is_9408_and_the_other_purse_works() -> None:
    for number in (1, 2):
        till = GreyTill(number)
        till.lock()
        orders = {
            1: ("0001", "0101", "0201", "0501"),
            2: ("0002", "0102", "0302"),
        }
        assert {till.initialize(purpose=one) for one in orders[number]} == {"9408"}
        assert till.open_lock() == "9408"
        if number == 1:
            assert till.send(f"805004010701{TERMINAL}13") == "9408"
        for one in orders[3 - number]:
            assert till.initialize(purpose=one)[-4:] in {"9000", "6C10"}


def test_grey_lock_comes_after_the_counter_and_before_the_amount(till: GreyTill) -> None:
    """EW §3.3."""
    till.lock()
    assert till.initialize(10001, purpose=f"01{till.number:02X}") == "9408"
    till.purse.offline_counter = 0xFFFF
    assert till.initialize(10001, purpose=f"01{till.number:02X}") == "9402"


def test_order_of_the_checks(till: GreyTill) -> None:
    till.purse.offline_counter = 0xFFFF
    assert till.send(f"E07A08030609{TERMINAL}") == "6A86"
    assert till.send(f"E07A08{till.number:02X}06{TERMINAL}") == "6700"
    assert till.send(f"E07A08{till.number:02X}0709{TERMINAL}") == "9403"
    assert till.open_lock() == "9402"


def test_passbook_needs_the_pin() -> None:
    till = GreyTill(1)
    sequence = till.lock()
    debit = till.debit_for_unlock(sequence)
    till.card.power_off()
    till.card.power_on()
    till.select()
    for command in (debit, f"E07A08010701{TERMINAL}", f"E07A09010701{TERMINAL}"):
        assert till.send(command) == "6982"


def test_lock_without_initialize_is_6901_and_works_once(till: GreyTill) -> None:
    command = till.prepare_lock()
    assert till.send(command).endswith("9000")
    assert till.send(command) == "6901"


def test_wrong_mac1_does_not_lock(till: GreyTill) -> None:
    command = till.prepare_lock()
    assert till.send(corrupt(command)) == "9302"
    assert till.send(command) == "6901"
    assert till.purse.grey is None


def test_form_of_the_lock(till: GreyTill) -> None:
    command = till.prepare_lock()
    assert till.send(command[:6] + "01" + command[8:]) == "6A86"
    command = till.prepare_lock()
    assert till.send(f"{command[:8]}12{command[10:-4]}") == "6700"
    assert till.send(f"E07C0A00{command[8:]}") == "6A86"


def test_purchase_and_lock_do_not_close_each_other(till: GreyTill) -> None:
    opened = till.open_lock()
    assert till.send(f"805401000F00000001{TIME}0000000008") == "6901"
    command = till.lock_command(opened)
    till.initialize(purpose=f"01{till.number:02X}")
    assert till.send(command) == "6901"


def test_debit_for_unlock_of_an_open_purse_is_6901(till: GreyTill) -> None:
    sequence = till.lock()
    debit = till.debit_for_unlock(sequence)
    assert till.send(debit).endswith("9000")
    assert till.send(debit) == "6901"


def test_refusals_of_debit_for_unlock_leave_the_lock(till: GreyTill) -> None:
    sequence = till.lock()
    debit = till.debit_for_unlock(sequence)
    before = state(till)
    head, amount, counter, terminal, number, rest = (
        debit[:10], debit[10:18], debit[18:22], debit[22:34], debit[34:42], debit[42:],
    )  # fmt: skip
    for counted, term, seq in (("0001", terminal, number), (counter, "0" * 12, number), (counter, terminal, "F" * 8)):
        assert till.send(head + amount + counted + term + seq + rest) == "9406"
    assert till.send(corrupt(debit)) == "9302"
    assert till.send(head + "00000001" + counter + terminal + number + rest) == "9302"
    assert till.send(till.debit_for_unlock(sequence, amount=10001)) == "9401"
    assert till.send(f"{debit[:6]}03{debit[8:]}") == "6A86"
    assert till.send(f"{debit[:8]}1A{debit[10:-4]}") == "6700"
    assert state(till) == before
    assert till.send(till.debit_for_unlock(sequence, amount=10000)).endswith("9000")
    assert till.purse.balance == 0


@pytest.mark.parametrize("ins", ["7C", "7E"])
def test_host_unlocks_with_either_instruction(till: GreyTill, ins: str) -> None:
    """EW §3.5: the manual and the retelling differ in INS."""
    till.lock()
    opened = till.open_unlock()
    answer = till.send(till.unlock_command(opened, ins=ins))
    assert answer.endswith("9000")
    assert len(answer) == 12
    balance, counters, locked, proof, log = state(till)
    assert (balance, counters, locked) == (7500, (1, 0), False)
    kind = 0x94 + till.number
    assert (proof.kind, proof.number) == (kind, 1)
    assert [one.hex().upper() for one in log] == [f"0001000000000009C4{kind:02X}{TERMINAL}{LATER}"]
    signed = f"{7500:08X}0000{2500:08X}{kind:02X}{TERMINAL}{LATER}"
    tac = till.suite.tac(till.function.keys.tac, bytes.fromhex(signed))
    assert answer[:8] == tac.hex().upper()
    assert till.send(f"805A00{kind:02X}02000108") == f"00000000{answer}"


def test_mac1_of_the_host_unlock_covers_balance_offline_counter_type_and_terminal(till: GreyTill) -> None:
    """As a public fuel-station program of [GREY-CS] computes it."""
    till.purse.offline_counter = 0x51
    till.purse.online_counter = 0x07
    till.lock()
    opened = till.open_unlock()
    assert opened[:16] == f"{10000:08X}00510007"
    session = till.suite.session_key(till.function.keys.unload[1], bytes.fromhex(opened[20:28] + "0007"))
    signed = f"{10000:08X}0051{0x94 + till.number:02X}{TERMINAL}"
    assert opened[28:36] == till.suite.mac(session, bytes.fromhex(signed)).hex().upper()


def test_refusals_of_the_host_unlock(till: GreyTill) -> None:
    assert till.open_unlock() == "6901"
    till.lock()
    before = state(till)
    command = till.unlock_command(till.open_unlock())
    assert till.send(corrupt(command)) == "9302"
    assert till.send(command) == "6901"
    assert till.send(till.unlock_command(till.open_unlock(), amount=10001)) == "9401"
    command = till.unlock_command(till.open_unlock())
    assert till.send(f"{command[:8]}0E{command[10:-4]}") == "6700"
    command = till.unlock_command(till.open_unlock())
    assert till.send(f"{command[:6]}01{command[8:]}") == "6A86"
    assert till.send(f"E07A09{till.number:02X}0709{TERMINAL}") == "9403"
    assert till.send(f"E07A09{till.number:02X}06{TERMINAL}") == "6700"
    assert state(till) == before
    till.purse.online_counter = 0xFFFF
    assert till.open_unlock() == "9402"


def test_load_is_not_closed_by_the_host_unlock(till: GreyTill) -> None:
    till.lock()
    command = till.unlock_command(till.open_unlock())
    till.open_load(purse=3 - till.number)
    assert till.send(command) == "6901"


def test_proof_of_the_last_transaction_outlives_the_lock(till: GreyTill) -> None:
    """A lock moves no money: the proof stays until the next change of the balance (EW §6.2)."""
    till.send(till.prepare_load())
    proof = till.function.proof
    till.lock()
    assert till.function.proof is proof


def test_card_without_the_extension_knows_none_of_it() -> None:
    till = WalletTill()
    for command in (f"E07A08020701{TERMINAL}", "E07C0800", "E07E0802", "E07A0902", "E0CA0000"):
        assert till.send(command) in {"6D00", "6E00"}


def test_lock_proof_is_not_built(till: GreyTill) -> None:
    assert till.send("E0CA000000") in {"6D00", "6E00"}


# ---- tearing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", [*UNCHANGED, *CHANGED])
def test_lock_is_there_or_not(till: GreyTill, moment: Moment) -> None:
    command = till.prepare_lock()
    cut(till.card, moment, lambda: till.send(command))
    assert state(till) == (10000, (0, 0), moment in CHANGED, None, ())


@pytest.mark.parametrize("online", [False, True])
@pytest.mark.parametrize("moment", [*UNCHANGED, *CHANGED])
def test_unlocking_changes_all_or_nothing(till: GreyTill, moment: Moment, online: bool) -> None:
    sequence = till.lock()
    before = state(till)
    command = till.unlock_command(till.open_unlock()) if online else till.debit_for_unlock(sequence)
    cut(till.card, moment, lambda: till.send(command))
    if moment in UNCHANGED:
        assert state(till) == before
    else:
        balance, counters, locked, proof, log = state(till)
        assert (balance, counters, locked, len(log)) == (7500, (1, 0) if online else (0, 1), False, 1)
        assert proof.number == 1


# ---- the PSAM ----------------------------------------------------------------------------------------------------


def test_psam_counts_locks_like_purchases(till: GreyTill) -> None:
    till.lock()
    assert till.psam.sequence == 2
    till.psam.advances_at_init = True
    till.purse.grey = None
    assert till.lock() == "00000002"
    assert till.psam.sequence == 3


def test_psam_gives_the_debit_of_a_lock_again(till: GreyTill) -> None:
    sequence = till.lock()
    assert till.debit_for_unlock(sequence) == till.debit_for_unlock(sequence)
    till.sam.power_off()
    till.sam.power_on()
    assert till.send(till.debit_for_unlock(sequence)).endswith("9000")


def test_wrong_mac2_counts_down_as_in_a_purchase(till: GreyTill) -> None:
    for left in range(15, -1, -1):
        till.prepare_lock()
        assert till.ask_sam("E04200000400000000") == f"63C{left:X}"
    for command in ("E04000001C" + "00" * 28, "E04200000400000000", "E04400000F" + "00" * 15, "80700000"):
        assert till.ask_sam(command) == "6983"


def test_refusals_of_the_psam(till: GreyTill) -> None:
    assert till.ask_sam("E04200000400000000") == "6901"
    assert till.ask_sam("E04400000F" + "94" + till.factors + "0000" + "00000001") == "6985"
    assert till.ask_sam("E04000011C" + "00" * 28) == "6A86"
    assert till.ask_sam("E046000000") in {"6D00", "6E00"}
    till.lock()
    assert till.ask_sam("E04400000F" + "91" + till.factors + "0000" + "00000001") == "6A80"
    assert till.ask_sam("E04400000E" + "00" * 14) == "6700"
    order = "00" * 10 + "06" + TIME + "0100" + till.factors
    assert till.ask_sam(f"E04000001C{order}0C") == "6A80"
    order = "00" * 10 + "92" + TIME + "0900" + till.factors
    assert till.ask_sam(f"E04000001C{order}0C") == "6A88"


def test_lock_whose_mac2_never_came_cannot_be_debited(till: GreyTill) -> None:
    till.prepare_lock()
    till.sam.power_off()
    till.sam.power_on()
    assert till.ask_sam("E04200000400000000") == "6901"
    assert till.ask_sam(f"E04400000F{0x92 + till.number:02X}{till.factors}000000000001") == "6985"


def test_psam_without_the_extension_knows_none_of_it() -> None:
    till = WalletTill()
    for command in ("E04000001C" + "00" * 28, "E04200000400000000", "E04400000F" + "00" * 15):
        assert complete(till.sam, command) == "6E00"
