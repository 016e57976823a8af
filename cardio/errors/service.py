"""Errors of the store, the service and its configuration (OPS §4.5, §4.6)."""

from __future__ import annotations

from cardio.errors.base import CardioError, ExitCode, Money, Retry


class StoreError(CardioError):
    """The journal cannot be trusted or written."""

    exit_code = ExitCode.UNAVAILABLE
    action = "call_supervisor"


class StorageUnavailable(StoreError):
    """A write to the journal failed before anything was sent to a card."""

    code = "storage.unavailable"
    zh = "存储不可用，未扣款"
    en = "Storage not available, nothing charged"


class StorageLow(StoreError):
    """The disk is nearly full: what is open can be finished, nothing new is begun (OPS §4.5)."""

    code = "storage.low"
    zh = "存储空间不足，暂停新的交易，请清理磁盘"
    en = "Storage low, nothing new is charged. Free disk space"
    retry = Retry.AFTER_ACTION
    action = "free_storage"


class ClockUntrusted(StoreError):
    """The clock is behind the newest row of the journal; both times are in the detail."""

    code = "clock.untrusted"
    zh = "终端时间异常，已停止收款，请校准时间"
    en = "Terminal clock wrong, charging stopped. Set the clock"
    retry = Retry.AFTER_ACTION
    action = "set_clock"


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


class ErrorUnknown(CardioError):
    """There is no error of that code."""

    code = "error.unknown"
    zh = "没有此错误代码"
    en = "There is no error of that code"
    retry = Retry.NEVER
    action = "fix_request"
