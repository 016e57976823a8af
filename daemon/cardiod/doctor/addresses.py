"""Whether callers reach the service, or could: the Unix socket and the port."""

from __future__ import annotations

import socket

import httpx

from cardio.cli.doctor.findings import Finding, Text, fail, ok, warn
from cardio.errors import ServiceUnavailable
from cardiod.doctor.site import Site
from cardiod.listening import listen

SECONDS = 5.0
TITLE = "cardiod"
"""Title of our own description of the API."""


def unix_socket(site: Site) -> Finding:
    """Whether the service answers on its Unix socket."""
    name, path = "socket", site.settings.socket
    if path is None:
        return ok(name, Text("未配置Unix套接字", "no Unix socket is configured"))
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(SECONDS)
            probe.connect(str(path))
    except OSError as error:
        return _unreachable(name, site, f"{path}: {error.strerror or error}")
    if is_ours(httpx.HTTPTransport(uds=str(path)), "http://cardio"):
        return ok(name, Text("Unix套接字应答：", "the Unix socket answers:") + str(path))
    return fail(
        name,
        Text("Unix套接字上不是本服务：", "something else answers on the Unix socket:") + str(path),
        Text("停止该程序或更改socket", "stop that program, or change socket"),
    )


def _unreachable(name: str, site: Site, detail: str) -> Finding:
    start = Text("systemctl start cardiod.socket cardiod.service", "systemctl start cardiod.socket cardiod.service")
    text = Text("Unix套接字无法连接", "the Unix socket cannot be reached") + f"({detail})"
    return warn(name, text, start) if site.holder() is None else fail(name, text, start)


def port(site: Site) -> Finding:
    """Whether the port is the service's, or free for it."""
    settings = site.settings
    name, address = "port", f"{settings.host}:{settings.port}"
    try:
        listen(settings).close()
    except ServiceUnavailable as error:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        if is_ours(httpx.HTTPTransport(), f"http://{host}:{settings.port}"):
            return ok(name, Text(f"服务在{address}应答", f"the service answers at {address}"))
        return fail(
            name,
            Text(f"端口{address}被其他程序占用", f"another program has {address}") + f"({error.detail})",
            Text("ss -ltnp找出该程序，或更改port", "find it with ss -ltnp, or change port"),
        )
    return ok(name, Text(f"端口{address}空闲", f"{address} is free"))


def is_ours(transport: httpx.BaseTransport, url: str) -> bool:
    """Whether a `cardiod` answers there; the description of its API is open to all."""
    try:
        with httpx.Client(transport=transport, timeout=SECONDS) as client:
            return bool(client.get(f"{url}/openapi.json").json()["info"]["title"] == TITLE)
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return False
