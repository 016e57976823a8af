"""The terminal's own keys, in a file beside its journal.

They are not in the journal: a copy of the database signs no voucher, tells no card number, and its hashes of cards
cannot be tried out. The file is made once, with mode 0600, and belongs to its journal from then on.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from cardio.errors import JournalBroken, StorageUnavailable

FORMAT = "cardio-device-keys-1"
KEY_SIZE = 32
NONCE_SIZE = 12
"""AES-GCM (NIST SP 800-38D §8.2)."""


@dataclass(frozen=True)
class Sealed:
    """Something that can be read only with a data key of its own.

    Attributes:
        content: Nonce, and AES-256-GCM of the content.
        data_key: The data key, wrapped by the terminal's key (RFC 3394), 40 bytes; without it nobody reads the content.
    """

    content: bytes
    data_key: bytes


class DeviceKeys:
    """The keys of one terminal; what they are stays in here.

    Args:
        signing: Seed of the Ed25519 key that signs vouchers and exports (RFC 8032).
        wrapping: AES key that wraps data keys.
        lookup: Key of the hashes by which cards are found again.

    Raises:
        ValueError: One of them has not 32 bytes.
    """

    def __init__(self, signing: bytes, wrapping: bytes, lookup: bytes) -> None:
        if any(len(key) != KEY_SIZE for key in (signing, wrapping, lookup)):
            raise ValueError(f"each key has {KEY_SIZE} bytes")
        self._signer = Ed25519PrivateKey.from_private_bytes(signing)
        self._public = self._signer.public_key().public_bytes_raw()
        self._wrapping = wrapping
        self._lookup = lookup

    @classmethod
    def generate(cls, lookup: bytes | None = None) -> Self:
        """New keys; `lookup` goes on with the hashes that were made with it."""
        new = secrets.token_bytes
        return cls(new(KEY_SIZE), new(KEY_SIZE), lookup or new(KEY_SIZE))

    @property
    def public(self) -> bytes:
        """Public key of the signatures, 32 bytes."""
        return self._public

    def sign(self, document: bytes) -> bytes:
        """Detached signature of a document, 64 bytes."""
        return self._signer.sign(document)

    def hash(self, value: bytes) -> str:
        """Keyed hash (HMAC-SHA-256, hex) by which something is found again without being stored (OPS §4.8)."""
        return hmac.digest(self._lookup, value, "sha256").hex()

    def hashes_with(self, lookup: bytes) -> bool:
        """Whether this is the key of the keyed hashes."""
        return hmac.compare_digest(self._lookup, lookup)

    def seal(self, content: bytes, context: bytes) -> Sealed:
        """Encrypt under a data key of its own.

        Args:
            content: What nobody else may read.
            context: Where it belongs; it can be read only there.
        """
        data_key, nonce = secrets.token_bytes(KEY_SIZE), secrets.token_bytes(NONCE_SIZE)
        sealed = nonce + AESGCM(data_key).encrypt(nonce, content, context)
        return Sealed(sealed, aes_key_wrap(self._wrapping, data_key))

    def unseal(self, sealed: Sealed, context: bytes) -> bytes:
        """Read what was sealed.

        Raises:
            JournalBroken: It was changed, belongs elsewhere, or was sealed with other keys.
        """
        nonce, content = sealed.content[:NONCE_SIZE], sealed.content[NONCE_SIZE:]
        try:
            data_key = aes_key_unwrap(self._wrapping, sealed.data_key)
            return AESGCM(data_key).decrypt(nonce, content, context)
        except (InvalidTag, InvalidUnwrap) as error:
            raise JournalBroken("sealed personal data cannot be opened with this terminal's keys") from error

    # ---- the file --------------------------------------------------------------------------------------------

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the keys of a terminal.

        Raises:
            FileNotFoundError: There is no such file.
            JournalBroken: Others may read it, or it is no file of keys.
            StorageUnavailable: It cannot be read.
        """
        try:
            if path.stat().st_mode & 0o077:
                raise JournalBroken(f"{path} may be read by others; its mode must be 0600")
            content = json.loads(path.read_text(encoding="ascii"))
            if content["format"] != FORMAT:
                raise JournalBroken(f"{path} is no file of device keys of this version")
            return cls(**{name: bytes.fromhex(content[name]) for name in ("signing", "wrapping", "lookup")})
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StorageUnavailable(f"{path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            # The cause could quote the keys: it is not shown.
            raise JournalBroken(f"{path} is malformed") from error

    def save(self, path: Path) -> None:
        """Write the keys to a file with mode 0600; when this returns they are on disk, whole.

        Raises:
            OSError: They cannot be written.
        """
        content = {
            "format": FORMAT,
            "signing": self._signer.private_bytes_raw().hex(),
            "wrapping": self._wrapping.hex(),
            "lookup": self._lookup.hex(),
        }
        unfinished = path.with_name(path.name + ".new")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(descriptor)
        unfinished.rename(path)


def verified(document: bytes, signature: bytes, public: bytes) -> bool:
    """Whether a signature is that of a public key (Ed25519, 32 bytes) under a document."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, document)
    except (InvalidSignature, ValueError):
        return False
    return True
