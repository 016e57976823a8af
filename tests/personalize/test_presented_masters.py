"""Master keys that are presented to a card again and again: no try is lost that nobody was told of (PERS §3.2)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cardio.errors import CardRejected, CardRemoved, MasterMissing, MasterUnanswered, TransportKeyWrong
from cardio.personalize.attempts import CardState
from cardio.personalize.register import Register
from cardio.virtual.card import VirtualCard
from cardio.virtual.faults import Fault, FaultPlan
from tests.personalize.test_personalizer import with_key
from tests.personalize.workshop import JOB, Workshop, powered, tries

MASTER = ("3F00", 0x39, 0)
AUTHENTICATION, LAST_MASTER = "0082", "84D439"
"""Beginnings of EXTERNAL AUTHENTICATE, and of the WRITE KEY that replaces a master."""


@pytest.fixture(scope="module")
def workshop() -> Workshop:
    """Makes citizen wallets."""
    return Workshop("citizen-wallet", "citizen-wallet")


@pytest.fixture
def register(workshop: Workshop, tmp_path: Path) -> Iterator[Register]:
    """The register, whose chain must hold at the end."""
    with workshop.register(tmp_path) as opened:
        yield opened
        opened.verify()


def torn(workshop: Workshop, register: Register, card: VirtualCard, fault: Fault, only: str, n: int = 1) -> None:
    """Present a card, and tear it out at the n-th command that begins so."""
    card.faults = FaultPlan(fault, n, only=only)
    with pytest.raises(CardRemoved):
        workshop.make(card, register)
    card.faults = None


def refusals(register: Register) -> int:
    """How often the card said that it has another master."""
    return sum(row.kind == "card.refused" for row in register.rows_after(0, 1000))


def test_a_wrong_transport_key_without_answers_is_presented_twice_and_then_only_when_told(
    workshop: Workshop, register: Register
) -> None:
    card, wrong = workshop.blank(), with_key("TRANSPORT", bytes(range(0x11, 0x19)))
    full = tries(card)[MASTER]
    for _ in range(2):
        card.faults = FaultPlan(Fault.CUT_AFTER, 1, only=AUTHENTICATION)
        with powered(card) as channel, pytest.raises(CardRemoved):
            wrong.personalize(channel, workshop.rows[0], register, JOB)
    for _ in range(3):
        with powered(card) as channel, pytest.raises(MasterUnanswered, match="TRANSPORT"):
            wrong.personalize(channel, workshop.rows[0], register, JOB)
    assert tries(card)[MASTER] == full - 2
    (attempt,) = register.attempts()
    assert (attempt.state, "TRANSPORT" in (attempt.reason or "")) == (CardState.STARTED, True)
    with powered(card) as channel, pytest.raises(TransportKeyWrong):
        wrong.personalize(channel, workshop.rows[0], register, JOB, try_again=True)
    with pytest.raises(CardRejected):
        workshop.make(card, register)
    assert tries(card)[MASTER] == full - 3
    assert workshop.make(card, register, try_again=True).state is CardState.FINISHED


@pytest.mark.parametrize("written", [Fault.CUT_BEFORE, Fault.CUT_AFTER], ids=["not-written", "written"])
@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.CUT_AFTER_COMMIT])
def test_the_question_for_the_last_master_never_ends_a_card(
    workshop: Workshop, register: Register, written: Fault, fault: Fault
) -> None:
    """It has three tries, and is torn out at each of the questions."""
    card = workshop.blank()
    torn(workshop, register, card, written, LAST_MASTER)
    for _ in range(2):
        torn(workshop, register, card, fault, AUTHENTICATION)
        assert tries(card)[MASTER] >= 1
    assert workshop.make(card, register).state is CardState.FINISHED


def test_what_the_card_has_answered_is_not_asked_again(workshop: Workshop, register: Register) -> None:
    card = workshop.blank()
    torn(workshop, register, card, Fault.CUT_BEFORE, LAST_MASTER)
    for _ in range(5):
        # The first question is answered, the second key gives all tries back, and then the card goes.
        torn(workshop, register, card, Fault.CUT_BEFORE, LAST_MASTER)
        assert tries(card)[MASTER] == 3
    assert refusals(register) == 5
    for _ in range(3):
        torn(workshop, register, card, Fault.CUT_BEFORE, AUTHENTICATION, 2)
    assert refusals(register) == 6
    assert workshop.make(card, register).state is CardState.FINISHED


def test_a_master_that_the_card_lacks_is_no_proof(workshop: Workshop, register: Register) -> None:
    """6A88 is the answer of a card without any key: right before the first key, and a fault ever after."""
    card = workshop.blank()
    card.faults = FaultPlan(Fault.REFUSED, 2, only=AUTHENTICATION, status=0x6A88)
    with pytest.raises(MasterMissing):
        workshop.make(card, register)
    assert [one.state for one in register.attempts()] == [CardState.REJECTED]


@pytest.mark.parametrize("status", [0x6300, 0x6982, 0x6988])
def test_a_wrong_key_is_known_however_the_card_says_it(workshop: Workshop, register: Register, status: int) -> None:
    card = workshop.blank()
    card.faults = FaultPlan(Fault.REFUSED, 1, only=AUTHENTICATION, status=status)
    with pytest.raises(TransportKeyWrong):
        workshop.make(card, register)
