"""A keyring file and the log of all that happened to its keys (PERS §1.8, §3.2).

The log says date, purpose, persons and check values, never a key. It stands beside the keyring, as `FILE.log`; while
the file is changed, `FILE.lock` keeps others out.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from cardio.errors import InputInvalid, KeyringInvalid, StorageUnavailable
from cardio.files.dates import CARD_TIMEZONE
from cardio.ledger.chain import ChainRow
from cardio.ledger.chain_log import ChainLog
from cardio.ledger.folders import sync
from cardio.security.keyring import Keyring

MADE, ENTERED, IMPORTED, EXPORTED, FAILED = (
    "keyring.made",
    "key.entered",
    "key.imported",
    "key.exported",
    "key.not-written",
)
TWO = 2


class KeyStore:
    """An opened keyring file.

    Args:
        path: The file.
        passphrase: Its passphrase.
        keyring: What is in it.
    """

    def __init__(self, path: Path, passphrase: str, keyring: Keyring) -> None:
        self._path = path
        self._passphrase = passphrase
        self._log = ChainLog(log_file(path))
        self._keyring = keyring

    @property
    def keyring(self) -> Keyring:
        """What is in it now."""
        return self._keyring

    @classmethod
    def open(cls, path: Path, passphrase: str) -> Self:
        """Open a file.

        Raises:
            KeyringInvalid: It cannot be read, or the passphrase is wrong.
        """
        return cls(path, passphrase, Keyring.load(path, passphrase))

    @classmethod
    def create(cls, path: Path, passphrase: str, keyring: Keyring) -> Self:
        """Write a keyring to a new file and begin its log.

        Raises:
            KeyringInvalid: The file exists, or cannot be written.
            StorageUnavailable: The log cannot be written.
        """
        keyring.save(path, passphrase)
        _sync_name(path)
        store = cls(path, passphrase, keyring)
        kcvs = {name: check_values_text(keyring, name) for name in keyring.names()}
        store.record(MADE, keyring.name, {"test": keyring.test, "keys": kcvs})
        return store

    def record(self, kind: str, subject: str, payload: dict[str, Any]) -> ChainRow:
        """Log something that happened and changed no key.

        Raises:
            JournalBroken: The log is damaged.
            StorageUnavailable: It cannot be written.
        """
        return self._log.append(datetime.now(CARD_TIMEZONE), kind, subject, payload)

    def change(self, widen: Callable[[Keyring], Keyring], kind: str, subject: str, payload: dict[str, Any]) -> None:
        """Change what is in the file; it is in the log before, so that no key comes in unseen.

        Other programs may have changed the file since it was opened: what is in it now is changed, and nobody else
        changes it meanwhile.

        Args:
            widen: Makes the new keyring of what is in the file.
            kind: What happened, for the log.
            subject: To which key.
            payload: What else is to be remembered, without secrets.

        Raises:
            KeyRejected: What `widen` raises; nothing was changed.
            JournalBroken: The log is damaged; nothing was changed.
            StorageUnavailable: The log cannot be written; nothing was changed.
            KeyringInvalid: The file cannot be written; the older one stands, and the log says so. Or it is written, and
                the disk does not say that it will survive a power loss; the message tells which.
        """
        with self._locked():
            keyring = widen(Keyring.load(self._path, self._passphrase))
            self.record(kind, subject, payload)
            try:
                keyring.replace(self._path, self._passphrase)
            except KeyringInvalid:
                self.record(FAILED, subject, {})
                raise
            self._keyring = keyring
            _sync_name(self._path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Wait until nobody else changes the file; the lock dies with its process."""
        try:
            descriptor = os.open(
                self._path.with_name(self._path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise StorageUnavailable(f"{self._path}.lock: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _sync_name(path: Path) -> None:
    try:
        sync(path.parent)
    except OSError as error:
        raise KeyringInvalid(f"{path} is written, but a power loss may take it back: {error.strerror}") from error


def log_file(path: Path) -> Path:
    """The log of a keyring file."""
    return path.with_name(path.name + ".log")


def check_values_text(keyring: Keyring, name: str) -> dict[str, str]:
    """Check values of a key in hexadecimal digits, by algorithm."""
    return {algorithm.value: kcv.hex().upper() for algorithm, kcv in keyring.check_values(name).items()}


def two_persons(names: Sequence[str]) -> list[str]:
    """Names of the persons who answer for something together, without spaces around them.

    Raises:
        InputInvalid: They are not two different persons at least.
    """
    found = [name.strip() for name in names]
    if len({name.casefold() for name in found} - {""}) < max(TWO, len(found)):
        raise InputInvalid("this takes two different persons, each named once")
    return found
