"""Records of journeys and rentals, as a composite purchase writes them (EW §2.8, §2.9, §6.5, §6.6).

Each function gives a `RecordBuilder`: the records are made when amount, balance and terminal sequence are known. What
was on the card before comes from `cardio.applications.transit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from cardio.files.record import FixedRecord
from cardio.files.wallet.trips import EF1E_TRIPS, TripRecord
from cardio.files.wallet.tunion import EF1A_COMPOSITE, BicycleRecord, BusRecord, MetroRecord, TunionHead
from cardio.purse.composite import CompositeContext, RecordBuilder, RecordUpdate

R = TypeVar("R", bound=FixedRecord)
T = TypeVar("T", bound=TunionHead)
HEAD_LENGTH = 0x7D
"""Bytes that follow the head's length byte."""
TERMINAL_SIZE = 8
ENTERED, LEFT = "01", "02"
ENTRY, EXIT, SINGLE, MAKE_UP = "03", "04", "06", "08"
"""Trade kinds of the purse (EW §2.8)."""
METRO, BUS, CAR, BICYCLE = "01", "02", "05", "06"
"""Industries (EW §2.8)."""


@dataclass(frozen=True)
class Stop:
    """Where a card is held to a terminal.

    Attributes:
        city: City code, 4 digits.
        institution: Institution of the accepting party, up to 16 hex digits.
        operator: 2 bytes.
        line: Line, 2 bytes; of a rental the station.
        station: Station or stop, 2 bytes; of a rental the dock.
        vehicle: Vehicle or bicycle, up to 8 characters.
    """

    city: str
    institution: str
    operator: bytes = bytes(2)
    line: bytes = bytes(2)
    station: bytes = bytes(2)
    vehicle: str = ""


@dataclass(frozen=True)
class Rental:
    """A kind of rental: which record it keeps, and what the trip log calls it.

    Attributes:
        record: `nn` of the record `27 nn`.
        industry: Industry code.
        sfi: File of the record: EF1A, or EF19 for what only the home city knows.
    """

    record: int = 0x06
    industry: str = BICYCLE
    sfi: int = EF1A_COMPOSITE.sfi

    def __post_init__(self) -> None:
        if not 0 <= self.record <= 0xFF:
            raise ValueError("a record number has one byte")


PUBLIC_BICYCLE = Rental()
"""EW PC-19. No source gives cars a record: a city names one of its own, with `CAR` as the industry."""


def single_ride(stop: Stop, industry: str = BUS) -> RecordBuilder:
    """A ride at a flat fare: only the trip log."""

    def build(context: CompositeContext) -> Sequence[RecordUpdate]:
        return (_trip(SINGLE, industry, stop, context),)

    return build


def make_up_charge(stop: Stop, industry: str) -> RecordBuilder:
    """A make-up charge for a journey whose end, or whose beginning, is missing (EW §6.5)."""

    def build(context: CompositeContext) -> Sequence[RecordUpdate]:
        return (_trip(MAKE_UP, industry, stop, context),)

    return build


def enter_metro(stop: Stop) -> RecordBuilder:
    """Into the metro: nothing is charged yet."""

    def build(context: CompositeContext) -> Sequence[RecordUpdate]:
        record = replace(
            _with_head(_blank(MetroRecord), 0x01, ENTERED, "entry_terminal", context),
            entry_city=stop.city,
            entry_institution=stop.institution,
            entry_station=_wide(stop.line + stop.station),
            entry_time=context.time,
        )
        return _both(record, 0x01, EF1A_COMPOSITE.sfi, ENTRY, METRO, stop, context)

    return build


def exit_metro(entered: MetroRecord, stop: Stop) -> RecordBuilder:
    """Out of the metro, at the fare of the composite purchase."""

    def build(context: CompositeContext) -> Sequence[RecordUpdate]:
        record = replace(
            _with_head(entered, 0x01, LEFT, "exit_terminal", context),
            exit_city=stop.city,
            exit_institution=stop.institution,
            exit_station=_wide(stop.line + stop.station),
            exit_time=context.time,
            amount_fen=context.amount_fen,
        )
        return _both(record, 0x01, EF1A_COMPOSITE.sfi, EXIT, METRO, stop, context)

    return build


def board_bus(stop: Stop, full_fare_fen: int, direction: str = "AB") -> RecordBuilder:
    """Onto a bus whose fare depends on the distance; the full fare is marked for who does not tap out.

    Args:
        stop: Where.
        full_fare_fen: Fare to the end of the line.
        direction: `00`, `01`, or `AB` for unknown.
    """

    def build(context: CompositeContext) -> Sequence[RecordUpdate]:
        record = replace(
            _with_head(_blank(BusRecord), 0x02, ENTERED, "boarding_terminal", context),
            boarding_city=stop.city,
            boarding_institution=stop.institution,
            boarding_operator=stop.operator,
            boarding_line=stop.line,
            boarding_station=stop.station[-1:],
            boarding_vehicle=stop.vehicle,
            boarding_time=context.time,
            marked_fen=full_fare_fen,
            direction=direction,
        )
        return _both(record, 0x02, EF1A_COMPOSITE.sfi, ENTRY, BUS, stop, context)

    return build


def alight_bus(boarded: BusRecord, stop: Stop, mileage: int = 0) -> RecordBuilder:
    """Off a bus, at the fare of the composite purchase; the mark is cleared."""

    def build(context: CompositeContext) -> Sequence[RecordUpdate]:
        record = replace(
            _with_head(boarded, 0x02, LEFT, "alighting_terminal", context),
            marked_fen=0,
            alighting_city=stop.city,
            alighting_institution=stop.institution,
            alighting_operator=stop.operator,
            alighting_line=stop.line,
            alighting_station=stop.station[-1:],
            alighting_vehicle=stop.vehicle,
            alighting_time=context.time,
            charged_fen=context.amount_fen,
            mileage=mileage,
        )
        return _both(record, 0x02, EF1A_COMPOSITE.sfi, EXIT, BUS, stop, context)

    return build


def rent(stop: Stop, deposit_fen: int, rental: Rental = PUBLIC_BICYCLE) -> RecordBuilder:
    """A bicycle or car is taken (EW §6.6, PC-19).

    Args:
        stop: Station, dock and vehicle.
        deposit_fen: Deposit or largest charge: marked on the card, not taken.
        rental: Bicycle, or what a city rents.
    """

    def build(context: CompositeContext) -> Sequence[RecordUpdate]:
        record = replace(
            _with_head(_blank(BicycleRecord), rental.record, ENTERED, "rent_terminal", context),
            rent_city=stop.city,
            rent_institution=stop.institution,
            rent_operator=stop.operator,
            rent_station=stop.line,
            rent_dock=stop.station[-1:],
            rented_bicycle=stop.vehicle,
            rent_time=context.time,
            deposit_fen=deposit_fen,
        )
        return _both(record, rental.record, rental.sfi, ENTRY, rental.industry, stop, context)

    return build


def give_back(rented: BicycleRecord, stop: Stop, minutes: int, rental: Rental = PUBLIC_BICYCLE) -> RecordBuilder:
    """A bicycle or car is returned, at the fee of the composite purchase; the deposit's mark is cleared.

    Args:
        rented: The record that the rental wrote.
        stop: Station, dock and vehicle.
        minutes: Minutes rented, 0 to 65535.
        rental: Bicycle, or what a city rents.
    """

    def build(context: CompositeContext) -> Sequence[RecordUpdate]:
        record = replace(
            _with_head(rented, rental.record, LEFT, "return_terminal", context),
            deposit_fen=0,
            return_city=stop.city,
            return_institution=stop.institution,
            return_operator=stop.operator,
            return_station=stop.line,
            return_dock=stop.station[-1:],
            returned_bicycle=stop.vehicle,
            return_time=context.time,
            fee_fen=context.amount_fen,
            minutes=minutes,
        )
        return _both(record, rental.record, rental.sfi, EXIT, rental.industry, stop, context)

    return build


def _blank(layout: type[R]) -> R:
    """A record of zeros, which it keeps where nothing is written."""
    return layout.decode(bytes(layout.size()))


def _with_head(record: T, number: int, state: str, terminal: str, context: CompositeContext) -> T:
    """The record with its first 15 bytes, and with the terminal number in the field of that name."""
    headed = replace(
        record,
        identifier=f"27{number:02X}",
        length=HEAD_LENGTH,
        valid="01",
        trade="01",
        lock="00",
        sequence=f"{context.sequence:016d}",
        state=state,
    )
    return _with_terminal(headed, terminal, context)


def _both(
    record: TunionHead, number: int, sfi: int, kind: str, industry: str, stop: Stop, context: CompositeContext
) -> tuple[RecordUpdate, RecordUpdate]:
    """The journey's own record, then the trip log."""
    return RecordUpdate(sfi, number, record.encode()), _trip(kind, industry, stop, context)


def _trip(kind: str, industry: str, stop: Stop, context: CompositeContext) -> RecordUpdate:
    record = replace(
        _with_terminal(_blank(TripRecord), "terminal", context),
        kind=kind,
        industry=industry,
        line=stop.line,
        station=stop.station,
        amount_fen=context.amount_fen,
        # EW PC-4: the balance after.
        balance_fen=context.balance_after_fen,
        time=context.time,
        city=stop.city,
        institution=stop.institution,
    )
    return RecordUpdate(EF1E_TRIPS.sfi, 0, record.encode())


def _with_terminal(record: R, name: str, context: CompositeContext) -> R:
    """The record with the terminal number, right-aligned in 8 bytes: a PSAM's may have nibbles that are no digits."""
    raw, at = record.encode(), 0
    for field, spec in record.specs().items():
        if field == name:
            break
        at += spec.codec.size
    number = context.terminal.rjust(TERMINAL_SIZE, b"\x00")
    return type(record).decode(raw[:at] + number + raw[at + TERMINAL_SIZE :])


def _wide(station: bytes) -> bytes:
    return station.rjust(8, b"\x00")
