"""What is connected to the terminal, opened as the configuration says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.metadata import entry_points
from typing import Any

from cardio.errors import InputInvalid
from cardio.files.dates import encode_time
from cardio.ledger.ledger import now
from cardio.readers.key_chain import KeySource
from cardio.security.derived_keys import Terminal
from cardio.security.hsm import Hsm, HsmKey
from cardio.security.keyring import Keyring
from cardio.security.load_host import LoadHost
from cardio.security.software_load_host import SoftwareLoadHost
from cardio.transport.channel import ReaderDriver
from cardio.transport.combined import CombinedDriver
from cardio.transport.pcsc import PcscDriver
from cardio.transport.serial_display import CustomerDisplay, PriceDisplay, TextDisplay
from cardio.transport.serial_line import LineSettings, SerialLine
from cardio.transport.serial_reader import SerialDriver, SerialSlot
from cardiod.secret_files import read_secret
from cardiod.sections import (
    SOFTWARE_HOST,
    DisplaySection,
    HsmSection,
    KeyringSection,
    LoadHostSection,
    SerialReaderSection,
    TerminalSection,
)
from cardiod.settings import Settings

LOAD_HOSTS = "cardio.load_hosts"
"""Entry points of load hosts; each is called with the options of the configuration."""

LoadHostFactory = Callable[[Mapping[str, Any]], LoadHost]


@contextmanager
def reader_driver(settings: Settings) -> Iterator[ReaderDriver]:
    """The readers of PC/SC, and those at serial ports."""
    if not settings.serial_readers:
        yield PcscDriver()
        return
    serial = SerialDriver([_box(section) for section in settings.serial_readers])
    try:
        yield CombinedDriver([PcscDriver(), serial])
    finally:
        serial.close()


def _box(section: SerialReaderSection) -> tuple[SerialLine, list[SerialSlot]]:
    line = LineSettings(section.baud, section.receipt_timeout_s, section.answer_timeout_s)
    slots = [SerialSlot(slot.name, slot.slot, slot.interface, slot.polled) for slot in section.slots]
    return SerialLine(str(section.port), line), slots


@contextmanager
def key_sources(settings: Settings) -> Iterator[list[KeySource]]:
    """Sources of keys behind the PSAMs, in order: HSM, keyring.

    Raises:
        InputInvalid: A file with a secret cannot be used.
        HsmFailed: The HSM cannot be opened.
        KeyringInvalid: The keyring cannot be opened.
    """
    terminal = _terminal(settings.terminal)
    sources: list[KeySource] = []
    with ExitStack() as stack:
        if settings.hsm is not None:
            hsm = open_hsm(settings.hsm, terminal)
            stack.callback(hsm.close)
            sources.append(hsm)
        if settings.keyring is not None:
            sources.append(open_keyring(settings.keyring, terminal))
        yield sources


def open_hsm(section: HsmSection, terminal: Terminal | None = None) -> Hsm:
    """The HSM, logged in.

    Raises:
        InputInvalid: The file with its PIN cannot be used.
        HsmFailed: It cannot be opened.
    """
    keys = {name: HsmKey(key.label, key.levels) for name, key in section.keys.items()}
    return Hsm(section.module, section.token, read_secret(section.pin_file), keys, terminal)


def open_keyring(section: KeyringSection, terminal: Terminal | None = None) -> Keyring:
    """The keyring.

    Raises:
        InputInvalid: The file with its passphrase cannot be used.
        KeyringInvalid: It cannot be opened.
    """
    return Keyring.load(section.file, read_secret(section.passphrase_file), terminal)


def load_host(settings: Settings) -> LoadHost | None:
    """The host that authorizes loads; None if none is configured.

    Raises:
        InputInvalid: There is no such adapter, it refuses its options, or the software host has keys that are no test
            keys.
        KeyringInvalid: The software host's keyring cannot be opened.
    """
    section = settings.load_host
    if section is None:
        return None
    return _software_host(section) if section.adapter == SOFTWARE_HOST else _adapter(section)


def _software_host(section: LoadHostSection) -> LoadHost:
    """A host of development: its books end with the process, so no real money may rest on it."""
    if section.keyring is None:
        raise InputInvalid("load_host: the software host needs keyring")
    keyring = open_keyring(section.keyring)
    if not keyring.test:
        raise InputInvalid("load_host: the software host works with test keys only")
    return SoftwareLoadHost(keyring, lambda: encode_time(now()), section.max_amount_fen)


def _adapter(section: LoadHostSection) -> LoadHost:
    known = entry_points(group=LOAD_HOSTS)
    if section.adapter not in known.names:
        names = ", ".join(sorted({SOFTWARE_HOST, *known.names}))
        raise InputInvalid(f"load_host: no adapter is named {section.adapter}; there are: {names}")
    try:
        make: LoadHostFactory = known[section.adapter].load()
        return make(section.options)
    except (ImportError, AttributeError, TypeError, ValueError, KeyError) as error:
        # Its message may quote an option.
        raise InputInvalid(f"load_host: {section.adapter} cannot be used: {type(error).__name__}") from error


def customer_display(section: DisplaySection | None) -> CustomerDisplay | None:
    """The customer display; None if none is configured."""
    if section is None:
        return None
    given = {} if section.baud is None else {"baud": section.baud}
    if section.kind == "price":
        return PriceDisplay(str(section.port), **given)
    return TextDisplay(str(section.port), language=section.language, columns=section.columns, **given)


def _terminal(section: TerminalSection) -> Terminal:
    return Terminal(bytes.fromhex(section.number), section.key_indexes)
