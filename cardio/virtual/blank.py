"""What all blank cards share: rights while a directory has no keys yet, and keys that are part of the memory."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping

from cardio.crypto.ciphers import Algorithm
from cardio.transport.channel import CardProtocol
from cardio.virtual.administration import Administration, AdministrationChoices
from cardio.virtual.card import VirtualCard
from cardio.virtual.creation import Created, DirectoryHeader, KeyFileHeader, PurseHeader
from cardio.virtual.filesystem import Directory
from cardio.virtual.fmcos_keys import MASTER_KEY, FmcosKey, KeyKind
from cardio.virtual.key_blocks import KEY_SIZES, PIN_SIZES
from cardio.virtual.key_files import KeyFileSecurity
from cardio.virtual.stored import Misfit
from cardio.virtual.structure import WHOLE_CARD, Structure

MASTER_NAME = b"1PAY.SYS.DDF01"
"""Name of a master file that got none (PERS §1.3)."""
MASTER_STATE, MASTER_RIGHT, MAX_TRIES = 0x0A, 0xAA, 15
KEY_FILE_IDENTIFIER = b"\x00\x00"
TRANSPORT_KEYS = {Algorithm.TRIPLE_DES: b"\xff" * 8, Algorithm.SM4: b"\xff" * 16}
"""Key of a card as its maker ships it (PERS §5.1); that of an SM4 card is a PROJECT CHOICE."""
DIR_SFI = 0x01


class BlankSecurity(KeyFileSecurity):
    """Security of a card that is made by administrative commands.

    Attributes:
        algorithm: Cipher of the keys.
        ciphers: That of directories whose keys have another, and of those below, by DF name in hex.
        administration: The commands.
        free: Whether everything is allowed in the current directory, because it had no key when it was selected, or was
            erased; it ends when the directory is left (PERS §1.1). A key file without any key counts as none, since a
            card with no key needs no authentication (PERS §1.5): else a card torn after A05 of PERS §5.2 were lost.
        structure: The tree.
    """

    free: bool
    algorithm: Algorithm
    ciphers: Mapping[str, Algorithm]
    structure: Structure
    administration: Administration

    def _set_up(self, algorithm: Algorithm, choices: AdministrationChoices) -> None:
        self.algorithm = algorithm
        self.ciphers = {}
        self.free = False
        self.structure = Structure(self, choices.levels, choices.capacity)
        self.administration = Administration(self, self.structure, choices)

    def algorithm_of(self, directory: Directory) -> Algorithm:
        """Cipher of the keys of a directory."""
        names = (above.name.hex().upper() for above in directory.path())
        return next((self.ciphers[name] for name in names if name in self.ciphers), self.algorithm)

    def _frees(self, directory: Directory) -> bool:
        """Whether a directory that is selected now is free."""
        file = self.key_files.get(directory.label)
        return file is None or not file.keys

    # ---- what the card's family decides ----------------------------------------------------------------------

    @abstractmethod
    def opens(self, card: VirtualCard, access: int) -> bool:
        """Whether an access byte is open now."""

    @abstractmethod
    def line_challenge(self) -> bytes | None:
        """The challenge that a protected WRITE KEY may use, which is then gone."""

    @abstractmethod
    def announcement(self, directory: Directory) -> bytes:
        """What the FCI of a DDF has besides the SFI of its DIR file."""

    @abstractmethod
    def purse(self, card: VirtualCard, directory: Directory, header: PurseHeader) -> Callable[[], None]:
        """How to put a file of money into a directory.

        Raises:
            Status: 6A80 this card knows no such file, 6A86 the directory has one.
        """

    @abstractmethod
    def forget(self, labels: set[str]) -> None:
        """Directories were erased."""

    def _drop_keys(self, labels: set[str]) -> None:
        for label in labels:
            self.key_files.pop(label, None)

    # ---- memory ----------------------------------------------------------------------------------------------

    def _keys(self) -> dict[str, list[FmcosKey]]:
        return {label: list(file.keys) for label, file in self.key_files.items()}

    def _restore_keys(self, saved: Mapping[str, list[FmcosKey]]) -> None:
        """Take keys back; their key files are there already.

        Raises:
            Misfit: They do not fit.
        """
        for label in (*saved, *self.key_files):
            if label not in self.key_files:
                raise Misfit(("keys", label), "the card has no such key file")
            if label not in saved:
                raise Misfit(("keys", label), "is missing")
        directories = {one.label: one for one in self.structure.card.master_file.walk()}
        for label, keys in saved.items():
            algorithm = self.algorithm_of(directories[label])
            for number, key in enumerate(keys):
                _check(key, algorithm, ("keys", label, str(number)))
            file = self.key_files[label]
            file.keys = list(keys)
            if file.room < 0:
                raise Misfit(("keys", label), "are more than the key file can hold")


def _check(key: FmcosKey, algorithm: Algorithm, place: tuple[str, ...]) -> None:
    sizes = {0, *PIN_SIZES} if key.kind is KeyKind.PIN else KEY_SIZES[algorithm]
    if len(key.value) not in sizes:
        raise Misfit((*place, "value"), "has a length that no such key has")
    if key.algorithm is not algorithm:
        raise Misfit((*place, "algorithm"), f"must be {algorithm}")


def blank_card(
    security: BlankSecurity, *, atr: bytes, protocol: CardProtocol, name: bytes, names_from_master_file: bool = False
) -> VirtualCard:
    """A card as its maker ships it: a master file with nothing but the transport key.

    The master file's rights and the key's tries are a PROJECT CHOICE: state A, 15 tries.

    Args:
        security: Its security.
        atr: Answer to reset.
        protocol: T=0 or T=1.
        name: Name of the master file.
        names_from_master_file: As for `VirtualCard`.
    """
    structure = security.structure
    master = structure.master_file(DirectoryHeader(WHOLE_CARD, MASTER_RIGHT, MASTER_RIGHT, DIR_SFI, name))
    transport = FmcosKey(
        TRANSPORT_KEYS[security.algorithm],
        kind=KeyKind.EXTERNAL,
        id=MASTER_KEY,
        change=MASTER_RIGHT,
        follow_up=MASTER_STATE,
        max_tries=MAX_TRIES,
        tries_left=MAX_TRIES,
        algorithm=security.algorithm,
    )
    key_file = KeyFileHeader(transport.cost, MASTER_RIGHT).encode(DIR_SFI)
    structure.plan(master, Created(KEY_FILE_IDENTIFIER, key_file))()
    security.key_files[master.label].keys.append(transport)
    card = VirtualCard(atr, master, protocol, security=security, names_from_master_file=names_from_master_file)
    card.structure, structure.card = structure, card
    return card


def ship_with(card: VirtualCard, transport: bytes) -> None:
    """Give a blank card the transport key of its lot in the place of the published one.

    Args:
        card: The card.
        transport: The key, 8 or 16 bytes.
    """
    security = card.security
    if not isinstance(security, BlankSecurity):
        raise TypeError("not a blank card")
    (key,) = security.key_files[card.master_file.label].keys
    key.value = transport
