"""The timing model against sums by hand and against the ride of EW §6.1."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import pairwise

import pytest

from cardio.errors import CardMute, CardRemoved
from cardio.products.catalogue import Catalogue
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card, psam
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.products import example_card
from cardio.virtual.timing import DEFAULT_TIME, PSAM_CHIP, USER_CHIP, Chip, Contact, Contactless, TimingModel
from tests.virtual.wire import SELECT_WALLET, complete, send

MS = 1e-3
BALANCE = "805C000204"
ORDER = "807000002400000001" + "0001" + "000000C8" + "06" + "20260701120000" + "0100" + "8600000000000123" * 2
"""INIT SAM FOR PURCHASE with two factors."""
CARD_RIDE = {
    "00A4040008A00000063201010500": 19,
    "00B095001E": 10,
    "00B097003C": 13,
    "00B201F430": 12,
    "805C030204": 7,
    "805003020B01000000C899999900000100": 11,
    "80DC00F030" + "06" + "00" * 47: 16,
    "805401000F" + "00" * 15 + "08": 67,
}
"""The card's commands of EW §6.1 with what was measured, in ms."""


@pytest.mark.parametrize(
    ("kbit", "cycles"),
    [(106, 128), (212, 64), (424, 32), (848, 16)],
)
def test_contactless_bytes_take_nine_bits_each_in_blocks_with_three_more(kbit: int, cycles: int) -> None:
    # GET BALANCE: (5 + 3) · 9 + 2 = 74 bits, its answer of 6 bytes: (6 + 3) · 9 + 2 = 83 bits
    assert Contactless(kbit).seconds(5, 6) == pytest.approx((74 + 83) * cycles / 13.56e6)


def test_a_contactless_answer_beyond_the_frame_is_chained() -> None:
    # 258 bytes are blocks of 61 · 4 + 14 bytes, 4 of them acknowledged: 5 + 4 frames
    bits = 9 * (258 + 3 * 9) + 2 * 9
    assert Contactless(106, frame=64).seconds(5, 258) == pytest.approx((74 + bits) * 128 / 13.56e6)


def test_a_frame_that_is_just_full_is_not_chained() -> None:
    wire = Contactless(106)
    assert wire.seconds(5, 253) == pytest.approx((74 + 9 * 256 + 2) * 128 / 13.56e6)
    # one byte more takes a second block and the acknowledgement between them
    assert wire.seconds(5, 254) == pytest.approx((74 + 9 * (254 + 9) + 6) * 128 / 13.56e6)


@pytest.mark.parametrize(
    ("sent", "received", "characters"),
    [
        (4, 2, 7),  # header of 5, SW1 SW2
        (5, 10, 16),  # header, procedure byte, 8 data, SW1 SW2
        (41, 2, 44),  # header, procedure byte, 36 data, SW1 SW2
        (5, 2, 7),  # a refusal comes without a procedure byte
    ],
)
@pytest.mark.parametrize("baud", [9600, 38400])
def test_contact_characters_take_twelve_etu(baud: int, sent: int, received: int, characters: int) -> None:
    assert Contact(baud).seconds(sent, received) == pytest.approx(characters * 12 / baud)


def test_unknown_speeds_are_refused() -> None:
    with pytest.raises(ValueError, match="115 kbit/s"):
        Contactless(115)


def ride(card: VirtualCard, commands: Iterable[str] = CARD_RIDE) -> list[float]:
    """Time of each command of the ride, in seconds."""
    assert card.timing is not None
    marks = [card.timing.elapsed]
    for command in commands:
        send(card, command)
        marks.append(card.timing.elapsed)
    return [after - before for before, after in pairwise(marks)]


def tunion_card() -> VirtualCard:
    return example_card(Catalogue.load()["transit-jtt978"])


def test_a_ride_takes_what_was_measured() -> None:
    card = tunion_card()
    card.timing = TimingModel(Contactless(106))
    found = [seconds / MS for seconds in ride(card)]
    # the example's FCI lacks 9F08 01 02: 4 bytes of 9 bits; its DEBIT is refused without its 8 bytes of data
    short = [4 * 9, 0, 0, 0, 0, 0, 0, 8 * 9]
    expected = [measured - bits * 128 / 13560 for measured, bits in zip(CARD_RIDE.values(), short, strict=True)]
    assert found == pytest.approx(expected)
    assert sum(CARD_RIDE.values()) == 155


def test_a_psam_takes_what_was_measured() -> None:
    sam = psam()
    complete(sam, "00A40000028011")
    sam.timing = TimingModel(Contact(9600), PSAM_CHIP)
    assert complete(sam, ORDER).endswith("9000")
    assert complete(sam, "807200000400000000") == "63CF"
    spent = sam.timing.commands
    assert {name: one.seconds / MS for name, one in spent.items()} == pytest.approx({"8070": 121, "8072": 72})
    # 44 and 16 characters of 1.25 ms; 12 characters
    assert {name: one.wire / MS for name, one in spent.items()} == pytest.approx({"8070": 75, "8072": 15})
    assert {name: one.count for name, one in spent.items()} == {"8070": 1, "8072": 1}


def test_the_whole_ride_takes_about_350_ms() -> None:
    card, sam = tunion_card(), psam()
    complete(sam, "00A40000028011")
    card.timing, sam.timing = TimingModel(Contactless(106)), TimingModel(Contact(9600), PSAM_CHIP)
    ride(card)
    complete(sam, ORDER)
    complete(sam, "807200000400000000")
    assert (card.timing.elapsed + sam.timing.elapsed) / MS == pytest.approx(350, abs=5)


def test_a_gate_tap_holds_the_designs_bounds() -> None:
    """SELECT, EF17, INITIALIZE, UPDATE CAPP, DEBIT, and 80 70; 80 72 comes after the card was let go (design §6)."""
    card, sam = tunion_card(), psam()
    complete(sam, "00A40000028011")
    card.timing, sam.timing = TimingModel(Contactless(106)), TimingModel(Contact(9600), PSAM_CHIP)
    commands = list(CARD_RIDE)
    ride(card, [commands[place] for place in (0, 2, 5, 6, 7)])
    complete(sam, ORDER)
    assert 120 * MS < card.timing.elapsed <= 135 * MS
    assert card.timing.elapsed + sam.timing.elapsed <= 260 * MS


def test_a_faster_wire_saves_the_wires_share_only() -> None:
    slow, fast = tunion_card(), tunion_card()
    slow.timing, fast.timing = TimingModel(Contactless(106)), TimingModel(Contactless(848))
    ride(slow)
    ride(fast)
    for name, spent in slow.timing.commands.items():
        assert fast.timing.commands[name].wire == pytest.approx(spent.wire / 8)
        assert fast.timing.commands[name].chip == pytest.approx(spent.chip)


def test_the_chips_share_of_three_reads_is_much_the_same() -> None:
    reads = [USER_CHIP.seconds(bytes.fromhex(read)) for read in ("00B09500", "00B09700", "00B201F4")]
    assert max(reads) - min(reads) < 1 * MS
    assert min(reads) < USER_CHIP.seconds(bytes.fromhex("00B29E0000")) < max(reads)


def test_no_command_takes_less_than_its_wire() -> None:
    for chip in (USER_CHIP, PSAM_CHIP):
        assert all(seconds > 0 for name, seconds in chip.times.items() if name != "00C0")


def test_the_longest_beginning_of_a_command_counts() -> None:
    chip = Chip({"80": 1.0, "805C": 2.0, "805C0002": 3.0}, default=4.0)
    commands = ("8050", "805C0001", "805C000204", "00A4")
    assert [chip.seconds(bytes.fromhex(command)) for command in commands] == [1.0, 2.0, 3.0, 4.0]


def test_a_command_without_a_figure_takes_the_default() -> None:
    card = citizen_card()
    card.timing = TimingModel(Contactless())
    send(card, "0084000008")
    assert card.timing.commands["0084"].chip == DEFAULT_TIME


def test_a_model_can_begin_again() -> None:
    card = citizen_card()
    card.timing = TimingModel(Contactless())
    send(card, BALANCE)
    card.timing.reset()
    assert card.timing.elapsed == 0


def test_without_a_model_nothing_is_timed_and_nothing_waits() -> None:
    card = citizen_card()
    assert card.timing is None
    send(card, SELECT_WALLET)


def test_a_sleeping_model_takes_its_time() -> None:
    card = citizen_card()
    card.timing = TimingModel(Contactless(), sleep=True)
    begun = time.perf_counter()
    send(card, SELECT_WALLET)
    took = time.perf_counter() - begun
    assert card.timing.elapsed <= took < card.timing.elapsed + 0.5


@pytest.mark.parametrize(("fault", "counted"), [(Fault.CUT_BEFORE, 1), (Fault.MUTE, 1), (Fault.CUT_AFTER, 2)])
def test_only_an_executed_command_takes_time(fault: Fault, counted: int) -> None:
    card = citizen_card()
    card.timing = TimingModel(Contactless())
    card.faults = FaultPlan(fault, 2)
    send(card, BALANCE)
    with pytest.raises((CardRemoved, CardMute)):
        send(card, BALANCE)
    assert card.timing.commands["805C"].count == counted
