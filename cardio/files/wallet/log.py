"""Transaction log of wallets, EF18 (EW §2.7)."""

from __future__ import annotations

from cardio.files.codecs import BinaryAmount, Digits, Number
from cardio.files.codes import Code
from cardio.files.dates import CardDate, Date
from cardio.files.declaration import (
    NEVER,
    PIN,
    FileDeclaration,
    Structure,
    any_of,
)
from cardio.files.record import FixedRecord, field, optional
from cardio.files.tables.wallet import TRANSACTION_TYPE

AMOUNT_MASK = 0x7FFFFFFF
"""A few cards set bit 31 of balances and amounts; readers mask it (EW §2.7)."""


class WalletLogRecord(FixedRecord):
    """EF18 交易明细, 23 bytes (EW §2.7)."""

    number: int = field(Number(2), "交易序号", "transaction number")
    overdraft_fen: int = field(BinaryAmount(3), "透支限额", "overdraft limit, fen")
    amount_fen: int = field(BinaryAmount(4), "交易金额", "amount, fen")
    kind: str = field(Code(1, TRANSACTION_TYPE, form="b", open_ended=True), "交易类型", "transaction type")
    terminal: str = field(Digits(6, zero_is_value=True), "终端机编号", "terminal number")
    date: CardDate | None = optional(Date(), "交易日期", "date")
    time: str | None = optional(Digits(3, zero_is_value=True), "交易时间", "time hhmmss")

    VECTORS = ("0011000000000000C80611223344556620260315090102",)  # EW §10, 3des-purchase-ep


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
    source="EW §2.1, §2.7",
)
