"""Keys of a purse (EW §4.8)."""

from __future__ import annotations

from dataclasses import dataclass, field

from cardio.files.key_file import KeyKind
from cardio.virtual.received import Status


@dataclass(frozen=True)
class PurseKey:
    """A key that INITIALIZE named, with the two bytes that its answer tells of it (EW §4.8).

    Attributes:
        value: The key, already diversified.
        version: Its version.
        algorithm_id: Its algorithm identifier.
    """

    value: bytes
    version: int
    algorithm_id: int


@dataclass
class PurseKeys:
    """Keys of a purse, already diversified for its card.

    Attributes:
        purchase: DPK by key index.
        tac: DTK.
        version: Key version that INITIALIZE answers.
        algorithm_id: Algorithm byte that INITIALIZE answers.
        load: DLK by key index.
        unload: DULK by key index.
        overdraft: DUK by key index.
    """

    purchase: dict[int, bytes]
    tac: bytes
    version: int = 0x01
    algorithm_id: int = 0x00
    load: dict[int, bytes] = field(default_factory=dict)
    unload: dict[int, bytes] = field(default_factory=dict)
    overdraft: dict[int, bytes] = field(default_factory=dict)

    def find(self, kind: KeyKind, index: int) -> PurseKey:
        """The key of a kind and an index.

        Raises:
            Status: 9403.
        """
        keys = {
            KeyKind.PURCHASE: self.purchase,
            KeyKind.LOAD: self.load,
            KeyKind.UNLOAD: self.unload,
            KeyKind.OVERDRAFT: self.overdraft,
        }[kind]
        if index not in keys:
            raise Status(0x9403)
        return PurseKey(keys[index], self.version, self.algorithm_id)
