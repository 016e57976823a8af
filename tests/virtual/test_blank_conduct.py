"""Whatever is sent to a blank card, and wherever it is torn out, it stays a card (PERS §1, EW §3.4)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardio.crypto.ciphers import Algorithm
from cardio.errors import CardRemoved
from cardio.virtual.blank_fmcos import blank_fmcos_card
from cardio.virtual.blank_ldt import blank_ldt_card
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.received import Received
from cardio.virtual.saving import _restore, _saved
from cardio.virtual.stored import from_plain, to_plain
from tests.virtual.issuer import (
    ADF,
    ADF_KEY_FILE,
    MASTER,
    MF_KEY_FILE,
    PROTECTED_MASTER,
    SELECT_ADF,
    SELECT_MF,
    Issuer,
    key,
)
from tests.virtual.personalization import Step, play, steps
from tests.virtual.wire import VERIFY_RIGHT

MAKERS: dict[str, Callable[..., VirtualCard]] = {"fmcos": blank_fmcos_card, "ldt": blank_ldt_card}
BATCH = bytes.fromhex("404142434445464748494A4B4C4D4E4F")
KNOWN = {
    *(0x6581, 0x6700, 0x6882, 0x6901, 0x6981, 0x6982, 0x6983, 0x6984, 0x6985, 0x6986, 0x6987, 0x6988),
    *(0x6A80, 0x6A81, 0x6A82, 0x6A83, 0x6A84, 0x6A85, 0x6A86, 0x6A88, 0x6B00, 0x6D00, 0x6E00, 0x9000),
    *(0x9302, 0x9303, 0x9401, 0x9402, 0x9403, 0x9406, 0x9408),
    *range(0x6100, 0x6200),
    *range(0x63C0, 0x63D0),
    *range(0x6C00, 0x6D00),
}
"""Status words of PERS §1, EW §3.3 and SSC §5.2."""


def state_of(card: VirtualCard) -> Any:
    """All that outlives the power."""
    return to_plain(_saved(card))


def check(card: VirtualCard, make: Callable[[], VirtualCard]) -> None:
    """The tree fits into the card, and the card can be made again from what it remembers."""
    assert card.structure is not None
    for directory in card.master_file.walk():
        assert card.structure.room(directory) >= 0
    state = state_of(card)
    again = make()
    _restore(again, from_plain(state, type(_saved(card))))
    assert state_of(again) == state


# ---- any commands ------------------------------------------------------------------------------------------------

BYTES = st.sampled_from(["00", "01", "0A", "11", "33", "80", "95", "AA", "EF", "F0", "F1", "FF"])
IDENTIFIERS = st.sampled_from(["0000", "0001", "0002", "0005", "0015", "0018", "3F00", "3F01", "DF01", "EF01", "EF15"])
KINDS = st.sampled_from(["28", "A8", "E8", "2A", "2C", "2E", "2F", "2D", "3F", "38", "29"])
EXTENTS = st.sampled_from(["0008", "0014", "0040", "0208", "0A17", "1E1C", "FFFF", "0000"])
HEADERS = st.builds(
    lambda kind, *rest: kind + "".join(rest),
    st.sampled_from(["30", "34", "36", "37", "39", "3A", "3E", "3F", "F6", "F9", "FE", "7A", "33"]),
    BYTES,
    BYTES,
    BYTES,
    st.sampled_from(["33", "11", "00", "FF", "10"]),
)
VALUES = st.sampled_from([key("CCK"), key("AMK"), key("other"), bytes(8), bytes.fromhex("123456"), b"", bytes(9)])
CREATE_FILE = st.builds(
    lambda identifier, kind, extent, *rest: f"80E0{identifier}07{kind}{extent}{''.join(rest)}",
    IDENTIFIERS,
    KINDS,
    EXTENTS,
    BYTES,
    BYTES,
    BYTES,
    st.sampled_from(["FF", "18", "08", "7F"]),
)
CREATE_DIRECTORY = st.builds(
    lambda identifier, size, create, erase, sfi: f"80E0{identifier}0D38{size}{create}{erase}{sfi}FFFFA000000001",
    IDENTIFIERS,
    EXTENTS,
    BYTES,
    BYTES,
    BYTES,
)
SENT = st.one_of(
    CREATE_FILE,
    CREATE_DIRECTORY,
    st.sampled_from(
        [
            *(SELECT_MF, SELECT_ADF, MF_KEY_FILE, ADF_KEY_FILE, ADF, "800E000000", VERIFY_RIGHT),
            *("00A40000023F01", "00A4000002DF01", "00A40400 05 A000000001", "00A4000002EF01", "00A40200020005"),
            *("0084000004", "0084000008", "00B0850008", "00B0950008", "00D6850001AA", "00DC012C03020133", "00DC002BFF"),
            *("00B2012C03", "00E2002803020133", "805C000204", "805C000104", "B026000104", "B056010002"),
            "B0560000020101",
            *("805001020B010000000099999900000110", "805000020B010000000099999900000110", "805E010007123456FF654321"),
            "B02800010B010000000099999900000110",
        ]
    ),
    st.binary(min_size=1, max_size=30).map(bytes.hex),
    st.builds(lambda head, data: f"{head}{len(data):02X}{data.hex()}", st.sampled_from(["80D40100", "84D40100"]),
              st.binary(max_size=40)),
)  # fmt: skip
WORK = st.one_of(
    SENT.map(lambda command: lambda issuer: issuer.send(command)),
    st.builds(
        lambda header, value, number, p1: lambda issuer: issuer.plain(header, value, number, p1 or int(header[:2], 16)),
        HEADERS,
        VALUES,
        st.sampled_from([0x00, 0x01, 0x40, 0x81, 0xC1, 0xFF]),
        st.sampled_from([0x01, 0x01, 0x39, 0]),
    ),
    st.builds(
        lambda header, value, master, p1: (
            lambda issuer: issuer.protected(header, value, master, 0x00, p1 or int(header[:2], 16))
        ),
        HEADERS,
        VALUES,
        VALUES.filter(lambda value: len(value) in {8, 16}),
        st.sampled_from([0x01, 0x01, 0x39, 0xF9, 0]),
    ),
    VALUES.filter(lambda value: len(value) in {8, 16}).map(lambda value: lambda issuer: issuer.authenticate(value)),
    st.just(lambda issuer: issuer.authenticate(issuer.transport)),
    st.just(lambda issuer: issuer.plain(MASTER, key("CCK"))),
    st.just(lambda issuer: issuer.protected(PROTECTED_MASTER, key("AMK"), key("CCK"))),
)


STARTS = (Issuer.challenge, Issuer.take_over, Issuer.make_master_file, Issuer.make_application)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@settings(max_examples=150, deadline=None)
@given(start=st.sampled_from(STARTS), work=st.lists(WORK, max_size=30))
def test_any_commands_leave_a_card_that_answers_and_remembers(
    make: Callable[..., VirtualCard], start: Callable[[Issuer], object], work: list[Callable[[Issuer], str]]
) -> None:
    issuer = Issuer(make())
    start(issuer)
    for step in work:
        answer = challenged(issuer, step)
        if answer is not None:
            assert int(answer[-4:], 16) in KNOWN
    check(issuer.card, make)


def challenged(issuer: Issuer, step: Callable[[Issuer], str]) -> str | None:
    """One step; None if it needed a challenge and the card is closed."""
    if len(issuer.challenge()) != 4:
        return None
    return step(issuer)


# ---- tears -------------------------------------------------------------------------------------------------------


def recorded(make: Callable[[], VirtualCard], script: list[Step]) -> list[Any]:
    """What the card remembers before the first write and after each."""
    card = make()
    states = [state_of(card)]

    def hook(moment: Moment, command: Received) -> None:
        if moment is Moment.AFTER_COMMIT:
            states.append(state_of(card))

    card.hook = hook
    play(card, script)
    return states


@pytest.mark.parametrize(("make", "example", "last"), [(blank_fmcos_card, "a", "A47"), (blank_ldt_card, "b", "B71")])
def test_card_torn_at_any_write_is_as_before_or_as_after_and_can_be_made_anew(
    make: Callable[[], VirtualCard], example: str, last: str
) -> None:
    """The script up to the replacement of the batch key, before which all may be erased and repeated (PERS §3.2)."""
    everything = steps(example)
    script = everything[: [step.name for step in everything].index(last)]
    states = recorded(make, script)
    for number in count(1):
        for fault, expected in ((Fault.CUT_BEFORE_COMMIT, number - 1), (Fault.CUT_AFTER_COMMIT, number)):
            card = make()
            plan = FaultPlan(fault, number)
            card.faults = plan
            try:
                play(card, script)
            except CardRemoved:
                card.faults = None
                card.power_off()
                card.power_on()
                assert state_of(card) == states[expected]
                check(card, make)
                start_again(card)
                play(card, script[4:])
            if not plan.fired:
                assert number == len(states)
                return


def start_again(card: VirtualCard) -> None:
    """Erase the card with the key that it has: transport key, batch key, or none."""
    issuer = Issuer(card, Algorithm.TRIPLE_DES)
    issuer.ok(SELECT_MF)
    answers = [issuer.authenticate(issuer.transport)]
    if answers[-1].startswith("63C"):
        answers.append(issuer.authenticate(BATCH))
    assert answers[-1] in {"9000", "6A88"}
    issuer.ok("800E000000")
