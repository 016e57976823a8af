"""Blank cards accept the worked personalizations and answer them byte for byte (PERS §5.2, §5.3)."""

from __future__ import annotations

import pytest

from cardio.transport.channel import CardProtocol
from cardio.virtual.blank_fmcos import blank_fmcos_card
from cardio.virtual.blank_ldt import blank_ldt_card
from tests.virtual.personalization import ANY_FCI, play, steps


def test_both_tables_are_complete() -> None:
    assert [step.name for step in steps("a")] == [f"A{number:02d}" for number in range(1, 62)]
    assert [step.name for step in steps("b")] == [f"B{number:02d}" for number in range(1, 121)]


@pytest.mark.parametrize("card", ["a", "b"])
def test_challenges_are_those_of_the_rule(card: str) -> None:
    """PERS §5.1: C0DE ‖ n, and with 8 bytes 5A5AA5 ‖ n; n counts the challenges of a script."""
    challenges = [step for step in steps(card) if step.command.startswith("0084")]
    for number, step in enumerate(challenges, 1):
        expected = f"C0DE{number:04X}" + (f"5A5AA5{number:02X}" if step.command.endswith("08") else "")
        assert step.random.hex().upper() == expected


def test_card_a_is_personalized_byte_for_byte() -> None:
    play(blank_fmcos_card(), steps("a"))


@pytest.mark.parametrize("protocol", list(CardProtocol))
def test_card_b_is_personalized_byte_for_byte(protocol: CardProtocol) -> None:
    play(blank_ldt_card(protocol=protocol), steps("b"))


def test_only_fcis_that_the_source_does_not_print_are_not_compared() -> None:
    unprinted = [step.name for card in "ab" for step in steps(card) if step.answer == ANY_FCI]
    assert unprinted == ["A01", "A14", "A43", "A48", "B01", "B10", "B33", "B62", "B67", "B90"]
