"""Public application data of wallets, EF15 (EW §2.3)."""

from __future__ import annotations

from cardio.files.codecs import Digits, Number, Octets
from cardio.files.dates import CardDate, Date
from cardio.files.declaration import (
    FREE,
    FileDeclaration,
    Structure,
    any_of,
)
from cardio.files.masking import Mask
from cardio.files.record import FixedRecord, field, optional


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


EF15_PUBLIC = FileDeclaration(
    0x0015,
    0x15,
    "公共应用信息文件",
    "public application data",
    Structure.TRANSPARENT,
    PublicData,
    read=FREE,
    update=any_of("DAMK"),
    size=30,
    source="EW §2.3",
)
