"""A key ceremony: custodians enter a key in components, so that none of them ever knows it (PERS §3.2).

Each enters the check value of the component along with it; the check value of the whole key is entered by another
person than the one who entered the last component. Nothing is written before all of them agree.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import Any

from cardio.crypto.check_values import SIZE, KeyAlgorithm, key_check_value
from cardio.errors import InputInvalid, KeyCheckFailed, KeyRejected
from cardio.personalize.key_store import ENTERED, KeyStore, two_persons
from cardio.security.key_components import KeyComponent, combine
from cardio.security.key_quality import accept


class Ceremony:
    """One key on its way into a keyring.

    Args:
        store: The keyring file.
        name: Name that the key gets.
        levels: Factors from the key to a card: 3 a national root, 0 a key that many cards share.
        algorithm: What the key is for.
        purpose: Why it is entered; stands in the log.

    Raises:
        KeyRejected: The keyring has a key of that name.
    """

    def __init__(self, store: KeyStore, name: str, levels: int, algorithm: KeyAlgorithm, purpose: str) -> None:
        if name in store.keyring.names():
            raise KeyRejected(f"{store.keyring.name} has a key {name} already")
        self._store = store
        self._name = name
        self._levels = levels
        self._algorithm = algorithm
        self._purpose = purpose
        self._components: list[KeyComponent] = []

    @property
    def custodians(self) -> list[str]:
        """Who has entered a component."""
        return [component.custodian for component in self._components]

    def add(self, component: KeyComponent, kcv: bytes) -> None:
        """Enter one component with its check value.

        Raises:
            KeyCheckFailed: The check value is not that of the component.
            InputInvalid: The custodian has entered one already, or one of both has no name.
        """
        if self._components:
            two_persons([*self.custodians, component.custodian])
        if not compare_digest(component.kcv, kcv):
            place = len(self._components) + 1
            raise KeyCheckFailed(f"{kcv.hex().upper()} is not the check value of component {place}")
        self._components.append(component)

    def kcv(self) -> bytes:
        """Check value of the whole key, 3 bytes: to be told only when the key is new and nobody knows it yet.

        Raises:
            KeyRejected: The components make no good key.
        """
        return key_check_value(self._algorithm, combine(self._components, self._levels).key)

    def finish(self, checker: str, kcv: bytes) -> None:
        """Put the key into the keyring file.

        Args:
            checker: Who enters the check value of the whole key.
            kcv: That check value.

        Raises:
            InputInvalid: The checker has entered the last component, or has no name.
            KeyCheckFailed: The check value is not that of the key.
            KeyRejected: The key is weak, or the keyring has it under another name.
            SamError: The file or its log cannot be written.
        """
        root = combine(self._components, self._levels)
        two_persons([self.custodians[-1], checker])
        if not compare_digest(key_check_value(self._algorithm, root.key), kcv):
            raise KeyCheckFailed(f"{kcv.hex().upper()} is not the check value of the key that the components make")
        payload: dict[str, Any] = {
            "purpose": self._purpose,
            "algorithm": self._algorithm.value,
            "levels": self._levels,
            "custodians": self.custodians,
            "component_kcvs": [component.kcv.hex().upper() for component in self._components],
            "checker": checker.strip(),
            "kcv": kcv.hex().upper(),
        }
        self._store.change(
            lambda keyring: accept(keyring, self._name, root, self._algorithm), ENTERED, self._name, payload
        )


def parse_kcv(text: str) -> bytes:
    """A check value from 6 hexadecimal digits.

    Raises:
        InputInvalid: It is none.
    """
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != SIZE:
        raise InputInvalid("a key check value has 6 hexadecimal digits")
    return value
