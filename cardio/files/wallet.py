"""Files of the citizen wallet: public data and transaction log (EW §2.3, §2.7)."""

from __future__ import annotations

from cardio.files.codecs import CardDate, Date, Digits, Number, Octets
from cardio.files.declaration import (
    FREE,
    NEVER,
    PIN,
    ApplicationDeclaration,
    FileDeclaration,
    Structure,
    any_of,
)
from cardio.files.masking import Mask
from cardio.files.record import FixedRecord, field, optional

AMOUNT_MASK = 0x7FFFFFFF
"""A few cards set bit 31 of balances and amounts; readers mask it (EW §2.7)."""


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


class WalletLogRecord(FixedRecord):
    """EF18 交易明细, 23 bytes (EW §2.7)."""

    number: int = field(Number(2), "交易序号", "transaction number")
    overdraft_fen: int = field(Number(3), "透支限额", "overdraft limit, fen")
    amount_fen: int = field(Number(4), "交易金额", "amount, fen")
    kind: int = field(Number(1), "交易类型", "transaction type")
    terminal: str = field(Digits(6, zero_is_value=True), "终端机编号", "terminal number")
    date: CardDate | None = optional(Date(), "交易日期", "date")
    time: str | None = optional(Digits(3, zero_is_value=True), "交易时间", "time hhmmss")

    VECTORS = ("0011000000000000C80611223344556620260315090102",)  # EW §10, 3des-purchase-ep


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
EF18_LOG = FileDeclaration(
    0x0018,
    0x18,
    "交易明细文件",
    "transaction log",
    Structure.CYCLIC,
    WalletLogRecord,
    read=any_of(PIN),
    update=NEVER,
    size=23,
    records=10,
    source="EW §2.7",
)

WALLET_NAME = bytes.fromhex("A00000000386980701")
"""AID of the PBOC and CJ/T 166 purse (EW §1.1)."""

WALLET = ApplicationDeclaration(0x3F01, "电子钱包", "electronic wallet", (EF15_PUBLIC, EF18_LOG), name=WALLET_NAME)
