"""What personalization needs from the issuer's keys, wherever they live (PERS §1.4, §1.5, §2.4).

This is the only place where issuer keys have values: who personalizes names a key and gets cryptograms, MACs and blocks
that a card understands. `KeyringIssuingKeys` computes in memory, `HsmIssuingKeys` in a token.

Two things cannot be hidden. The first key of a blank card is written in the clear, because the card has no key yet that
could protect it (PERS §5.2, A06). And the key sets of JavaCards are handed out whole, because a secure channel computes
with keys made from them at every command; only a keyring has them. So are the keys of applets, which go through it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from cardio.crypto.check_values import check_value
from cardio.crypto.globalplatform.keys import CardKeySource, Diversification, KeyType, MasterKeys, StaticKeys
from cardio.crypto.suites import CipherSuite, LdtSuite, PbocSuite
from cardio.errors import KeyRejected, SamKeyMissing, TestKeysRefused
from cardio.security.keyring import Keyring
from cardio.transport.channel import Channel

MAC_SIZE = 4
LINE_CHALLENGE, AUTHENTICATION_CHALLENGE = (4,), (4, 8)
"""Bytes of the challenges of line protection and of EXTERNAL AUTHENTICATE (PERS §1.5)."""


@dataclass(frozen=True)
class CardKeyReference:
    """A key of one card, by name.

    Attributes:
        name: Name of the root in the source of keys, such as `RKSSSE`, `WALLET-DLK`, `BATCH`.
        suite: Suite of the card. Both families are written with the same commands (PERS §1.8), so that either will do.
        factors: All factors of the card, 8 bytes each, highest authority first, card last. A root of fewer levels uses
            the last of them; a key that is the same for a lot of cards, as a transport key, has level 0 and uses none.
    """

    name: str
    suite: CipherSuite
    factors: tuple[bytes, ...] = ()

    @property
    def administration(self) -> PbocSuite:
        """Cryptography of the administrative commands with this key."""
        return PbocSuite(self.suite.algorithm)


@dataclass(frozen=True)
class KeySetReference:
    """A key set of a JavaCard's security domain, by names.

    Attributes:
        enc: Name of the key for encryption in the source of keys, such as `GP-ENC`.
        mac: Name of the key for MACs.
        dek: Name of the key under which other keys are sent.
        type: Algorithm of all three.
        version: Key version number, 01 to 7F, FF for the keys of a blank card; 00 leaves it to the card.
        diversification: How each card's keys come from them; None if all cards have these.
    """

    enc: str
    mac: str
    dek: str
    type: KeyType
    version: int
    diversification: Diversification | None = None


class IssuingKeys(ABC):
    """A source of issuer keys.

    All methods that use a key raise `SamKeyMissing` when the source does not have it or cannot compute with it, and
    `SamError` when the source failed. No message tells a key.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Name for registers and messages, without secrets."""

    @property
    @abstractmethod
    def test(self) -> bool:
        """Whether the keys are test keys, which a card that is not virtual must never get."""

    def refuse_real(self, channel: Channel) -> None:
        """Keep test keys away from a real card; ask this before the first command with a key.

        Raises:
            TestKeysRefused: The keys are test keys and the card is not virtual.
        """
        if self.test and not channel.virtual:
            raise TestKeysRefused(self.name)

    def refuse_equal(self, keys: Iterable[CardKeyReference]) -> None:
        """Whether the keys of one card are different keys: DES ignores the lowest bit of each byte (PERS §1.1).

        Args:
            keys: Keys of the card under different names; the same name twice is one key.

        Raises:
            KeyRejected: Two have the same check value.
        """
        names: dict[bytes, str] = {}
        for key in keys:
            other = names.setdefault(self.kcv(key), key.name)
            if other != key.name:
                raise KeyRejected(
                    f"{self.name}: {key.name} and {other} are the same key, or nobody can tell them apart"
                )

    @abstractmethod
    def kcv(self, key: CardKeyReference) -> bytes:
        """Check value of the card's key, 3 bytes (PERS §2.4)."""

    @abstractmethod
    def cryptogram(self, key: CardKeyReference, challenge: bytes) -> bytes:
        """Data of EXTERNAL AUTHENTICATE of FMCOS: 8 bytes over the card's challenge (PERS §1.5).

        Args:
            key: The external authentication key.
            challenge: 4 or 8 bytes.
        """

    @abstractmethod
    def line_mac(self, key: CardKeyReference, challenge: bytes, message: bytes) -> bytes:
        """MAC of 4 bytes that protects a command on its way to the card (PERS §1.5, EW §4.7).

        Args:
            key: The line protection key of the directory, or the master key.
            challenge: 4 bytes, from the same directory.
            message: CLA INS P1 P2 Lc data, in which Lc counts the MAC.
        """

    @abstractmethod
    def authentication(self, key: CardKeyReference, session_factor: bytes, original: bytes) -> bytes:
        """Data of EXTERNAL or INTERNAL AUTHENTICATION of social security cards: 8 bytes (SSC §5.5).

        Args:
            key: The authentication key.
            session_factor: 8 bytes that the session key is made from.
            original: 8 bytes that are enciphered.
        """

    def plain_block(self, header: bytes, key: CardKeyReference) -> bytes:
        """Data of WRITE KEY without protection: the key stands in it. For the first key of a blank card only.

        Args:
            header: Type, rights and counters of the key, 5 bytes (PERS §1.4).
            key: The key that is written.
        """
        return header + self._value(key)

    def wrapped_block(
        self,
        command: bytes,
        header: bytes,
        content: CardKeyReference | bytes,
        master: CardKeyReference,
        challenge: bytes,
    ) -> bytes:
        """Data of WRITE KEY with protection: encrypted key block ‖ MAC (PERS §1.4).

        Args:
            command: CLA INS P1 P2, such as 84D40100.
            header: Type, rights and counters of the key, 5 bytes.
            content: The key that is written, or the bytes of a PIN.
            master: The key that protects it: the directory's external authentication key 00, or its parent's.
            challenge: 4 bytes, from the same directory.
        """
        value = content if isinstance(content, bytes) else self._value(content)
        body = self._line_encrypt(master, header + value)
        message = command + bytes([len(body) + MAC_SIZE]) + body
        return body + self.line_mac(master, challenge, message)

    def applet_keys(self, keys: Iterable[CardKeyReference]) -> bytes:
        """Keys of an application on a JavaCard, one behind the other; whoever asks sends them under the channel's DEK.

        Args:
            keys: The card's keys, in the order in which the application wants them.
        """
        return b"".join(self._value(key) for key in keys)

    @abstractmethod
    def key_set(self, reference: KeySetReference) -> CardKeySource:
        """A key set of JavaCards with its values, which its repr does not tell.

        Raises:
            SamKeyMissing: The source does not have a key, or lets none out.
        """

    @abstractmethod
    def _line_encrypt(self, key: CardKeyReference, data: bytes) -> bytes:
        """Length byte ‖ data ‖ padding under a key (EW §4.1 `ENC`)."""

    @abstractmethod
    def _value(self, key: CardKeyReference) -> bytes:
        """The card's key itself, for a block; it lives no longer than the call that makes the block."""


class KeyringIssuingKeys(IssuingKeys):
    """Issuer keys of a keyring: for development, and for issuers who keep their keys in a file.

    Args:
        keyring: The roots.
    """

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    @property
    def name(self) -> str:
        """`keyring:` and its name."""
        return self._keyring.name

    @property
    def test(self) -> bool:
        """As the keyring says of itself."""
        return self._keyring.test

    def kcv(self, key: CardKeyReference) -> bytes:
        """Check value of the card's key, 3 bytes."""
        return check_value(key.suite.cipher, self._value(key))

    def cryptogram(self, key: CardKeyReference, challenge: bytes) -> bytes:
        """Data of EXTERNAL AUTHENTICATE."""
        check_challenge(challenge, AUTHENTICATION_CHALLENGE)
        return key.administration.external_authentication(self._value(key), challenge)

    def line_mac(self, key: CardKeyReference, challenge: bytes, message: bytes) -> bytes:
        """MAC of a protected command."""
        check_challenge(challenge, LINE_CHALLENGE)
        return key.administration.line_mac(self._value(key), challenge, message)

    def authentication(self, key: CardKeyReference, session_factor: bytes, original: bytes) -> bytes:
        """Authentication data of social security cards."""
        suite = LdtSuite(key.suite.algorithm)
        return suite.authentication(suite.challenge_key(self._value(key), session_factor), original)

    def key_set(self, reference: KeySetReference) -> CardKeySource:
        """The keys of a set; they have level 0, diversification is the card's own."""
        enc, mac, dek = (self._whole_key(name, reference) for name in (reference.enc, reference.mac, reference.dek))
        keys = StaticKeys(enc, mac, dek, type=reference.type, version=reference.version)
        return keys if reference.diversification is None else MasterKeys(keys, reference.diversification)

    def _whole_key(self, name: str, reference: KeySetReference) -> bytes:
        root = self._keyring.root(name)
        if root.levels or len(root.key) not in reference.type.sizes:
            sizes = " or ".join(str(size) for size in sorted(reference.type.sizes))
            raise SamKeyMissing(f"{self.name}: {name} is no {reference.type.name} key of level 0 with {sizes} bytes")
        return root.key

    def _line_encrypt(self, key: CardKeyReference, data: bytes) -> bytes:
        return key.administration.line_encrypt(self._value(key), data)

    def _value(self, key: CardKeyReference) -> bytes:
        return self._keyring.card_key(key.name, key.suite, key.factors)


def check_challenge(challenge: bytes, sizes: tuple[int, ...]) -> None:
    """Whether this can be a card's challenge.

    Raises:
        ValueError: It has another size.
    """
    if len(challenge) not in sizes:
        raise ValueError(f"a challenge has {' or '.join(map(str, sizes))} bytes, not {len(challenge)}")
