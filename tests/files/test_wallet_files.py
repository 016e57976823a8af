"""Files of wallets, transit cards and PSAMs: the published bytes, the offsets of the tables, what cards hold."""

import json
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cardio.files.dates import CARD_TIMEZONE, CardDate
from cardio.files.declaration import FREE, PIN, Access, CardDeclaration, FileDeclaration, any_of
from cardio.files.psam import (
    LDT_ENVIRONMENT_16,
    LDT_PSAM,
    PBOC_PSAM,
    LdtPsamApplication,
    LdtPsamInfo,
    PbocPsamApplication,
    PbocPsamInfo,
    TerminalCounter,
    TerminalInfo,
)
from cardio.files.record import FixedRecord
from cardio.files.wallet.applications import CJT166, ETC, PBOC_WALLET, TUNION, WALLET_NAME
from cardio.files.wallet.composite import (
    EF19_COMPOSITE_ETC,
    CompositeRecordCjt166,
    CompositeRecordEtc,
    CompositeRecordEtcShort,
)
from cardio.files.wallet.directory import DirectoryData, DirectoryEntry
from cardio.files.wallet.holder import WalletHolder, WalletHolderLong
from cardio.files.wallet.issuer import CardIssuerData
from cardio.files.wallet.local import GuangxiCount, GuangxiCountRule, GuangxiExtension
from cardio.files.wallet.log import WalletLogRecord
from cardio.files.wallet.management import ManagementData
from cardio.files.wallet.public import (
    PublicData,
    PublicDataCjt166,
    PublicDataCjt166Full,
    PublicDataLingnan,
    PublicDataStaff,
)
from cardio.files.wallet.registry import WALLET_FILES
from cardio.files.wallet.serial import ApplicationSerialNumber
from cardio.files.wallet.trips import EF1E_TRIPS, TripRecord
from cardio.files.wallet.tunion import (
    EF1A_COMPOSITE,
    EF19_COMPOSITE_LOCAL,
    BicycleRecord,
    BusRecord,
    HomeUse,
    MetroRecord,
    TunionHead,
    TunionRecord,
)
from tests.crypto.vectors import FILE, Vector, all_vectors

# ---- the published bytes ---------------------------------------------------------------------------------------

UPDATE_BINARY_EF15 = "04D6950022999900000000000103010000860000000000012320260601203512315566AB77CE74"  # PERS §5.2, A36
UPDATE_BINARY_EF16 = (  # PERS §5.2, A39
    "04D696003B0000B2E2CAD4BCD70000000000000000000000000000"
    "39393939393931393930303130313030313600000000000000000000000000000056C05D54"
)
READ_DIR = "61114F09A00000000386980701500450424F43"  # PERS §5.2, A12

COMPOSITE_VECTORS = [vector for vector in all_vectors() if vector.kind in {"composite", "composite-bike"}]
each_vector = pytest.mark.parametrize("vector", COMPOSITE_VECTORS, ids=str)


@cache
def _apdus() -> dict[str, list[str]]:
    entries = json.loads(Path(FILE).read_text(encoding="utf-8"))["vectors"]
    return {entry["id"]: [apdu["command"] for apdu in entry.get("apdus", ())] for entry in entries}


def cached_record(vector: Vector, sfi: int) -> bytes:
    """Data of the UPDATE CAPP DATA CACHE that goes to the file `sfi`."""
    found = [
        bytes.fromhex(command)
        for command in _apdus()[vector.id]
        if command.startswith("80DC") and int(command[6:8], 16) == sfi << 3
    ]
    assert len(found) == 1
    assert found[0][4] == len(found[0]) - 5
    return found[0][5:]


def moment(vector: Vector) -> datetime:
    return datetime.strptime(str(vector.inputs["datetime"]), "%Y%m%d%H%M%S").replace(tzinfo=CARD_TIMEZONE)


def decoded(file: FileDeclaration, raw: bytes) -> Any:
    layout = file.layout(raw)
    assert issubclass(layout, FixedRecord)
    record = layout.decode(raw)
    assert record.encode() == raw
    assert len(raw) == layout.size()
    return record


def test_there_are_vectors_of_all_three_journeys() -> None:
    assert {vector.id.split("-", 1)[1] for vector in COMPOSITE_VECTORS} == {
        "composite-entry-zero",
        "bike-rent",
        "bike-return",
    }


@each_vector
def test_the_trip_of_a_composite_purchase_is_read_as_the_vector_says(vector: Vector) -> None:
    trip = decoded(EF1E_TRIPS, cached_record(vector, 0x1E))
    assert trip.kind == ("04" if "return" in vector.id else "03")
    assert trip.industry == ("06" if "bike" in vector.id else "02")
    assert trip.terminal == f"{vector.inputs['terminal']:0>16}"
    assert trip.amount_fen == int.from_bytes(vector.input("amount"), "big")
    assert trip.balance_fen == int.from_bytes(vector.output("new_balance"), "big")
    assert trip.time == moment(vector)
    assert (trip.city, trip.institution) == ("3750", "02313750")
    assert (trip.incomplete_max_fen, trip.incomplete_minutes) == (0, 0)


def test_the_bus_record_of_an_entry_is_read_as_the_vector_says() -> None:
    vector = next(vector for vector in COMPOSITE_VECTORS if vector.id == "3des-composite-entry-zero")
    bus = decoded(EF1A_COMPOSITE, cached_record(vector, 0x1A))
    assert isinstance(bus, BusRecord)
    assert (bus.identifier, bus.length, bus.valid, bus.trade, bus.lock) == ("2702", 125, "01", "01", "00")
    assert (bus.state, bus.sequence) == ("01", "0000000000000001")
    assert bus.boarding_terminal == f"{vector.inputs['terminal']:0>16}"
    assert bus.boarding_time == moment(vector)
    assert (bus.boarding_line, bus.boarding_station, bus.boarding_vehicle) == (b"\x00\x12", b"\x03", "A1234567")
    assert (bus.marked_fen, bus.charged_fen, bus.mileage) == (500, 0, 0)
    assert (bus.alighting_city, bus.alighting_time, bus.alighting_vehicle, bus.home) == (None, None, None, None)
    trip = decoded(EF1E_TRIPS, cached_record(vector, 0x1E))
    assert (trip.line, trip.station) == (bus.boarding_line, b"\x00" + (bus.boarding_station or b""))


@pytest.mark.parametrize("algorithm", ["3des", "sm4"])
def test_the_bicycle_record_goes_from_rented_to_returned(algorithm: str) -> None:
    by_id = {vector.id: vector for vector in COMPOSITE_VECTORS}
    rent, back = by_id[f"{algorithm}-bike-rent"], by_id[f"{algorithm}-bike-return"]
    rented, returned = (decoded(EF1A_COMPOSITE, cached_record(vector, 0x1A)) for vector in (rent, back))
    assert isinstance(rented, BicycleRecord)
    assert isinstance(returned, BicycleRecord)
    assert (rented.identifier, rented.state, returned.state) == ("2706", "01", "02")
    assert (rented.rent_time, rented.return_time) == (moment(rent), None)
    assert (returned.rent_time, returned.return_time) == (moment(rent), moment(back))
    assert returned.return_terminal == f"{back.inputs['terminal']:0>16}"
    assert (rented.deposit_fen, rented.fee_fen) == (2000, 0)
    assert (returned.deposit_fen, returned.fee_fen) == (0, int.from_bytes(back.input("amount"), "big"))
    assert returned.minutes == 75 == (moment(back) - moment(rent)).seconds // 60
    assert (rented.rent_station, rented.rent_dock, rented.rented_bicycle) == (b"\x02\x04", b"\x0b", "BK007788")
    assert (returned.return_station, returned.return_dock) == (b"\x03\x11", b"\x05")


def test_the_sample_issue_is_read() -> None:
    public = PublicData.decode(bytes.fromhex(UPDATE_BINARY_EF15)[5:-4])
    assert public.issuer == bytes.fromhex("9999000000000001")
    assert (public.application_type, public.application_version) == (3, 1)
    assert (public.serial, public.factor) == ("00008600000000000123", bytes.fromhex("8600000000000123"))
    assert (public.starts, public.ends) == (CardDate(2026, 6, 1), CardDate(2035, 12, 31))
    holder = WalletHolderLong.decode(bytes.fromhex(UPDATE_BINARY_EF16)[5:-4])
    assert (holder.card_type, holder.staff, holder.name) == (0, 0, "测试甲")
    assert (holder.identity_number, holder.identity_type) == ("999999199001010016", "00")
    directory = DirectoryData.decode_concatenated(bytes.fromhex(READ_DIR))
    assert [(entry.aid, entry.label) for entry in directory.applications] == [(WALLET_NAME, "PBOC")]


# ---- the tables ------------------------------------------------------------------------------------------------

Layout = tuple[tuple[str, int, int], ...]
"""Fields with their offset, from 0, and length."""

HEAD: Layout = (
    ("identifier", 0, 2),
    ("length", 2, 1),
    ("valid", 3, 1),
    ("trade", 4, 1),
    ("lock", 5, 1),
    ("sequence", 6, 8),
    ("state", 14, 1),
)
BUS_OFFSETS = (15, 17, 25, 27, 29, 30, 38, 46, 53, 57, 58, 60, 68, 70, 72, 73, 81, 89, 96, 100, 102)
BUS_LENGTHS = (2, 8, 2, 2, 1, 8, 8, 7, 4, 1, 2, 8, 2, 2, 1, 8, 8, 7, 4, 2, 26)
LAYOUTS: dict[type[FixedRecord], Layout] = {
    # EW §2.3, 1-based there
    PublicData: (
        ("issuer", 0, 8),
        ("application_type", 8, 1),
        ("application_version", 9, 1),
        ("serial", 10, 10),
        ("starts", 20, 4),
        ("ends", 24, 4),
        ("issuer_data", 28, 2),
    ),
    PublicDataStaff: (("issuer", 0, 8), ("issuer_data", 28, 2), ("staff_data", 30, 10)),
    PublicDataCjt166: (
        ("issuer_code", 0, 2),
        ("city", 2, 2),
        ("industry", 4, 2),
        ("reserved", 6, 2),
        ("enabled", 8, 1),
        ("application_version", 9, 1),
        ("interoperation", 10, 2),
        ("asn", 12, 8),
        ("starts", 20, 4),
        ("ends", 24, 4),
        ("main_type", 28, 1),
        ("sub_type", 29, 1),
    ),
    PublicDataCjt166Full: (("asn", 12, 8), ("sub_type", 29, 1), ("services", 30, 4)),
    PublicDataLingnan: (
        ("head", 0, 11),
        ("card_number", 11, 5),
        ("middle", 16, 7),
        ("starts", 23, 4),
        ("ends", 27, 4),
        ("rest", 31, 39),
    ),
    ApplicationSerialNumber: (("city", 0, 2), ("main_type", 2, 1), ("sub_type", 3, 1), ("serial", 4, 4)),
    # EW §2.4
    WalletHolder: (
        ("card_type", 0, 1),
        ("staff", 1, 1),
        ("name", 2, 20),
        ("identity_number", 22, 16),
        ("identity_type", 38, 1),
    ),
    WalletHolderLong: (
        ("card_type", 0, 1),
        ("staff", 1, 1),
        ("name", 2, 20),
        ("identity_number", 22, 32),
        ("identity_type", 54, 1),
    ),
    # EW §2.5
    CardIssuerData: (
        ("issuer_code", 0, 2),
        ("city", 2, 2),
        ("industry", 4, 2),
        ("reserved", 6, 2),
        ("asn", 8, 8),
        ("main_type", 16, 1),
        ("sub_type", 17, 1),
        ("issued", 18, 4),
        ("device", 22, 6),
        ("application_version", 28, 2),
    ),
    # EW §2.6
    ManagementData: (
        ("country", 0, 4),
        ("province", 4, 2),
        ("city", 6, 2),
        ("interoperable", 8, 2),
        ("kind", 10, 1),
        ("reserved", 11, 49),
    ),
    # EW §2.7
    WalletLogRecord: (
        ("number", 0, 2),
        ("overdraft_fen", 2, 3),
        ("amount_fen", 5, 4),
        ("kind", 9, 1),
        ("terminal", 10, 6),
        ("date", 16, 4),
        ("time", 20, 3),
    ),
    # EW §2.8
    TripRecord: (
        ("kind", 0, 1),
        ("terminal", 1, 8),
        ("industry", 9, 1),
        ("line", 10, 2),
        ("station", 12, 2),
        ("reserved", 14, 3),
        ("amount_fen", 17, 4),
        ("balance_fen", 21, 4),
        ("time", 25, 7),
        ("city", 32, 2),
        ("institution", 34, 8),
        ("incomplete_max_fen", 42, 4),
        ("incomplete_minutes", 46, 2),
    ),
    # EW §2.9
    CompositeRecordCjt166: (("identifier", 0, 1), ("length", 1, 1), ("lock", 2, 1), ("data", 3, 45)),
    CompositeRecordEtc: (("identifier", 0, 1), ("length", 1, 1), ("lock", 2, 1), ("data", 3, 40)),
    CompositeRecordEtcShort: (("identifier", 0, 1), ("length", 1, 1), ("lock", 2, 1), ("data", 3, 36)),
    TunionHead: HEAD,
    TunionRecord: (*HEAD, ("data", 15, 113)),
    MetroRecord: (
        *HEAD,
        ("entry_city", 15, 2),
        ("exit_city", 17, 2),
        ("entry_institution", 19, 8),
        ("exit_institution", 27, 8),
        ("entry_station", 35, 8),
        ("exit_station", 43, 8),
        ("entry_terminal", 51, 8),
        ("exit_terminal", 59, 8),
        ("entry_time", 67, 7),
        ("exit_time", 74, 7),
        ("amount_fen", 81, 4),
        ("rest", 85, 43),
    ),
    BusRecord: (
        *HEAD,
        ("boarding_city", 15, 2),
        ("boarding_institution", 17, 8),
        ("boarding_operator", 25, 2),
        ("boarding_line", 27, 2),
        ("boarding_station", 29, 1),
        ("boarding_vehicle", 30, 8),
        ("boarding_terminal", 38, 8),
        ("boarding_time", 46, 7),
        ("marked_fen", 53, 4),
        ("direction", 57, 1),
        ("alighting_city", 58, 2),
        ("alighting_institution", 60, 8),
        ("alighting_operator", 68, 2),
        ("alighting_line", 70, 2),
        ("alighting_station", 72, 1),
        ("alighting_vehicle", 73, 8),
        ("alighting_terminal", 81, 8),
        ("alighting_time", 89, 7),
        ("charged_fen", 96, 4),
        ("mileage", 100, 2),
        ("home", 102, 26),
    ),
    HomeUse: (
        ("city", 0, 2),
        ("driver", 2, 4),
        ("conductor", 6, 4),
        ("run", 10, 2),
        ("longest_minutes", 12, 2),
        ("station_name", 14, 10),
        ("rest", 24, 2),
    ),
    GuangxiExtension: (
        ("identifier", 0, 1),
        ("length", 1, 1),
        ("lock", 2, 1),
        ("kind", 3, 1),
        ("aid", 4, 8),
        ("discount", 12, 1),
        ("starts", 13, 4),
        ("ends", 17, 4),
        ("year_fee_fen", 21, 3),
        ("reserved", 24, 8),
    ),
    GuangxiCountRule: (
        ("kind", 0, 1),
        ("counted", 1, 1),
        ("period", 2, 1),
        ("cycle", 3, 1),
        ("rides", 4, 2),
        ("reserved", 6, 10),
    ),
    GuangxiCount: (
        ("identifier", 0, 1),
        ("length", 1, 1),
        ("lock", 2, 1),
        ("starts", 3, 4),
        ("ends", 7, 4),
        ("rides", 11, 2),
        ("reserved", 13, 2),
    ),
    # SSC §2.3
    LdtPsamInfo: (
        ("issuer", 0, 1),
        ("serial", 1, 10),
        ("version", 11, 1),
        ("key_card_type", 12, 1),
        ("issuer_data", 13, 2),
    ),
    LdtPsamApplication: (("key_index", 0, 1), ("key_version", 1, 1), ("starts", 2, 4), ("ends", 6, 4)),
    TerminalInfo: (("terminal", 0, 6),),
    TerminalCounter: (("sequence", 0, 4),),
    # EW §5.1
    PbocPsamInfo: (("serial", 0, 10), ("version", 10, 1), ("key_card_type", 11, 1), ("issuer_data", 12, 2)),
    PbocPsamApplication: (
        ("key_index", 0, 1),
        ("issuer", 1, 8),
        ("acquirer", 9, 8),
        ("starts", 17, 4),
        ("ends", 21, 4),
    ),
}
SIZES = {
    PublicData: 30,
    PublicDataStaff: 40,
    PublicDataCjt166: 30,
    PublicDataCjt166Full: 34,
    PublicDataLingnan: 0x46,
    WalletHolder: 39,
    WalletHolderLong: 55,
    CardIssuerData: 30,
    ManagementData: 60,
    WalletLogRecord: 23,
    TripRecord: 48,
    CompositeRecordCjt166: 48,
    CompositeRecordEtc: 43,
    CompositeRecordEtcShort: 0x27,
    TunionRecord: 128,
    MetroRecord: 128,
    BusRecord: 128,
    BicycleRecord: 128,
    GuangxiExtension: 32,
    GuangxiCountRule: 16,
    GuangxiCount: 15,
    LdtPsamInfo: 15,
    LdtPsamApplication: 10,
    TerminalInfo: 6,
    TerminalCounter: 4,
    PbocPsamInfo: 14,
    PbocPsamApplication: 25,
}


def declared_layout(cls: type[FixedRecord]) -> Layout:
    fields = []
    offset = 0
    for name, spec in cls.specs().items():
        fields.append((name, offset, spec.codec.size))
        offset += spec.codec.size
    return tuple(fields)


@pytest.mark.parametrize("cls", LAYOUTS)
def test_fields_lie_where_the_tables_say(cls: type[FixedRecord]) -> None:
    if cls in {PublicDataStaff, PublicDataCjt166Full}:
        assert set(LAYOUTS[cls]) <= set(declared_layout(cls))
    else:
        assert declared_layout(cls) == LAYOUTS[cls]


def test_the_bicycle_record_has_the_places_of_the_bus_record() -> None:
    places = [(offset, length) for _, offset, length in declared_layout(BicycleRecord)[len(HEAD) :]]
    assert places == list(zip(BUS_OFFSETS, BUS_LENGTHS, strict=True))
    assert declared_layout(BicycleRecord)[: len(HEAD)] == HEAD


@pytest.mark.parametrize("cls", SIZES)
def test_records_are_as_long_as_the_spec_says(cls: type[FixedRecord]) -> None:
    assert cls.size() == SIZES[cls]


@pytest.mark.parametrize(
    "cls",
    [CompositeRecordCjt166, CompositeRecordEtc, CompositeRecordEtcShort, GuangxiExtension, BusRecord, BicycleRecord],
)
def test_a_record_tells_its_own_length(cls: type[FixedRecord]) -> None:
    for vector in cls.VECTORS:
        record = cls.decode(bytes.fromhex(vector))
        _, offset, size = declared_layout(cls)[1]
        assert record.show(masked=True)["length"] == cls.size() - offset - size


# ---- variants --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in WALLET_FILES if name.startswith("public-")])
def test_every_public_file_tells_factor_number_and_dates(name: str) -> None:
    cls = WALLET_FILES[name].content
    assert issubclass(cls, FixedRecord)
    raw = bytes.fromhex(cls.VECTORS[0])
    public: Any = cls.decode(raw)
    assert public.issuer == raw[:8]
    assert public.factor == raw[12:20]
    assert public.serial.isalnum()
    assert (public.starts, public.ends) == (CardDate(2026, 6, 1), CardDate(2035, 12, 31))
    assert public.application_version == (None if name == "public-lingnan" else 1)
    assert "0123" not in public.serial or public.serial not in str(public.show(masked=True))


def test_the_serial_of_cjt_166_is_binary() -> None:
    public = PublicDataCjt166.decode(bytes.fromhex(PublicDataCjt166.VECTORS[0]))
    assert (public.asn.city, public.asn.main_type, public.asn.sub_type, public.asn.serial) == (
        "9999",
        "01",
        "00",
        12345678,
    )
    assert public.serial == "9999010000BC614E"
    changed = replace(public, asn=replace(public.asn, serial=0xFFFFFFFF))
    assert changed.factor == bytes.fromhex("99990100FFFFFFFF")
    assert PublicDataCjt166.decode(changed.encode()) == changed


def test_the_number_of_a_lingnan_card_is_bytes_12_to_16() -> None:
    public = PublicDataLingnan.decode(bytes.fromhex(PublicDataLingnan.VECTORS[0]))
    assert public.serial == public.card_number == "9999000123"
    assert public.show(masked=True)["card_number"] == "****0123"


@pytest.mark.parametrize("cls", [WalletHolder, WalletHolderLong])
def test_a_name_may_be_filled_with_spaces(cls: type[WalletHolder | WalletHolderLong]) -> None:
    raw = bytearray.fromhex(cls.VECTORS[0])
    raw[8:22] = b" " * 14
    holder = cls.decode(bytes(raw))
    assert holder.name == "测试甲"
    assert holder.encode() == raw
    assert holder.show(masked=True)["name"] == "测**"


def test_management_data_tell_who_the_card_is_for() -> None:
    shown = ManagementData.decode(bytes.fromhex(ManagementData.VECTORS[0])).show(masked=True)
    assert (shown["country"], shown["province"], shown["city"]) == ("00000156", "9900", "9999")
    assert shown["interoperable"] == {"code": "0001", "zh": "互通卡", "en": "yes"}
    assert shown["kind"] == {"code": "01", "zh": "普通卡", "en": "ordinary"}
    assert "reserved" not in shown


@pytest.mark.parametrize(
    ("raw", "cls"),
    [("2701", MetroRecord), ("2702", BusRecord), ("2706", BicycleRecord), ("2703", TunionRecord), ("00", TunionRecord)],
)
def test_the_first_bytes_of_a_tunion_record_tell_its_kind(raw: str, cls: type[FixedRecord]) -> None:
    for file in (EF1A_COMPOSITE, EF19_COMPOSITE_LOCAL):
        assert file.layout(bytes.fromhex(raw) + bytes(126)) is cls


@pytest.mark.parametrize(
    ("raw", "cls"), [("AA25", CompositeRecordEtcShort), ("AA29", CompositeRecordEtc), ("0129", CompositeRecordEtc)]
)
def test_the_length_of_an_etc_record_tells_its_form(raw: str, cls: type[FixedRecord]) -> None:
    assert EF19_COMPOSITE_ETC.layout(bytes.fromhex(raw)) is cls


def test_home_use_of_a_bus_record_is_read() -> None:
    home = BusRecord.decode(bytes.fromhex(BusRecord.VECTORS[1])).home
    assert home is not None
    assert (home.city, home.driver, home.conductor, home.run) == ("9999", "00000123", "00000456", b"\x00\x12")
    assert (home.longest_minutes, home.station_name) == (180, "测试站")


def test_a_terminal_number_that_is_no_digits_does_not_spoil_a_trip() -> None:
    raw = bytearray.fromhex(TripRecord.VECTORS[0])
    raw[1:9] = bytes.fromhex("00001A2B3C4D5E6F")
    trip = TripRecord.decode(bytes(raw))
    assert (trip.terminal, trip.malformed()) == (None, ("terminal",))
    assert trip.encode() == raw


def test_transaction_types_that_nobody_explained_are_kept() -> None:
    raw = bytearray.fromhex(WalletLogRecord.VECTORS[0])
    raw[9] = 0x11
    record = WalletLogRecord.decode(bytes(raw))
    assert record.show(masked=True)["kind"] == {"code": "11", "zh": "11", "en": "11"}
    assert record.encode() == raw


# ---- the directory ---------------------------------------------------------------------------------------------


def test_the_label_of_a_directory_entry_may_be_a_file_identifier() -> None:
    directory = DirectoryData.decode_concatenated(bytes.fromhex("7011610F4F09A0000000038698070150023F01"))
    (entry,) = directory.applications
    assert (entry.aid, entry.identifier, entry.label) == (WALLET_NAME, 0x3F01, None)


@pytest.mark.parametrize("aid", [WALLET_NAME, bytes.fromhex("A000000632010105")])
def test_directory_entries_are_written_without_filler(aid: bytes) -> None:
    directory = DirectoryData(entries=(DirectoryEntry.of(aid, b"PBOC"),), templates=())
    written = directory.encode()[0]
    assert written == bytes([0x61, len(aid) + 8, 0x4F, len(aid)]) + aid + b"\x50\x04PBOC"
    (entry,) = DirectoryData.decode_concatenated(written).applications
    assert (entry.aid, entry.label, entry.identifier) == (aid, "PBOC", None)


def test_an_entry_without_a_label_has_none() -> None:
    (entry,) = DirectoryData.decode_concatenated(bytes.fromhex("610B4F09A00000000386980701")).applications
    assert (entry.label, entry.identifier) == (None, None)


# ---- what cards hold -------------------------------------------------------------------------------------------

CARDS: list[tuple[CardDeclaration, str, set[str]]] = [
    (PBOC_WALLET, "citizen-wallet", {"MF/EF01", "ADF1/EF15", "ADF1/EF16", "ADF1/EF18"}),
    (
        CJT166,
        "transit-cjt166",
        {"MF/EF01", "MF/EF05", "ADF1/EF15", "ADF1/EF16", "ADF1/EF17", "ADF1/EF18"},
    ),
    (
        TUNION,
        "transit-jtt978",
        {"MF/EF01", *(f"ADF1/EF{sfi}" for sfi in ("15", "16", "17", "18", "19", "1A", "1E"))},
    ),
    (ETC, "etc", {"MF/EF01", "ADF1/EF15", "ADF1/EF16", "ADF1/EF18", "ADF1/EF19"}),
    (
        LDT_PSAM,
        "ldt-psam",
        {f"{label}/EF{sfi}" for label in ("MF", "DDF1") for sfi in ("01", "15", "16")}
        | {f"DF01/EF{sfi}" for sfi in ("19", "1A", "1B", "1C")},
    ),
    (
        PBOC_PSAM,
        "pboc-psam",
        {"MF/EF01", "MF/EF15", "MF/EF16"} | {f"{label}/EF{sfi}" for label in ("ADF1", "ADF2") for sfi in ("17", "18")},
    ),
]


@pytest.mark.parametrize(("card", "identifier", "files"), CARDS, ids=[identifier for _, identifier, _ in CARDS])
def test_cards_hold_the_files_of_their_family(card: CardDeclaration, identifier: str, files: set[str]) -> None:
    assert card.id == identifier
    assert {f"{application.label}/{file.label}" for application, file in card.files()} == files
    assert card.root.identifier == 0x3F00
    assert card.root.label == "MF"


@pytest.mark.parametrize(("card", "read"), [(PBOC_WALLET, any_of(PIN)), (CJT166, FREE), (TUNION, FREE)])
def test_the_log_is_read_after_the_pin_on_pboc_cards_and_freely_on_transit_cards(
    card: CardDeclaration, read: Access
) -> None:
    assert [file.read for _, file in card.files() if file.label == "EF18"] == [read]


def test_the_two_environments_of_a_social_security_psam_are_named_in_gbk() -> None:
    assert LDT_PSAM.root.name.decode("gbk") == "sx1.sh.社会保障"
    assert LDT_ENVIRONMENT_16.decode("gbk") == "sx2.sh.社会保障"


def test_the_terminal_number_of_a_social_security_psam_begins_with_its_region() -> None:
    assert TerminalInfo(terminal="999999000001").region == "999999"


def test_products_find_every_wallet_file_by_name() -> None:
    assert len(set(map(id, WALLET_FILES.values()))) == len(WALLET_FILES)
    labels = {name: file.label for name, file in WALLET_FILES.items()}
    assert {labels[name] for name in labels if name.startswith("public-")} == {"EF15"}
    assert {labels[name] for name in labels if name.startswith("holder-")} == {"EF16"}
    held = {id(file.content) for card in (PBOC_WALLET, CJT166, TUNION, ETC) for _, file in card.files()}
    assert held <= {id(file.content) for file in WALLET_FILES.values()}
