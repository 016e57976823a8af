"""Cards that look the same from outside, because their ATR has no serial number and they tell nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cardio.errors import CardChanged, CardioError, CardNotBlank, CardRemoved
from cardio.personalize.attempts import CardState
from cardio.personalize.batch import INTERRUPTED, REFUSED, Batch, Result
from cardio.personalize.jobs import Job
from cardio.personalize.register import Register
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.blank_fmcos import blank_fmcos_card
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.received import Received
from tests.counter import eventually
from tests.personalize.workshop import PRODUCTS, Workshop, tries

MASTER = ("3F00", 0x39, 0)


@pytest.fixture(scope="module")
def workshop() -> Workshop:
    """Makes citizen wallets."""
    return Workshop("citizen-wallet", "citizen-wallet", rows=3)


@pytest.fixture
def register(workshop: Workshop, tmp_path: Path) -> Iterator[Register]:
    """The register, whose chain must hold at the end."""
    with workshop.register(tmp_path) as opened:
        yield opened
        opened.verify()


def serial(card: VirtualCard) -> list[str]:
    """What the card holds in EF15, if it has that file."""
    files = [file for directory in card.master_file.walk() for file in directory.files]
    return [record.hex() for file in files if file.declaration.sfi == 0x15 for record in file.records]


def begun(workshop: Workshop, register: Register, n: int) -> VirtualCard:
    """A card that is torn out at the n-th command."""
    card = blank_fmcos_card()
    card.faults = FaultPlan(Fault.CUT_AFTER, n)
    with pytest.raises(CardRemoved):
        workshop.make(card, register)
    card.faults = None
    return card


@pytest.mark.parametrize("n", [35, 45, 55])
def test_another_card_in_the_place_of_one_that_has_its_directory_is_left_alone(
    workshop: Workshop, register: Register, n: int
) -> None:
    first, other = begun(workshop, register, n), blank_fmcos_card()
    before = tries(other)
    with pytest.raises(CardChanged):
        workshop.make(other, register)
    assert (tries(other), serial(other)) == (before, [])
    assert workshop.make(first, register).state is CardState.FINISHED
    assert workshop.make(other, register, row=1).state is CardState.FINISHED
    assert serial(first) != serial(other)


def test_another_card_in_the_place_of_one_that_was_hardly_begun_makes_no_number_twice(
    workshop: Workshop, register: Register
) -> None:
    """The two cannot be told apart: somebody must say that tries may be spent, and both are made in the end."""
    first, other = begun(workshop, register, 12), blank_fmcos_card()
    cards, rows = [other, first], iter(range(3))
    row = next(rows)
    for _ in range(8):
        try:
            workshop.make(cards[0], register, row=row, try_again=True)
        except CardioError:
            continue
        cards.pop(0)
        if not cards:
            break
        row = next(rows)
    assert not cards
    assert len({*serial(first), *serial(other)}) == 2
    made = [one.record for one in register.attempts() if one.state is CardState.FINISHED]
    assert len(made) == len(set(made)) == 2


def test_cards_that_follow_a_rejected_one_of_their_look_are_made(workshop: Workshop, register: Register) -> None:
    rejected = blank_fmcos_card()
    rejected.faults = FaultPlan(Fault.REFUSED, 45, status=0x6581)
    with pytest.raises(CardioError):
        workshop.make(rejected, register)
    assert workshop.make(blank_fmcos_card(), register).state is CardState.FINISHED


@pytest.mark.parametrize("after", [3, 8, 20, 45, 60])
def test_two_at_once_are_made_one_after_the_other(workshop: Workshop, register: Register, after: int) -> None:
    """The second is put into another reader while the first is worked on."""
    cards = [blank_fmcos_card(), blank_fmcos_card()]
    readers = [EmbeddedReader("one", cards[0]), EmbeddedReader("other")]
    commands, results = 0, list[Result]()

    def put_second_in(moment: Moment, _: Received) -> None:
        nonlocal commands
        commands += moment is Moment.COMMAND
        if moment is Moment.COMMAND and commands == after:
            readers[1].insert(cards[1])

    def report(result: Result) -> None:
        results.append(result)
        if len(results) == 2:
            batch.stop()

    cards[0].hook = put_second_in
    job = Job(workshop.head, tuple(workshop.rows))
    batch = Batch(workshop.maker, job, register, EmbeddedDriver(readers), ["one", "other"], report)
    assert len(batch.run()) == 2
    assert [result.state for result in results] == [CardState.FINISHED.value] * 2
    assert len({*serial(cards[0]), *serial(cards[1])}) == 2


def test_what_lay_in_another_reader_is_not_taken_for_the_interrupted_card(
    workshop: Workshop, register: Register
) -> None:
    cards = [blank_fmcos_card(), blank_fmcos_card()]
    readers = [EmbeddedReader("one", cards[0]), EmbeddedReader("other")]

    def swap() -> None:
        readers[1].insert(cards[1])
        eventually(lambda: not readers[1].idle)
        readers[0].remove()

    cards[0].faults = FaultPlan(Fault.CUT_AFTER, 45, action=swap)
    results, before = list[Result](), tries(cards[1])

    def report(result: Result) -> None:
        results.append(result)
        if len(results) == 2:
            batch.stop()

    job = Job(workshop.head, tuple(workshop.rows))
    batch = Batch(workshop.maker, job, register, EmbeddedDriver(readers), ["one", "other"], report)
    assert batch.run() == set()
    assert (tries(cards[1]), serial(cards[1])) == (before, [])
    assert sorted(result.state for result in results) == [INTERRUPTED, REFUSED]
    assert [one.state.final for one in register.attempts()] == [False]


@pytest.mark.parametrize("other", PRODUCTS)
def test_a_card_of_another_product_is_not_blank_and_loses_no_try(other: str, tmp_path: Path) -> None:
    for product in PRODUCTS:
        made = Workshop(product)
        folder = tmp_path / product
        folder.mkdir()
        card = made.blank()
        with made.register(folder) as register:
            made.make(card, register)
        before, wanted = tries(card), Workshop(other)
        (folder / "other").mkdir()
        with wanted.register(folder / "other") as register:
            with pytest.raises(CardNotBlank):
                wanted.make(card, register)
            assert register.attempts() == []
        assert tries(card) == before
