"""The manual's own words, each in Chinese and English."""

from __future__ import annotations

from typing import Any, TypeVar

from cardio.cli.manual.source import table_name
from cardio.files.codecs import (
    Amount,
    BinaryAmount,
    Codec,
    DecimalText,
    Digits,
    Flag,
    HexDigits,
    Number,
    Octets,
    Text,
    TextOctets,
)
from cardio.files.codes import Code
from cardio.files.dates import Date, Timestamp, Year, YearMonth
from cardio.files.declaration import PIN, Access, Structure, Use
from cardio.files.masking import Mask
from cardio.files.nesting import Composite, Constructed
from cardio.security.card_keys import ENCRYPT, MAC, MAC_ENCRYPT, Authority

LANGUAGES = ("zh", "en")
Words = tuple[str, str]
T = TypeVar("T")

STRUCTURES: dict[Structure, Words] = {
    Structure.TRANSPARENT: ("透明文件", "transparent"),
    Structure.LINEAR_VARIABLE: ("线性变长记录", "linear, variable records"),
    Structure.LINEAR_FIXED: ("线性定长记录", "linear, fixed records"),
    Structure.CYCLIC: ("循环记录", "cyclic records"),
}
USES: dict[Use, Words] = {
    Use.ACTIVE: ("启用", "active"),
    Use.PREPARED: ("预设", "prepared"),
    Use.RESERVED: ("预留", "reserved"),
}
VISIBLE: dict[Mask, Words] = {
    Mask.NAME: ("第一个字", "first character"),
    Mask.ID_NUMBER: ("前3位和后4位", "first 3 and last 4"),
    Mask.CARD_NUMBER: ("后4位", "last 4"),
    Mask.DATE: ("年份", "year"),
    Mask.HIDDEN: ("无", "nothing"),
}
PSAM_KINDS: dict[int, Words] = {
    MAC: ("MAC", "MAC"),
    ENCRYPT: ("加密", "encryption"),
    MAC_ENCRYPT: ("MAC和加密", "MAC and encryption"),
}
AUTHORITIES: dict[Authority, Words] = {
    Authority.NATIONAL: ("部级", "national"),
    Authority.PROVINCE: ("省级", "province"),
}
MEANINGS: dict[type[Codec[Any]], Words] = {
    Text: ("文本", "text"),
    TextOctets: ("文本的一段，与相邻段连接后解码", "part of a text, joined with the others before decoding"),
    Digits: ("数字", "digits"),
    HexDigits: ("数字，可含A至E", "digits, A to E too"),
    Number: ("无符号整数", "unsigned integer"),
    Amount: ("金额，分", "amount in fen"),
    BinaryAmount: ("金额，分", "amount in fen"),
    DecimalText: ("十进制数", "decimal number"),
    Flag: ("0否，1是", "0 no, 1 yes"),
    Octets: ("字节", "bytes"),
    Date: ("日期 YYYYMMDD", "date YYYYMMDD"),
    YearMonth: ("年月 YYYYMM", "month YYYYMM"),
    Year: ("年 YYYY", "year YYYY"),
    Timestamp: ("时间 YYYYMMDDhhmmss", "time YYYYMMDDhhmmss"),
    Composite: ("由以下部分组成", "made of the parts below"),
    Constructed: ("由以下数据项组成", "made of the items below"),
}


class Language:
    """One language of the manual.

    Attributes:
        code: `zh` or `en`.
        other: The other one.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        self.other = "en" if code == "zh" else "zh"
        self._place = LANGUAGES.index(code)

    def pick(self, zh: str, en: str) -> str:
        """A text in this language."""
        return (zh, en)[self._place]

    def of(self, words: tuple[T, T]) -> T:
        """What stands for this language."""
        return words[self._place]

    def label(self, name: str) -> str:
        """A label that a text follows."""
        return f"{name}{self.pick('：', ': ')}"

    def links(self, page: str) -> str:
        """Links to the first page and to the same page in the other language."""
        return f"[{self.pick('目录', 'Index')}](index.md), [{self.pick('English', '中文')}]({page}.{self.other}.md)"

    def rights(self, access: Access) -> str:
        """Who may read or update: PIN or RK1DF03."""
        if not access.alternatives:
            return self.pick("不允许", "never")
        ways = [self.pick(" 和 ", " and ").join(sorted(way, key=pin_first)) for way in access.alternatives]
        return self.pick(" 或 ", " or ").join(way or self.pick("自由", "free") for way in ways)

    def meaning(self, codec: Codec[Any]) -> str:
        """What the bytes of an item stand for; code tables as a link."""
        if not isinstance(codec, Code):
            return self.of(MEANINGS[type(codec)])
        name = table_name(codec.table)
        link = f"{self.pick('代码', 'code')} [{name}](codes.{self.code}.md#{name.lower()})"
        return link + (self.pick("，可有其他代码", ", others may occur") if codec.open_ended else "")


def rights_of(access: Access) -> set[str]:
    """PIN and keys that an access right names."""
    return {right for way in access.alternatives for right in way}


def pin_first(right: str) -> tuple[bool, str]:
    """Order of rights: the PIN, then the keys by name."""
    return right != PIN, right
