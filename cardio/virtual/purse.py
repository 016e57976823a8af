"""What both virtual purses keep: keys and the proof of the last transaction."""

from __future__ import annotations

from dataclasses import dataclass

MAX_COUNTER = 0xFFFF
"""A purse whose counter stands here refuses further transactions (EW PC-11)."""


@dataclass(frozen=True)
class Proof:
    """What GET TRANSACTION PROOF answers: type, number, MAC2 and TAC of the last transaction."""

    kind: int
    number: int
    mac2: bytes
    tac: bytes


@dataclass
class PurseKeys:
    """Keys of a purse, already diversified for its card.

    Attributes:
        purchase: DPK by key index.
        tac: DTK.
        version: Key version that INITIALIZE answers.
        algorithm_id: Algorithm byte that INITIALIZE answers.
    """

    purchase: dict[int, bytes]
    tac: bytes
    version: int = 0x01
    algorithm_id: int = 0x00
