"""What both clients are made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from cardiod.client.addresses import Address, default_token, default_url
from cardiod.client.calls import Calls
from cardiod.client.persistence import Persistence
from cardiod.client.requests import Request

PATIENCE_S = 30.0


class Caller(ABC):
    """A caller of one daemon.

    Args:
        url: `unix:/run/cardio/cardio.sock`, `http://127.0.0.1:7816` or `https://lane-3:7817`; if missing, `CARDIO_URL`
            or the daemon of this computer.
        token: Bearer token; if missing, `CARDIO_TOKEN`. Not needed by whom the daemon knows by user or certificate.
        certificate: PEM files of our certificate and its key, for https.
        authority: PEM file of the authority that the daemon's certificate is from.
        write_down: Called with every new request that moves money before it is sent, for example `KeyStore.write`; if
            it raises, nothing is sent.
        patience_s: Seconds to go on asking when no answer comes; beyond `wait_s` where the daemon may be at work.

    Raises:
        InputInvalid: The address has another form, or a file for TLS is missing or wrong.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        certificate: tuple[Path, Path] | None = None,
        authority: Path | None = None,
        write_down: Callable[[Request], object] | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._write_down = write_down
        self._patience_s = patience_s
        self._calls = Calls(Persistence(patience_s))
        self._open(Address(url or default_url(), token or default_token(), certificate, authority))

    @abstractmethod
    def _open(self, address: Address) -> None:
        """Make the client of httpx."""
