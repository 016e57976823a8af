"""Whether a configuration works: what it names is opened, and closed again (`config check`, `doctor`)."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from cardio.errors import ReaderUnavailable
from cardio.products.catalogue import Catalogue
from cardio.readers.key_chain import KeyChain
from cardiod.equipment import key_sources, load_host
from cardiod.listening import tls_context
from cardiod.settings import Settings
from cardiod.tokens import TokenFile


def open_products(settings: Settings) -> None:
    """Load all card products.

    Raises:
        ProductInvalid: One is wrong.
    """
    Catalogue.load(*settings.profiles)


def open_tls(settings: Settings) -> None:
    """Load the files for TLS.

    Raises:
        InputInvalid: One is missing or wrong.
    """
    tls_context(settings)


def open_tokens(settings: Settings) -> None:
    """Read the file of bearer tokens, if it is there.

    Raises:
        StorageUnavailable: It cannot be read or trusted.
    """
    TokenFile(settings.tokens_file).all()


def open_keys(settings: Settings) -> None:
    """Open HSM and keyring.

    Raises:
        InputInvalid: A file with a secret cannot be used.
        SamError: HSM or keyring cannot be opened, or only one of them has test keys.
    """
    with key_sources(settings) as sources:
        KeyChain(*sources)


def open_load_host(settings: Settings) -> None:
    """Make the load host.

    Raises:
        InputInvalid: There is no such adapter, or it refuses its options.
        KeyringInvalid: The keyring of the software host cannot be opened.
    """
    load_host(settings)


def open_ports(settings: Settings) -> None:
    """Look at the serial ports; they are not opened, for a running daemon has them.

    Raises:
        ReaderUnavailable: One is not there, is no serial port, or may not be used.
    """
    for port in serial_ports(settings):
        try:
            status = port.stat()
        except OSError as error:
            raise ReaderUnavailable(f"{port}: {error.strerror}") from error
        if not stat.S_ISCHR(status.st_mode):
            raise ReaderUnavailable(f"{port} is no serial port")
        if not os.access(port, os.R_OK | os.W_OK):
            raise ReaderUnavailable(f"{port} may not be used by this user")


def serial_ports(settings: Settings) -> list[Path]:
    """All serial ports of a configuration."""
    display = [] if settings.display is None else [settings.display.port]
    return [*(box.port for box in settings.serial_readers), *display]


TRIALS: tuple[Callable[[Settings], None], ...] = (
    open_products,
    open_tls,
    open_tokens,
    open_keys,
    open_load_host,
    open_ports,
)
"""Everything that a configuration names."""
