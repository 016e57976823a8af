"""The socket that systemd opened before the service was started (sd_listen_fds(3))."""

from __future__ import annotations

import os
import socket

from cardio.errors import ServiceUnavailable

FIRST = 3
"""SD_LISTEN_FDS_START: descriptors after standard error."""


def inherited_socket() -> socket.socket | None:
    """The Unix socket that systemd handed over, or None; its name belongs to systemd and outlives the service.

    Raises:
        ServiceUnavailable: Something else was handed over: the unit does not fit this program.
    """
    meant, count = os.environ.pop("LISTEN_PID", ""), os.environ.pop("LISTEN_FDS", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if meant != str(os.getpid()) or not count.isdecimal() or int(count) == 0:
        return None
    if int(count) > 1:
        raise ServiceUnavailable(f"systemd handed {count} sockets over; only the Unix socket is expected")
    try:
        os.set_inheritable(FIRST, False)
        given = socket.socket(fileno=FIRST)
    except OSError as error:
        raise ServiceUnavailable(f"systemd handed no socket over: {error.strerror}") from error
    listening = given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if given.family != socket.AF_UNIX or given.type != socket.SOCK_STREAM or not listening:
        given.close()
        raise ServiceUnavailable("systemd handed a socket over that is not a listening Unix stream socket")
    return given
