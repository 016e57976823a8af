"""Errors of personalization: cards that cannot be made, jobs that cannot be run (PERS §1.3, §1.4, §3.2)."""

from __future__ import annotations

from cardio.errors.base import CardioError, ExitCode, Retry
from cardio.errors.card import CardError


class CardNotBlank(CardError):
    """The card holds an application already; nothing was tried on it."""

    code = "perso.not-blank"
    zh = "不是空白卡，未作任何写入"
    en = "The card is not blank; nothing was written"
    retry = Retry.AFTER_ACTION
    action = "other_card"


class TransportKeyWrong(CardError):
    """The card's master key is not the expected one; each further try would bring it nearer to its end."""

    code = "perso.transport-key"
    zh = "运输密钥不符，还可尝试{tries_left}次，请勿重试"
    en = "Wrong transport key, {tries_left} tries left; do not try again"
    retry = Retry.NEVER
    action = "check_keys"


class MasterMissing(CardError):
    """6A82 or 6A88 to EXTERNAL AUTHENTICATE: the directory has no master key (PERS §1.5)."""

    code = "perso.master-missing"
    zh = "卡片没有主控密钥"
    en = "The card has no master key there"
    retry = Retry.NEVER
    action = "call_supervisor"


class MasterUnanswered(CardError):
    """A master key was presented several times and no answer came: each may have cost a try."""

    code = "perso.master-unanswered"
    zh = "主控密钥多次认证均无应答，每次可能已消耗一次机会"
    en = "A master key was presented and not answered several times; each may have cost a try"
    retry = Retry.AFTER_ACTION
    action = "call_supervisor"


class CardFull(CardError):
    """6A84: the card, a directory or a file has no room left."""

    code = "perso.card-full"
    zh = "卡片空间不足"
    en = "The card is full"
    retry = Retry.NEVER
    action = "check_layout"


class LayoutRefused(CardError):
    """6A80, 6A82, 6A86 or 6A88: the card does not take a file or a key as the layout has it."""

    code = "perso.layout-refused"
    zh = "卡片不接受该文件或密钥结构"
    en = "The card refuses the layout"
    retry = Retry.NEVER
    action = "check_layout"


class LayoutInvalid(CardioError):
    """A layout cannot be used."""

    code = "perso.layout-invalid"
    zh = "卡片布局无法使用"
    en = "The layout cannot be used"
    exit_code = ExitCode.USAGE
    retry = Retry.AFTER_ACTION
    action = "check_layout"


class JobInvalid(CardioError):
    """A job file cannot be used; every fault is named by row and field."""

    code = "perso.job-invalid"
    zh = "制卡任务文件有误"
    en = "The job file is wrong"
    exit_code = ExitCode.USAGE
    retry = Retry.AFTER_ACTION
    action = "check_job"


class CardRejected(CardioError):
    """The register holds this card as rejected; it is not made any more."""

    code = "perso.rejected"
    zh = "该卡已登记为废卡"
    en = "This card is registered as rejected"
    retry = Retry.NEVER
    action = "other_card"


class CardDiffers(CardError):
    """What was read back is not what was written."""

    code = "perso.differs"
    zh = "回读内容与写入不一致"
    en = "What was read back differs from what was written"
    retry = Retry.NEVER
    action = "call_supervisor"
