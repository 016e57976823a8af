"""What the issuer's keys do to a card in use: unblock and reload the PIN, block an application, block the card.

Source: SSC §5.1, §6.6; EW §3.4. What cannot be taken back wants to be told so (`forever`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from cardio.apdu.command import MASTER_FILE, select_file
from cardio.apdu.status import UNBLOCK_PIN
from cardio.applications.authority import Authority
from cardio.applications.card_files import CardFiles
from cardio.applications.pin import encode_pin
from cardio.applications.protected_commands import ProtectedCommands
from cardio.errors import OperationUnsupported, PinChangeUnknown, PinRequired, ReaderError
from cardio.files.declaration import any_of
from cardio.security.card_keys import ENVIRONMENT
from cardio.security.maintenance import MaintenanceKey, ReloadMac
from cardio.transport.channel import Disclosure

_UNBLOCK, _RELOAD = bytes.fromhex("84240000"), bytes.fromhex("84240001")
_WALLET_RELOAD = bytes.fromhex("805E0000")
_BLOCK, _BLOCK_FOREVER = bytes.fromhex("841E0000"), bytes.fromhex("841E0001")
_UNBLOCK_APPLICATION, _BLOCK_CARD = bytes.fromhex("84180000"), bytes.fromhex("84160000")


class CardMaintenance(ABC):
    """Maintenance of one application's card.

    All its methods raise what `ProtectedCommands.send` raises.

    Args:
        commands: Sends the protected commands.
    """

    def __init__(self, commands: ProtectedCommands) -> None:
        self._commands = commands

    @abstractmethod
    def unblock_pin(self, pin: str | None = None) -> None:
        """Give the PIN all its tries back.

        Args:
            pin: The PIN that the card has; a wallet is unblocked by it, a social security card without.

        Raises:
            PinRequired: The card is unblocked by its PIN, and none was given.
            PinUnblockRefused: That is not its PIN.
            PinUnset: It has none.
        """

    @abstractmethod
    def reload_pin(self, new: str) -> None:
        """Give the card a new PIN with all its tries; the old one need not be known.

        Args:
            new: The new PIN, 4 to 12 digits.

        Raises:
            PinLength: It has another length.
            PinChangeUnknown: The answer was lost; a second reload puts it right.
        """

    @abstractmethod
    def block_card(self, *, forever: bool) -> None:
        """Make the card refuse every command.

        Args:
            forever: That it cannot be taken back is known and wanted.

        Raises:
            OperationUnsupported: It is not.
        """


class SocialSecurityMaintenance(CardMaintenance):
    """Maintenance of a social security card whose environment is selected.

    Each operation authenticates a key of its own first: PUK, LK of the directory, BK (SSC §5.1).

    Args:
        commands: Sends the protected commands.
        files: Selects its directories.
        authority: Authenticates the keys.
    """

    def __init__(self, commands: ProtectedCommands, files: CardFiles, authority: Authority) -> None:
        super().__init__(commands)
        self._files = files
        self._authority = authority

    def unblock_pin(self, pin: str | None = None) -> None:  # noqa: ARG002 - a wallet's business
        """The PIN stays what it is, and need not be known (SSC §6.6)."""
        self._earn("PUK", ENVIRONMENT)
        self._commands.send("PIN UNBLOCK", "STKSSSE", _UNBLOCK, outcomes=UNBLOCK_PIN)

    def reload_pin(self, new: str) -> None:
        """Set a PIN, which goes to the card encrypted under STK (SSC §6.6)."""
        packed = encode_pin(new)
        self._earn("PUK", ENVIRONMENT)
        _reloading(lambda: self._commands.send("PIN RELOAD", "STKSSSE", _RELOAD, packed, encrypt=True))

    def block_application(self, directory: str, *, forever: bool) -> None:
        """Close a directory, which the standard does for ever only (SSC §5.1).

        Args:
            directory: Its label, such as DF04.
            forever: That it cannot be taken back is known and wanted.

        Raises:
            OperationUnsupported: It is not, or no key blocks that directory.
            FileNotFound: The card does not have it.
        """
        if not forever:
            raise OperationUnsupported("an application of a social security card can only be blocked for ever")
        key = f"LK{directory}"
        if not self._authority.knows(key):
            raise OperationUnsupported(f"these cards have no key that blocks {directory}")
        self._earn(key, directory)
        self._commands.send("APPLICATION BLOCK", f"STK{directory}", _BLOCK_FOREVER)

    def block_card(self, *, forever: bool) -> None:
        """Under BK and STK of the environment."""
        _need_forever(forever)
        self._earn("BK", ENVIRONMENT)
        self._commands.send("CARD BLOCK", "STKSSSE", _BLOCK_CARD)

    def _earn(self, key: str, directory: str) -> None:
        """Ask for the MAC keys before a try of the authentication key is put at risk."""
        self._commands.source()
        self._files.select(directory)
        self._authority.earn(any_of(key))


class WalletMaintenance(CardMaintenance):
    """Maintenance of a wallet that is selected.

    Args:
        commands: Sends the protected commands.
        reload_mac: What the MAC of RELOAD PIN covers on this product's cards.
    """

    def __init__(self, commands: ProtectedCommands, reload_mac: ReloadMac) -> None:
        super().__init__(commands)
        self._reload_mac = reload_mac

    def unblock_pin(self, pin: str | None = None) -> None:
        """PIN UNBLOCK under DPUK: restores the counter of the PIN that it carries.

        Whether a card sets that PIN if it is another one is UNCERTAIN (EW §3.4).
        """
        if pin is None:
            raise PinRequired("a wallet is unblocked by its PIN")
        packed = encode_pin(pin)
        key = MaintenanceKey.PIN_UNBLOCK
        self._commands.send("PIN UNBLOCK", key, _UNBLOCK, packed, encrypt=True, outcomes=UNBLOCK_PIN)

    def reload_pin(self, new: str) -> None:
        """RELOAD PIN under DRPK; the PIN goes to the card in clear (EW §3.4)."""
        packed = encode_pin(new)
        commands = self._commands
        length = bytes([len(packed) + 4])
        covered = packed if self._reload_mac is ReloadMac.PIN_ONLY else _WALLET_RELOAD + length + packed
        mac = commands.source().reload_mac(commands.key(MaintenanceKey.PIN_RELOAD), covered)
        _reloading(lambda: commands.call("RELOAD PIN", _WALLET_RELOAD, packed + mac))

    def block_application(self, *, forever: bool) -> None:
        """Make the wallet refuse work, until it is unblocked or for ever, under DAMK (EW §3.4)."""
        self._commands.send("APPLICATION BLOCK", MaintenanceKey.LINE, _BLOCK_FOREVER if forever else _BLOCK)

    def unblock_application(self) -> None:
        """Take a block back that is not for ever; a third wrong MAC in a row would lock the wallet (EW §3.4)."""
        self._commands.send("APPLICATION UNBLOCK", MaintenanceKey.LINE, _UNBLOCK_APPLICATION)

    def block_card(self, *, forever: bool) -> None:
        """Under the line key of the master file, which is selected for it (EW §3.4, PERS §5.2)."""
        _need_forever(forever)
        self._commands.source()
        self._commands.card.call(select_file(MASTER_FILE, Disclosure.COMMAND))
        self._commands.send("CARD BLOCK", MaintenanceKey.MASTER_LINE, _BLOCK_CARD)


def _need_forever(forever: bool) -> None:
    if not forever:
        raise OperationUnsupported("a card can only be blocked for ever")


def _reloading(send: Callable[[], None]) -> None:
    """Send a command that sets a PIN; without its answer nobody knows which one the card has."""
    try:
        send()
    except ReaderError as lost:
        raise PinChangeUnknown(lost.code, source=lost.source) from lost
