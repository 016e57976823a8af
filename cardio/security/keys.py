"""What a purchase needs from the keys, wherever they live: MAC1 before the debit, the check of MAC2 after it.

Key material never crosses this interface; only cryptograms do.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from cardio.crypto.ciphers import Algorithm

if TYPE_CHECKING:
    from cardio.security.psam_grey import PsamGrey


class Family(StrEnum):
    """The two families of purse commands."""

    PBOC = "pboc"
    LDT = "ldt"


class Mac2(StrEnum):
    """Result of checking a card's MAC2."""

    OK = "ok"
    WRONG = "wrong"
    UNCHECKED = "unchecked"


@dataclass(frozen=True)
class SamApplication:
    """Where a PSAM keeps the purchase keys of one product.

    Attributes:
        family: Whose commands it understands.
        selector: File identifier (2 bytes) or DF name of the application, below the master file.
        key_index_sfi: Transparent file whose first byte is the purchase key index.
        levels: Number of factors that the PSAM expects; others are tried when it answers 6A80 (SSC §6.2).
        counts_attempts: Whether its sequence advances at 80 70 already, debit or not (EW PC-16).
    """

    family: Family
    selector: bytes
    key_index_sfi: int
    levels: int
    counts_attempts: bool = False


@dataclass(frozen=True)
class PurchaseOrder:
    """Everything that MAC1 of one purchase depends on.

    Attributes:
        application: The PSAM's application.
        algorithm: Cipher of the card's purchase key.
        random: Card random, 4 bytes.
        counter: Card's off-line counter as INITIALIZE answered it.
        amounts: Fen: one amount (PBOC), or account, self-paid and pool amount (LD/T).
        kind: Transaction type byte.
        time: 7 bytes YYYYMMDDhhmmss.
        key_version: As INITIALIZE answered it.
        algorithm_id: As INITIALIZE answered it.
        factors: Diversification factors of 8 bytes in the order of use: highest authority first, card last.
        sequence: Terminal sequence that `authorize` gave; only for `recheck_mac2`, which needs it again.
    """

    application: SamApplication
    algorithm: Algorithm
    random: bytes
    counter: int
    amounts: tuple[int, ...]
    kind: int
    time: bytes
    key_version: int
    algorithm_id: int
    factors: tuple[bytes, ...]
    sequence: int | None = None


@dataclass(frozen=True)
class Authorization:
    """Answer to a purchase order.

    Attributes:
        sequence: Terminal transaction sequence, 0 to 0xFFFFFFFF.
        mac1: 4 bytes for the card.
    """

    sequence: int
    mac1: bytes


class PurchaseSession(Protocol):
    """The keys while they belong to one transaction."""

    @property
    def source(self) -> PurchaseKeys:
        """Whose keys they are: one source, also where several stand ready."""

    def terminal_number(self) -> bytes:
        """Terminal number, 6 bytes.

        Raises:
            SamError: It cannot be read.
        """

    def key_index(self, application: SamApplication) -> int:
        """Index of the purchase key to name to the card.

        Raises:
            SamError: It cannot be read.
        """

    def authorize(self, order: PurchaseOrder) -> Authorization:
        """Make MAC1.

        Raises:
            SamError: The keys cannot serve this card; nothing was sent to it.
        """

    def check_mac2(self, mac2: bytes) -> Mac2:
        """Check the card's proof; UNCHECKED when the keys can no longer tell."""

    def grey(self, application: SamApplication) -> PsamGrey:
        """Grey lock commands (EW §3.5), which only PSAMs have.

        Raises:
            OperationUnsupported: These keys are no PSAM.
            SamError: The PSAM does not have the application.
        """


class PurchaseKeys(Protocol):
    """A source of purchase keys: PSAM, HSM or keyring."""

    @property
    def name(self) -> str:
        """Name for the journal, without secrets."""

    @property
    def test(self) -> bool:
        """Whether the keys are test keys, which a card that is not virtual must never meet."""

    @property
    def counted(self) -> bool:
        """Whether the sequence is a counter of the keys' own, which shows debits that the journal does not know."""

    def hold(
        self, application: SamApplication | None = None, terminal: bytes | None = None
    ) -> AbstractContextManager[PurchaseSession]:
        """Take the keys for one transaction; others wait.

        Args:
            application: What they are needed for; where several sources stand ready, one that has it is taken.
            terminal: Terminal number, 6 bytes, of the only source that will do, where several stand ready.

        Raises:
            SamError: None of several sources can serve.
            ReaderBusy: They stayed taken for too long.
        """

    def recheck_mac2(self, order: PurchaseOrder, authorization: Authorization | None, mac2: bytes) -> Mac2:
        """Check a proof that came by way of recovery, if the keys can still tell.

        Args:
            order: The purchase, as far as the journal remembers it.
            authorization: What `authorize` gave for it, if this process did; a PSAM holds the session of its last one.
            mac2: The proof's MAC2.
        """


@runtime_checkable
class SeveralSources(Protocol):
    """Keys from several sources, of which one serves each transaction."""

    @property
    def sources(self) -> Sequence[PurchaseKeys]:
        """The sources."""


def source_named(keys: PurchaseKeys | None, name: str) -> PurchaseKeys | None:
    """The source that the journal names, if it is among `keys` now: only it can judge a proof of its purchase."""
    if keys is None:
        return None
    sources = keys.sources if isinstance(keys, SeveralSources) else (keys,)
    return next((source for source in sources if source.name == name), None)
