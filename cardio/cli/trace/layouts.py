"""Data fields of the purse and PSAM commands (EW §3.2 and §5.2, SSC §5.4 and §6.4).

Every field may be unwritten or senseless: a trace shows what was sent, right or wrong.
"""

from __future__ import annotations

from datetime import datetime

from cardio.files.codecs import BinaryAmount, Digits, Number, Octets
from cardio.files.dates import CardDate, Timestamp, Year
from cardio.files.record import FixedRecord, optional


def _bytes(size: int) -> Octets:
    return Octets(size, blank_is_value=True)


def _digits(size: int) -> Digits:
    return Digits(size, zero_is_value=True)


class InitializeRequest(FixedRecord):
    """Key index, amount and terminal of an INITIALIZE command, 11 bytes."""

    key_index: bytes | None = optional(_bytes(1), "密钥索引", "key index")
    amount_fen: int | None = optional(BinaryAmount(4), "交易金额", "amount")
    terminal: str | None = optional(_digits(6), "终端机编号", "terminal number")


class LoadInitialized(FixedRecord):
    """Answer to INITIALIZE FOR LOAD, and to INITIALIZE FOR UNLOAD, 16 bytes."""

    balance_fen: int | None = optional(BinaryAmount(4), "余额", "balance")
    counter: int | None = optional(Number(2), "联机交易序号", "load counter")
    key_version: bytes | None = optional(_bytes(1), "密钥版本", "key version")
    algorithm: bytes | None = optional(_bytes(1), "算法标识", "algorithm")
    random: bytes | None = optional(_bytes(4), "随机数", "random")
    mac1: bytes | None = optional(_bytes(4), "MAC1", "MAC1")


class HostAuthorization(FixedRecord):
    """Time and MAC2 of the host: CREDIT FOR LOAD, DEBIT FOR UNLOAD, 11 bytes."""

    time: datetime | None = optional(Timestamp(), "交易时间", "time")
    mac2: bytes | None = optional(_bytes(4), "MAC2", "MAC2")


class Tac(FixedRecord):
    """Answer of 4 bytes: TAC."""

    tac: bytes | None = optional(_bytes(4), "交易认证码TAC", "TAC")


class Mac3(FixedRecord):
    """Answer to DEBIT FOR UNLOAD: MAC3."""

    mac3: bytes | None = optional(_bytes(4), "MAC3", "MAC3")


class PurchaseInitialized(FixedRecord):
    """Answer to INITIALIZE FOR PURCHASE of a wallet, 15 bytes (EW §3.2)."""

    balance_fen: int | None = optional(BinaryAmount(4), "余额", "balance")
    counter: int | None = optional(Number(2), "脱机交易序号", "purchase counter")
    overdraft_fen: int | None = optional(BinaryAmount(3), "透支限额", "overdraft limit")
    key_version: bytes | None = optional(_bytes(1), "密钥版本", "key version")
    algorithm: bytes | None = optional(_bytes(1), "算法标识", "algorithm")
    random: bytes | None = optional(_bytes(4), "随机数", "random")


class DebitRequest(FixedRecord):
    """DEBIT FOR PURCHASE of both families, 15 bytes."""

    terminal_counter: int | None = optional(Number(4), "终端交易序号", "terminal transaction counter")
    time: datetime | None = optional(Timestamp(), "交易时间", "time")
    mac1: bytes | None = optional(_bytes(4), "MAC1", "MAC1")


class DebitAnswer(FixedRecord):
    """Answer to DEBIT FOR PURCHASE: TAC, then MAC2."""

    tac: bytes | None = optional(_bytes(4), "交易认证码TAC", "TAC")
    mac2: bytes | None = optional(_bytes(4), "MAC2", "MAC2")


class OverdraftRequest(FixedRecord):
    """INITIALIZE FOR UPDATE, 7 bytes."""

    key_index: bytes | None = optional(_bytes(1), "密钥索引", "key index")
    terminal: str | None = optional(_digits(6), "终端机编号", "terminal number")


class OverdraftInitialized(FixedRecord):
    """Answer to INITIALIZE FOR UPDATE, 19 bytes."""

    balance_fen: int | None = optional(BinaryAmount(4), "余额", "balance")
    counter: int | None = optional(Number(2), "联机交易序号", "load counter")
    overdraft_fen: int | None = optional(BinaryAmount(3), "原透支限额", "old overdraft limit")
    key_version: bytes | None = optional(_bytes(1), "密钥版本", "key version")
    algorithm: bytes | None = optional(_bytes(1), "算法标识", "algorithm")
    random: bytes | None = optional(_bytes(4), "随机数", "random")
    mac1: bytes | None = optional(_bytes(4), "MAC1", "MAC1")


class OverdraftUpdate(FixedRecord):
    """UPDATE OVERDRAW LIMIT, 14 bytes."""

    overdraft_fen: int | None = optional(BinaryAmount(3), "新透支限额", "new overdraft limit")
    time: datetime | None = optional(Timestamp(), "交易时间", "time")
    mac2: bytes | None = optional(_bytes(4), "MAC2", "MAC2")


class ProofRequest(FixedRecord):
    """GET TRANSACTION PROVE or PROOF: the transaction's number."""

    number: int | None = optional(Number(2), "交易序号", "transaction number")


class ProofAnswer(FixedRecord):
    """Its answer: MAC, then TAC."""

    mac: bytes | None = optional(_bytes(4), "MAC", "MAC")
    tac: bytes | None = optional(_bytes(4), "交易认证码TAC", "TAC")


class Balance(FixedRecord):
    """Answer to GET BALANCE, 4 bytes."""

    balance_fen: int | None = optional(BinaryAmount(4), "余额", "balance")


class YearlyAmount(FixedRecord):
    """Answer to GET BALANCE of a yearly total, 6 bytes (SSC §5.4)."""

    amount_fen: int | None = optional(BinaryAmount(4), "累计金额", "total")
    year: CardDate | None = optional(Year(), "年度", "payment year")


class SettlementRequest(FixedRecord):
    """INITIALIZE FOR PURCHASE of the medical account, 19 bytes (SSC §5.4)."""

    key_index: bytes | None = optional(_bytes(1), "密钥索引", "key index")
    account_fen: int | None = optional(BinaryAmount(4), "个人账户支付", "paid from the account")
    self_pay_fen: int | None = optional(BinaryAmount(4), "个人自付", "self-paid")
    pool_fen: int | None = optional(BinaryAmount(4), "统筹支付", "paid by the pool")
    terminal: str | None = optional(_digits(6), "终端机编号", "terminal number")


class SettlementInitialized(FixedRecord):
    """Its answer, 22 bytes (SSC §5.4)."""

    balance_fen: int | None = optional(BinaryAmount(4), "余额", "balance")
    yearly_self_paid_fen: int | None = optional(BinaryAmount(4), "年度自付累计", "yearly self-paid total")
    yearly_pool_fen: int | None = optional(BinaryAmount(4), "年度统筹累计", "yearly pool total")
    year: CardDate | None = optional(Year(), "年度", "payment year")
    counter: int | None = optional(Number(2), "消费交易序号", "purchase counter")
    key_version: bytes | None = optional(_bytes(1), "密钥版本", "key version")
    algorithm: bytes | None = optional(_bytes(1), "算法标识", "algorithm")
    random: bytes | None = optional(_bytes(4), "随机数", "random")


class StartingDay(FixedRecord):
    """Starting day of the payment year, mmdd (SSC §5.4)."""

    day: str | None = optional(_digits(2), "年度起始日", "starting day, mmdd")


class SamPurchase(FixedRecord):
    """INIT SAM FOR PURCHASE of a wallet, without the factors behind it (EW §5.2)."""

    random: bytes | None = optional(_bytes(4), "随机数", "random")
    counter: int | None = optional(Number(2), "脱机交易序号", "purchase counter")
    amount_fen: int | None = optional(BinaryAmount(4), "交易金额", "amount")
    kind: bytes | None = optional(_bytes(1), "交易类型", "transaction type")
    time: datetime | None = optional(Timestamp(), "交易时间", "time")
    key_version: bytes | None = optional(_bytes(1), "密钥版本", "key version")
    algorithm: bytes | None = optional(_bytes(1), "算法标识", "algorithm")


class SamSettlement(FixedRecord):
    """INIT SAM FOR PURCHASE of the medical account, without the factors behind it (SSC §9.3)."""

    random: bytes | None = optional(_bytes(4), "随机数", "random")
    counter: int | None = optional(Number(2), "消费交易序号", "purchase counter")
    account_fen: int | None = optional(BinaryAmount(4), "个人账户支付", "paid from the account")
    self_pay_fen: int | None = optional(BinaryAmount(4), "个人自付", "self-paid")
    pool_fen: int | None = optional(BinaryAmount(4), "统筹支付", "paid by the pool")
    kind: bytes | None = optional(_bytes(1), "交易类型", "transaction type")
    time: datetime | None = optional(Timestamp(), "交易时间", "time")
    key_version: bytes | None = optional(_bytes(1), "密钥版本", "key version")
    algorithm: bytes | None = optional(_bytes(1), "算法标识", "algorithm")


class SamAuthorization(FixedRecord):
    """Answer to INIT SAM FOR PURCHASE."""

    terminal_counter: int | None = optional(Number(4), "终端交易序号", "terminal transaction counter")
    mac1: bytes | None = optional(_bytes(4), "MAC1", "MAC1")


class Mac2(FixedRecord):
    """CREDIT SAM FOR PURCHASE: the card's MAC2."""

    mac2: bytes | None = optional(_bytes(4), "MAC2", "MAC2")


class AuthenticityCode(FixedRecord):
    """Authenticity code of a card, 9 bytes (EW §1.3)."""

    code: bytes | None = optional(_bytes(9), "防伪码", "authenticity code")
