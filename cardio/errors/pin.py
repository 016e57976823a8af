"""Errors around the PIN (OPS §4.6, §4.9)."""

from __future__ import annotations

from cardio.errors.base import ExitCode, Retry
from cardio.errors.card import CardError


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


class PinMismatch(PinError):
    """6402 from the PIN pad, or at a keyboard: the new PIN was not typed twice alike; nothing was sent to the card."""

    code = "pin.mismatch"
    zh = "两次输入的新密码不一致，密码未修改"
    en = "The new PIN was not typed twice alike; the PIN is unchanged"
    action = "enter_pin"


class PinUnset(PinError):
    """The card has no PIN yet: its first one is set without an old one, and there is none to unblock."""

    code = "pin.unset"
    zh = "卡片尚未设置密码"
    en = "The card has no PIN yet"
    retry = Retry.AFTER_ACTION
    action = "set_pin"


class PinUnblockRefused(PinError):
    """6A80: a wallet's PIN is unblocked by the PIN that it has, and this is another (EW §3.4)."""

    code = "pin.unblock-refused"
    zh = "所给密码与卡内密码不符，密码未解锁"
    en = "That is not the card's PIN; the PIN stays as it was"
    retry = Retry.AFTER_ACTION
    action = "reload_pin"


class PinChangeUnknown(PinError):
    """The answer of a command that writes a PIN was lost: the card has the old PIN or the new one.

    The caller asks the same card: the new PIN is presented once; if it is wrong, the old one stands.
    """

    code = "pin.change-unknown"
    zh = "密码是否已改未知，请放回同一张卡，用新密码验证一次；如不对则仍为旧密码"
    en = (
        "Unknown whether the PIN was changed. Put the same card back and verify the new PIN once; "
        "if it is wrong, the old one stands"
    )
    retry = Retry.AFTER_ACTION
    action = "verify_new_pin"
    exit_code = ExitCode.UNKNOWN
