"""Which ways a web page has to the service (OPS §2.9, choice T-05).

Browsers on Chromium ask for a permission before a page may call this computer, and from some version on refuse pages
that are not on https. Our sources tell of Chrome and Edge; of other browsers nothing is claimed here.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from cardio.cli.doctor.findings import Finding, Text, fail, ok, warn
from cardio.errors import CardioError, InputInvalid
from cardiod.settings import Settings
from cardiod.tokens import TokenFile

KNOWN = frozenset({"chrome", "edge"})
PERMISSION = 142
"""From here on fetch and XHR to this computer need a permission, and a page on https."""
OWN_PERMISSION = 145
"""From here on this computer has a permission of its own, which a frame must be given."""
OWN_POLICY = 146
"""From here on that permission has a policy of its own."""


@dataclass(frozen=True)
class Browser:
    """A browser.

    Attributes:
        name: In lower case.
        version: Its main version.
    """

    name: str
    version: int

    @classmethod
    def parse(cls, text: str) -> Browser:
        """From words such as `chrome 147` or `Edge/142.0.3595.53`.

        Raises:
            InputInvalid: They are no name and version.
        """
        found = re.fullmatch(r"\s*([A-Za-z]+)[\s/]*(\d{1,4})(\.\d+)*\s*", text)
        if found is None:
            raise InputInvalid(f"browser: {text} is no name and version, as chrome 147")
        return cls(found[1].lower(), int(found[2]))

    @property
    def policy(self) -> str:
        """The policy by which an administrator lets a page call this computer."""
        loopback = self.version >= OWN_POLICY
        return "LoopbackNetworkAllowedForUrls" if loopback else "LocalNetworkAccessAllowedForUrls"

    @property
    def frame(self) -> str:
        """What a page in a frame needs besides; empty where our sources tell of nothing."""
        return '(<iframe allow="loopback-network">)' if self.version >= OWN_PERMISSION else ""


@dataclass(frozen=True)
class Page:
    """A web page.

    Attributes:
        scheme: `http` or `https`.
        host: Name or address.
        origin: As browsers send it.
    """

    scheme: str
    host: str
    origin: str

    @classmethod
    def parse(cls, url: str) -> Page:
        """From its address.

        Raises:
            InputInvalid: It is no address of a web page.
        """
        try:
            parts = urlsplit(url)
            host, given = parts.hostname or "", parts.port
        except ValueError as error:
            raise InputInvalid(f"page: {url} is no address") from error
        if parts.scheme not in {"http", "https"} or not host:
            raise InputInvalid(f"page: {url} is no address of a web page, as https://his.example/")
        shown = f"[{host}]" if ":" in host else host
        usual = {"http": 80, "https": 443}[parts.scheme]
        port = "" if given in {None, usual} else f":{given}"
        return cls(parts.scheme, host, f"{parts.scheme}://{shown}{port}")

    @property
    def local(self) -> bool:
        """Whether it comes from this computer. A name that only resolves to it does not count (OPS F7)."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")


def ways(page: Page, browser: Browser, settings: Settings) -> list[Finding]:
    """All four ways, in the order in which they should be tried; fails are ways that are closed."""
    return [_call(page, browser, settings), _console(settings), _server(settings), _websocket()]


def _call(page: Page, browser: Browser, settings: Settings) -> Finding:
    """The page itself calls."""
    name = "browser.call"
    listed = _listed(page, settings)
    if page.local:
        return listed or ok(name, Text("本机页面可直接调用", "a page of this computer may call without asking"))
    if browser.name not in KNOWN:
        return warn(
            name,
            Text(f"没有{browser.name}的资料", f"nothing is known about {browser.name}"),
            Text("请实测，或使用Chrome、Edge", "try it, or use Chrome or Edge"),
        )
    if browser.version < PERMISSION:
        return listed or ok(name, Text("该版本无需授权", "this version asks for no permission"))
    if page.scheme != "https":
        return fail(
            name,
            Text(
                f"{browser.version}版拒绝http页面访问本机，不会询问",
                f"version {browser.version} keeps http pages from this computer without asking",
            ),
            Text("把页面改为https，或用下列其他方式", "put the page on https, or take another of these ways"),
        )
    return listed or warn(
        name,
        Text("浏览器会询问一次是否允许访问本机", "the browser asks once whether the page may call this computer"),
        Text(
            f"由管理员下发策略{browser.policy}={page.origin}",
            f"an administrator can allow it by the policy {browser.policy} for {page.origin}",
        )
        + browser.frame,
    )


def _listed(page: Page, settings: Settings) -> Finding | None:
    """A finding if the service would refuse the page's origin; None if it would not."""
    try:
        tokens = {token.origin for token in TokenFile(settings.tokens_file).all()}
    except CardioError:
        tokens = set()
    own = {f"http://{host}:{settings.port}" for host in settings.hosts}
    if page.origin in {*settings.origins, *tokens, *own}:
        return None
    return fail(
        "browser.call",
        Text(f"服务未登记来源{page.origin}", f"the service does not list the origin {page.origin}"),
        Text(
            f'origins = ["{page.origin}"]，或cardiod token create 名称 --origin {page.origin}',
            f'origins = ["{page.origin}"], or cardiod token create NAME --origin {page.origin}',
        ),
    )


def _console(settings: Settings) -> Finding:
    """The service's own page."""
    address = f"http://{settings.host}:{settings.port}/"
    return ok(
        "browser.console",
        Text(f"服务自带页面{address}在任何版本可用", f"the service's own page works in every version: {address}"),
    )


def _server(settings: Settings) -> Finding:
    """No browser calls: the server behind the page does, over the LAN."""
    name = "browser.server"
    if settings.tls_listen:
        text = Text("业务服务器可凭证书调用：", "the page's server may call with its certificate:")
        return ok(name, text + settings.tls_listen)
    return fail(
        name,
        Text("局域网未开放", "nothing listens on the LAN"),
        Text("设置tls_listen及证书", "set tls_listen, tls_certificate, tls_key and tls_client_ca"),
    )


def _websocket() -> Finding:
    """The interface of older programs."""
    return fail(
        "browser.websocket",
        Text("本版本不提供兼容的WebSocket(12342)", "this version has no compatible WebSocket on port 12342"),
        Text("改用上述方式", "take one of the ways above"),
    )
