"""Errors of transactions, requests and bills (OPS §4.3, §4.4, §4.6)."""

from __future__ import annotations

from cardio.errors.base import CardioError, ExitCode, Money, Retry


class TransactionUncertain(CardioError):
    """A tear after ARMED: the card may or may not have been charged."""

    code = "transaction.uncertain"
    zh = "结果未知，请勿重复收款，请放回同一张卡"
    en = "Result unknown. Do not charge again. Put the same card back"
    retry = Retry.AFTER_ACTION
    action = "present_same_card"
    exit_code = ExitCode.UNKNOWN
    default_money = Money.UNKNOWN


class TransactionNotDebited(CardioError):
    """Evidence shows that the card was not charged; final for its key."""

    code = "transaction.not-debited"
    zh = "确认未扣款；如需收款请用新单"
    en = "Confirmed not charged; to charge, start a new sale"
    retry = Retry.NEW_KEY
    action = "new_sale"


class EvidenceConflict(CardioError):
    """Two pieces of evidence disagree; a person decides."""

    code = "transaction.evidence-conflict"
    zh = "证据不一致，请主管处理"
    en = "Evidence conflicts. Supervisor needed"
    retry = Retry.AFTER_ACTION
    action = "call_supervisor"
    exit_code = ExitCode.UNKNOWN
    default_money = Money.UNKNOWN


class CardHasPending(CardioError):
    """An earlier transaction on this card is still open."""

    code = "card.has-pending"
    zh = "该卡有未完成交易，先恢复"
    en = "Finish the earlier transaction on this card first"
    retry = Retry.AFTER_ACTION
    action = "recover"


class TransactionUnknown(CardioError):
    """No transaction or settlement has that id."""

    code = "transaction.unknown"
    zh = "没有此交易"
    en = "No such transaction"
    retry = Retry.NEVER
    action = "fix_request"


class TransactionClosed(CardioError):
    """Only an open question can be ended by persons."""

    code = "transaction.closed"
    zh = "该交易不是未决状态，无需人工处理"
    en = "The transaction is not open; there is nothing to decide"
    retry = Retry.NEVER
    action = "none"


class TransactionPassed(CardioError):
    """It has come too far to be cancelled: from ARMED on the card may have been charged."""

    code = "transaction.passed"
    zh = "交易已提交到卡片或已结束，不能取消"
    en = "The transaction has reached the card or has ended; it cannot be cancelled"
    retry = Retry.NEVER
    action = "none"
    default_money = Money.UNKNOWN


class TransactionCancelled(CardioError):
    """Cancelled before anything was sent to a card that could charge it; final for its key."""

    code = "transaction.cancelled"
    zh = "交易已取消，未扣款"
    en = "Cancelled, nothing charged"
    retry = Retry.NEW_KEY
    action = "new_sale"


class NotReversible(CardioError):
    """Nothing is left to give back: no money moved, it is no payment, or all of it was given back before."""

    code = "transaction.not-reversible"
    zh = "该交易没有可退的金额"
    en = "There is nothing to give back on this transaction"
    retry = Retry.NEVER
    action = "none"


class VoucherMissing(CardioError):
    """No money has moved, so there is no voucher."""

    code = "voucher.missing"
    zh = "资金未变动，没有凭证"
    en = "No money has moved; there is no voucher"
    retry = Retry.NEVER
    action = "none"


class ShiftOpen(CardioError):
    """The operator has an open shift at this lane already (T-02)."""

    code = "shift.open"
    zh = "该操作员在此通道已有未结班次"
    en = "The operator has an open shift at this lane already"
    retry = Retry.NEVER
    action = "close_shift"


class ShiftUnknown(CardioError):
    """There is no such shift, or it is closed."""

    code = "shift.unknown"
    zh = "没有此班次，或已结班"
    en = "There is no such shift, or it is closed"
    retry = Retry.NEVER
    action = "fix_request"


class BatchUnknown(CardioError):
    """There is no batch of that number."""

    code = "batch.unknown"
    zh = "没有此批次"
    en = "There is no such batch"
    retry = Retry.NEVER
    action = "fix_request"


class BatchEmpty(CardioError):
    """Nothing was recorded since the last batch was closed."""

    code = "batch.empty"
    zh = "上次结批后没有新记录"
    en = "Nothing was recorded since the last batch"
    retry = Retry.NEVER
    action = "none"


class LockClosed(CardioError):
    """A debit for unlock names no grey lock that stands: none was made, or it was charged already."""

    code = "grey-lock.closed"
    zh = "没有此灰锁，或已解扣"
    en = "There is no such grey lock, or it was charged already"
    retry = Retry.NEVER
    action = "none"


class AmountInvalid(CardioError):
    """Zero, negative, or outside what the purse can hold."""

    code = "amount.invalid"
    zh = "金额不合法"
    en = "Amount not allowed"
    retry = Retry.NEW_KEY
    action = "fix_request"
    exit_code = ExitCode.USAGE


class AmountLimit(AmountInvalid):
    """Over the limit of the product or the caller."""

    code = "amount.limit"
    zh = "金额超限"
    en = "Amount over the limit"
    exit_code = ExitCode.REFUSED


class OfflineSettlementNotAllowed(CardioError):
    """Item 90 of DF04/EF06 does not allow the card to settle while the line is down (SSC §7.3)."""

    code = "offline-settlement.not-allowed"
    zh = "该卡未准许脱网结算，未扣款"
    en = "This card may not settle while the line is down; nothing charged"
    retry = Retry.NEW_KEY
    action = "other_tender"


class OfflineSettlementLimit(CardioError):
    """The off-line totals of DF04/EF06 are full until the card settles on line again (SSC §4.5, §7.3)."""

    code = "offline-settlement.limit"
    zh = "卡内脱网结算累计已满，须联机结算"
    en = "The card's off-line totals are full; it must settle on line first"
    retry = Retry.NEW_KEY
    action = "other_tender"


class CardNoteOvertaken(CardioError):
    """The off-line totals of DF04/EF06 changed after ours were to be written: another terminal has the last word."""

    code = "card-note.overtaken"
    zh = "卡内脱网累计已被其他终端更新"
    en = "Another terminal has updated the card's off-line totals since"
    retry = Retry.NEVER
    action = "none"


class BillInconsistent(CardioError):
    """The parts of a bill do not add up; they are never corrected."""

    code = "bill.inconsistent"
    zh = "账单金额不平"
    en = "The parts of the bill do not add up"
    retry = Retry.NEW_KEY
    action = "fix_request"
    exit_code = ExitCode.USAGE


class InputInvalid(CardioError):
    """The request does not have the demanded form."""

    code = "input.invalid"
    zh = "请求参数错误"
    en = "Bad request"
    retry = Retry.NEVER
    action = "fix_request"
    exit_code = ExitCode.USAGE


class IdempotencyMissing(CardioError):
    """A money request came without its key."""

    code = "idempotency.missing"
    zh = "请求编号缺失"
    en = "Idempotency-Key is missing"
    retry = Retry.NEW_KEY
    action = "fix_request"
    exit_code = ExitCode.USAGE


class IdempotencyMismatch(CardioError):
    """The key was used before for another request."""

    code = "idempotency.mismatch"
    zh = "请求编号重复但内容不同"
    en = "Idempotency-Key was used before with other content"
    retry = Retry.NEVER
    action = "fix_request"
    exit_code = ExitCode.USAGE


class IdempotencyInProgress(CardioError):
    """The same request is being worked on."""

    code = "idempotency.in-progress"
    zh = "处理中"
    en = "Still running"
    retry = Retry.SAME_KEY
    action = "wait"
