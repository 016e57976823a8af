"""Errors that a card answers with, or shows (OPS §4.6)."""

from __future__ import annotations

from cardio.errors.base import CardioError, Money, Retry


class CardError(CardioError):
    """The card (or its SAM) answered, and refused."""


class CardUnsupported(CardError):
    """None of the known applications is on the card."""

    code = "card.unsupported"
    zh = "不支持此类卡"
    en = "This kind of card is not supported"
    action = "other_card"


class CardChanged(CardError):
    """Another card than the one the work began with."""

    code = "card.changed"
    zh = "卡片已更换，请放回原卡"
    en = "A different card. Put the first one back"
    action = "present_same_card"


class CardUnexpected(CardError):
    """A status word that this command's table does not know; never guessed."""

    code = "card.unexpected"
    zh = "卡片应答异常"
    en = "The card answered something unexpected"
    action = "call_supervisor"


class CardDataInvalid(CardError):
    """An answer of the card does not have the shape its file or command demands."""

    code = "card.data-invalid"
    zh = "卡内数据格式错误"
    en = "Data on the card are malformed"
    action = "other_card"


class CardNotGenuine(CardError):
    """The card failed a genuineness check before any money moved."""

    code = "card.not-genuine"
    zh = "卡片验证失败，请勿受理"
    en = "Card failed the genuineness check. Do not accept"
    retry = Retry.NEVER
    action = "refuse_card"


class CardBlocked(CardError):
    """6A81 on the master file: blocked by the issuer."""

    code = "card.blocked"
    zh = "卡片已锁定"
    en = "Card is blocked by the issuer"
    retry = Retry.NEVER
    action = "refuse_card"


class ApplicationBlocked(CardError):
    """9303, 6283 or 6A81 on an application."""

    code = "app.blocked"
    zh = "应用已锁定"
    en = "The application is blocked"
    retry = Retry.NEVER
    action = "refuse_card"


class CardExpired(CardError):
    """Today is after the card's last day."""

    code = "card.expired"
    zh = "卡片不在有效期内"
    en = "Card outside its validity dates"
    retry = Retry.NEVER
    action = "refuse_card"


class CardNotYetValid(CardExpired):
    """Today is before the card's first day."""

    code = "card.not-yet-valid"


class CardMemoryFailed(CardError):
    """6581: the card could not write."""

    code = "card.memory-failed"
    zh = "卡片存储损坏"
    en = "Card memory damaged"
    retry = Retry.NEVER
    action = "refuse_card"


class FileNotFound(CardError):
    """6A82: the file is not on this card."""

    code = "file.not-found"
    zh = "卡内无此信息"
    en = "Not on this card"
    action = "none"


class RecordNotFound(FileNotFound):
    """6A83: the record is not in the file."""

    code = "record.not-found"


class AccessDenied(CardError):
    """6982 on a file: the security status is not satisfied."""

    code = "access.denied"
    zh = "无权访问"
    en = "Not allowed on this card"
    action = "authenticate"


class AuthenticationFailed(CardError):
    """63Cx to EXTERNAL AUTHENTICATION: the terminal's key is not the card's; each failure spends a try of that key."""

    code = "authentication.failed"
    zh = "卡片不接受终端密钥，该密钥剩余{tries_left}次"
    en = "The card refuses the terminal's key; {tries_left} tries left for it"
    retry = Retry.NEVER
    action = "call_supervisor"


class AuthenticationBlocked(CardError):
    """6983: the key of the card is blocked for good."""

    code = "authentication.blocked"
    zh = "卡片的该密钥已锁定"
    en = "This key of the card is blocked"
    retry = Retry.NEVER
    action = "replace_card"


class FundsInsufficient(CardError):
    """9401: the balance does not cover the amount."""

    code = "funds.insufficient"
    zh = "余额不足，未扣款"
    en = "Not enough balance, nothing charged"
    retry = Retry.NEW_KEY
    action = "other_tender"


class BalanceLimit(CardError):
    """A load beyond the largest balance that the card allows (EW PC-5)."""

    code = "card.balance-limit"
    zh = "超过卡内余额上限"
    en = "The card cannot hold so much"
    retry = Retry.NEW_KEY
    action = "smaller_amount"


class RecordLocked(CardError):
    """9407: the lock flag of a composite record is set."""

    code = "card.record-locked"
    zh = "卡内应用记录已锁定"
    en = "The record on the card is locked"
    retry = Retry.NEVER
    action = "call_supervisor"


class PurseGreyLocked(CardError):
    """9408: an earlier refuelling is not finished (EW §3.5)."""

    code = "card.grey-locked"
    zh = "卡片已灰锁，请先解扣"
    en = "The purse is locked by an unfinished transaction"
    retry = Retry.AFTER_ACTION
    action = "unlock_card"


class CounterExhausted(CardError):
    """9402: the transaction counter stands at its maximum."""

    code = "counter.exhausted"
    zh = "卡片交易次数已满"
    en = "Card's transaction counter is full"
    retry = Retry.NEVER
    action = "refuse_card"


class KeyIndexUnsupported(CardError):
    """9403 from the card: it has no key of that index."""

    code = "key-index.unsupported"
    zh = "密钥索引不支持"
    en = "Key index not supported"
    retry = Retry.NEVER
    action = "refuse_card"


class MacInvalid(CardError):
    """9302 or 6988: the card did not accept our MAC; nothing was charged."""

    code = "mac.invalid"
    zh = "报文校验失败，未扣款"
    en = "Message check failed, nothing charged"
    retry = Retry.NEW_KEY
    action = "new_sale"


class MaintenanceRefused(CardError):
    """6988, 9302, 6982 or 6A88 to a maintenance command: its MAC is wrong, or its key missing; nothing was changed.

    It is not sent again: three wrong MACs in a row lock some applications for ever (EW §2.3, §3.4).
    """

    code = "maintenance.refused"
    zh = "卡片不接受维护报文，卡内未作修改；请勿重试，先核对密钥"
    en = "The card refuses the maintenance message, nothing on it was changed. Check the keys before trying again"
    retry = Retry.NEVER
    action = "call_supervisor"


class Mac2Invalid(CardError):
    """The card was debited, but its proof MAC2 is wrong."""

    code = "mac2.invalid"
    zh = "已扣款但卡片校验异常，请报告主管"
    en = "Charged but the card's proof is wrong. Call the supervisor"
    retry = Retry.NEVER
    action = "call_supervisor"
    default_money = Money.MOVED
