"""Purses of a personalized card: keys come from the key file, rights from the files of money (PERS §1.3, §1.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import LdtSuite, PbocSuite
from cardio.files.declaration import Structure
from cardio.files.key_file import KeyKind
from cardio.purse.purse import CounterRule
from cardio.virtual.creation import PurseHeader
from cardio.virtual.filesystem import Directory, ElementaryFile
from cardio.virtual.fmcos_keys import FmcosKey
from cardio.virtual.medical import MedicalFunction
from cardio.virtual.purse import PurseFunction
from cardio.virtual.purse_keys import PurseKey, PurseKeys
from cardio.virtual.received import Received, Status
from cardio.virtual.stored import Amount
from cardio.virtual.wallet import MAX_BALANCE, WalletFunction
from cardio.virtual.wallet_purse import PurseNumber, StoredPurse

if TYPE_CHECKING:
    from cardio.virtual.blank import BlankSecurity
    from cardio.virtual.card import VirtualCard

WALLET_LOG, ACCOUNT_LOG = 23, 28
"""Bytes of a log record (EW §2.7, SSC §4.5)."""
OTHERS_KEYS = PurseKeys(purchase={}, tac=b"")
"""Of their own these purses have no keys."""
NO_YEAR = 0
"""Payment year of an account before its first settlement, which begins one."""


@dataclass(frozen=True)
class WalletChoices:
    """What only the chip of a wallet card knows.

    Attributes:
        grey_lock: Whether it has the grey lock extension (EW §3.5).
        composite: Whether it has composite purchases (EW §3.2).
        max_balance_fen: Largest balance (EW PC-5).
        log_number: Number that the log stores (EW PC-2).
        proof_number: Number that GET TRANSACTION PROVE wants (EW PC-17).
    """

    grey_lock: bool = False
    composite: bool = True
    max_balance_fen: Amount = MAX_BALANCE
    log_number: CounterRule = CounterRule.AFTER
    proof_number: CounterRule = CounterRule.AFTER


@dataclass(frozen=True)
class AccountChoices:
    """What only the chip of a social security card knows.

    Attributes:
        log_number: Number that the log stores (SSC §9.3).
        proof_number: Number that GET TRANSACTION PROOF wants.
    """

    log_number: CounterRule = CounterRule.BEFORE
    proof_number: CounterRule = CounterRule.AFTER


class KeyFilePurse(PurseFunction):
    """A purse of a directory that CREATE FILE made."""

    directory: Directory
    security: BlankSecurity
    log_size: int

    def find_key(self, kind: KeyKind, index: int) -> PurseKey:
        """The key with this identifier, if it may be used now.

        Raises:
            Status: 9403, 6982.
        """
        for key in self._records(kind):
            if key.id == index:
                if not self.security.opens(self.card, key.use):
                    raise Status(0x6982)
                return PurseKey(key.value, key.version, key.algorithm_id)
        raise Status(0x9403)

    def _records(self, kind: KeyKind) -> list[FmcosKey]:
        file = self.security.key_files.get(self.directory.label)
        return [key for key in file.keys if key.kind is kind] if file else []

    def tac_of(self, header: PurseHeader) -> bytes:
        """The TAC key of a file of money.

        Raises:
            Status: 6A88.
        """
        for key in self._records(KeyKind.TAC):
            if key.id == header.tac_id:
                return key.value
        raise Status(0x6A88)

    def log_of(self, header: PurseHeader) -> ElementaryFile:
        """The log of a file of money, which may have been created after it.

        Raises:
            Status: 6A82 it is not there, 6981 it cannot hold the records.
        """
        log = self.directory.file(header.log_sfi)
        if log.declaration.structure is not Structure.CYCLIC or log.declaration.size != self.log_size:
            raise Status(0x6981)
        return log

    def need_use(self, header: PurseHeader) -> None:
        """Insist on the use right of a file of money.

        Raises:
            Status: 6982.
        """
        if not self.security.opens(self.card, header.use):
            raise Status(0x6982)


class KeyFileWallet(KeyFilePurse, WalletFunction):
    """Passbook and purse of a wallet card (EW §3).

    Args:
        security: Security of the card.
        directory: Its directory.
        choices: What only the chip knows.
        algorithm: Cipher of the directory's keys.

    Attributes:
        headers: The purses that were created.
    """

    log_size = WALLET_LOG

    def __init__(
        self, security: BlankSecurity, directory: Directory, choices: WalletChoices, algorithm: Algorithm
    ) -> None:
        super().__init__(
            PbocSuite(algorithm),
            OTHERS_KEYS,
            None,
            passbook=StoredPurse(PurseNumber.PASSBOOK),
            max_balance_fen=choices.max_balance_fen,
            grey_lock=choices.grey_lock,
            log_number=choices.log_number,
            proof_number=choices.proof_number,
        )
        self.security, self.directory, self.choices = security, directory, choices
        self.headers: dict[PurseNumber, PurseHeader] = {}

    def execute(self, command: Received) -> bytes | None:
        """As a wallet's; a chip without composite purchases knows neither of their commands."""
        if not self.choices.composite and command.cla == 0x80:
            if (command.ins, command.p1) == (0x50, 0x03):
                raise Status(0x6A86)
            if command.ins == 0xDC:
                return None
        return super().execute(command)

    def purse_numbered(self, number: int) -> StoredPurse:
        """The purse that P2 names, if its file was created.

        Raises:
            Status: 6A86.
        """
        if number not in self.headers:
            raise Status(0x6A86)
        return super().purse_numbered(number)

    def need_right(self, purse: StoredPurse) -> None:
        """By the use right of the purse's file.

        Raises:
            Status: 6982.
        """
        self.need_use(self.headers[purse.number])

    def need_opening(
        self,
        command: Received,
        purse: StoredPurse,
        kind: KeyKind,
        *,
        size: int,
        online: bool = False,
        pin: bool = False,  # noqa: ARG002 - the key's use right says it
    ) -> PurseKey:
        """By the use rights of purse and key; a card without TAC key or log begins no transaction.

        Raises:
            Status: 6700, 6982, 9403, 9402, 6A88, 6A82, 6981.
        """
        key = super().need_opening(command, purse, kind, size=size, online=online)
        self.tac_of(self.headers[purse.number])
        self.log_of(self.headers[purse.number])
        return key

    def tac_key(self, kind: int) -> bytes:
        """The one that the purse's file names."""
        return self.tac_of(self.headers[self.purse_of(kind).number])

    def log_for(self, kind: int) -> ElementaryFile:
        """The one that the purse's file names."""
        return self.log_of(self.headers[self.purse_of(kind).number])


class KeyFileAccount(KeyFilePurse, MedicalFunction):
    """The medical account of a social security card (SSC §5.4).

    Args:
        security: Security of the card.
        directory: Its directory.
        choices: What only the chip knows.
        algorithm: Cipher of the directory's keys.
        header: Its file.
    """

    log_size = ACCOUNT_LOG

    def __init__(
        self,
        security: BlankSecurity,
        directory: Directory,
        choices: AccountChoices,
        algorithm: Algorithm,
        header: PurseHeader,
    ) -> None:
        super().__init__(
            LdtSuite(algorithm),
            OTHERS_KEYS,
            None,
            payment_year=NO_YEAR,
            log_number=choices.log_number,
            proof_number=choices.proof_number,
        )
        self.security, self.directory, self.header = security, directory, header

    def need_pin(self) -> None:
        """By the use right of the account's file.

        Raises:
            Status: 6982.
        """
        self.need_use(self.header)

    def need_key(self, kind: KeyKind, index: int, counter: int) -> PurseKey:
        """By the use right of the key; a card without TAC key or log begins no transaction.

        Raises:
            Status: 9403, 6982, 9402, 6A88, 6A82, 6981.
        """
        key = super().need_key(kind, index, counter)
        self.tac_of(self.header)
        self.log_of(self.header)
        return key

    def tac_key(self, kind: int) -> bytes:  # noqa: ARG002 - one for all transactions
        """The one that the account's file names."""
        return self.tac_of(self.header)

    def log_for(self, kind: int) -> ElementaryFile:  # noqa: ARG002
        """The one that the account's file names."""
        return self.log_of(self.header)


def add_purse(
    security: BlankSecurity, card: VirtualCard, directory: Directory, header: PurseHeader, choices: WalletChoices
) -> Callable[[], None]:
    """How to put passbook or purse into a directory, which is a wallet from then on.

    Raises:
        Status: 6A86 it is a medical account.
    """
    wallet = directory.function
    if wallet is None:
        wallet = KeyFileWallet(security, directory, choices, security.algorithm_of(directory))
        wallet.card = card
    if not isinstance(wallet, KeyFileWallet) or header.number is None:
        raise Status(0x6A86)
    purses, number = wallet.headers, header.number

    def write() -> None:
        purses[number] = header
        directory.function = wallet

    return write


def add_account(
    security: BlankSecurity, card: VirtualCard, directory: Directory, header: PurseHeader, choices: AccountChoices
) -> Callable[[], None]:
    """How to make a directory a medical account.

    Raises:
        Status: 6A86 it is one, or a wallet.
    """
    if directory.function is not None:
        raise Status(0x6A86)
    account = KeyFileAccount(security, directory, choices, security.algorithm_of(directory), header)
    account.card = card

    def write() -> None:
        directory.function = account

    return write
