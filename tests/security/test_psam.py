"""One PSAM for many: who holds it, what it says of MAC2, and what happens when it vanishes."""

import threading
from dataclasses import replace

import pytest

from cardio.errors import CardRemoved, ReaderBusy, SamAbsent, SamKeyMissing
from cardio.security import psam as psam_module
from cardio.security.keys import Authorization, Mac2
from cardio.security.psam import Psam
from cardio.virtual.card import Moment
from cardio.virtual.cards import psam as virtual_psam
from cardio.virtual.received import Received
from tests.purse.scripted import SELECT_MASTER_FILE, WALLET_SAM, ScriptedChannel, ScriptedSlot
from tests.security.slots import EmbeddedSlot, application
from tests.security.test_psam_vectors import SELECT_WALLET_SAM, order_of
from tests.virtual.vectors import Exchange, ep_purchases

VECTOR = next(vector for vector in ep_purchases() if vector.name == "3des-purchase-ep")
ORDER = order_of(VECTOR)
TERMINAL = bytes.fromhex("999999000001")
OTHER_TERMINAL = bytes.fromhex("999999000002")
SEQUENCE = 1


def right_mac2(slot: EmbeddedSlot) -> bytes:
    """MAC2 of the purchase that the PSAM has open."""
    _, function = application(slot.sam, 0x1001)
    opened = function._open
    assert opened is not None
    return opened.suite.mac(opened.session, opened.amounts)


def authorized(*script: Exchange, lost: Exception | None = None) -> tuple[Psam, Authorization, ScriptedSlot]:
    """A scripted PSAM with an open purchase; `script` comes after 80 70."""
    slot = ScriptedSlot()
    slot.channel = ScriptedChannel([SELECT_MASTER_FILE, SELECT_WALLET_SAM, VECTOR.sam_init, *script], lost=lost)
    psam = Psam(slot)
    return psam, psam.authorize(ORDER), slot


# ---- MAC2 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("9000", Mac2.OK),
        ("63CF", Mac2.WRONG),
        ("63C2", Mac2.WRONG),
        ("63C0", Mac2.WRONG),
        ("9302", Mac2.WRONG),
        ("6901", Mac2.UNCHECKED),
        ("6983", Mac2.UNCHECKED),
        ("6F00", Mac2.UNCHECKED),
        ("6C04", Mac2.UNCHECKED),  # and not sent again
    ],
)
def test_answer_to_mac2_says_ok_wrong_or_nothing(status: str, result: Mac2) -> None:
    psam, _, slot = authorized(Exchange(VECTOR.sam_credit.command, status))
    assert psam.check_mac2(VECTOR.mac2) is result
    slot.channel.assert_finished()


def test_psam_lost_before_mac2_leaves_it_unchecked() -> None:
    psam, _, _ = authorized(lost=CardRemoved("gone"))
    assert psam.check_mac2(VECTOR.mac2) is Mac2.UNCHECKED


def test_virtual_psam_tells_a_right_mac2_from_a_wrong_one() -> None:
    slot = EmbeddedSlot()
    psam = Psam(slot)
    _, function = application(slot.sam, 0x1001)
    psam.authorize(ORDER)
    assert psam.check_mac2(bytes(4)) is Mac2.WRONG
    assert function.sequence == SEQUENCE
    psam.authorize(ORDER)
    assert psam.check_mac2(right_mac2(slot)) is Mac2.OK
    assert function.sequence == SEQUENCE + 1


# ---- MAC2 that came by way of recovery ---------------------------------------------------------------------------


def test_torn_purchase_is_rechecked_while_the_psam_still_holds_it() -> None:
    psam, authorization, slot = authorized(VECTOR.sam_credit)
    assert psam.recheck_mac2(ORDER, authorization, VECTOR.mac2) is Mac2.OK
    slot.channel.assert_finished()


def test_wrong_mac2_of_a_torn_purchase_is_found_out() -> None:
    psam, authorization, _ = authorized(Exchange(VECTOR.sam_credit.command, "63CF"))
    assert psam.recheck_mac2(ORDER, authorization, VECTOR.mac2) is Mac2.WRONG


def test_purchase_is_rechecked_only_once() -> None:
    psam, authorization, slot = authorized(VECTOR.sam_credit)
    psam.recheck_mac2(ORDER, authorization, VECTOR.mac2)
    assert psam.recheck_mac2(ORDER, authorization, VECTOR.mac2) is Mac2.UNCHECKED
    slot.channel.assert_finished()


def test_purchase_that_was_checked_is_not_rechecked() -> None:
    psam, authorization, slot = authorized(VECTOR.sam_credit)
    psam.check_mac2(VECTOR.mac2)
    assert psam.recheck_mac2(ORDER, authorization, VECTOR.mac2) is Mac2.UNCHECKED
    slot.channel.assert_finished()


@pytest.mark.parametrize("change", ["sequence", "mac1"])
def test_another_authorization_is_not_rechecked_and_nothing_is_sent(change: str) -> None:
    psam, authorization, slot = authorized()
    other = (
        replace(authorization, sequence=authorization.sequence + 1)
        if change == "sequence"
        else replace(authorization, mac1=bytes(4))
    )
    assert psam.recheck_mac2(ORDER, other, VECTOR.mac2) is Mac2.UNCHECKED
    slot.channel.assert_finished()


def test_purchase_in_between_makes_the_older_one_uncheckable() -> None:
    slot = EmbeddedSlot()
    psam = Psam(slot)
    torn = psam.authorize(ORDER)
    mac2 = right_mac2(slot)
    psam.authorize(replace(ORDER, random=bytes(4)))
    before = slot.counts.total()
    assert psam.recheck_mac2(ORDER, torn, mac2) is Mac2.UNCHECKED
    assert slot.counts.total() == before


def test_refused_order_in_between_makes_the_older_one_uncheckable() -> None:
    refused = Exchange(VECTOR.sam_init.command, "6A88")
    psam, authorization, slot = authorized(refused)
    with pytest.raises(SamKeyMissing):
        psam.authorize(ORDER)
    assert psam.recheck_mac2(ORDER, authorization, VECTOR.mac2) is Mac2.UNCHECKED
    slot.channel.assert_finished()


def test_psam_lost_in_between_is_not_asked_again() -> None:
    psam, authorization, slot = authorized(lost=CardRemoved("gone"))
    with pytest.raises(SamAbsent):
        psam.terminal_number()
    sent = len(slot.channel.sent)
    assert psam.recheck_mac2(ORDER, authorization, VECTOR.mac2) is Mac2.UNCHECKED
    assert len(slot.channel.sent) == sent


# ---- holding -----------------------------------------------------------------------------------------------------


def test_psam_belongs_to_one_purchase_at_a_time() -> None:
    psam = Psam(EmbeddedSlot())
    entered: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        with psam.hold():
            entered.append("second")

    thread = threading.Thread(target=second)
    with psam.hold() as session:
        assert session is psam
        thread.start()
        assert waiting.wait(5)
        thread.join(0.1)
        entered.append("first")
    thread.join(5)
    assert entered == ["first", "second"]


def test_psam_that_stays_held_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psam_module, "HOLD_TIMEOUT", 0.01)
    psam, authorization, slot = authorized()
    with psam.hold():
        with pytest.raises(ReaderBusy), psam.hold():
            raise AssertionError("held twice")
        with pytest.raises(ReaderBusy):
            psam.recheck_mac2(ORDER, authorization, VECTOR.mac2)
    with psam.hold():
        slot.channel.assert_finished()


def test_failed_purchase_gives_the_psam_back() -> None:
    psam = Psam(EmbeddedSlot())
    with pytest.raises(RuntimeError, match="failed"), psam.hold():
        raise RuntimeError("failed")
    with psam.hold():
        pass


# ---- vanishing ---------------------------------------------------------------------------------------------------


def test_psam_that_was_never_there_is_absent() -> None:
    slot = EmbeddedSlot()
    slot.reader.remove()
    with pytest.raises(SamAbsent):
        Psam(slot).terminal_number()


def test_psam_that_vanishes_is_absent_and_serves_again_when_it_is_back() -> None:
    slot = EmbeddedSlot()
    psam = Psam(slot)
    psam.authorize(ORDER)
    card = slot.reader.remove()
    assert card is not None
    for _ in range(2):
        with pytest.raises(SamAbsent):
            psam.authorize(ORDER)
    slot.reader.insert(card)
    assert psam.authorize(ORDER).sequence == SEQUENCE
    assert psam.check_mac2(right_mac2(slot)) is Mac2.OK


def test_psam_torn_between_order_and_mac2_cannot_tell_and_keeps_its_sequence() -> None:
    slot = EmbeddedSlot()
    psam = Psam(slot)
    authorization = psam.authorize(ORDER)
    mac2 = right_mac2(slot)
    card = slot.reader.remove()
    assert card is not None
    assert psam.check_mac2(mac2) is Mac2.UNCHECKED
    slot.reader.insert(card)
    assert psam.recheck_mac2(ORDER, authorization, mac2) is Mac2.UNCHECKED
    assert psam.authorize(ORDER).sequence == SEQUENCE


def test_psam_torn_during_the_order_is_absent() -> None:
    slot = EmbeddedSlot()

    def hook(moment: Moment, command: Received) -> None:
        if command.instruction == (0x80, 0x70):
            raise CardRemoved("torn by the test")

    slot.sam.hook = hook
    with pytest.raises(SamAbsent):
        Psam(slot).authorize(ORDER)


def test_other_psam_in_its_place_is_asked_for_its_own_number_and_key() -> None:
    slot = EmbeddedSlot()
    psam = Psam(slot)
    assert psam.terminal_number() == TERMINAL
    assert psam.key_index(WALLET_SAM) == 1
    other = virtual_psam(terminal=OTHER_TERMINAL)
    directory, _ = application(other, 0x1001)
    directory.files[0].records[0] = b"\x02" + directory.files[0].records[0][1:]
    slot.reader.insert(other)
    with pytest.raises(SamAbsent):
        psam.authorize(ORDER)
    assert psam.terminal_number() == OTHER_TERMINAL
    assert psam.key_index(WALLET_SAM) == 2


# ---- what the journal learns -------------------------------------------------------------------------------------


def test_name_and_origin_come_from_the_slot() -> None:
    slot = ScriptedSlot()
    assert Psam(slot).name == "psam:sam slot"
    assert Psam(slot).test
    slot.virtual = False
    assert not Psam(slot).test
