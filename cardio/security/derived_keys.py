"""What a terminal without PSAM computes itself, wherever its root keys lie: authentications, purchases, maintenance.

A key store only has to make a session key from a root; `Keyring` makes it in memory, `Hsm` begins inside its token.
All that is made from a session key is the same for both and stands here. Source: SSC §5.5, §7.2, §7.4; EW §4.2 to §4.4.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import NoReturn

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.cryptograms import amount_bytes, offline_order, offline_seed
from cardio.crypto.suites import CipherSuite, LdtSuite, PbocSuite
from cardio.errors import OperationUnsupported, SamError, SamKeyMissing
from cardio.security.authentication import AuthenticationOrder
from cardio.security.keys import Authorization, Family, Mac2, PurchaseOrder, SamApplication
from cardio.security.maintenance import KeyOfCard, header_with_length

PURCHASE_KEYS: Mapping[Family, str] = {Family.LDT: "DPK", Family.PBOC: "WALLET-DPK"}
"""Names of the purchase keys' roots; both standards say DPK, and one store may hold both."""
TERMINAL_NUMBER_SIZE = 6
RANDOM_SIZE = 4
DEFAULT_KEY_INDEX = 1


@dataclass(frozen=True)
class Terminal:
    """What a PSAM's files would tell about the terminal.

    Attributes:
        number: Terminal number, 6 bytes; twelve zeros stand for "no PSAM present" (SSC §7.4).
        key_indexes: Index of the purchase key to name to the card, 0 to 255, by family; 1 where none is given.
    """

    number: bytes = bytes(TERMINAL_NUMBER_SIZE)
    key_indexes: Mapping[Family, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.number) != TERMINAL_NUMBER_SIZE:
            raise ValueError(f"a terminal number has 6 bytes, not {len(self.number)}")
        if not all(0 <= index <= 0xFF for index in self.key_indexes.values()):
            raise ValueError("a key index is one byte")


@dataclass(frozen=True)
class PurchaseCryptograms:
    """Both cryptograms between terminal and card in one purchase, 4 bytes each.

    Attributes:
        mac1: Proves the terminal to the card.
        mac2: What a genuine card must answer.
    """

    mac1: bytes
    mac2: bytes


class DerivedKeys(ABC):
    """Root keys from which this program computes: `AuthenticationKeys`, `PurchaseKeys`, `MaintenanceKeys` in one.

    Several transactions may hold it at the same time: each has a session of its own, and no key outlives the call that
    needed it. It keeps no counter that could be lost: the terminal sequence of a purchase is `0000` ‖ card counter, as
    SSC §7.4 has it for medical accounts; for wallets the same is our choice.

    Args:
        terminal: What the card is told about the terminal.
    """

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    @property
    @abstractmethod
    def name(self) -> str:
        """Name for the journal and for messages, without secrets."""

    @property
    @abstractmethod
    def test(self) -> bool:
        """Whether the keys are test keys, which a card that is not virtual must never meet."""

    @property
    def counted(self) -> bool:
        """The sequence is the card's counter."""
        return False

    @abstractmethod
    def session_key(self, name: str, suite: CipherSuite, factors: tuple[bytes, ...], seed: bytes) -> bytes:
        """Session key of a card, for use inside this package only.

        Args:
            name: Name of the card's key.
            suite: Suite of the card.
            factors: All factors of the card, highest authority first, card last.
            seed: 8 bytes.

        Raises:
            SamKeyMissing: The root is not there, or needs more factors than the card has.
            SamError: The store failed.
        """

    @abstractmethod
    def card_key(self, name: str, suite: CipherSuite, factors: tuple[bytes, ...]) -> bytes:
        """Key of one card, 8 or 16 bytes, for use inside this package only.

        Args:
            name: Name of the card's key.
            suite: Suite of the card.
            factors: All factors of the card, highest authority first, card last.

        Raises:
            SamKeyMissing: The root is not there, needs more factors than the card has, or the key cannot leave its
                store.
            SamError: The store failed.
        """

    def authenticate(self, order: AuthenticationOrder) -> bytes:
        """Authentication data of 8 bytes (SSC §5.5).

        Raises:
            SamKeyMissing: The key is not there, or cannot compute what the card wants.
            SamError: The store failed.
        """
        suite = LdtSuite(order.algorithm)
        session = self.session_key(order.key.name, suite, order.factors, order.session_factor)
        return suite.authentication(session, order.original)

    def protect(
        self, key: KeyOfCard, challenge: bytes, header: bytes, data: bytes = b"", *, encrypt: bool = False
    ) -> bytes:
        """Data of a protected command; see `MaintenanceKeys.protect`.

        Raises:
            SamKeyMissing: The key is not there, or cannot compute what the card wants.
            SamError: The store failed.
        """
        if key.family is Family.LDT:
            messaging = LdtSuite(key.algorithm)
            session = self.session_key(key.name, messaging, key.factors, challenge)
            body = messaging.encrypt(session, data) if encrypt else data
            return body + messaging.mac(session, header_with_length(header, body) + body)
        line = PbocSuite(key.algorithm)
        value = self.card_key(key.name, line, key.factors)
        body = line.line_encrypt(value, data) if encrypt else data
        return body + line.line_mac(value, challenge, header_with_length(header, body) + body)

    def reload_mac(self, key: KeyOfCard, data: bytes) -> bytes:
        """MAC of a wallet's RELOAD PIN; the key is folded like a TAC key (EW §4.7, PC-15).

        Raises:
            SamKeyMissing: The key is not there.
            SamError: The store failed.
        """
        suite = PbocSuite(key.algorithm)
        return suite.tac(self.card_key(key.name, suite, key.factors), data)

    @contextmanager
    def hold(
        self,
        application: SamApplication | None = None,  # noqa: ARG002 - one source
        terminal: bytes | None = None,  # noqa: ARG002 - one source
    ) -> Iterator[DerivedSession]:
        """A session of its own for one transaction; nobody waits for another's."""
        yield DerivedSession(self)

    def purchase(self, order: PurchaseOrder, sequence: int) -> PurchaseCryptograms:
        """Both cryptograms of a purchase (EW §4.3, §4.4; SSC §7.2). SM4 of wallets as EW PC-14.

        Both at once, so that the session key need not be kept until the card answers.

        Args:
            order: The purchase; its own `sequence` is not looked at.
            sequence: Terminal sequence, 0 to 0xFFFFFFFF.

        Raises:
            SamKeyMissing: The root is not there, or cannot compute what the card wants.
            SamError: The store failed.
        """
        family = order.application.family
        suite = suite_for(family, order.algorithm)
        seed = offline_seed(order.random, order.counter, sequence)
        session = self.session_key(PURCHASE_KEYS[family], suite, order.factors, seed)
        amounts = amount_bytes(order.amounts)
        mac1 = suite.mac(session, offline_order(amounts, order.kind, self.terminal.number, order.time))
        return PurchaseCryptograms(mac1, suite.mac(session, amounts))

    def recheck_mac2(
        self,
        order: PurchaseOrder,
        authorization: Authorization | None,  # noqa: ARG002 - the order says it all
        mac2: bytes,
    ) -> Mac2:
        """Compute MAC2 anew, also after a restart.

        UNCHECKED when the order does not say the sequence or the random, or the store cannot tell.
        """
        if order.sequence is None or len(order.random) != RANDOM_SIZE:
            return Mac2.UNCHECKED
        try:
            return _compare(self.purchase(order, order.sequence).mac2, mac2)
        except SamError:
            # The card has answered long ago: keys that cannot tell now do not change what it did.
            return Mac2.UNCHECKED


class DerivedSession:
    """One transaction with derived keys.

    Args:
        keys: Where they come from.
    """

    def __init__(self, keys: DerivedKeys) -> None:
        self._keys = keys
        self._expected: bytes | None = None

    @property
    def source(self) -> DerivedKeys:
        """Where they come from."""
        return self._keys

    def terminal_number(self) -> bytes:
        """Terminal number as configured, 6 bytes."""
        return self._keys.terminal.number

    def key_index(self, application: SamApplication) -> int:
        """Index as configured for the application's family."""
        return self._keys.terminal.key_indexes.get(application.family, DEFAULT_KEY_INDEX)

    def authorize(self, order: PurchaseOrder) -> Authorization:
        """Make MAC1; the sequence is the card's counter (SSC §7.4).

        Raises:
            SamKeyMissing: The root is not there, or cannot compute what the card wants.
            SamError: The store failed.
        """
        self._expected = None
        made = self._keys.purchase(order, order.counter)
        self._expected = made.mac2
        return Authorization(order.counter, made.mac1)

    def check_mac2(self, mac2: bytes) -> Mac2:
        """Compare the card's proof; UNCHECKED when nothing was authorized."""
        return Mac2.UNCHECKED if self._expected is None else _compare(self._expected, mac2)

    def grey(self, application: SamApplication) -> NoReturn:  # noqa: ARG002 - of no application
        """Refuse: a lock's session must outlive this process until its debit, and no key outlives a call here.

        Raises:
            OperationUnsupported: Always.
        """
        raise OperationUnsupported(f"{self._keys.name} makes no grey locks: that takes a PSAM (EW §3.5)")


def suite_for(family: Family, algorithm: Algorithm) -> CipherSuite:
    """The suite of a family's cards."""
    return LdtSuite(algorithm) if family is Family.LDT else PbocSuite(algorithm)


def factors_below(factors: tuple[bytes, ...], levels: int) -> tuple[bytes, ...]:
    """The factors that are still to be applied to a root of `levels` levels.

    Raises:
        SamKeyMissing: The card has fewer: its keys do not come from such a root.
    """
    if levels > len(factors):
        raise SamKeyMissing(f"the root needs {levels} factors, the card has {len(factors)}")
    return factors[len(factors) - levels :]


def _compare(expected: bytes, mac2: bytes) -> Mac2:
    return Mac2.OK if compare_digest(expected, mac2) else Mac2.WRONG
