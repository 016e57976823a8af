"""Where a trace stands on the card: which directory of which declared card, which file, and what is known of the card.

Several declared cards may be meant at first: a name or a file identifier is common to many. They stay candidates, the
likeliest first, until a command works that only some of them understand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cardio.apdu.command import MASTER_FILE
from cardio.apdu.tlv import Tlv
from cardio.cli.trace.explanation import Phrase, same
from cardio.cli.trace.names import NAMES
from cardio.cli.trace.values import readable
from cardio.files.declaration import ApplicationDeclaration, CardDeclaration, FileDeclaration, Structure
from cardio.files.psam import LDT_PSAM, PBOC_PSAM
from cardio.files.reuse import split_reused
from cardio.files.social_security.trees import SSC_2_0, SSC_3_0, SSC_EMPLOYER
from cardio.files.social_security.version1.tree import SSC_1_0
from cardio.files.wallet.applications import CJT166, ETC, PBOC_WALLET, TUNION

VERSIONS = {"1.0": SSC_1_0, "2.0": SSC_2_0, "3.0": SSC_3_0}
DEFAULT_VERSION = "2.0"
"""Until item 03 has passed by."""
UNWRITTEN_VERSION = "1.0"
"""An empty item 03 (SSC §1)."""
EMPLOYER_CLASS = "9"
SOCIAL_SECURITY = (SSC_1_0, SSC_2_0, SSC_3_0, SSC_EMPLOYER)
WALLETS = (PBOC_WALLET, CJT166, TUNION, ETC)
PSAMS = (LDT_PSAM, PBOC_PSAM)


@dataclass(frozen=True)
class Place:
    """A directory of a declared card."""

    card: CardDeclaration
    directory: ApplicationDeclaration


class CardState:
    """What a trace has told of the card so far.

    Attributes:
        places: Directories that may be selected, the likeliest first; empty if the selected one is not declared.
        file: The current file, if it is declared.
        file_text: The current file for people; empty if there is none.
        directory_sfi: Short identifier of the directory file that the FCI announced.
    """

    def __init__(self) -> None:
        self._social_security: CardDeclaration = VERSIONS[DEFAULT_VERSION]
        self._is_psam = False
        self._read: dict[tuple[str, int], list[Tlv]] = {}
        self._directory_text = ""
        self.places: tuple[Place, ...] = ()
        self.file: FileDeclaration | None = None
        self.file_text = ""
        self.directory_sfi: int | None = None
        self.reset()

    def reset(self) -> None:
        """The card was powered: its master file is selected."""
        self._social_security = VERSIONS[DEFAULT_VERSION]
        self._is_psam = False
        self._read.clear()
        self._enter(_roots(self._cards()), "")

    # ---- what is known ---------------------------------------------------------------------------------------

    @property
    def directory(self) -> ApplicationDeclaration | None:
        """The directory that is likeliest selected."""
        return self.places[0].directory if self.places else None

    @property
    def is_social_security(self) -> bool:
        """Whether the selected directory belongs to a social security card."""
        return bool(self.places) and self.places[0].card in SOCIAL_SECURITY

    @property
    def place_text(self) -> str:
        """Directory and file: `SSSE/EF05`."""
        return "/".join(part for part in (self._directory_text, self.file_text) if part)

    def directory_phrase(self) -> Phrase:
        """The selected directory with its title, or with all titles that it may have."""
        if self.directory is None:
            return same(self._directory_text)
        label = _label(self.directory)
        fitting = [place.directory for place in self.places if _label(place.directory) == label]
        zh = " / ".join(dict.fromkeys(directory.zh for directory in fitting))
        en = " / ".join(dict.fromkeys(directory.en for directory in fitting))
        return Phrase(zh, en, label)

    # ---- what is learnt --------------------------------------------------------------------------------------

    def learn_version(self, version: str | None) -> None:
        """Item 03 of the issuer file: its first three characters choose the tree (SSC §1)."""
        found = VERSIONS.get((version or UNWRITTEN_VERSION)[:3])
        if found is not None and self._social_security is not SSC_EMPLOYER:
            self._become(found)

    def learn_class(self, card_class: str | None) -> None:
        """Item 02 of the issuer file: an employer's card says so (SSC PC-1)."""
        if card_class == EMPLOYER_CLASS:
            self._become(SSC_EMPLOYER)

    def learn_psam(self) -> None:
        """A command has worked that only a PSAM understands."""
        if not self._is_psam:
            self._is_psam = True
            kept = tuple(place for place in self.places if place.card in PSAMS)
            if kept:
                self._enter(kept, _label(kept[0].directory))

    def reused(self, tlv: Tlv) -> Tlv | None:
        """An item of the current file without its mark, if it holds data of version 2.0 (SSC §4.10); else None.

        Some items follow others that were read before: those are remembered.
        """
        if self.file is None or self.file.reuse is None:
            return None
        seen = self._read.setdefault((self._directory_text, self.file.identifier), [])
        seen[:] = [one for one in seen if one.tag != tlv.tag] + [tlv]
        return next((one for one in split_reused(seen, self.file.reuse)[1] if one.tag == tlv.tag), None)

    def _become(self, card: CardDeclaration) -> None:
        self._social_security = card
        self.places = self._settled(self.places)
        if self.file is not None and self.directory is not None:
            identifier = self.file.identifier
            found = next((file for file in self.directory.files if file.identifier == identifier), None)
            self.file = found or self.file

    # ---- selections ------------------------------------------------------------------------------------------

    def select_name(self, name: bytes, announced: bytes | None) -> None:
        """A directory was selected by name.

        Args:
            name: Name in the command; it may be the beginning of one.
            announced: Name in the FCI, if known.
        """
        wanted = announced or name
        found = [
            Place(card, directory)
            for card in self._cards()
            for directory in card.root.walk()
            if directory.name and directory.name == wanted
        ]
        self._enter(found, _name_text(wanted))

    def select_identifier(self, identifier: int, announced: bytes | None, *, files_only: bool = False) -> None:
        """A directory or a file was selected by its identifier.

        Args:
            identifier: The identifier.
            announced: Name in the FCI, if known: then it is a directory.
            files_only: Only a file of the current directory can be meant (P1 02).
        """
        if identifier != MASTER_FILE and not announced and self._select_file(identifier):
            return
        if files_only:
            self._file_unknown(identifier)
            return
        found = list(self._directories(identifier, announced))
        if found or identifier == MASTER_FILE or announced or identifier >> 8 in {0x3F, 0xDF, 0xDD}:
            text = "MF" if identifier == MASTER_FILE else f"{identifier:04X}"
            self._enter(found, _name_text(announced) if announced else text)
        else:
            self._file_unknown(identifier)

    def use_file(self, sfi: int, structures: frozenset[Structure]) -> FileDeclaration | None:
        """The file that a command addresses by short identifier, 0 for the current one; it becomes the current one."""
        if sfi == 0:
            return self.file
        for place in self.places:
            for file in place.directory.files:
                if file.sfi == sfi and file.structure in structures:
                    self._use(place, file)
                    return file
        self.file = None
        self.file_text = f"SFI {sfi:02X}"
        return None

    def lose(self) -> None:
        """What was selected is hidden: nothing is known any more."""
        self._enter((), "?")

    def _directories(self, identifier: int, announced: bytes | None) -> Iterator[Place]:
        def fits(directory: ApplicationDeclaration) -> bool:
            return directory.identifier == identifier and (
                announced is None or not directory.name or directory.name == announced
            )

        if identifier == MASTER_FILE:
            yield from self._master_files(announced)
            return
        for place in self.places:
            near = next((one for one in _near(place) if fits(one)), None)
            if near is not None:
                yield Place(place.card, near)
        if not self.places:
            for root in _roots(self._cards()):
                below = (root.directory, *root.directory.applications)
                yield from (
                    Place(root.card, one) for one in below if fits(one) and root.directory.identifier == MASTER_FILE
                )

    def _master_files(self, announced: bytes | None) -> list[Place]:
        """Those of the announced name first; the environment of a social security card may be one too (SSC §2)."""
        found = [
            place
            for place in _roots(self._cards())
            if announced is None or not place.directory.name or place.directory.name == announced
        ]
        return sorted(
            found,
            key=lambda place: (
                announced is not None and place.directory.name == announced,
                place.directory.identifier == MASTER_FILE,
            ),
            reverse=True,
        )

    def _select_file(self, identifier: int) -> bool:
        for place in self.places:
            for file in place.directory.files:
                if file.identifier == identifier:
                    self._use(place, file)
                    return True
        return False

    def _use(self, place: Place, file: FileDeclaration) -> None:
        # What works on this card rules out those before it, never those after it.
        self.places = (place, *(one for one in self.places if one != place))
        self._directory_text = _label(place.directory) if self._directory_text else ""
        self.file = file
        self.file_text = file.label

    def _file_unknown(self, identifier: int) -> None:
        self.file = None
        self.file_text = f"{identifier:04X}"

    def _enter(self, places: Iterable[Place], text: str) -> None:
        self.places = self._settled(places)
        self._directory_text = _label(self.places[0].directory) if self.places and text else text
        self.file = None
        self.file_text = ""
        self.directory_sfi = None

    def _cards(self) -> tuple[CardDeclaration, ...]:
        # Only the tree of 3.0 has a master file with several environments in it.
        cards = (self._social_security, SSC_3_0, *WALLETS)
        return (*PSAMS, *cards) if self._is_psam else (*cards, *PSAMS)

    def _settled(self, places: Iterable[Place]) -> tuple[Place, ...]:
        """Directories of a social security card in the tree of the version that is known."""
        found: dict[tuple[str, str, int], Place] = {}
        for place in places:
            settled = place
            if place.card in SOCIAL_SECURITY:
                same_label = self._social_security.root.application(place.directory.label)
                settled = place if same_label is None else Place(self._social_security, same_label)
            key = (settled.card.id, settled.directory.label, settled.directory.identifier)
            found.setdefault(key, settled)
        return tuple(found.values())


def _roots(cards: Iterable[CardDeclaration]) -> tuple[Place, ...]:
    return tuple(Place(card, card.root) for card in cards)


def _near(place: Place) -> Iterator[ApplicationDeclaration]:
    """Directories that can be meant from a directory: those in it, those beside it, itself, then all others."""
    yield from place.directory.applications
    for directory in place.card.root.walk():
        if place.directory in directory.applications:
            yield from directory.applications
            yield directory
    yield from place.card.root.walk()


def _label(directory: ApplicationDeclaration) -> str:
    return directory.label or f"{directory.identifier:04X}"


def _name_text(name: bytes) -> str:
    text = readable(name) or name.hex().upper()
    title = NAMES.get(name)
    return text if title is None else f"{text} {title.zh} {title.en}"
