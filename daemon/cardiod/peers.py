"""Who is at the other end of a connection, as the kernel or a certificate says; and what the configuration lets him."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import ssl
import struct
from asyncio import Transport
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from cardiod.settings import PeerRule

CREDENTIALS = struct.Struct("3i")
"""`struct ucred`: pid, uid, gid."""
SO_PEERGROUPS = 59
"""Of Linux's asm-generic/socket.h; Python does not name it."""
GROUPS_SIZE = 1024
"""Bytes for 256 groups: the most that `getsockopt` takes."""


@dataclass(frozen=True)
class UnixPeer:
    """A program on the Unix socket, as it was when it connected.

    Attributes:
        uid: Its user.
        gids: Its groups.
    """

    uid: int
    gids: frozenset[int]


@dataclass(frozen=True)
class CertificatePeer:
    """A program on the LAN.

    Attributes:
        name: Common name of its certificate, which our authority has signed.
    """

    name: str


Peer = UnixPeer | CertificatePeer


def peer_of(transport: Transport) -> Peer | None:
    """The other end of a connection; None if it must say who it is itself."""
    tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    if tls is not None:
        return _certificate_peer(tls)
    connection: socket.socket = transport.get_extra_info("socket")
    return _unix_peer(connection) if connection.family == socket.AF_UNIX else None


def _certificate_peer(tls: ssl.SSLObject) -> CertificatePeer | None:
    subject: Iterable[tuple[tuple[str, str], ...]] = (tls.getpeercert() or {}).get("subject", ())  # type: ignore[assignment]
    names = [value for part in subject for name, value in part if name == "commonName"]
    return CertificatePeer(names[0]) if len(names) == 1 else None


def _unix_peer(connection: socket.socket) -> UnixPeer:
    _, uid, gid = CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))
    try:
        # What the process has, not what the group file says of its user: a service may have been given a group.
        packed = connection.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, GROUPS_SIZE)
    except OSError:
        packed = b""
    return UnixPeer(uid, frozenset({gid, *(group for (group,) in struct.iter_unpack("I", packed))}))


class Acquaintances:
    """The rules of the configuration, their users and groups looked up once.

    Args:
        rules: The rules; the first that fits holds. One whose user or group does not exist fits nobody.
    """

    def __init__(self, rules: Iterable[PeerRule]) -> None:
        self._rules = [(rule, _uid(rule.user), gid(rule.group)) for rule in rules]
        # A name may come from a directory on the network: it is asked once for each user, not for each request.
        self._name = cache(_user_name)

    def find(self, peer: Peer) -> tuple[str, PeerRule] | None:
        """Name and rule of a peer; None for a stranger."""
        for rule, user, group in self._rules:
            if isinstance(peer, CertificatePeer):
                if rule.certificate == peer.name:
                    return rule.client or peer.name, rule
            elif peer.uid == user or group in peer.gids:
                return rule.client or self._name(peer.uid), rule
        return None


def _uid(name: str) -> int | None:
    try:
        return int(name) if name.isdecimal() else pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def gid(name: str) -> int | None:
    """Number of a group, given by name or number; None if there is none of that name."""
    try:
        return int(name) if name.isdecimal() else grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"


def own_groups() -> set[int]:
    """Groups that this process may give a file to."""
    return {os.getegid(), *os.getgroups()}
