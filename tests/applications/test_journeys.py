"""Records of journeys and rentals, held to the composite vectors of EW §10."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from cardio.applications import journeys
from cardio.applications.journeys import Rental, Stop
from cardio.files.dates import CARD_TIMEZONE
from cardio.files.wallet.trips import TripRecord
from cardio.files.wallet.tunion import BicycleRecord, BusRecord, MetroRecord
from cardio.purse.composite import CompositeContext, RecordBuilder
from tests.crypto.vectors import all_vectors
from tests.virtual.vectors import entries

INSTITUTION = "02313750"
BUS_STOP = Stop("3750", INSTITUTION, bytes.fromhex("0001"), bytes.fromhex("0012"), bytes.fromhex("0003"), "A1234567")
DOCK = Stop("3750", INSTITUTION, bytes.fromhex("0006"), bytes.fromhex("0204"), bytes.fromhex("000B"), "BK007788")
OTHER_DOCK = replace(DOCK, line=bytes.fromhex("0311"), station=bytes.fromhex("0005"))


def updates_of(name: str) -> list[str]:
    """UPDATE CAPP DATA CACHE commands of a vector."""
    (entry,) = (entry for entry in entries() if entry["id"] == name)
    return [apdu["command"] for apdu in entry["apdus"] if apdu["command"].startswith("80DC")]


def context_of(name: str) -> CompositeContext:
    (vector,) = (vector for vector in all_vectors() if vector.id == name)
    stamp = datetime.strptime(str(vector.inputs["datetime"]), "%Y%m%d%H%M%S").replace(tzinfo=CARD_TIMEZONE)
    number = {field: int.from_bytes(vector.input(field), "big") for field in ("balance", "amount", "offline_seq")}
    return CompositeContext(
        terminal=vector.input("terminal"),
        sequence=int.from_bytes(vector.input("terminal_seq"), "big"),
        time=stamp,
        amount_fen=number["amount"],
        balance_before_fen=number["balance"],
        counter=number["offline_seq"],
    )


def rented() -> BicycleRecord:
    return BicycleRecord.decode(bytes.fromhex(updates_of("3des-bike-rent")[0])[5:])


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
@pytest.mark.parametrize(
    ("vector", "number", "builder"),
    [
        ("composite-entry-zero", 1, journeys.board_bus(BUS_STOP, 500, "01")),
        ("bike-rent", 3, journeys.rent(DOCK, 2000)),
        ("bike-return", 4, journeys.give_back(rented(), OTHER_DOCK, 75)),
    ],
)
def test_builders_make_the_records_of_the_vectors(
    algorithm: str, vector: str, number: int, builder: RecordBuilder
) -> None:
    """The records of the vectors carry serial numbers of their own where EW §2.9 has the terminal sequence."""
    name = f"{algorithm}-{vector}"
    context = replace(context_of(name), sequence=number)
    made = [update.command().encode().hex().upper() for update in builder(context)]
    assert made == updates_of(name)


def at(hour: int, amount: int = 0) -> CompositeContext:
    time = datetime(2026, 7, 1, hour, 0, 0, tzinfo=CARD_TIMEZONE)
    return CompositeContext(bytes.fromhex("999999000001"), 7, time, amount, 5000, 12)


def test_a_metro_journey_keeps_its_entry_and_adds_the_exit() -> None:
    entry = journeys.enter_metro(BUS_STOP)(at(8))
    entered = MetroRecord.decode(entry[0].data)
    assert (entered.state, entered.entry_time, entered.exit_time) == ("01", at(8).time, None)
    end = journeys.exit_metro(entered, replace(BUS_STOP, station=bytes.fromhex("0009")))(at(9, 400))
    left = MetroRecord.decode(end[0].data)
    assert (left.state, left.entry_time, left.exit_time, left.amount_fen) == ("02", at(8).time, at(9).time, 400)
    assert left.entry_station == bytes.fromhex("0000000000120003")
    assert left.exit_station == bytes.fromhex("0000000000120009")
    trip = TripRecord.decode(end[1].data)
    assert (trip.kind, trip.industry, trip.amount_fen, trip.balance_fen) == ("04", "01", 400, 4600)


def test_a_bus_ride_that_ends_loses_its_mark() -> None:
    boarded = BusRecord.decode(journeys.board_bus(BUS_STOP, 500)(at(8))[0].data)
    assert boarded.marked_fen == 500
    left = BusRecord.decode(journeys.alight_bus(boarded, BUS_STOP, 12)(at(9, 200))[0].data)
    assert (left.state, left.marked_fen, left.charged_fen, left.mileage) == ("02", 0, 200, 12)
    assert left.boarding_time == at(8).time


def test_a_rented_car_has_the_citys_record_in_the_home_file_and_the_industry_of_cars() -> None:
    car = Rental(record=0x10, industry=journeys.CAR, sfi=0x19)
    record, trip = journeys.rent(DOCK, 50000, car)(at(8))
    assert (record.sfi, record.record, record.data[:2]) == (0x19, 0x10, bytes.fromhex("2710"))
    assert TripRecord.decode(trip.data).industry == "05"
    assert BicycleRecord.decode(record.data).deposit_fen == 50000
    back = journeys.give_back(BicycleRecord.decode(record.data), DOCK, 60, car)(at(9, 900))
    assert (back[0].sfi, BicycleRecord.decode(back[0].data).deposit_fen) == (0x19, 0)


@pytest.mark.parametrize(
    ("builder", "kind"),
    [(journeys.single_ride(BUS_STOP), "06"), (journeys.make_up_charge(BUS_STOP, journeys.METRO), "08")],
)
def test_rides_without_a_journey_write_the_trip_log_only(builder: RecordBuilder, kind: str) -> None:
    (update,) = builder(at(8, 200))
    assert (update.sfi, update.record, len(update.data)) == (0x1E, 0, 48)
    assert TripRecord.decode(update.data).kind == kind


@pytest.mark.parametrize("terminal", ["51990000001A", "51990000000F", "5199000001FF", "000000000000", "FFFFFFFFFFFF"])
def test_terminal_numbers_come_as_the_psam_has_them(terminal: str) -> None:
    """Six bytes, not always digits: no fare must fail because of them, and the way in must survive the way out."""
    context = replace(at(8, 200), terminal=bytes.fromhex(terminal))
    padded = bytes(2) + bytes.fromhex(terminal)
    entry, trip = journeys.enter_metro(BUS_STOP)(context)
    assert (entry.data[51:59], trip.data[1:9]) == (padded, padded)
    other = replace(context, terminal=bytes.fromhex("0000000000AB"))
    left, _ = journeys.exit_metro(MetroRecord.decode(entry.data), BUS_STOP)(other)
    assert (left.data[51:59], left.data[59:67]) == (padded, bytes.fromhex("00000000000000AB"))
    rented_there, _ = journeys.rent(DOCK, 2000)(context)
    back, _ = journeys.give_back(BicycleRecord.decode(rented_there.data), OTHER_DOCK, 5)(other)
    assert back.data[38:46] == padded
    boarded, _ = journeys.board_bus(BUS_STOP, 500)(context)
    alighted, _ = journeys.alight_bus(BusRecord.decode(boarded.data), BUS_STOP)(other)
    assert alighted.data[38:46] == padded
