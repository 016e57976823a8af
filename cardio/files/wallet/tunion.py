"""Composite application records of T-Union cards, EF1A and EF19: journeys begun and ended (EW §2.9, §6.6).

Lines, stations and operators are bytes: no source says for all cards whether they are packed digits or numbers.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from cardio.files.codecs import BinaryAmount, Digits, HexDigits, Number, Octets, Text
from cardio.files.codes import Code
from cardio.files.dates import Timestamp
from cardio.files.declaration import (
    FREE,
    FileDeclaration,
    Structure,
    any_of,
)
from cardio.files.nesting import Composite
from cardio.files.record import FixedRecord, field, optional
from cardio.files.tables.wallet import DIRECTION, LOCK_FLAG, TRADE_FLAG, TRIP_STATE, TUNION_RECORD, VALID_FLAG


class TunionHead(FixedRecord):
    """The first 15 bytes of every record `27 nn` (EW §2.9)."""

    identifier: str = field(Code(2, TUNION_RECORD, form="b", open_ended=True), "交易标识", "record identifier")
    length: int = field(Number(1), "记录长度", "bytes that follow")
    valid: str = field(Code(1, VALID_FLAG, form="b", open_ended=True), "有效标识", "valid flag")
    trade: str = field(Code(1, TRADE_FLAG, form="b", open_ended=True), "交易标识类型", "trade flag")
    lock: str = field(Code(1, LOCK_FLAG, form="b", open_ended=True), "锁应用标识", "application lock flag")
    sequence: str | None = optional(Digits(8, zero_is_value=True), "交易流水号", "terminal sequence")
    state: str = field(Code(1, TRIP_STATE, form="b", open_ended=True), "交易状态标识", "state")

    VECTORS: ClassVar[tuple[str, ...]] = ("27127D010100" + "0000000000000001" + "01",)


class TunionRecord(TunionHead):
    """EF1A, EF19 复合应用记录 of an unpublished kind, 128 bytes (EW §2.9)."""

    data: bytes | None = optional(Octets(113), "应用数据", "application data")

    VECTORS = ("27127D010100000000000000010101" + "01" * 113,)


class MetroRecord(TunionHead):
    """`27 01` 轨道交通应用信息, 128 bytes; UNCERTAIN beyond offset 84 (EW §2.9)."""

    entry_city: str | None = optional(Digits(2), "进站城市代码", "entry city")
    exit_city: str | None = optional(Digits(2), "出站城市代码", "exit city")
    entry_institution: str | None = optional(HexDigits(8), "进站机构标识", "entry institution")
    exit_institution: str | None = optional(HexDigits(8), "出站机构标识", "exit institution")
    entry_station: bytes | None = optional(Octets(8), "进站站点", "entry station")
    exit_station: bytes | None = optional(Octets(8), "出站站点", "exit station")
    entry_terminal: str | None = optional(Digits(8), "进站终端编号", "entry terminal")
    exit_terminal: str | None = optional(Digits(8), "出站终端编号", "exit terminal")
    entry_time: datetime | None = optional(Timestamp(), "进站时间", "entry time")
    exit_time: datetime | None = optional(Timestamp(), "出站时间", "exit time")
    amount_fen: int = field(BinaryAmount(4), "交易金额", "amount, fen")
    rest: bytes | None = optional(Octets(43), "预留", "rest")

    VECTORS = (
        ("27017D010100000000000000012302" "99999999" "02319999FFFFFFFF" "02319999FFFFFFFF"
         "0000000000000105" "0000000000000109" "0000999900000001" "0000999900000002"
         "20260601080000" "20260601083000" "00000190" + "00" * 42 + "01"),
    )  # fmt: skip


class HomeUse(FixedRecord):
    """The reserved 26 bytes of a bus record as the home city uses them (EW §2.9)."""

    city: str | None = optional(Digits(2), "预留信息城市代码", "city")
    driver: str | None = optional(HexDigits(4), "司机号", "driver")
    conductor: str | None = optional(HexDigits(4), "乘务员编号", "conductor")
    run: bytes | None = optional(Octets(2), "趟次", "run")
    longest_minutes: int | None = optional(Number(2), "最长时间", "longest time, minutes")
    station_name: str | None = optional(Text(10), "站点名称", "station name")
    rest: bytes | None = optional(Octets(2), "预留", "rest")

    VECTORS = ("99990000012300000456001200B4B2E2CAD4D5BE000000000001",)


class BusRecord(TunionHead):
    """`27 02` 公共汽车应用信息, 128 bytes (EW §2.9)."""

    boarding_city: str | None = optional(Digits(2), "上车城市代码", "boarding city")
    boarding_institution: str | None = optional(HexDigits(8), "上车机构标识", "boarding institution")
    boarding_operator: bytes | None = optional(Octets(2), "上车运营代码", "boarding operator")
    boarding_line: bytes | None = optional(Octets(2), "上车线路号", "boarding line")
    boarding_station: bytes | None = optional(Octets(1), "上车站点", "boarding station")
    boarding_vehicle: str | None = optional(Text(8), "上车车辆号", "boarding vehicle")
    boarding_terminal: str | None = optional(Digits(8), "上车终端编号", "boarding terminal")
    boarding_time: datetime | None = optional(Timestamp(), "上车时间", "boarding time")
    marked_fen: int = field(BinaryAmount(4), "标注金额", "marked amount (full fare, for fare evasion), fen")
    direction: str = field(Code(1, DIRECTION, form="b", open_ended=True), "方向", "direction")
    alighting_city: str | None = optional(Digits(2), "下车城市代码", "alighting city")
    alighting_institution: str | None = optional(HexDigits(8), "下车机构标识", "alighting institution")
    alighting_operator: bytes | None = optional(Octets(2), "下车运营代码", "alighting operator")
    alighting_line: bytes | None = optional(Octets(2), "下车线路号", "alighting line")
    alighting_station: bytes | None = optional(Octets(1), "下车站点", "alighting station")
    alighting_vehicle: str | None = optional(Text(8), "下车车辆号", "alighting vehicle")
    alighting_terminal: str | None = optional(Digits(8), "下车终端编号", "alighting terminal")
    alighting_time: datetime | None = optional(Timestamp(), "下车时间", "alighting time")
    charged_fen: int = field(BinaryAmount(4), "交易金额", "charged amount, fen")
    mileage: int = field(Number(2), "乘车里程", "mileage")
    home: HomeUse | None = optional(Composite(HomeUse), "预留（本地使用）", "reserved, home use")

    VECTORS = (
        # EW §10, 3des-composite-entry-zero
        ("27027D010100000000000000000101" "3750" "02313750FFFFFFFF" "0001" "0012" "03" "4131323334353637"
         "0000112233445566" "20260318073000" "000001F4" "01" + "00" * 70),
        ("27027D010100000000000001230002" "9999" "02319999FFFFFFFF" "0001" "0012" "03" "4131323334353637"
         "0000999900000001" "20260601080000" "00000000" "AB" "9999" "02319999FFFFFFFF" "0001" "0012" "09"
         "4131323334353637" "0000999900000002" "20260601083000" "000000C8" "000C"
         "99990000012300000456001200B4B2E2CAD4D5BE000000000001"),
    )  # fmt: skip


class BicycleRecord(TunionHead):
    """`27 06` 公共自行车应用信息, 128 bytes: the layout of the bus record with other meanings (EW §6.6, PC-19)."""

    rent_city: str | None = optional(Digits(2), "租车城市代码", "city of renting")
    rent_institution: str | None = optional(HexDigits(8), "租车机构标识", "institution of renting")
    rent_operator: bytes | None = optional(Octets(2), "租车运营代码", "operator of renting")
    rent_station: bytes | None = optional(Octets(2), "租车站点号", "station of renting")
    rent_dock: bytes | None = optional(Octets(1), "租车锁桩号", "dock of renting")
    rented_bicycle: str | None = optional(Text(8), "租用车辆号", "bicycle that was rented")
    rent_terminal: str | None = optional(Digits(8), "租车终端编号", "terminal of renting")
    rent_time: datetime | None = optional(Timestamp(), "租车时间", "time of renting")
    deposit_fen: int = field(BinaryAmount(4), "押金或最高收费", "deposit or maximum charge, fen")
    direction: str = field(Code(1, DIRECTION, form="b", open_ended=True), "方向", "direction")
    return_city: str | None = optional(Digits(2), "还车城市代码", "city of returning")
    return_institution: str | None = optional(HexDigits(8), "还车机构标识", "institution of returning")
    return_operator: bytes | None = optional(Octets(2), "还车运营代码", "operator of returning")
    return_station: bytes | None = optional(Octets(2), "还车站点号", "station of returning")
    return_dock: bytes | None = optional(Octets(1), "还车锁桩号", "dock of returning")
    returned_bicycle: str | None = optional(Text(8), "归还车辆号", "bicycle that was returned")
    return_terminal: str | None = optional(Digits(8), "还车终端编号", "terminal of returning")
    return_time: datetime | None = optional(Timestamp(), "还车时间", "time of returning")
    fee_fen: int = field(BinaryAmount(4), "租车费用", "fee, fen")
    minutes: int = field(Number(2), "租用分钟数", "minutes rented")
    reserved: bytes | None = optional(Octets(26), "预留", "reserved")

    VECTORS = (
        # EW §10: 3des-bike-rent, 3des-bike-return
        ("27067D010100000000000000000301" "3750" "02313750FFFFFFFF" "0006" "0204" "0B" "424B303037373838"
         "0000112233445566" "20260319180000" "000007D0" "00" + "00" * 70),
        ("27067D010100000000000000000402" "3750" "02313750FFFFFFFF" "0006" "0204" "0B" "424B303037373838"
         "0000112233445566" "20260319180000" "00000000" "00" "3750" "02313750FFFFFFFF" "0006" "0311" "05"
         "424B303037373838" "0000112233445566" "20260319191500" "00000064" "004B" + "00" * 26),
        ("27067D010100000000000001230002" "9999" "02319999FFFFFFFF" "0006" "0204" "0B" "424B303037373838"
         "0000999900000001" "20260601180000" "000007D0" "AB" "9999" "02319999FFFFFFFF" "0006" "0311" "05"
         "424B303037373838" "0000999900000002" "20260601191500" "00000064" "004B" + "00" * 25 + "01"),
    )  # fmt: skip


def _composite(sfi: int, zh: str, en: str) -> FileDeclaration:
    return FileDeclaration(
        sfi,
        sfi,
        zh,
        en,
        # Variable records in the card's terms; all of them have 128 bytes.
        Structure.LINEAR_FIXED,
        TunionRecord,
        read=FREE,
        update=any_of("DAMK"),
        size=128,
        layouts={b"\x27\x01": MetroRecord, b"\x27\x02": BusRecord, b"\x27\x06": BicycleRecord},
        source="EW §2.1, §2.9, §6.6",
    )


EF1A_COMPOSITE = _composite(0x1A, "互联互通复合应用记录文件", "composite records, interoperable")
EF19_COMPOSITE_LOCAL = _composite(0x19, "本地复合应用记录文件", "composite records of the home city")
