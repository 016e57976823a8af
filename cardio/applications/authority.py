"""What a terminal may do on a social security card: the PIN, and keys that prove the terminal (SSC §5.1, §6).

A file says which rights open it (`Access`); the authority earns them with as little as possible: rights it has, then a
PIN that the caller handed over, then a key, then the PIN pad. A try counter is never spent twice on the same failure.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from cardio.apdu.command import Command
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import EXTERNAL_AUTHENTICATION, INTERNAL_AUTHENTICATION
from cardio.applications.pin import PinPresenter
from cardio.crypto.ciphers import Algorithm
from cardio.errors import (
    AccessDenied,
    CardDataInvalid,
    CardioError,
    CardNotGenuine,
    PinCancelled,
    PinError,
    PinLength,
    PinTimeout,
    PinWrong,
    SamAbsent,
    SamError,
    TestKeysRefused,
)
from cardio.files.declaration import PIN, Access
from cardio.security.authentication import SIZE, AuthenticationKeys, AuthenticationOrder
from cardio.security.card_keys import INTERNAL_KEY, CardKey
from cardio.security.keys import SamApplication
from cardio.transport.channel import Disclosure

HOLDERS_ANSWER = (PinWrong, PinLength, PinCancelled, PinTimeout)
"""A PIN that was typed wrongly or not at all is an answer: the holder's data are not opened by a key instead."""
GET_CHALLENGE = Command("GET CHALLENGE", 0x00, 0x84, le=SIZE, disclosure=Disclosure.ALL)


@dataclass(frozen=True)
class KeyNaming:
    """How a product names its keys.

    Attributes:
        card_keys: Keys by name.
        sam: The PSAM's application that holds their roots.
    """

    sam: SamApplication
    card_keys: Mapping[str, CardKey]


class CardCipher(Protocol):
    """What the keys of one card depend on."""

    def algorithm(self) -> Algorithm:
        """Cipher of the card's keys."""

    def factors(self) -> tuple[bytes, ...]:
        """Diversification factors: province, city, card."""


class Authority:
    """Rights on one card.

    Args:
        card: The card.
        pin: Presents the PIN.
        keys: Source of authentication keys; None if the terminal has none.
        naming: How the product names its keys.
        cipher: What the card's keys depend on; asked only when a key is needed.
    """

    def __init__(
        self,
        card: CardConnection,
        pin: PinPresenter,
        keys: AuthenticationKeys | None,
        naming: KeyNaming,
        cipher: CardCipher,
    ) -> None:
        self._card = card
        self._pin = pin
        self._keys = keys
        self._naming = naming
        self._cipher = cipher
        self._rights: set[str] = set()
        self._failed: dict[str, CardioError] = {}

    def left_application(self) -> None:
        """Another directory was selected: key rights of the last one are gone, the PIN stays (SSC §5.1, §10.2)."""
        self._rights = {PIN} if self._pin.presented else set()

    def knows(self, key: str) -> bool:
        """Whether the product's cards have a key of that name."""
        return key in self._naming.card_keys

    def earn(self, access: Access) -> None:
        """Earn one of the sets of rights that open a file.

        Raises:
            AccessDenied: No right opens it, or the terminal has no means to earn one.
            PinError: It needs the PIN, which is missing, wrong or blocked.
            SamError: It needs a key that the terminal's source cannot use.
            AuthenticationFailed: The card refused the key.
        """
        if self._pin.presented:
            self._rights.add(PIN)
        if access.allows(frozenset(self._rights)):
            return
        refusal: CardioError = AccessDenied("nobody may read this file")
        refused = False
        for alternative in sorted(access.alternatives, key=self._effort):
            try:
                for right in sorted(alternative - self._rights, key=lambda right: right != PIN):
                    self._earn_right(right)
            except HOLDERS_ANSWER:
                raise
            except CardioError as error:
                # What the holder can mend is worth telling more than what the terminal lacks.
                if not refused or (isinstance(error, PinError) and isinstance(refusal, SamError)):
                    refusal, refused = error, True
            else:
                return
        raise refusal

    def _effort(self, alternative: frozenset[str]) -> tuple[int, int]:
        missing = alternative - self._rights
        keys = len(missing - {PIN})
        pin = PIN in missing
        if keys and self._keys is None:
            return 3, keys
        if pin and not keys and self._pin.given:
            return 0, 0
        return 1 + pin, keys

    def _earn_right(self, right: str) -> None:
        """A right that could not be earned once is not tried again: each try would spend a counter."""
        if right in self._failed:
            raise self._failed[right]
        try:
            if right == PIN:
                self._pin.present()
            else:
                self._authenticate(right)
        except CardioError as error:
            self._failed[right] = error
            raise
        self._rights.add(right)

    # ---- keys ------------------------------------------------------------------------------------------------

    def _authenticate(self, right: str) -> None:
        """EXTERNAL AUTHENTICATION (SSC §5.1, §6.4); the challenge is the session factor."""
        key = self._naming.card_keys.get(right)
        if key is None:
            raise AccessDenied(f"no key is named {right}")
        source = self._source()
        challenge = self._card.call(GET_CHALLENGE)
        if len(challenge) != SIZE:
            raise CardDataInvalid(f"GET CHALLENGE answered {len(challenge)} bytes")
        original = secrets.token_bytes(SIZE)
        proof = source.authenticate(self._order(key, challenge, original))
        command = Command(
            "EXTERNAL AUTHENTICATION",
            0x00,
            0x82,
            0x00,
            key.kid,
            data=proof + original,
            outcomes=EXTERNAL_AUTHENTICATION,
            repeatable=False,
        )
        self._card.call(command)

    def check_genuine(self) -> None:
        """INTERNAL AUTHENTICATION: the card proves that it has the issuer's key (SSC §6.4).

        Raises:
            CardNotGenuine: It does not.
            SamError: The terminal's source cannot tell.
        """
        source = self._source()
        factor, original = secrets.token_bytes(SIZE), secrets.token_bytes(SIZE)
        key = self._naming.card_keys.get(INTERNAL_KEY.name, INTERNAL_KEY)
        expected = source.authenticate(self._order(key, factor, original))
        command = Command(
            "INTERNAL AUTHENTICATION",
            0x00,
            0x88,
            data=factor + original,
            le=SIZE,
            outcomes=INTERNAL_AUTHENTICATION,
            disclosure=Disclosure.ALL,
        )
        if not secrets.compare_digest(self._card.call(command), expected):
            raise CardNotGenuine("the card's answer to INTERNAL AUTHENTICATION is wrong")

    def _source(self) -> AuthenticationKeys:
        source = self._keys
        if source is None:
            raise SamAbsent("the terminal has no authentication keys")
        if source.test and not self._card.channel.virtual:
            raise TestKeysRefused(source.name)
        return source

    def _order(self, key: CardKey, session_factor: bytes, original: bytes) -> AuthenticationOrder:
        algorithm, factors = self._cipher.algorithm(), self._cipher.factors()
        return AuthenticationOrder(key, self._naming.sam, algorithm, factors, session_factor, original)
