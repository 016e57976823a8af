"""Errors of those who call the daemon (OPS §4.7)."""

from __future__ import annotations

from cardio.errors.base import CardioError, Retry


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


class AddressUnknown(CardioError):
    """There is nothing at this address."""

    code = "address.unknown"
    zh = "请求地址不存在"
    en = "No such address"
    retry = Retry.NEVER
    action = "fix_request"


class MethodUnsupported(CardioError):
    """The address is known, but not with this method; the header `Allow` names those that it has."""

    code = "method.unsupported"
    zh = "该地址不支持此请求方法"
    en = "The address does not have this method"
    retry = Retry.NEVER
    action = "fix_request"


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


class LoginInvalid(ClientUnauthorised):
    """The one-time address of the console was used before, or is too old."""

    code = "login.invalid"
    zh = "登录地址已失效，请重新获取"
    en = "The login address is used up; ask for a new one"
    action = "new_login"
