"""Public application data of wallets, EF15, in the layouts of all card families (EW §2.3).

Every layout offers `issuer` (bytes 1 to 8), `application_version`, `serial`, `factor`, `starts` and `ends`.

Chongqing is missing: EW gives the place of its expiry date only, and puts its card number into another file.
"""

from __future__ import annotations

from cardio.files.codecs import Digits, Number, Octets
from cardio.files.codes import Code
from cardio.files.dates import CardDate, Date
from cardio.files.declaration import (
    FREE,
    FileDeclaration,
    Structure,
    any_of,
)
from cardio.files.masking import Mask
from cardio.files.nesting import Composite
from cardio.files.record import FixedRecord, field, optional
from cardio.files.tables.wallet import ENABLE_FLAG
from cardio.files.wallet.serial import ApplicationSerialNumber

ISSUER = slice(0, 8)
FACTOR = slice(12, 20)
"""Where EF15 of every family has the diversification factor of the card (EW §2.3)."""


class PublicData(FixedRecord):
    """EF15 公共应用信息, the PBOC and T-Union layout of 30 bytes (EW §2.3)."""

    issuer: bytes = field(Octets(8, blank_is_value=True), "发卡机构标识", "issuer identifier")
    application_type: int = field(Number(1), "应用类型标识", "application type")
    application_version: int = field(Number(1), "应用版本", "application version or enable flag")
    serial: str = field(Digits(10), "应用序列号", "application serial number", personal=Mask.CARD_NUMBER)
    starts: CardDate | None = optional(Date(), "启用日期", "valid from")
    ends: CardDate | None = optional(Date(), "有效日期", "valid to")
    issuer_data: bytes | None = optional(Octets(2), "自定义FCI数据", "issuer's own FCI data")

    VECTORS = (
        "999900000000000103010000860000000000012320260601203512315566",  # PERS §5.2, A52
    )

    @property
    def factor(self) -> bytes:
        """Diversification factor of the card: the last 8 bytes of the serial number (EW §2.3)."""
        return bytes.fromhex(self.serial.ljust(20, "f"))[2:]


class PublicDataStaff(PublicData):
    """EF15 公共应用信息 of T-Union company staff cards, 40 bytes, AAAABBBB in bytes 5 to 8 (EW §2.3)."""

    staff_data: bytes | None = optional(Octets(10), "员工卡数据", "staff card data")

    VECTORS = ("99999999AAAABBBB0201099990000000000001232026060120351231000001020304050607080910",)


class PublicDataCjt166(FixedRecord):
    """EF15 公共应用信息 after CJ/T 166, the form of 30 bytes (EW §2.3)."""

    issuer_code: str | None = optional(Digits(2), "发卡机构代码", "issuer code")
    city: str | None = optional(Digits(2), "城市代码", "city code")
    industry: str | None = optional(Digits(2), "行业代码", "industry code")
    reserved: bytes | None = optional(Octets(2), "预留", "reserved")
    enabled: str = field(Code(1, ENABLE_FLAG, form="b", open_ended=True), "启用标志", "enable flag")
    application_version: int = field(Number(1), "应用版本", "application version")
    interoperation: bytes = field(Octets(2, blank_is_value=True), "互通标志", "interoperation flag")
    asn: ApplicationSerialNumber = field(Composite(ApplicationSerialNumber), "应用序列号", "application serial number")
    starts: CardDate | None = optional(Date(), "启用日期", "valid from")
    ends: CardDate | None = optional(Date(), "有效日期", "valid to")
    main_type: str | None = optional(Digits(1, zero_is_value=True), "卡主类型", "card main type")
    sub_type: str | None = optional(Digits(1, zero_is_value=True), "卡子类型", "card sub type")

    VECTORS = (("999999990001030001010001" "9999010000BC614E" "2026060120351231" "0100"),)  # fmt: skip

    @property
    def issuer(self) -> bytes:
        """Bytes 1 to 8: issuer, city, industry, reserved."""
        return self.encode()[ISSUER]

    @property
    def serial(self) -> str:
        """Application serial number, 16 hexadecimal digits: its last 4 bytes are binary."""
        return self.asn.digits

    @property
    def factor(self) -> bytes:
        """Diversification factor of the card: the application serial number (EW §2.3)."""
        return self.asn.encode()


class PublicDataCjt166Full(PublicDataCjt166):
    """EF15 公共应用信息 after CJ/T 166, the form of 34 bytes (EW §2.3)."""

    services: bytes | None = optional(Octets(4), "服务位图", "service bitmap")

    VECTORS = (("999999990001030001010001" "9999010000BC614E" "2026060120351231" "0100" "80000001"),)  # fmt: skip


class PublicDataLingnan(FixedRecord):
    """EF15 公共应用信息 of Lingnan Tong in PAY.APPY, 46h bytes (EW §2.3); only number and dates are known."""

    head: bytes | None = optional(Octets(11), "未公开1", "bytes 1 to 11, unpublished")
    card_number: str = field(Digits(5), "卡号", "card number", personal=Mask.CARD_NUMBER)
    middle: bytes | None = optional(Octets(7), "未公开2", "bytes 17 to 23, unpublished")
    starts: CardDate | None = optional(Date(), "启用日期", "valid from")
    ends: CardDate | None = optional(Date(), "有效日期", "valid to")
    rest: bytes | None = optional(Octets(39), "未公开3", "bytes 32 to 70, unpublished")

    VECTORS = (
        ("0102030405060708090A0B" "9999000123" "11121314151617" "2026060120351231" + "20" * 38 + "21"),
    )  # fmt: skip

    @property
    def issuer(self) -> bytes:
        """Bytes 1 to 8."""
        return self.encode()[ISSUER]

    @property
    def application_version(self) -> None:
        """Not known to be in this layout."""

    @property
    def serial(self) -> str:
        """Card number, 10 digits."""
        return self.card_number

    @property
    def factor(self) -> bytes:
        """Bytes 13 to 20, as on the cards of every family (EW §2.3)."""
        return self.encode()[FACTOR]


def _public(content: type[FixedRecord], source: str = "EW §2.3") -> FileDeclaration:
    return FileDeclaration(
        0x0015,
        0x15,
        "公共应用信息文件",
        "public application data",
        Structure.TRANSPARENT,
        content,
        read=FREE,
        update=any_of("DAMK"),
        size=content.size(),
        source=source,
    )


EF15_PUBLIC = _public(PublicData)
EF15_PUBLIC_STAFF = _public(PublicDataStaff)
EF15_PUBLIC_CJT166 = _public(PublicDataCjt166)
EF15_PUBLIC_CJT166_FULL = _public(PublicDataCjt166Full)
EF15_PUBLIC_LINGNAN = _public(PublicDataLingnan)
