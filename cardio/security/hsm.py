"""Root keys in a hardware security module, reached through PKCS#11 (PERS §3.4, SSC §6.5).

The root never leaves the token: the first step with it is computed inside. What that step gives - a city's or a card's
key - lives in host memory for the moment of one authentication or purchase; a chain inside would cost the token an
object for every step of every tap (`hsm_issuing` does it, personalization has the time). A card's own key stays inside:
only the session key comes out. 3DES only: the tokens tried know no SM4.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkcs11
from pkcs11 import KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import NoSuchToken, PinIncorrect, PKCS11Error, UserAlreadyLoggedIn

from cardio.crypto.ciphers import Algorithm, complement
from cardio.crypto.suites import CipherSuite
from cardio.errors import HsmFailed, SamKeyMissing
from cardio.security.derived_keys import DerivedKeys, Terminal, factors_below

TEST_PREFIX = "test"
"""A token whose label begins so holds test keys."""


@dataclass(frozen=True)
class HsmKey:
    """Where a token keeps the root of a card key.

    Attributes:
        label: Label of the key object (CKA_LABEL).
        levels: Factors that are still to be applied: 3 a national root, 2 a provincial one, 1 a city's, 0 the card's or
            one that cards share; None a topmost root, for which it is all factors of the card.
    """

    label: str
    levels: int | None = None


class Hsm(DerivedKeys):
    """A token as a source of authentication and purchase keys; safe for use from several threads.

    Args:
        module: The token's PKCS#11 library.
        token: Label of the token.
        pin: User PIN; kept in memory to log in again after the token was gone.
        keys: Card keys by name; a key that is not named here is looked for under its own name, as the topmost root: all
            factors of the card are still to be applied.
        terminal: What the card is told about the terminal.

    Raises:
        HsmFailed: The library or the token is not there, or the PIN is wrong.
    """

    def __init__(
        self,
        module: Path,
        token: str,
        pin: str,
        keys: Mapping[str, HsmKey] | None = None,
        terminal: Terminal | None = None,
    ) -> None:
        super().__init__(terminal or Terminal())
        self._token_label = token
        self._pin = pin
        self._keys = dict(keys or {})
        self._lock = threading.Lock()
        self._session: Any = None
        try:
            self._library = pkcs11.lib(str(module))
        except (RuntimeError, PKCS11Error) as error:
            raise HsmFailed(f"{module} cannot be loaded") from error
        with self._lock:
            self._open()

    @property
    def name(self) -> str:
        """`hsm:` and the token's label."""
        return f"hsm:{self._token_label}"

    @property
    def test(self) -> bool:
        """Whether the token's label begins with `test`."""
        return self._token_label.startswith(TEST_PREFIX)

    def session_key(self, name: str, suite: CipherSuite, factors: tuple[bytes, ...], seed: bytes) -> bytes:
        """Session key of a card; the root's share of it is computed inside the token.

        Raises:
            SamKeyMissing: The token does not have the key, it needs more factors than the card has, or the card is an
                SM4 card.
            HsmFailed: The token failed; the next call opens it anew.
        """
        label, below = self.place(name, suite, factors)
        if not below:
            # Under 3DES the seed is the block: the token makes the session key itself.
            return self._encrypt(label, seed)
        return suite.session_key(self._derive(label, suite, below), seed)

    def card_key(self, name: str, suite: CipherSuite, factors: tuple[bytes, ...]) -> bytes:
        """Key of one card, which leaves the token: no token makes the MAC of a wallet's line protection (PERS §3.4).

        Raises:
            SamKeyMissing: As of `session_key`; or the token holds the card's own key, which stays there.
            HsmFailed: The token failed; the next call opens it anew.
        """
        label, below = self.place(name, suite, factors)
        if not below:
            raise SamKeyMissing(f"{self.name} does not give {label} away")
        return self._derive(label, suite, below)

    def close(self) -> None:
        """Log out."""
        with self._lock:
            self._close()

    def place(self, name: str, suite: CipherSuite, factors: tuple[bytes, ...]) -> tuple[str, tuple[bytes, ...]]:
        """Label of the key from which a card's key comes, and the factors that lead to it, for use inside this package.

        Raises:
            SamKeyMissing: It needs more factors than the card has, or the card is an SM4 card.
        """
        if suite.algorithm is not Algorithm.TRIPLE_DES:
            raise SamKeyMissing(f"{self.name} computes 3DES only")
        place = self._keys.get(name) or HsmKey(name)
        return place.label, factors_below(factors, len(factors) if place.levels is None else place.levels)

    @contextmanager
    def token(self) -> Iterator[Callable[[str], Any]]:
        """The token for one computation inside this package: gives its keys by label; other threads wait.

        Raises:
            SamKeyMissing: It does not have a key that was asked for.
            HsmFailed: It failed; the next call opens it anew.
        """
        with self._lock:
            try:
                if self._session is None:
                    self._open()
                yield self._find
            except PKCS11Error as error:
                self._close()
                raise HsmFailed(f"{self.name}: {type(error).__name__}") from error

    def _derive(self, label: str, suite: CipherSuite, below: tuple[bytes, ...]) -> bytes:
        """A card's key: the first step with the root inside the token, the others here."""
        first, *rest = below
        return suite.diversify(self._encrypt(label, first + complement(first)), rest)

    def _encrypt(self, label: str, data: bytes) -> bytes:
        """3DES under a key that stays in the token."""
        with self.token() as find:
            return bytes(find(label).encrypt(data, mechanism=Mechanism.DES3_ECB))

    def _find(self, label: str) -> Any:
        for kind in (KeyType.DES2, KeyType.DES3):
            wanted = {
                pkcs11.Attribute.CLASS: ObjectClass.SECRET_KEY,
                pkcs11.Attribute.KEY_TYPE: kind,
                pkcs11.Attribute.LABEL: label,
            }
            found = list(self._session.get_objects(wanted))
            if found:
                return found[0]
        raise SamKeyMissing(f"{self.name} has no key {label}")

    def _open(self) -> None:
        try:
            token = self._library.get_token(token_label=self._token_label)
            try:
                self._session = token.open(user_pin=self._pin)
            except UserAlreadyLoggedIn:
                # A login counts for the whole process (PKCS#11 §5.6); another source uses the same token.
                self._session = token.open()
        except NoSuchToken as error:
            raise HsmFailed(f"no token is named {self._token_label}") from error
        except PinIncorrect as error:
            raise HsmFailed(f"{self.name}: the PIN is wrong") from error
        except PKCS11Error as error:
            raise HsmFailed(f"{self.name}: {type(error).__name__}") from error

    def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            try:
                session.close()
            except PKCS11Error:
                # It is gone already, with the token.
                return
