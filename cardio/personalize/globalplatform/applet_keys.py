"""The keys of the applications of one JavaCard, which a card with files would have in its key files (PERS §2.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cardio.security.issuing import CardKeyReference, IssuingKeys


class AppletKeys:
    """Values and check values of a card's keys by their names.

    Args:
        keys: The issuer's keys.
        references: Makes out how the keys of this card are diversified; asked only if an application gets keys.
    """

    def __init__(self, keys: IssuingKeys, references: Callable[[], Callable[[str], CardKeyReference]]) -> None:
        self._keys = keys
        self._references = references

    def values(self, names: Iterable[str]) -> bytes:
        """The keys, one behind the other.

        Raises:
            SamKeyMissing: The source does not have one, or lets none out.
        """
        reference = self._references()
        return self._keys.applet_keys(reference(name) for name in names)

    def check_values(self, names: Iterable[str]) -> bytes:
        """Their check values, one behind the other, 3 bytes each."""
        reference = self._references()
        return b"".join(self._keys.kcv(reference(name)) for name in names)
