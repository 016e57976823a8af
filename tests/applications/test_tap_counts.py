"""How many APDUs a purchase, a gate tap and a recovery cost through the whole engine (design §6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cardio.ledger.model import State
from cardio.security.keys import Mac2
from cardio.transport.channel import CardProtocol
from cardio.virtual.faults import Fault, FaultPlan
from tests.applications.lane import FARE, TUNION, Lane, enter, leave, paid_already, single_ride, software_keys
from tests.counter import wallet_of

SELECT, READ_EF15, READ_EF17, READ_METRO = "00A40400", "00B09500", "00B09700", "00B201D4"
INITIALIZE, INITIALIZE_COMPOSITE = "80500102", "80500302"
UPDATE_METRO, UPDATE_TRIPS, DEBIT = "80DC01D0", "80DC00F0", "80540100"
PROVE_COMPOSITE, READ_LOG = "805A0009", "00B2{:02X}C4"
INIT_SAM, CREDIT_SAM = "80700000", "80720000"
RIDE = [SELECT, READ_EF17, INITIALIZE_COMPOSITE, UPDATE_TRIPS, DEBIT]
Make = Callable[..., Lane]
protocols = pytest.mark.parametrize("protocol", list(CardProtocol))


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Make]:
    """Makes lanes whose journals must still be whole at the end."""
    with ExitStack() as stack:

        def make(product: str = TUNION, **options: Any) -> Lane:
            made = Lane(tmp_path, product, **options)
            stack.callback(made.close)
            return made

        yield make


# ---- purchases ---------------------------------------------------------------------------------------------------


@protocols
def test_wallet_purchase_takes_three_and_two_of_the_psam(lane: Make, protocol: CardProtocol) -> None:
    """With all products in the catalogue; T=0 repeats (61xx, 6Cxx) are not counted."""
    till = lane("citizen-wallet", whole_catalogue=True)
    till.card.protocol = protocol
    for _ in range(2):
        paid = till.debit(FARE)
        assert paid.card == [SELECT, INITIALIZE, DEBIT]
        assert paid.sam + paid.sam_after == [INIT_SAM, CREDIT_SAM]
        assert paid.transaction is not None
        assert (paid.transaction.state, paid.card_after) == (State.COMPLETED, [])


def test_wallet_purchase_takes_four_where_the_fci_lacks_ef15(lane: Make) -> None:
    till = lane("citizen-wallet", whole_catalogue=True)
    till.card.master_file.directories[0].proprietary = None
    paid = till.debit(FARE)
    assert paid.card == [SELECT, READ_EF15, INITIALIZE, DEBIT]
    assert paid.sam + paid.sam_after == [INIT_SAM, CREDIT_SAM]


# ---- gates -------------------------------------------------------------------------------------------------------


@protocols
def test_single_ride_takes_five_and_one_of_the_psam_before_the_card_is_let_go(
    lane: Make, protocol: CardProtocol
) -> None:
    gate = lane()
    gate.card.protocol = protocol
    for _ in range(2):
        ride = gate.tap(single_ride)
        assert ride.card == RIDE
        assert (ride.sam, ride.sam_after, ride.card_after) == ([INIT_SAM], [CREDIT_SAM], [])
        assert ride.transaction is not None
        assert ride.transaction.state is State.COMPLETED
        assert ride.transaction.outcome is not None
        assert ride.transaction.outcome.mac2 is Mac2.OK


def test_single_ride_with_a_keyring_takes_five(lane: Make) -> None:
    gate = lane(keyring=software_keys())
    for _ in range(2):
        ride = gate.tap(single_ride)
        assert (ride.card, ride.card_after) == (RIDE, [])
    assert ride.sam == ride.sam_after == []


def test_exit_with_a_journey_record_takes_seven_and_one_of_the_psam(lane: Make) -> None:
    gate = lane()
    entry, end = gate.tap(enter), gate.tap(leave)
    assert entry.card == [SELECT, READ_EF17, INITIALIZE_COMPOSITE, UPDATE_METRO, UPDATE_TRIPS, DEBIT]
    assert end.card == [SELECT, READ_EF17, READ_METRO, INITIALIZE_COMPOSITE, UPDATE_METRO, UPDATE_TRIPS, DEBIT]
    for passage in (entry, end):
        assert (passage.sam, passage.sam_after, passage.card_after) == ([INIT_SAM], [CREDIT_SAM], [])
        assert passage.transaction is not None
        assert passage.transaction.state is State.COMPLETED


def test_terminal_that_knows_all_products_selects_by_each_name_that_comes_before(lane: Make) -> None:
    """So a gate is told its product: the citizen wallet's name would be tried first."""
    assert lane(whole_catalogue=True).tap(single_ride).card == [SELECT, *RIDE]


def test_psam_is_read_once_and_not_for_every_ride(lane: Make) -> None:
    """Terminal number and key index (EW §6.1, step 0)."""
    gate = lane()
    # SELECT MF, terminal number; SELECT MF, SELECT application, key index
    assert gate.slot.channel.sent == ["00A40000", "00B09600", "00A40000", "00A40400", "00B09700"]


# ---- recovery ----------------------------------------------------------------------------------------------------


def torn(gate: Lane) -> None:
    """A ride whose DEBIT was executed and never answered."""
    gate.card.faults = FaultPlan(Fault.CUT_AFTER, only=DEBIT)
    ride = gate.tap(single_ride)
    assert ride.transaction is not None
    assert (ride.transaction.state, ride.card, ride.sam) == (State.UNCERTAIN, RIDE, [INIT_SAM])
    gate.card.faults = None


def test_recovery_at_the_next_tap_takes_one_more_when_the_proof_answers(lane: Make) -> None:
    """The check of the torn ride's MAC2, which the PSAM is still owed, comes with it."""
    gate = lane()
    torn(gate)
    ride = gate.tap(single_ride)
    assert ride.card == [SELECT, PROVE_COMPOSITE, *RIDE[1:]]
    assert (ride.sam, ride.sam_after) == ([CREDIT_SAM, INIT_SAM], [CREDIT_SAM])
    assert gate.ledger.pending_purses() == set()


def test_passenger_whose_torn_fare_was_paid_is_let_through_after_two(lane: Make) -> None:
    gate = lane()
    torn(gate)
    passage = gate.tap(paid_already)
    assert (passage.card, passage.sam) == ([SELECT, PROVE_COMPOSITE], [CREDIT_SAM])
    assert passage.transaction is None


def test_recovery_with_a_keyring_takes_one_more_even_in_a_new_process(lane: Make) -> None:
    gate = lane(keyring=software_keys())
    torn_rides = 0
    for restarted in (False, True):
        gate.card.faults = FaultPlan(Fault.CUT_AFTER, only=DEBIT)
        gate.tap(single_ride)
        gate.card.faults = None
        torn_rides += 1
        if restarted:
            gate.restart()
        assert gate.tap(single_ride).card == [SELECT, PROVE_COMPOSITE, *RIDE[1:]]
    assert wallet_of(gate.card).offline_counter == 2 * torn_rides


def test_recovery_that_needs_second_evidence_asks_counter_and_log(lane: Make) -> None:
    """A PSAM that lost power, as after a restart of the process, cannot tell whether the proof is its purchase's."""
    gate = lane()
    torn(gate)
    gate.restart()
    ride = gate.tap(single_ride)
    assert ride.card == [SELECT, PROVE_COMPOSITE, INITIALIZE, READ_LOG.format(1), *RIDE[1:]]
    assert gate.ledger.pending_purses() == set()


def test_ride_that_was_not_taken_takes_two_more_and_is_charged_then(lane: Make) -> None:
    """9406 and the counter, two pieces that agree (OPS T-13)."""
    gate = lane()
    assert gate.tap(single_ride).transaction is not None
    gate.card.faults = FaultPlan(Fault.CUT_BEFORE, only=DEBIT)
    gate.tap(single_ride)
    gate.card.faults = None
    ride = gate.tap(single_ride)
    assert ride.card == [SELECT, PROVE_COMPOSITE, INITIALIZE, *RIDE[1:]]
    assert wallet_of(gate.card).balance == 10000 - 2 * FARE


# ---- keys without a counter --------------------------------------------------------------------------------------


def test_card_that_was_used_elsewhere_shows_its_log_to_a_keyring_lane(lane: Make) -> None:
    """What it costs that derived keys cannot show a journal that is behind: all log records and a second INITIALIZE."""
    gate = lane(keyring=software_keys())
    function = wallet_of(gate.card)
    records = len(function.log.records)
    function.offline_counter += 1
    ride = gate.tap(single_ride)
    log = [READ_LOG.format(number) for number in range(1, records + 2)]
    assert ride.card == [SELECT, READ_EF17, INITIALIZE_COMPOSITE, *log, *RIDE[2:]]
    assert gate.tap(single_ride).card == RIDE
