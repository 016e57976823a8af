"""New keys that go to a card under the protection of those that it has (PERS §1.4)."""

from __future__ import annotations

from cardio.crypto.globalplatform.keys import CardKeySource
from cardio.security.issuing import CardKeyReference, IssuingKeys, KeySetReference


class KeyChange(IssuingKeys):
    """One source over two: values of keys that are written come from the new one, everything else from the old.

    Args:
        before: Keys that the card has.
        after: Keys that it gets, under the same names.
    """

    def __init__(self, before: IssuingKeys, after: IssuingKeys) -> None:
        self._before = before
        self._after = after

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self._before.name} → {self._after.name}"

    @property
    def test(self) -> bool:
        """Whether one of them holds test keys."""
        return self._before.test or self._after.test

    def kcv(self, key: CardKeyReference) -> bytes:
        """Check value of the new key, 3 bytes."""
        return self._after.kcv(key)

    def cryptogram(self, key: CardKeyReference, challenge: bytes) -> bytes:
        """Under the old key."""
        return self._before.cryptogram(key, challenge)

    def line_mac(self, key: CardKeyReference, challenge: bytes, message: bytes) -> bytes:
        """Under the old key."""
        return self._before.line_mac(key, challenge, message)

    def authentication(self, key: CardKeyReference, session_factor: bytes, original: bytes) -> bytes:
        """Under the old key."""
        return self._before.authentication(key, session_factor, original)

    def key_set(self, reference: KeySetReference) -> CardKeySource:
        """The old one: a new key set has another version."""
        return self._before.key_set(reference)

    def _line_encrypt(self, key: CardKeyReference, data: bytes) -> bytes:
        return self._before._line_encrypt(key, data)  # noqa: SLF001 - of its own class

    def _value(self, key: CardKeyReference) -> bytes:
        return self._after._value(key)  # noqa: SLF001 - of its own class
