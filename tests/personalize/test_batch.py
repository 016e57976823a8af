"""Jobs on several readers side by side: what is reported, what stops, what is gone on with (PERS §3.2)."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from cardio.errors import (
    CardError,
    CardRemoved,
    HsmFailed,
    InputInvalid,
    StorageUnavailable,
    TransportKeyWrong,
)
from cardio.personalize.attempts import CardState
from cardio.personalize.batch import INTERRUPTED, MAX_REJECTIONS, REFUSED, Batch, Result
from cardio.personalize.jobs import Job
from cardio.personalize.personalizer import Personalizer
from cardio.personalize.register import Register
from cardio.security.issuing import KeyringIssuingKeys
from cardio.security.keyring import Keyring
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.card import VirtualCard
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.issuing_keys import issuer_test_keyring
from tests.personalize.workshop import JOB, Workshop, tries

ROWS = 6
FINISHED, REJECTED = CardState.FINISHED.value, CardState.REJECTED.value


@pytest.fixture(scope="module")
def workshop() -> Workshop:
    return Workshop("citizen-wallet", "citizen-wallet", rows=ROWS)


class Desk:
    """Readers into which a person puts the next card when the last one is done.

    Args:
        workshop: Makes the cards.
        folder: Where the register lies.
        stacks: Cards to come, a stack for each reader.
        maker: Another maker of the cards.

    Attributes:
        results: What was reported.
        batch: The run.
    """

    def __init__(
        self,
        workshop: Workshop,
        register: Register,
        *stacks: Iterable[VirtualCard],
        maker: Personalizer | None = None,
        try_again: bool = False,
        then: Callable[[Result], None] | None = None,
    ) -> None:
        self.results: list[Result] = []
        self._stacks = {f"reader {number}": iter(stack) for number, stack in enumerate(stacks)}
        self._readers = {name: EmbeddedReader(name) for name in self._stacks}
        self._then = then
        self.batch = Batch(
            maker or workshop.maker,
            Job(workshop.head, tuple(workshop.rows)),
            register,
            EmbeddedDriver(self._readers.values()),
            self._readers,
            self._report,
            try_again=try_again,
        )

    def run(self) -> set[str]:
        """Put the first cards in, and run."""
        for name in self._readers:
            self._next(name)
        return self.batch.run()

    def _report(self, result: Result) -> None:
        self.results.append(result)
        if self._then is not None:
            self._then(result)
        self._next(result.reader)

    def _next(self, name: str) -> None:
        card = next(self._stacks[name], None)
        if card is None:
            self.batch.stop()
        else:
            self._readers[name].insert(card)

    def states(self) -> Counter[str]:
        """How many cards came to what."""
        return Counter(result.state for result in self.results)


def blanks(workshop: Workshop, first: int = 1) -> Iterable[VirtualCard]:
    """Blank cards without end."""
    return (workshop.blank(number) for number in itertools.count(first))


def every(workshop: Workshop) -> set[str]:
    return {row.record for row in workshop.data}


# ---- running -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("readers", [1, 3])
def test_every_row_is_made_once_and_every_card_is_reported(workshop: Workshop, tmp_path: Path, readers: int) -> None:
    with workshop.register(tmp_path) as register:
        stacks = [blanks(workshop, 100 * number + 1) for number in range(readers)]
        desk = Desk(workshop, register, *stacks)
        assert desk.run() == every(workshop)
        attempts = register.attempts()
        register.verify()
    assert desk.states() == {FINISHED: ROWS}
    assert sorted(one.record for one in attempts) == sorted(every(workshop))
    numbers = {row.record: row.wallet_serial for row in workshop.data}
    for result in desk.results:
        assert result.record is not None
        assert result.number == numbers[result.record]
        assert result.identity.startswith("3B")
        assert len(result.kcvs) >= 9
        assert result.reason == ""
        assert result.seconds > 0


def test_results_are_reported_one_at_a_time(workshop: Workshop, tmp_path: Path) -> None:
    inside = threading.Lock()

    def then(_: Result) -> None:
        assert inside.acquire(blocking=False), "two results at once"
        inside.release()

    with workshop.register(tmp_path) as register:
        desk = Desk(workshop, register, blanks(workshop), blanks(workshop, 100), then=then)
        assert desk.run() == every(workshop)


def test_a_job_that_was_stopped_is_gone_on_with(workshop: Workshop, tmp_path: Path) -> None:
    with workshop.register(tmp_path) as register:
        first = Desk(workshop, register, [workshop.blank(1), workshop.blank(2)])
        assert len(first.run()) == 2
    with workshop.register(tmp_path) as register:
        second = Desk(workshop, register, blanks(workshop, 10))
        assert second.run() == every(workshop)
    assert second.states() == {FINISHED: ROWS - 2}
    assert not {result.record for result in first.results} & {result.record for result in second.results}


def test_a_job_whose_rows_are_all_made_touches_no_card(workshop: Workshop, tmp_path: Path) -> None:
    with workshop.register(tmp_path) as register:
        Desk(workshop, register, blanks(workshop)).run()
        again = Desk(workshop, register, [workshop.blank(99)])
        assert again.run() == every(workshop)
    assert again.results == []


def test_a_name_that_stands_for_other_rows_runs_nothing(workshop: Workshop, tmp_path: Path) -> None:
    with workshop.register(tmp_path) as register:
        for head in (replace(workshop.head, digest=bytes([1] * 32)), replace(workshop.head, product="ssc-2.0")):
            with pytest.raises(InputInvalid, match=JOB):
                register.open_job(head)


# ---- cards that fail ---------------------------------------------------------------------------------------------


def test_a_card_that_is_pulled_out_is_finished_when_it_comes_back(workshop: Workshop, tmp_path: Path) -> None:
    torn = workshop.blank(1)
    torn.faults = FaultPlan(Fault.CUT_AFTER, 20)
    with workshop.register(tmp_path) as register:
        desk = Desk(workshop, register, [torn, workshop.blank(2), torn, *[workshop.blank(n) for n in range(3, 9)]])
        assert desk.run() == every(workshop)
        assert len(register.attempts()) == ROWS
    assert [result.state for result in desk.results[:3]] == [INTERRUPTED, FINISHED, FINISHED]
    first, second, third = desk.results[:3]
    assert first.record == third.record != second.record
    assert first.identity == third.identity
    assert "card.removed" in first.reason


def test_a_card_that_was_begun_is_finished_by_the_next_run_too(workshop: Workshop, tmp_path: Path) -> None:
    torn = workshop.blank(1)
    torn.faults = FaultPlan(Fault.CUT_AFTER, 20)
    with workshop.register(tmp_path) as register:
        assert Desk(workshop, register, [torn]).run() == set()
    with workshop.register(tmp_path) as register:
        desk = Desk(workshop, register, [workshop.blank(2), torn, *[workshop.blank(n) for n in range(3, 9)]])
        assert desk.run() == every(workshop)
    assert desk.states() == {FINISHED: ROWS}


def test_a_card_that_leaves_before_it_is_begun_costs_no_row(workshop: Workshop, tmp_path: Path) -> None:
    torn = workshop.blank(1)
    torn.faults = FaultPlan(Fault.CUT_BEFORE, 2)
    with workshop.register(tmp_path) as register:
        desk = Desk(workshop, register, itertools.chain([torn], blanks(workshop, 2)))
        assert desk.run() == every(workshop)
    assert desk.states() == {REFUSED: 1, FINISHED: ROWS}
    assert desk.results[0].record is None


def test_the_row_of_a_rejected_card_is_made_on_the_next(workshop: Workshop, tmp_path: Path) -> None:
    bad = workshop.blank(1)
    bad.faults = FaultPlan(Fault.REFUSED, 20, status=0x6581)
    with workshop.register(tmp_path) as register:
        desk = Desk(workshop, register, itertools.chain([bad], blanks(workshop, 2)))
        assert desk.run() == every(workshop)
    assert desk.states() == {REJECTED: 1, FINISHED: ROWS}
    assert desk.results[0].record == desk.results[1].record
    assert "6581" in desk.results[0].reason
    assert desk.results[0].reason.count("\n") == 0


def test_a_row_that_every_card_refuses_is_set_aside(workshop: Workshop, tmp_path: Path) -> None:
    bad = [workshop.blank(number) for number in range(1, MAX_REJECTIONS + 1)]
    for card in bad:
        card.faults = FaultPlan(Fault.REFUSED, 20, status=0x6581)
    with workshop.register(tmp_path) as register:
        desk = Desk(workshop, register, itertools.chain(bad, blanks(workshop, 10)))
        assert desk.run() == every(workshop) - {workshop.data[0].record}
        assert Desk(workshop, register, blanks(workshop, 50)).run() == every(workshop)
    assert desk.states() == {REJECTED: MAX_REJECTIONS, FINISHED: ROWS - 1}


def reject(workshop: Workshop, register: Register, card: VirtualCard, row: int) -> None:
    """A card that is rejected when its last key is written already: it can be nobody's but its row's."""
    card.faults = FaultPlan(Fault.REFUSED, 1, only="00B0", status=0x6581)
    with pytest.raises(CardError):
        workshop.make(card, register, row)
    card.faults = None


def test_a_rejected_card_is_refused_unless_it_is_to_be_tried_again(workshop: Workshop, tmp_path: Path) -> None:
    bad = workshop.blank(1)
    with workshop.register(tmp_path) as register:
        reject(workshop, register, bad, 0)
        desk = Desk(workshop, register, itertools.chain([bad], blanks(workshop, 2)))
        assert desk.run() == every(workshop)
    assert desk.states() == {REFUSED: 1, FINISHED: ROWS}
    assert desk.results[0].reason.startswith("perso.rejected")


def test_a_rejected_card_is_tried_again_for_its_own_row(workshop: Workshop, tmp_path: Path) -> None:
    bad = workshop.blank(1)
    with workshop.register(tmp_path) as register:
        reject(workshop, register, bad, 3)
        desk = Desk(workshop, register, itertools.chain([bad], blanks(workshop, 2)), try_again=True)
        assert desk.run() == every(workshop)
    assert desk.states() == {FINISHED: ROWS}
    assert desk.results[0].record == workshop.data[3].record


def test_a_rejected_card_whose_row_was_made_on_another_is_nobodys(workshop: Workshop, tmp_path: Path) -> None:
    bad = workshop.blank(1)
    with workshop.register(tmp_path) as register:
        reject(workshop, register, bad, 0)
        desk = Desk(workshop, register, [workshop.blank(2), bad, *[workshop.blank(n) for n in range(3, 9)]],
                    try_again=True)  # fmt: skip
        assert desk.run() == every(workshop)
    assert [result.state for result in desk.results[:2]] == [FINISHED, REFUSED]
    assert "closed for row" in desk.results[1].reason


def test_finished_and_foreign_cards_are_refused_and_not_touched(workshop: Workshop, tmp_path: Path) -> None:
    done, foreign = workshop.blank(1), workshop.blank(2)
    with workshop.register(tmp_path / "other") as register:
        workshop.make(foreign, register)
    before = tries(foreign)
    with workshop.register(tmp_path) as register:
        desk = Desk(workshop, register, [done, done, foreign, *[workshop.blank(n) for n in range(3, 9)]])
        assert desk.run() == every(workshop)
        assert len(register.attempts()) == ROWS
    assert [result.state for result in desk.results[:3]] == [FINISHED, REFUSED, REFUSED]
    assert all(result.record is None and not result.kcvs for result in desk.results[1:3])
    assert tries(foreign) == before


def test_a_card_of_another_job_is_refused(workshop: Workshop, tmp_path: Path) -> None:
    torn = workshop.blank(1)
    torn.faults = FaultPlan(Fault.CUT_AFTER, 20)
    with workshop.register(tmp_path) as register:
        register.open_job(replace(workshop.head, id="job-2", digest=b"\x02" * 32))
        with pytest.raises(CardRemoved):
            workshop.make(torn, register, job="job-2")
        torn.faults = None
        desk = Desk(workshop, register, itertools.chain([torn], blanks(workshop, 2)))
        assert desk.run() == every(workshop)
    assert desk.states() == {REFUSED: 1, FINISHED: ROWS}
    assert "job-2" in desk.results[0].reason


# ---- what ends a run ---------------------------------------------------------------------------------------------


def maker_with(workshop: Workshop, keyring: Keyring) -> Personalizer:
    return Personalizer(workshop.product, KeyringIssuingKeys(keyring), workshop.maker.layout)


def test_a_wrong_transport_key_ends_the_run_after_one_try_of_one_card(workshop: Workshop, tmp_path: Path) -> None:
    known = issuer_test_keyring()
    roots = {name: known.root(name) for name in known.names()} | {"TRANSPORT": known.root("WALLET-CCK")}
    cards = [workshop.blank(number) for number in (1, 2, 3)]
    (full,) = tries(cards[0]).values()
    with workshop.register(tmp_path) as register:
        desk = Desk(workshop, register, cards, maker=maker_with(workshop, Keyring("wrong", roots, test=True)))
        with pytest.raises(TransportKeyWrong):
            desk.run()
        assert [one.state for one in register.attempts()] == [CardState.REJECTED]
    assert [next(iter(tries(card).values())) for card in cards] == [full - 1, full, full]
    assert desk.states() == {REJECTED: 1}


class FailingKeys(KeyringIssuingKeys):
    """A source of keys that fails when it is to wrap one."""

    def wrapped_block(self, *_: object) -> bytes:
        raise HsmFailed("token removed")


def test_keys_that_fail_end_the_run_and_leave_the_card_open(workshop: Workshop, tmp_path: Path) -> None:
    failing = Personalizer(workshop.product, FailingKeys(issuer_test_keyring()), workshop.maker.layout)
    card = workshop.blank(1)
    with workshop.register(tmp_path) as register:
        short = Desk(workshop, register, [card], maker=failing)
        with pytest.raises(HsmFailed):
            short.run()
        assert short.states() == {INTERRUPTED: 1}
        whole = Desk(workshop, register, itertools.chain([card], blanks(workshop, 2)))
        assert whole.run() == every(workshop)


def test_a_report_that_cannot_be_written_ends_the_run(workshop: Workshop, tmp_path: Path) -> None:
    def full(_: Result) -> None:
        raise StorageUnavailable("results: No space left on device")

    with workshop.register(tmp_path) as register:
        desk = Desk(workshop, register, blanks(workshop), blanks(workshop, 100), then=full)
        with pytest.raises(StorageUnavailable):
            desk.run()
        # What was made is known; nothing is open.
        assert all(one.state is CardState.FINISHED for one in register.attempts())
        assert Desk(workshop, register, blanks(workshop, 200)).run() == every(workshop)


def test_a_reader_that_is_not_there_is_waited_for_until_the_run_is_stopped(workshop: Workshop, tmp_path: Path) -> None:
    with workshop.register(tmp_path) as register:
        batch = Batch(workshop.maker, Job(workshop.head, tuple(workshop.rows)), register, EmbeddedDriver([]), ["gone"],
                      lambda _: None)  # fmt: skip
        running = threading.Thread(target=batch.run)
        running.start()
        batch.stop()
        running.join(30)
        assert not running.is_alive()
        assert register.attempts() == []


def test_the_register_is_used_from_several_threads(workshop: Workshop, tmp_path: Path) -> None:
    """Two desks that want one row at the same time: one gets it."""
    with workshop.register(tmp_path) as register:
        outcomes: list[str] = []
        start = threading.Barrier(4)

        def begin(number: int) -> None:
            start.wait()
            try:
                register.begin(JOB, "1", f"3B{number:02X}", "desk")
                outcomes.append("begun")
            except InputInvalid:
                outcomes.append("refused")

        threads = [threading.Thread(target=begin, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Counter(outcomes) == {"begun": 1, "refused": 3}
        assert register.verify() == 2
