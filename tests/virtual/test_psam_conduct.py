"""What a virtual PSAM refuses, and when its sequence advances (EW §5.2, PC-16; SSC §6.4, §7.2)."""

import pytest

from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.cards import psam
from cardio.virtual.psam import PsamFunction
from tests.virtual.tearing import cut
from tests.virtual.wire import complete

WALLET, MEDICAL, TUNION = "1001", "DF01", "8011"
FACTOR = "8600000000000123"
ORDER = "1F2E3D4C 0010 000000C8 06 20260315090102".replace(" ", "")
MEDICAL_ORDER = "A1B2C3D4 0005 00000000 00002710 00001F40 32 20260115093045".replace(" ", "")


class Sam:
    """A PSAM with one application selected."""

    def __init__(self, application: str = WALLET) -> None:
        self.card: VirtualCard = psam()
        self.select(application)

    def select(self, application: str) -> None:
        assert self.send(f"00A4000002{application}00").endswith("9000")

    def send(self, command: str) -> str:
        return complete(self.card, command)

    def init(self, order: str = ORDER, key: str = "0100", factors: str = FACTOR, parameters: str = "0000") -> str:
        data = order + key + factors
        return self.send(f"8070{parameters}{len(data) // 2:02X}{data}08")

    def init_medical(self, key: str = "0100", factors: str = FACTOR * 2, parameters: str = "0100") -> str:
        return self.init(MEDICAL_ORDER, key, factors, parameters)

    @property
    def function(self) -> PsamFunction:
        function = self.card.current.function
        assert isinstance(function, PsamFunction)
        return function

    @property
    def sequence(self) -> int:
        return self.function.sequence

    def right_mac2(self) -> str:
        """MAC2 of the open purchase, as the card would make it."""
        opened = self.function._open
        assert opened is not None
        return opened.suite.mac(opened.session, opened.amounts).hex()


@pytest.fixture
def sam() -> Sam:
    return Sam()


def test_sequence_stays_until_the_purchase_is_proven(sam: Sam) -> None:
    assert sam.init()[:8] == "00000001"
    assert sam.init()[:8] == "00000001"
    assert sam.send(f"8072000004{sam.right_mac2()}") == "9000"
    assert sam.init()[:8] == "00000002"


def test_each_application_counts_for_itself(sam: Sam) -> None:
    sam.init()
    sam.send(f"8072000004{sam.right_mac2()}")
    sam.select(MEDICAL)
    assert sam.init_medical()[:8] == "00000001"


def test_wrong_mac2_is_63cf_and_ends_the_purchase(sam: Sam) -> None:
    sam.init()
    right = sam.right_mac2()
    assert sam.send("807200000400000000") == "63CF"
    assert sam.send(f"8072000004{right}") == "6901"
    assert sam.sequence == 1


def test_mac2_without_an_open_purchase_is_6901(sam: Sam) -> None:
    assert sam.send("807200000400000000") == "6901"
    sam.init()
    right = sam.right_mac2()
    assert sam.send(f"8072000004{right}") == "9000"
    assert sam.send(f"8072000004{right}") == "6901"
    assert sam.sequence == 2


@pytest.mark.parametrize("ending", ["select", "power"])
def test_selection_and_power_off_forget_the_purchase(sam: Sam, ending: str) -> None:
    sam.init()
    right = sam.right_mac2()
    if ending == "power":
        sam.card.power_off()
        sam.card.power_on()
    sam.select(WALLET)
    assert sam.send(f"8072000004{right}") == "6901"


def test_mac2_has_four_bytes(sam: Sam) -> None:
    sam.init()
    assert sam.send("8072000003000000") == "6700"
    assert sam.send(f"8072000004{'00' * 4}") == "6901"


def test_wrong_number_of_factors_is_6a80(sam: Sam) -> None:
    assert sam.init(factors="") == "6A80"
    assert sam.init(factors=FACTOR * 3) == "6A80"
    assert sam.init(factors=FACTOR[2:]) == "6A80"
    assert sam.init(factors=FACTOR).endswith("9000")
    assert sam.init(order="", key="", factors="") == "6A80"


def test_number_of_factors_chooses_the_key(sam: Sam) -> None:
    """1001 serves citizen cards with one factor and CJ/T 166 cards with two (EW §5.1: the key says its levels)."""
    one, two = sam.init(factors=FACTOR), sam.init(factors=FACTOR * 2)
    assert one.endswith("9000")
    assert two.endswith("9000")
    assert one != two
    assert Sam(TUNION).init(factors=FACTOR) == "6A80"
    assert Sam(TUNION).init(factors=FACTOR * 2).endswith("9000")


def test_tunion_application_has_the_name_of_the_standard(sam: Sam) -> None:
    """EW §1.1."""
    assert sam.send("00A4040010A0000006324D4F542E435053414D303100").endswith("9000")
    assert sam.card.current.identifier == 0x8011


def test_sequence_advances_at_80_70_where_the_switch_says_so(sam: Sam) -> None:
    sam.function.advances_at_init = True
    assert [sam.init()[:8], sam.init()[:8]] == ["00000001", "00000002"]
    assert sam.send(f"8072000004{sam.right_mac2()}") == "9000"
    assert sam.init()[:8] == "00000003"


def test_a_refused_order_does_not_count(sam: Sam) -> None:
    sam.function.advances_at_init = True
    assert sam.init(key="0900") == "6A88"
    assert sam.sequence == 1


def test_sequence_begins_again_after_the_last_one(sam: Sam) -> None:
    sam.function.sequence = 0xFFFFFFFF
    assert sam.init()[:8] == "FFFFFFFF"
    assert sam.send(f"8072000004{sam.right_mac2()}") == "9000"
    assert sam.init()[:8] == "00000000"


def test_wrong_mac2_counts_down_to_a_lock(sam: Sam) -> None:
    for left in range(15, -1, -1):
        sam.init()
        assert sam.send("807200000400000000") == f"63C{left:X}"
    assert sam.init() == "6983"
    assert sam.send("807200000400000000") == "6983"
    sam.card.power_off()
    sam.card.power_on()
    sam.select(WALLET)
    assert sam.init() == "6983"
    assert sam.sequence == 1
    sam.select(MEDICAL)
    assert sam.init_medical().endswith("9000")


def test_right_mac2_restores_the_failure_counter(sam: Sam) -> None:
    for left in "FED":
        sam.init()
        assert sam.send("807200000400000000") == f"63C{left}"
    sam.init()
    assert sam.send(f"8072000004{sam.right_mac2()}") == "9000"
    sam.init()
    assert sam.send("807200000400000000") == "63CF"


@pytest.mark.parametrize(("moment", "left"), [(Moment.BEFORE_COMMIT, 16), (Moment.AFTER_COMMIT, 15)])
def test_failure_counter_changes_with_its_commit(sam: Sam, moment: Moment, left: int) -> None:
    sam.init()
    cut(sam.card, moment, lambda: sam.send("807200000400000000"))
    sam.select(WALLET)
    assert sam.function.failures.tries_left == left


@pytest.mark.parametrize(("moment", "state"), [(Moment.BEFORE_COMMIT, (15, 1)), (Moment.AFTER_COMMIT, (16, 2))])
def test_counter_and_sequence_change_in_one_commit(sam: Sam, moment: Moment, state: tuple[int, int]) -> None:
    sam.init()
    sam.send("807200000400000000")
    sam.init()
    right = sam.right_mac2()
    cut(sam.card, moment, lambda: sam.send(f"8072000004{right}"))
    sam.select(WALLET)
    assert (sam.function.failures.tries_left, sam.function.sequence) == state


def test_medical_application_wants_two_factors() -> None:
    sam = Sam(MEDICAL)
    assert sam.init_medical(factors=FACTOR) == "6A80"
    assert sam.init_medical(factors=FACTOR * 3) == "6A80"
    assert sam.init_medical().endswith("9000")


def test_orders_of_the_other_family_are_refused() -> None:
    assert Sam(WALLET).init(parameters="0100") == "6A86"
    assert Sam(MEDICAL).init_medical(parameters="0000") == "6A86"


@pytest.mark.parametrize("key", ["0200", "0000", "0103", "0105"])
def test_versions_and_algorithms_without_a_key_are_6a88(sam: Sam, key: str) -> None:
    assert sam.init(key=key) == "6A88"


@pytest.mark.parametrize(("application", "served"), [(WALLET, ("00", "01", "04")), (MEDICAL, ("00", "01", "03"))])
def test_each_application_serves_3des_and_sm4_of_its_cards(application: str, served: tuple[str, ...]) -> None:
    sam = Sam(application)
    order, factors, parameters = (
        (ORDER, FACTOR, "0000") if application == WALLET else (MEDICAL_ORDER, FACTOR * 2, "0100")
    )
    answers = [sam.init(order, "01" + algorithm, factors, parameters) for algorithm in served]
    assert all(answer.endswith("9000") for answer in answers)
    assert answers[0] == answers[1] != answers[2]


def test_a_refused_order_forgets_the_open_purchase(sam: Sam) -> None:
    sam.init()
    right = sam.right_mac2()
    assert sam.init(key="0900") == "6A88"
    assert sam.send(f"8072000004{right}") == "6901"


def test_files_hold_terminal_number_and_key_indexes(sam: Sam) -> None:
    assert sam.send("00B0970001") == "019000"
    sam.select(MEDICAL)
    assert sam.send("00B09C0001") == "019000"
    sam.select("3F00")
    assert sam.send("00B0960006") == "9999990000019000"
    assert sam.send("8070000000") == "6D00"
