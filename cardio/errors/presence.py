"""Errors of readers, and of cards that are not there (OPS §4.6)."""

from __future__ import annotations

from cardio.errors.base import CardioError, ExitCode, Money, Retry


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
