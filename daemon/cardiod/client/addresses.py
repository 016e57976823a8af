"""Where the daemon is, and by what it knows the caller."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_runtime_path

from cardio.errors import InputInvalid
from cardiod.settings import DEFAULT_PORT, SYSTEM_SOCKET

UNIX = "unix:"
SCHEMES = (UNIX, "http://", "https://")


@dataclass(frozen=True)
class Address:
    """A daemon and a caller.

    Attributes:
        url: `unix:/run/cardio/cardio.sock`, `http://127.0.0.1:7816`, or `https://lane-3:7817` on the LAN.
        token: Bearer token; not needed by whom the daemon knows by user, group or certificate.
        certificate: PEM files of the caller's certificate and its key, for https.
        authority: PEM file of the authority that the daemon's certificate is from; the system's if missing.

    Raises:
        InputInvalid: The address has another form, or a file for TLS is missing or wrong.
    """

    url: str
    token: str | None = None
    certificate: tuple[Path, Path] | None = None
    authority: Path | None = None

    def __post_init__(self) -> None:
        if not self.url.startswith(SCHEMES):
            raise InputInvalid(f"{self.url}: an address begins with {', '.join(SCHEMES)}")

    def client_arguments(self) -> dict[str, Any]:
        """Arguments for a client of httpx, but for its transport."""
        headers = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        # On the socket there are no names.
        base = "http://cardiod" if self.url.startswith(UNIX) else self.url
        return {"base_url": base, "headers": headers, "trust_env": False}

    def transport_arguments(self) -> dict[str, Any]:
        """Arguments for a transport of httpx."""
        if self.url.startswith(UNIX):
            return {"uds": self.url.removeprefix(UNIX)}
        return {"verify": self._tls()} if self.url.startswith("https:") else {}

    def _tls(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.authority)
            if self.certificate is not None:
                # Without a password OpenSSL would ask the terminal for that of an encrypted key.
                context.load_cert_chain(*self.certificate, password="")
        except OSError as error:
            raise InputInvalid(f"authority {self.authority}, certificate {self.certificate}: {error}") from error
        return context


def default_url() -> str:
    """`CARDIO_URL`; else the Unix socket of a daemon of this computer or user; else its port."""
    url = os.environ.get("CARDIO_URL")
    if url is not None:
        return url
    configured = os.environ.get("CARDIO_SOCKET")
    places = [Path(configured)] if configured else [SYSTEM_SOCKET, user_runtime_path("cardio") / SYSTEM_SOCKET.name]
    found = next((place for place in places if place.is_socket()), None)
    return f"http://127.0.0.1:{DEFAULT_PORT}" if found is None else f"{UNIX}{found}"


def default_token() -> str | None:
    """`CARDIO_TOKEN`, if it is set."""
    return os.environ.get("CARDIO_TOKEN")
