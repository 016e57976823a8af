"""A blank FMCOS card, which personalization turns into a wallet card (PERS §1.1 to §1.5, §5.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cardio.crypto.ciphers import Algorithm
from cardio.transport.channel import CardProtocol
from cardio.virtual.administration import AdministrationChoices
from cardio.virtual.blank import MASTER_NAME, BlankSecurity, blank_card
from cardio.virtual.card import VirtualCard
from cardio.virtual.creation import PurseHeader
from cardio.virtual.filesystem import Directory
from cardio.virtual.fmcos_access import FmcosChoices
from cardio.virtual.fmcos_keys import FmcosKey
from cardio.virtual.fmcos_security import FmcosCommands
from cardio.virtual.key_file_purses import WalletChoices, add_purse
from cardio.virtual.received import Received, Status
from cardio.virtual.recipe import remembered

BLANK_FMCOS_ATR = bytes.fromhex("3B888001434152444F00000153")
"""That of the ready-made wallet cards."""
MAX_DATA = 239


@dataclass
class BlankFmcosMemory:
    """What this security remembers without power: labels of closed applications, and all keys by directory."""

    blocked: list[str]
    locked: list[str]
    keys: dict[str, list[FmcosKey]]


class BlankFmcosSecurity(BlankSecurity, FmcosCommands):
    """FMCOS with its administrative commands.

    Args:
        algorithm: Cipher of all keys.
        choices: What differs between cards.
        administration: What differs between them in administration.
        wallet: What only the chip knows of its wallets.
    """

    def __init__(
        self,
        algorithm: Algorithm,
        choices: FmcosChoices,
        administration: AdministrationChoices,
        wallet: WalletChoices,
    ) -> None:
        FmcosCommands.__init__(self, {}, choices)
        self._set_up(algorithm, administration)
        self._wallet = wallet

    def entered(self, directory: Directory) -> None:
        """The state is zero; without keys the directory is free."""
        FmcosCommands.entered(self, directory)
        self.free = self._frees(directory)

    def begin(self, card: VirtualCard, command: Received) -> None:
        """The chip takes 239 bytes of data and no more (PERS §1.1)."""
        FmcosCommands.begin(self, card, command)
        if len(command.data) > MAX_DATA:
            raise Status(0x6700)

    def execute(self, card: VirtualCard, command: Received) -> bytes | None:
        """Administrative commands, and those of the finished card."""
        answer = self.administration.execute(card, command)
        return FmcosCommands.execute(self, card, command) if answer is None else answer

    def opens(self, card: VirtualCard, access: int) -> bool:  # noqa: ARG002 - states are all there is
        """By the states, unless the directory is free."""
        return self._allowed(access)

    def _allowed(self, access: int) -> bool:
        return self.free or super()._allowed(access)

    def line_challenge(self) -> bytes | None:
        """That of the command before."""
        return self._usable

    def announcement(self, directory: Directory) -> bytes:  # noqa: ARG002 - none of this card's family announces anything
        """Nothing."""
        return b""

    def purse(self, card: VirtualCard, directory: Directory, header: PurseHeader) -> Callable[[], None]:
        """Passbook and purse of a wallet.

        Raises:
            Status: 6A80 medical accounts are no files of this card.
        """
        if header.number is None:
            raise Status(0x6A80)
        return add_purse(self, card, directory, header, self._wallet)

    def forget(self, labels: set[str]) -> None:
        """Keys and blocks of erased directories are gone."""
        self._drop_keys(labels)
        self.blocked -= labels
        self.locked -= labels

    def memory(self) -> BlankFmcosMemory:
        """What outlives the power."""
        return BlankFmcosMemory(sorted(self.blocked), sorted(self.locked), self._keys())

    def restore(self, memory: BlankFmcosMemory) -> None:
        """Take a memory.

        Raises:
            Misfit: Its keys do not fit the card's key files.
        """
        self._restore_keys(memory.keys)
        self.blocked, self.locked = set(memory.blocked), set(memory.locked)


@remembered
def blank_fmcos_card(
    *,
    atr: bytes = BLANK_FMCOS_ATR,
    protocol: CardProtocol = CardProtocol.T1,
    algorithm: Algorithm = Algorithm.TRIPLE_DES,
    name: bytes = MASTER_NAME,
    names_from_master_file: bool = False,
    choices: FmcosChoices | None = None,
    administration: AdministrationChoices | None = None,
    wallet: WalletChoices | None = None,
) -> VirtualCard:
    """A blank FMCOS card: nothing but its master file and the transport key, FF eight times.

    A directory in which passbook or purse are created is a wallet from then on; its keys are those of its key file.

    Args:
        atr: Answer to reset.
        protocol: T=0 or T=1.
        algorithm: Cipher of all keys that will be written.
        name: Name of the master file.
        names_from_master_file: As for `VirtualCard`.
        choices: What differs between cards in use.
        administration: What differs between them in administration.
        wallet: What only the chip knows of its wallets.
    """
    security = BlankFmcosSecurity(
        algorithm, choices or FmcosChoices(), administration or AdministrationChoices(), wallet or WalletChoices()
    )
    return blank_card(security, atr=atr, protocol=protocol, name=name, names_from_master_file=names_from_master_file)
