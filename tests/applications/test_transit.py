"""What a lane reads of a T-Union card, and what it makes of a card that answers nonsense (EW §2.6, §2.9)."""

from __future__ import annotations

import pytest

from cardio.applications.transit import TransitFiles
from cardio.errors import (
    AccessDenied,
    CardDataInvalid,
    CardError,
    CardioError,
    FileNotFound,
    RecordLocked,
    RecordNotFound,
)
from cardio.files.wallet.tunion import BicycleRecord, BusRecord, MetroRecord
from tests.purse.scripted import scripted
from tests.virtual.vectors import Exchange

MANAGEMENT = "00B097000B"
CONTENT = "0000015699009999000101"
METRO, BUS, BICYCLE = (content.VECTORS[0] for content in (MetroRecord, BusRecord, BicycleRecord))


def files_over(*script: Exchange) -> TransitFiles:
    return TransitFiles(scripted(*script)[0])


def read(number: int, answer: str, sfi: int = 0x1A) -> Exchange:
    return Exchange(f"00B2{number:02X}{sfi << 3 | 4:02X}00", answer)


def found(number: int, record: str, sfi: int = 0x1A) -> Exchange:
    return read(number, record + "9000", sfi)


# ---- management data -----------------------------------------------------------------------------------------------


def test_management_data_are_one_short_read() -> None:
    """The 49 reserved bytes would cost 4 ms at 106 kbit/s."""
    management = files_over(Exchange(MANAGEMENT, CONTENT + "9000")).management()
    assert (management.city, management.interoperable, management.kind) == ("9999", "0001", "01")
    assert management.reserved is None


@pytest.mark.parametrize("size", [12, 60, 61, 255])
def test_a_card_that_answers_more_than_was_asked_is_read_too(size: int) -> None:
    assert files_over(Exchange(MANAGEMENT, CONTENT.ljust(2 * size, "0") + "9000")).management().kind == "01"


@pytest.mark.parametrize("size", [0, 1, 10])
def test_short_management_data_are_malformed(size: int) -> None:
    with pytest.raises(CardDataInvalid):
        files_over(Exchange(MANAGEMENT, CONTENT[: 2 * size] + "9000")).management()


@pytest.mark.parametrize(("status", "error"), [("6A82", FileNotFound), ("6982", AccessDenied), ("6F00", CardError)])
def test_a_card_without_management_data_says_so(status: str, error: type[CardioError]) -> None:
    with pytest.raises(error):
        files_over(Exchange(MANAGEMENT, status)).management()


# ---- journeys --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "raw", "content"), [(1, METRO, MetroRecord), (2, BUS, BusRecord)])
def test_metro_and_bus_are_one_read(number: int, raw: str, content: type[MetroRecord | BusRecord]) -> None:
    assert files_over(found(number, raw)).journey(content, number).identifier == f"27{number:02X}"


def test_a_bicycle_is_looked_for_from_the_first_record_on() -> None:
    """A card with three records: 06 is no number of one, and 27 06 is the third."""
    files = files_over(read(6, "6A83"), found(1, METRO), found(2, BUS), found(3, BICYCLE))
    assert files.journey(BicycleRecord, 6).rented_bicycle == "BK007788"


def test_a_record_that_is_anothers_is_not_read_twice() -> None:
    files = files_over(found(1, BUS), found(2, METRO))
    assert files.journey(MetroRecord, 1).identifier == "2701"


def test_the_home_citys_file_is_asked_under_its_own_number() -> None:
    record = "2710" + BICYCLE[4:]
    assert files_over(found(0x10, record, 0x19)).journey(BicycleRecord, 0x10, 0x19).identifier == "2710"


def test_a_card_without_the_record_says_so() -> None:
    files = files_over(read(6, "6A83"), found(1, METRO), read(2, "6A83"))
    with pytest.raises(RecordNotFound):
        files.journey(BicycleRecord, 6)


def test_a_card_that_always_has_another_record_is_not_read_for_ever() -> None:
    numbers = [6, *(number for number in range(1, 255) if number != 6)]
    files = files_over(*(found(number, METRO) for number in numbers))
    with pytest.raises(RecordNotFound):
        files.journey(BicycleRecord, 6)


@pytest.mark.parametrize(("status", "error"), [("6A82", FileNotFound), ("6982", AccessDenied), ("6F00", CardError)])
def test_a_refused_record_is_not_looked_for_elsewhere(status: str, error: type[CardioError]) -> None:
    with pytest.raises(error):
        files_over(read(1, status)).journey(MetroRecord, 1)


def changed(offset: int, value: str) -> str:
    return METRO[: 2 * offset] + value + METRO[2 * offset + 2 :]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(changed(2, "7C"), id="length byte"),
        pytest.param(changed(3, "00"), id="not valid"),
        pytest.param(METRO[:-2], id="short"),
        pytest.param(METRO + "00", id="long"),
        pytest.param("2701", id="head only"),
    ],
)
def test_what_is_no_valid_journey_is_refused(raw: str) -> None:
    with pytest.raises(CardDataInvalid):
        files_over(found(1, raw)).journey(MetroRecord, 1)


@pytest.mark.parametrize("flag", ["01", "02", "FF"])
def test_a_locked_journey_is_refused_before_anything_is_charged(flag: str) -> None:
    """The card would answer 9407 for any other lock flag than 00 (EW §2.9), after INITIALIZE and 80 70."""
    with pytest.raises(RecordLocked):
        files_over(found(1, changed(5, flag))).journey(MetroRecord, 1)
