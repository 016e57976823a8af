"""What the register knows: jobs, attempts to make a card, and how far each is (PERS §3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CardState(StrEnum):
    """How far a card is."""

    PLANNED = "planned"
    STARTED = "started"
    KEY_UNCONFIRMED = "key-unconfirmed"
    KEY_CONFIRMED = "key-confirmed"
    CLOSED = "closed"
    FINISHED = "finished"
    REJECTED = "rejected"

    @property
    def final(self) -> bool:
        """Whether nothing is done to the card any more."""
        return self in {CardState.FINISHED, CardState.REJECTED}


@dataclass(frozen=True)
class JobHead:
    """What a job is, without its rows.

    Attributes:
        id: Its name.
        product: Card product.
        cards: Number of rows.
        digest: SHA-256 of its rows, 32 bytes: the same name never stands for other rows, nor another for the same.
        keys: Name of the source of keys.
        operators: Who runs it.
        made_with: SHA-256 over layout and check values of the keys, 32 bytes: no other go on with it.
    """

    id: str
    product: str
    cards: int
    digest: bytes
    keys: str
    operators: tuple[str, ...] = ()
    made_with: bytes = b""


@dataclass(frozen=True)
class Presented:
    """What is known of a master key that was presented to a card, since a presentation was last followed by a write.

    Attributes:
        unanswered: Presentations of which nobody knows whether the card took them: each may have cost a try.
        refused: Whether the card said that it has another.
    """

    unanswered: int = 0
    refused: bool = False


@dataclass(frozen=True)
class Attempt:
    """One card in the hand.

    Attributes:
        id: Its number.
        job: Job.
        record: Row of the job.
        identity: What the card is known by: its ATR, its UID and its production data if it tells them, in hex.
        reader: Where it lay.
        state: How far it is.
        reason: Why it was rejected, or what interrupted it last.
        started_at: When.
        finished_at: When it reached a final state.
        keys: Keys that were or may have been written: whether that is confirmed, by name.
        kcvs: Check values of the keys, in hex, by name; a PIN has none.
        presented: Master keys that were presented, by their check values in hex.
    """

    id: int
    job: str
    record: str
    identity: str
    reader: str
    state: CardState
    reason: str | None
    started_at: datetime
    finished_at: datetime | None
    keys: dict[str, bool]
    kcvs: dict[str, str]
    presented: dict[str, Presented]
