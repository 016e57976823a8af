"""Errors of the host that authorizes loads."""

from __future__ import annotations

from cardio.errors.base import CardioError, ExitCode, Retry


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
