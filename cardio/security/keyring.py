"""Root keys in an encrypted file: for development, and for terminals without PSAM and HSM.

The file is JSON: parameters of the key derivation (scrypt) in the clear, the keys under AES-256-GCM. It is written with
mode 0600 and refused when others may read it.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from cardio.crypto.check_values import SIZES, KeyAlgorithm, key_check_value
from cardio.crypto.suites import CipherSuite
from cardio.errors import KeyRejected, KeyringInvalid, SamKeyMissing
from cardio.security.derived_keys import DerivedKeys, Terminal, factors_below

FORMAT = "cardio-keyring-1"
COST = {"n": 2**15, "r": 8, "p": 1}
"""scrypt: 32 MiB and about a tenth of a second (RFC 7914 §2)."""
KEY_SIZES = frozenset({8, 16, 32})
MAX_LEVELS = 3


@dataclass(frozen=True)
class RootKey:
    """A key at the level at which it was put into the keyring.

    Attributes:
        key: 16 bytes; 8 for single DES; 32 for an AES key that wraps others, whose level is 0.
        levels: Factors that are still to be applied: 3 a national root, 2 a provincial one, 1 a city's, 0 the card's,
            or one that is the same for many cards.
    """

    key: bytes = field(repr=False)
    levels: int

    def __post_init__(self) -> None:
        if len(self.key) not in KEY_SIZES or not 0 <= self.levels <= MAX_LEVELS:
            raise ValueError("a root key has 8, 16 or 32 bytes and 0 to 3 levels")


class Keyring(DerivedKeys):
    """A source of authentication and purchase keys in memory; safe for use from several threads.

    Args:
        name: Name for messages.
        roots: Root keys by the name of the card's key.
        test: Whether they are test keys, which no real card must meet.
        terminal: What the card is told about the terminal.
    """

    def __init__(
        self, name: str, roots: Mapping[str, RootKey], *, test: bool, terminal: Terminal | None = None
    ) -> None:
        super().__init__(terminal or Terminal())
        self._name = name
        self._roots = dict(roots)
        self._test = test

    @property
    def name(self) -> str:
        """`keyring:` and its name."""
        return f"keyring:{self._name}"

    @property
    def test(self) -> bool:
        """As the keyring says of itself."""
        return self._test

    def names(self) -> list[str]:
        """Names of the keys."""
        return sorted(self._roots)

    def root(self, name: str) -> RootKey:
        """A key at the level at which it was put in, for use inside this package; its repr does not tell it.

        Raises:
            SamKeyMissing: The key is not in the keyring.
        """
        root = self._roots.get(name)
        if root is None:
            raise SamKeyMissing(f"{self.name} has no {name}")
        return root

    def levels(self, name: str) -> int:
        """Factors that are still to be applied to a key, 0 to 3.

        Raises:
            SamKeyMissing: The key is not in the keyring.
        """
        return self.root(name).levels

    def check_values(self, name: str) -> dict[KeyAlgorithm, bytes]:
        """Check values of a key, 3 bytes for each algorithm that its size allows (PERS §2.4).

        Raises:
            SamKeyMissing: The key is not in the keyring.
        """
        key = self.root(name).key
        return {algorithm: key_check_value(algorithm, key) for algorithm, sizes in SIZES.items() if len(key) in sizes}

    def with_key(self, name: str, root: RootKey) -> Keyring:
        """This keyring and one more key; see `key_quality.accept` for what may be one.

        Raises:
            KeyRejected: It has a key of that name.
        """
        if name in self._roots:
            raise KeyRejected(f"{self.name} has a key {name} already")
        return Keyring(self._name, {**self._roots, name: root}, test=self._test, terminal=self.terminal)

    def card_key(self, name: str, suite: CipherSuite, factors: tuple[bytes, ...]) -> bytes:
        """Key of one card, 8 or 16 bytes, for use inside this package only.

        Args:
            name: Name of the key.
            suite: Suite of the card.
            factors: All factors of the card, highest authority first, card last.

        Raises:
            SamKeyMissing: The key is not in the keyring, or needs more factors than the card has.
        """
        root = self.root(name)
        return suite.diversify(root.key, factors_below(factors, root.levels))

    def session_key(self, name: str, suite: CipherSuite, factors: tuple[bytes, ...], seed: bytes) -> bytes:
        """Session key of a card, made in memory; a seed of 6 bytes, as of a load, is completed.

        Raises:
            SamKeyMissing: The key is not in the keyring, or needs more factors than the card has.
        """
        return suite.session_key(self.card_key(name, suite, factors), seed)

    @classmethod
    def load(cls, path: Path, passphrase: str, terminal: Terminal | None = None) -> Keyring:
        """Open a keyring file.

        Args:
            path: The file.
            passphrase: Its passphrase.
            terminal: What the card is told about the terminal; it is no part of the file.

        Raises:
            KeyringInvalid: It cannot be read, others may read it, the passphrase is wrong, or it was changed.
        """
        try:
            if path.stat().st_mode & 0o077:
                raise KeyringInvalid(f"{path} may be read by others; its mode must be 0600")
            outer = json.loads(path.read_text(encoding="utf-8"))
            if outer["format"] != FORMAT:
                raise KeyringInvalid(f"{path} is no keyring of this version")
            sealing = AESGCM(_derive(passphrase, outer["kdf"]))
            header = _header(outer["kdf"])
            plain = sealing.decrypt(bytes.fromhex(outer["nonce"]), bytes.fromhex(outer["sealed"]), header)
            content = json.loads(plain)
            roots = {name: RootKey(bytes.fromhex(one["key"]), one["levels"]) for name, one in content["keys"].items()}
            return cls(content["name"], roots, test=content["test"], terminal=terminal)
        except InvalidTag as error:
            raise KeyringInvalid(f"{path}: the passphrase is wrong, or the file was changed") from error
        except OSError as error:
            raise KeyringInvalid(f"{path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            # The cause could quote the keys: it is not shown.
            raise KeyringInvalid(f"{path} is malformed") from error

    def save(self, path: Path, passphrase: str) -> None:
        """Write the keyring to a new file with mode 0600.

        Raises:
            KeyringInvalid: The file exists, or cannot be written.
        """
        try:
            self._write(path, os.O_EXCL, passphrase)
        except OSError as error:
            raise KeyringInvalid(f"{path}: {error.strerror}") from error

    def replace(self, path: Path, passphrase: str) -> None:
        """Write the keyring in the place of an older file; the older one stays whole until the new one is on disk.

        Only one program may do so at a time.

        Raises:
            KeyringInvalid: It cannot be written.
        """
        unfinished = path.with_name(path.name + ".new")
        try:
            unfinished.unlink(missing_ok=True)
            self._write(unfinished, os.O_EXCL, passphrase)
            unfinished.rename(path)
        except OSError as error:
            raise KeyringInvalid(f"{path}: {error.strerror}") from error

    def _write(self, path: Path, flags: int, passphrase: str) -> None:
        kdf = {"salt": secrets.token_hex(16), **COST}
        nonce = secrets.token_bytes(12)
        content = {
            "name": self._name,
            "test": self._test,
            "keys": {name: {"key": root.key.hex(), "levels": root.levels} for name, root in self._roots.items()},
        }
        sealed = AESGCM(_derive(passphrase, kdf)).encrypt(nonce, json.dumps(content).encode(), _header(kdf))
        outer = {"format": FORMAT, "kdf": kdf, "nonce": nonce.hex(), "sealed": sealed.hex()}
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flags, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(outer, file, indent=1)
            file.flush()
            os.fsync(descriptor)


def _derive(passphrase: str, kdf: Mapping[str, Any]) -> bytes:
    scrypt = Scrypt(salt=bytes.fromhex(kdf["salt"]), length=32, n=kdf["n"], r=kdf["r"], p=kdf["p"])
    return scrypt.derive(passphrase.encode("utf-8"))


def _header(kdf: Mapping[str, Any]) -> bytes:
    """What the seal covers besides the keys."""
    return json.dumps([FORMAT, kdf], sort_keys=True).encode()
