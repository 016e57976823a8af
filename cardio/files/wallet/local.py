"""Local records of T-Union cards in Guangxi, EF06 and EF07 (EW §2.9).

EW names the count form of EF06 only by its length; its fields are those of EW's source [MZT], structure stJTBC6.
"""

from __future__ import annotations

from cardio.files.codecs import BinaryAmount, Number, Octets
from cardio.files.codes import Code
from cardio.files.dates import CardDate, Date
from cardio.files.declaration import (
    FREE,
    FileDeclaration,
    Structure,
    any_of,
)
from cardio.files.record import FixedRecord, field, optional
from cardio.files.tables.wallet import COUNT_KIND, DISCOUNT_KIND, EXTENSION_KIND, LOCK_FLAG, PERIOD_KIND
from cardio.files.wallet.composite import CompositeRecord


class GuangxiExtension(CompositeRecord):
    """EF06 拓展应用, 32 bytes: a monthly ticket or discount (EW §2.9)."""

    kind: str = field(Code(1, EXTENSION_KIND, form="b", open_ended=True), "拓展类型", "kind of extension")
    aid: bytes | None = optional(Octets(8), "拓展应用AID", "AID of the extension")
    discount: str = field(Code(1, DISCOUNT_KIND, form="b", open_ended=True), "拓展优惠类型", "discount kind")
    starts: CardDate | None = optional(Date(), "拓展应用启用日期", "valid from")
    ends: CardDate | None = optional(Date(), "拓展应用结束日期", "valid to")
    year_fee_fen: int = field(BinaryAmount(3), "拓展应用年费", "yearly fee, fen")
    reserved: bytes | None = optional(Octets(8), "预留", "reserved")

    VECTORS = (("011E00" "01" "A000000632010105" "00" "20260601" "20261231" "0007D0" "0102030405060708"),)  # fmt: skip


class GuangxiCountRule(FixedRecord):
    """EF06 计次规则, 16 bytes: how many rides a period has (EW §2.9 [MZT])."""

    kind: str = field(Code(1, EXTENSION_KIND, form="b", open_ended=True), "拓展类型", "kind of extension")
    counted: str = field(Code(1, COUNT_KIND, form="b", open_ended=True), "记次类型", "what counts")
    period: str = field(Code(1, PERIOD_KIND, form="b", open_ended=True), "时间类型", "kind of period")
    cycle: int = field(Number(1), "时间周期", "length of the period")
    rides: int = field(Number(2), "定额次数", "rides of a period")
    reserved: bytes | None = optional(Octets(10), "预留", "reserved")

    VECTORS = (("02" "01" "01" "01" "003C" "0102030405060708090A"),)  # fmt: skip


class GuangxiCount(FixedRecord):
    """EF07 剩余次数, 15 bytes: the rides that are left (EW §2.9). The identifier is the record's number."""

    identifier: int = field(Number(1), "记录ID标识", "record identifier")
    length: int = field(Number(1), "记录长度", "bytes that follow")
    lock: str = field(Code(1, LOCK_FLAG, form="b", open_ended=True), "锁定标志", "lock flag")
    starts: CardDate | None = optional(Date(), "启用日期", "valid from")
    ends: CardDate | None = optional(Date(), "结束日期", "valid to")
    rides: int = field(Number(2), "剩余次数", "rides left")
    reserved: bytes | None = optional(Octets(2), "预留", "reserved")

    VECTORS = ("010D00202606012026123100280102",)


def _records(sfi: int, zh: str, en: str, content: type[FixedRecord]) -> FileDeclaration:
    return FileDeclaration(
        sfi,
        sfi,
        zh,
        en,
        Structure.LINEAR_FIXED,
        content,
        read=FREE,
        update=any_of("DAMK"),
        size=content.size(),
        source="EW §2.1, §2.9",
    )


EF06_GUANGXI = _records(0x06, "广西拓展应用文件", "extensions (Guangxi)", GuangxiExtension)
EF06_GUANGXI_COUNT = _records(0x06, "广西计次规则文件", "count rules (Guangxi)", GuangxiCountRule)
EF07_GUANGXI = _records(0x07, "广西剩余次数文件", "rides left (Guangxi)", GuangxiCount)
