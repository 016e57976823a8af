"""Errors of GlobalPlatform cards: secure channels, keys and applications (PERS §2)."""

from __future__ import annotations

from cardio.errors.base import CardioError, ExitCode, Retry
from cardio.errors.card import CardError


class CardKeysDiffer(CardError):
    """The card's cryptogram is not that of our keys; found out before a try was spent on the card."""

    code = "gp.keys-differ"
    zh = "卡片密钥与所用密钥不符，未向卡片提交认证"
    en = "The card has other keys; nothing was tried on it"
    retry = Retry.AFTER_ACTION
    action = "check_keys"


class SecureChannelRefused(CardError):
    """The card refused EXTERNAL AUTHENTICATE; ten such tries or fewer lock a card for good."""

    code = "gp.channel-refused"
    zh = "卡片拒绝认证，可能已消耗一次尝试，请勿重试"
    en = "The card refuses the authentication; a try may be spent, do not try again"
    retry = Retry.NEVER
    action = "call_supervisor"


class SecureChannelBroken(CardError):
    """The protection of a command or an answer is missing or wrong; what the last command did is not known."""

    code = "gp.channel-broken"
    zh = "安全通道校验失败，最后一条命令的结果未知，请重新建立通道"
    en = "The secure channel is broken; the last command may be done. Open it anew"
    action = "present_same_card"
    exit_code = ExitCode.UNKNOWN


class CardContentRefused(CardError):
    """6A80, 6985: the card does not take an application, a load file or a key as it is, or has it already."""

    code = "gp.content-refused"
    zh = "卡片不接受该应用、装载文件或密钥，或其已存在"
    en = "The card refuses the application, load file or key, or has it already"
    retry = Retry.NEVER
    action = "check_layout"


class CardContentUnknown(CardError):
    """6A88: the application, load file or key is not on the card."""

    code = "gp.content-unknown"
    zh = "卡内无此应用、装载文件或密钥"
    en = "The card has no such application, load file or key"
    action = "check_layout"


class CardKeysDoubtful(CardError):
    """The card took keys and answered with other check values: it may have stored others."""

    code = "gp.keys-doubtful"
    zh = "卡片应答的密钥校验值不符，卡内密钥可能有误，请勿使用该卡"
    en = "The card answered with other key check values; its keys may be wrong. Do not use it"
    retry = Retry.NEVER
    action = "call_supervisor"


class LoadFileInvalid(CardioError):
    """A CAP file cannot be loaded."""

    code = "gp.load-file"
    zh = "CAP文件无法装载"
    en = "The CAP file cannot be loaded"
    exit_code = ExitCode.USAGE
    retry = Retry.AFTER_ACTION
    action = "check_layout"
