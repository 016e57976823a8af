"""The sockets that the daemon listens on: loopback, the Unix socket, and TLS on the LAN (OPS §4.7)."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from cardio.errors import InputInvalid, ServiceUnavailable
from cardiod.activation import inherited_socket
from cardiod.peers import gid, own_groups
from cardiod.secret_files import secret_path
from cardiod.settings import Settings, loopback_url

SOCKET_MODE = 0o660
OPEN_TO_ALL = 0o007
"""A group may read the key for TLS, as Debian's ssl-cert does."""
IPV6_LOOPBACK = "::1"
log = structlog.get_logger("cardiod.listening")


@dataclass(frozen=True)
class Listeners:
    """Bound sockets of a daemon.

    Attributes:
        plain: Those on which HTTP is spoken as it is.
        tls: Those on which it is spoken within TLS.
    """

    plain: tuple[socket.socket, ...]
    tls: tuple[socket.socket, ...] = ()

    @property
    def url(self) -> str:
        """Base address on loopback."""
        return loopback_url(*self.plain[0].getsockname()[:2])


@contextmanager
def listeners(settings: Settings) -> Iterator[Listeners]:
    """Every socket of the configuration; closed at the end, and the Unix socket's name is gone, unless it is systemd's.

    Raises:
        ServiceUnavailable: An address is taken or not ours, or systemd handed over what it should not.
    """
    with ExitStack() as stack:
        given = inherited_socket()
        plain = [stack.enter_context(listen(settings))]
        second = _second_loopback(settings, plain[0].getsockname()[1])
        if second is not None:
            plain.append(stack.enter_context(second))
        if given is not None:
            plain.append(stack.enter_context(given))
        elif settings.socket is not None:
            plain.append(stack.enter_context(listen_unix(settings.socket, settings.socket_group)))
        tls = (stack.enter_context(listen_tls(settings)),) if settings.tls_listen else ()
        yield Listeners(tuple(plain), tls)


def listen(settings: Settings) -> socket.socket:
    """The loopback socket, so that a taken port is an error before anything else is opened.

    Raises:
        ServiceUnavailable: The address is taken or not ours.
    """
    return _bind(settings.host, settings.port)


def _second_loopback(settings: Settings, port: int) -> socket.socket | None:
    """`localhost` may mean either address to a caller; a computer without IPv6 has only the one."""
    if settings.host != Settings.model_fields["host"].default:
        return None
    try:
        return _bind(IPV6_LOOPBACK, port)
    except ServiceUnavailable as error:
        log.info("no second loopback address", reason=error.detail)
        return None


def listen_tls(settings: Settings) -> socket.socket:
    """The socket for programs on the LAN.

    Raises:
        ServiceUnavailable: The address is taken or not ours.
    """
    host, _, port = settings.tls_listen.rpartition(":")
    return _bind(host.strip("[]"), int(port))


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener: socket.socket | None = None
    try:
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted sockets inherit it; asyncio would set it only on those that name their protocol.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        if listener is not None:
            listener.close()
        reason = error.strerror if isinstance(error, OSError) else "not a port"
        raise ServiceUnavailable(f"cannot listen on {host}:{port}: {reason}") from error
    return listener


@contextmanager
def listen_unix(path: Path, group: str) -> Iterator[socket.socket]:
    """The Unix socket; a name that a killed daemon left behind is taken over.

    Args:
        path: Its name.
        group: Group that may connect, beside our own user; our own group if there is no such one.

    Raises:
        ServiceUnavailable: Another daemon listens there, or the place may not be used.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if path.is_socket() and not _answers(path):
            path.unlink()
        listener.bind(str(path))
        made = path.stat().st_ino
        _open_to_group(path, group)
    except OSError as error:
        listener.close()
        raise ServiceUnavailable(f"cannot listen on {path}: {error.strerror or error}") from error
    try:
        yield listener
    finally:
        listener.close()
        with suppress(OSError):
            # Unless a successor took the name over.
            if path.stat().st_ino == made:
                path.unlink()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return False
        return True


def _open_to_group(path: Path, group: str) -> None:
    """Who connects is looked at once more for every request, so nothing is lost in the moment before this."""
    number = gid(group)
    if number is not None and (os.geteuid() == 0 or number in own_groups()):
        os.chown(path, -1, number)
    path.chmod(SOCKET_MODE)


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """TLS that lets nobody in without a certificate of our authority; None if it is off.

    Raises:
        InputInvalid: A file is missing or does not hold what it should, or anybody may read the key.
    """
    if not settings.tls_listen:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    certificate, key, authority = settings.tls_certificate, settings.tls_key, settings.tls_client_ca
    if certificate is None or key is None or authority is None:
        raise InputInvalid("tls_listen needs tls_certificate, tls_key and tls_client_ca")
    try:
        key_file = secret_path(str(key), OPEN_TO_ALL)
    except InputInvalid as error:
        raise InputInvalid(f"tls_key {error.detail}") from error
    try:
        # Without a password OpenSSL would ask the terminal for that of an encrypted key.
        context.load_cert_chain(certificate, key_file, password="")
    except OSError as error:
        raise InputInvalid(f"tls_certificate {certificate}, tls_key {key}: {error}") from error
    try:
        context.load_verify_locations(authority)
    except OSError as error:
        raise InputInvalid(f"tls_client_ca {authority}: {error}") from error
    return context
