"""Every error a user can meet, by its stable code.

Source: terminal-operations (OPS) §4.6. An error says three things: what happened (`code`, `detail`), whether
money moved (`money`), and what to do now (`action`, `retry`). The texts are for a clerk, in Chinese and English;
`detail` is for an engineer and never holds a PIN, a key, an ID number or a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, ClassVar


class Money(StrEnum):
    """What is known about the money when an error is raised."""

    NONE = "none"
    MOVED = "moved"
    UNKNOWN = "unknown"


class Retry(StrEnum):
    """When the same request may be sent again."""

    NEVER = "never"
    SAME_KEY = "same_key"
    NEW_KEY = "new_key"
    AFTER_ACTION = "after_action"


class ExitCode(IntEnum):
    """Exit codes of the command line (design §5)."""

    DONE = 0
    USAGE = 2
    NO_CARD = 3
    REFUSED = 4
    UNKNOWN = 5
    UNAVAILABLE = 6


@dataclass(frozen=True)
class Source:
    """Where an error was born: `layer` (pcsc, card, sam, store), the command's name, the raw code in hex."""

    layer: str
    command: str = ""
    raw: str = ""


class CardioError(Exception):
    """Base of all errors; a subclass is one row of the catalogue.

    Args:
        detail: Technical text in English, free of secrets and personal data.
        source: Layer, command and raw code that produced the error.
        money: Overrides the class's statement about the money.
        values: Numbers that the operator's text mentions, for example `tries_left`.
    """

    code: ClassVar[str]
    zh: ClassVar[str]
    en: ClassVar[str]
    retry: ClassVar[Retry] = Retry.SAME_KEY
    action: ClassVar[str] = "retry"
    exit_code: ClassVar[ExitCode] = ExitCode.REFUSED
    default_money: ClassVar[Money] = Money.NONE
    catalogue: ClassVar[dict[str, type[CardioError]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" in cls.__dict__:
            if cls.code in CardioError.catalogue:
                raise TypeError(f"error code {cls.code} is defined twice")
            CardioError.catalogue[cls.code] = cls

    def __init__(
        self,
        detail: str = "",
        *,
        source: Source | None = None,
        money: Money | None = None,
        **values: int,
    ) -> None:
        self.detail = detail
        self.source = source
        self.money = money if money is not None else self.default_money
        self.values = values
        super().__init__(self.describe())

    def text(self, language: str) -> str:
        """The operator's sentence in `zh` or `en`, numbers filled in."""
        template = self.zh if language == "zh" else self.en
        return template.format_map(_Known(self.values))

    def describe(self) -> str:
        """One line for an engineer: code, English text, detail, raw code."""
        parts = [f"{self.code}: {self.text('en')}"]
        if self.detail:
            parts.append(f"({self.detail})")
        if self.source and self.source.raw:
            parts.append(f"[{self.source.command or self.source.layer} {self.source.raw}]")
        return " ".join(parts)


def error_document(error: CardioError) -> dict[str, str]:
    """Code and texts of an error, as documents of readings carry them."""
    return {"code": error.code, "title": error.text("zh"), "title_en": error.text("en")}


class _Known(dict[str, int]):
    """Leaves a placeholder visible when its number is not known."""

    def __missing__(self, key: str) -> str:
        return "?"


# ---- reader and card presence ------------------------------------------------------------------------------


class ReaderError(CardioError):
    """The way to the card is broken: a reader, its service or the link."""

    exit_code = ExitCode.NO_CARD


class ReaderUnavailable(ReaderError):
    """PC/SC 80100017, 80100009, 8010002E: the reader is gone or unknown."""

    code = "reader.unavailable"
    zh = "读卡器未连接"
    en = "Reader not connected"
    action = "connect_reader"


class ReaderServiceStopped(ReaderError):
    """PC/SC 8010001D, 8010001E, 80100013: pcscd does not run."""

    code = "reader.service"
    zh = "读卡服务未运行"
    en = "Reader service not running"
    action = "start_service"
    exit_code = ExitCode.UNAVAILABLE


class ReaderBusy(ReaderError):
    """PC/SC 8010000B, or another operation holds the reader."""

    code = "reader.busy"
    zh = "读卡器正在使用"
    en = "Reader in use"
    action = "wait"


class ReaderPoisoned(ReaderError):
    """A command to the reader's driver did not return in time, and nobody knows what it did.

    Only the journal says how far a debit got; whoever knows that none was running says so by `money`.
    """

    code = "reader.poisoned"
    zh = "读卡器无响应，请拔下读卡器后重新插入"
    en = "The reader hangs. Unplug it and plug it in again"
    retry = Retry.AFTER_ACTION
    action = "replug_reader"
    exit_code = ExitCode.UNAVAILABLE
    default_money = Money.UNKNOWN


class LinkCorrupt(ReaderError):
    """PC/SC 8010002F, or an answer too short to hold a status word."""

    code = "reader.link-corrupt"
    zh = "通信异常，请重试"
    en = "Communication fault, retry"


class CardAbsent(ReaderError):
    """PC/SC 8010000C: no card in the reader."""

    code = "card.absent"
    zh = "请插卡或放卡"
    en = "Insert or tap the card"
    action = "present_card"


class CardRemoved(ReaderError):
    """PC/SC 80100069: the card left during the work."""

    code = "card.removed"
    zh = "卡片已移开，请重新放卡"
    en = "Card taken away. Present it again"
    action = "present_same_card"


class CardMute(ReaderError):
    """PC/SC 80100066: the card does not answer."""

    code = "card.mute"
    zh = "卡片无应答，请擦拭芯片后重试"
    en = "Card does not answer. Clean the chip and retry"
    action = "clean_card"


class CardUnpowered(ReaderError):
    """PC/SC 80100067: the card has no power."""

    code = "card.unpowered"
    zh = "卡片未上电，请重新插卡"
    en = "Card has no power. Insert it again"
    action = "present_card"


class CardReset(ReaderError):
    """PC/SC 80100068: another program reset the card."""

    code = "card.reset"
    zh = "卡片被复位，请重新操作"
    en = "Card was reset, start again"


class CardMultiple(ReaderError):
    """More than one card could be meant."""

    code = "card.multiple"
    zh = "请只放一张卡，或指定读卡器"
    en = "Present one card only, or name the reader"
    action = "name_reader"


# ---- the card refuses --------------------------------------------------------------------------------------


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
    zh = "无权读取"
    en = "Not allowed to read"
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


class Mac2Invalid(CardError):
    """The card was debited, but its proof MAC2 is wrong."""

    code = "mac2.invalid"
    zh = "已扣款但卡片校验异常，请报告主管"
    en = "Charged but the card's proof is wrong. Call the supervisor"
    retry = Retry.NEVER
    action = "call_supervisor"
    default_money = Money.MOVED


# ---- PIN ---------------------------------------------------------------------------------------------------


class PinError(CardError):
    """The card holder's PIN is the trouble."""


class PinRequired(PinError):
    """6982: the command needs the PIN first."""

    code = "pin.required"
    zh = "请输入密码"
    en = "PIN needed"
    action = "enter_pin"


class PinWrong(PinError):
    """63Cx on VERIFY with x tries left."""

    code = "pin.wrong"
    zh = "密码错误，还可输入{tries_left}次"
    en = "Wrong PIN, {tries_left} tries left"
    action = "enter_pin"


class PinLastTry(PinError):
    """One try is left; it is not spent without the holder's knowledge."""

    code = "pin.last-try"
    zh = "仅剩最后一次密码机会，未提交，请到发卡机构处理"
    en = "Only one PIN try is left; it was not used. Card holder should go to the issuer"
    action = "ask_holder"


class PinBlocked(PinError):
    """6983 or 63C0 on VERIFY."""

    code = "pin.blocked"
    zh = "密码已锁定，请到发卡机构解锁"
    en = "PIN blocked. Card holder must go to the issuer"
    retry = Retry.NEVER
    action = "refuse_card"


class PinLength(PinError):
    """The PIN is not 4 to 12 digits."""

    code = "pin.length"
    zh = "密码位数不对"
    en = "PIN has the wrong length"
    action = "enter_pin"


class PinCancelled(PinError):
    """6401 from the PIN pad: the holder cancelled."""

    code = "pin.cancelled"
    zh = "密码输入已取消"
    en = "PIN entry cancelled"
    action = "enter_pin"


class PinTimeout(PinError):
    """6400 from the PIN pad: nothing was typed in time."""

    code = "pin.timeout"
    zh = "密码输入超时"
    en = "PIN entry timed out"
    action = "enter_pin"


class PinPadMissing(PinError):
    """The reader has no PIN pad, and the caller may not hand over a PIN."""

    code = "pin.pad-missing"
    zh = "未检测到密码键盘"
    en = "No PIN pad"
    action = "connect_pin_pad"
    exit_code = ExitCode.UNAVAILABLE


class PinNotAllowed(PinError):
    """The card product does not let the caller hand over a PIN."""

    code = "pin.not-allowed"
    zh = "此卡须在密码键盘上输入密码"
    en = "This card's PIN must be typed on the PIN pad"
    retry = Retry.AFTER_ACTION
    action = "enter_pin"


# ---- SAM and keys ------------------------------------------------------------------------------------------


class SamError(CardError):
    """The purchase SAM, or what stands for it, cannot serve."""

    exit_code = ExitCode.UNAVAILABLE


class SamAbsent(SamError):
    """No PSAM answers."""

    code = "sam.absent"
    zh = "未插入PSAM卡"
    en = "SAM missing"
    action = "insert_sam"


class SamKeyMissing(SamError):
    """6A88 or 6A80 from the SAM: it does not hold the key this card needs."""

    code = "sam.key-missing"
    zh = "PSAM不支持此卡"
    en = "SAM cannot serve this card"
    action = "other_sam"


class KeyringInvalid(SamError):
    """The keyring file cannot be used."""

    code = "keyring.invalid"
    zh = "密钥文件无法使用"
    en = "The keyring file cannot be used"
    retry = Retry.AFTER_ACTION
    action = "check_keyring"


class HsmFailed(SamError):
    """The hardware security module cannot be used."""

    code = "hsm.failed"
    zh = "加密机无法使用"
    en = "The hardware security module cannot be used"
    retry = Retry.AFTER_ACTION
    action = "check_hsm"


class SamNoPurchase(SamError):
    """9403 from the SAM."""

    code = "sam.no-purchase"
    zh = "PSAM不支持消费"
    en = "SAM has no purchase function"
    action = "other_sam"


class SamLocked(SamError):
    """6983 in the SAM."""

    code = "sam.locked"
    zh = "PSAM已锁定"
    en = "SAM locked"
    retry = Retry.NEVER
    action = "other_sam"


class SamFailed(SamError):
    """The SAM answered something its command's table does not know."""

    code = "sam.failed"
    zh = "PSAM应答异常"
    en = "The SAM answered something unexpected"
    action = "call_supervisor"


class TestKeysRefused(SamError):
    """Test keys meet a card that is not virtual."""

    __test__ = False  # the name is not a test case
    code = "keys.test-only"
    zh = "测试密钥不得用于真实卡片，未扣款"
    en = "Test keys must not be used with a real card; nothing charged"
    retry = Retry.NEVER
    action = "install_keys"
    exit_code = ExitCode.REFUSED


class RuleUnconfirmed(SamError):
    """Money on a real card would rest on a rule that no source confirms."""

    code = "rule.unconfirmed"
    zh = "该卡的计算规则未经确认，未扣款"
    en = "A rule of this card product is not confirmed; nothing charged"
    retry = Retry.NEVER
    action = "call_supervisor"
    exit_code = ExitCode.REFUSED


# ---- load host ---------------------------------------------------------------------------------------------


class HostError(CardioError):
    """The host that authorizes loads did not."""

    exit_code = ExitCode.UNAVAILABLE


class HostMissing(HostError):
    """No load host is configured."""

    code = "host.missing"
    zh = "未配置充值中心，未充值"
    en = "No load host is configured; nothing loaded"
    retry = Retry.AFTER_ACTION
    action = "configure_host"


class HostRefused(HostError):
    """The host refused and booked nothing."""

    code = "host.refused"
    zh = "中心拒绝，资金未变动"
    en = "The host refused; no money moved"
    retry = Retry.NEW_KEY
    action = "new_sale"
    exit_code = ExitCode.REFUSED


class HostUnreachable(HostError):
    """The request did not reach the host."""

    code = "host.unreachable"
    zh = "无法连接中心，资金未变动"
    en = "The host cannot be reached; no money moved"
    retry = Retry.NEW_KEY
    action = "new_sale"


class HostAnswerLost(HostError):
    """The host may have booked; it will be told to reverse. The card has not changed."""

    code = "host.answer-lost"
    zh = "中心应答丢失，卡内未变动，将自动冲正"
    en = "The host's answer was lost; the card is unchanged and the booking will be reversed"
    retry = Retry.NEW_KEY
    action = "new_sale"


# ---- transactions ------------------------------------------------------------------------------------------


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


# ---- store, service, callers -------------------------------------------------------------------------------


class StoreError(CardioError):
    """The journal cannot be trusted or written."""

    exit_code = ExitCode.UNAVAILABLE
    action = "call_supervisor"


class StorageUnavailable(StoreError):
    """A write to the journal failed before anything was sent to a card."""

    code = "storage.unavailable"
    zh = "存储不可用，未扣款"
    en = "Storage not available, nothing charged"


class JournalLocked(StoreError):
    """Another process works with this journal."""

    code = "journal.locked"
    zh = "流水正被其他进程使用"
    en = "The journal is used by another process"
    action = "use_daemon"


class JournalBehind(StoreError):
    """A card or PSAM knows of transactions that the journal does not: it was restored from an old backup."""

    code = "journal.behind"
    zh = "流水落后于卡片或PSAM，已停止收款，请两名负责人核对"
    en = "The journal is behind the cards; charging stopped until two persons have reconciled it"
    retry = Retry.AFTER_ACTION
    action = "reconcile"


class JournalBroken(StoreError):
    """The chain of the journal does not hold, or its schema is newer than this program."""

    code = "journal.broken"
    zh = "流水校验失败，已停止收款"
    en = "Journal damaged, charging stopped"
    retry = Retry.NEVER


class ServiceUnavailable(CardioError):
    """The daemon cannot be reached."""

    code = "service.unavailable"
    zh = "终端服务不可用"
    en = "Terminal service not available"
    exit_code = ExitCode.UNAVAILABLE
    action = "start_service"


class ProductInvalid(CardioError):
    """A card product's TOML is wrong; the detail names file, key and reason."""

    code = "product.invalid"
    zh = "卡产品配置错误"
    en = "Card product configuration is wrong"
    retry = Retry.NEVER
    action = "fix_configuration"
    exit_code = ExitCode.USAGE


class VirtualCardInvalid(CardioError):
    """The file of a virtual card is wrong; the detail names file, key and reason."""

    code = "virtual.invalid"
    zh = "虚拟卡文件错误"
    en = "The file of a virtual card is wrong"
    retry = Retry.NEVER
    action = "fix_configuration"
    exit_code = ExitCode.USAGE


class OperationUnsupported(CardioError):
    """This card or product does not have what was asked."""

    code = "operation.unsupported"
    zh = "不支持此操作"
    en = "Operation not supported"
    retry = Retry.NEVER
    action = "none"


class ReceiptFontMissing(CardioError):
    """No font with Chinese characters can be embedded into PDFs."""

    code = "receipt.font-missing"
    zh = "缺少中文字体，无法生成PDF凭证"
    en = "No Chinese font for PDF vouchers"
    retry = Retry.AFTER_ACTION
    action = "install_font"
    exit_code = ExitCode.UNAVAILABLE


class InternalError(CardioError):
    """A bug of ours; the same key tells what became of a money request."""

    code = "internal"
    zh = "内部错误，请用同一编号查询结果"
    en = "Internal error. Ask again with the same key"
    retry = Retry.SAME_KEY
    action = "call_supervisor"
    exit_code = ExitCode.UNAVAILABLE
    default_money = Money.UNKNOWN


class ClientUnauthorised(CardioError):
    """The caller has no valid token."""

    code = "client.unauthorised"
    zh = "调用方未授权"
    en = "Caller not authorised"
    retry = Retry.AFTER_ACTION
    action = "fix_token"


class ClientForbidden(CardioError):
    """The caller's token does not allow this."""

    code = "client.forbidden"
    zh = "调用方无此权限"
    en = "Caller not allowed to do this"
    retry = Retry.NEVER
    action = "fix_token"


class ClientLimit(ClientForbidden):
    """The amount is over what this caller may move at once or in a day; cards and products have limits of their own."""

    code = "client.limit"
    zh = "超出调用方限额，未扣款"
    en = "Over the caller's limit, nothing charged"
    retry = Retry.NEW_KEY
    action = "call_supervisor"


class RateLimited(CardioError):
    """The caller sends more requests than it may; `retry_after_s` says when the next one is welcome."""

    code = "rate.limited"
    zh = "请求过于频繁，请稍候"
    en = "Too many requests, wait a little"
    action = "wait"


class HostForbidden(CardioError):
    """The Host header names a host that this service does not serve."""

    code = "host.forbidden"
    zh = "主机名不被接受"
    en = "Host name not accepted"
    retry = Retry.NEVER
    action = "fix_request"


class OriginForbidden(CardioError):
    """A web page of an origin that is not configured, or one that a token is not bound to."""

    code = "origin.forbidden"
    zh = "网页来源不被接受"
    en = "Web page origin not accepted"
    retry = Retry.NEVER
    action = "fix_configuration"


class BodyTooLarge(CardioError):
    """The body of a request is larger than any request of ours."""

    code = "body.too-large"
    zh = "请求内容过大"
    en = "Request body too large"
    retry = Retry.NEVER
    action = "fix_request"


class BodyUnsupported(CardioError):
    """The body of a request is not declared as JSON; a web page could send other kinds without being asked."""

    code = "body.unsupported"
    zh = "请求内容必须为JSON"
    en = "The request body must be JSON"
    retry = Retry.NEVER
    action = "fix_request"


class RequestTimeout(CardioError):
    """A request did not arrive whole in time; nothing was done."""

    code = "request.timeout"
    zh = "请求接收超时"
    en = "The request did not arrive in time"
