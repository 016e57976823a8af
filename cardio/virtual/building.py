"""Builds a virtual card of any kind from its declaration and its contents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cardio.apdu.command import MASTER_FILE
from cardio.files.contents import blank_records, encode_records
from cardio.files.declaration import ApplicationDeclaration
from cardio.files.file_header import FileHeader
from cardio.files.record import Record
from cardio.transport.channel import CardProtocol
from cardio.virtual.card import VirtualCard
from cardio.virtual.filesystem import Directory, ElementaryFile
from cardio.virtual.fmcos_access import FmcosAccess
from cardio.virtual.security import Security

Place = tuple[str, str]
"""Label of a directory and label of a file in it: `("DF03", "EF07")`."""
Proprietary = Callable[[Directory], bytes]
"""Content of the A5 template in the FCI of a directory."""


def build_card(
    root: ApplicationDeclaration,
    contents: Mapping[Place, Sequence[Record]],
    *,
    atr: bytes,
    protocol: CardProtocol,
    security: Security,
    securities: Mapping[str, Security] | None = None,
    proprietary: Mapping[str, Proprietary] | None = None,
    headers: Mapping[Place, FileHeader] | None = None,
    blank: bool = True,
    names_from_master_file: bool = False,
) -> VirtualCard:
    """A card with the files of a declaration. Purses are put in afterwards, with `find_directory`.

    Args:
        root: The tree; a root that is not the master file is put below one.
        contents: Records by place: of an item file one `ItemRecord`, of a cyclic file the newest first.
        atr: Answer to reset.
        protocol: T=0 or T=1.
        security: Who decides where `securities` says nothing.
        securities: Security by directory label, for that directory and those below.
        proprietary: Content of the FCI's A5 template by directory label.
        headers: FMCOS headers that say more than the declaration's rights.
        blank: Whether files without contents exist, unwritten; otherwise they are missing.
        names_from_master_file: As for `VirtualCard`.

    Raises:
        KeyError: A label that the declaration does not have.
        ValueError: Contents that do not fit their file, or rights that FMCOS cannot express.
    """
    names = {label for label, _ in (*contents, *(headers or {}))} | {*(securities or {}), *(proprietary or {})}
    top = _build(root, contents, headers or {}, blank=blank)
    master = top if top.identifier == MASTER_FILE else Directory(MASTER_FILE)
    if master is not top:
        master.add(top)
    by_label = {directory.label: directory for directory in master.walk()}
    for label in names:
        by_label[label]
    for place in (*contents, *(headers or {})):
        find_file(by_label[place[0]], place[1])
    for label, chosen in (securities or {}).items():
        by_label[label].security = chosen
    for label, content in (proprietary or {}).items():
        directory = by_label[label]
        directory.proprietary = lambda content=content, directory=directory: content(directory)
    card = VirtualCard(atr, master, protocol, security=security, names_from_master_file=names_from_master_file)
    for directory in master.walk():
        if isinstance(card.security_of(directory), FmcosAccess):
            for file in directory.files:
                _ = file.header
    return card


def find_directory(card: VirtualCard, label: str) -> Directory:
    """The directory of that label.

    Raises:
        KeyError: There is none.
    """
    for directory in card.master_file.walk():
        if directory.label == label:
            return directory
    raise KeyError(label)


def find_file(directory: Directory, label: str) -> ElementaryFile:
    """The file of that label in a directory.

    Raises:
        KeyError: There is none.
    """
    for file in directory.files:
        if file.declaration.label == label:
            return file
    raise KeyError(f"{directory.label}/{label}")


def _build(
    declaration: ApplicationDeclaration,
    contents: Mapping[Place, Sequence[Record]],
    headers: Mapping[Place, FileHeader],
    *,
    blank: bool,
) -> Directory:
    directory = Directory(declaration.identifier, declaration.name, label=declaration.label)
    for file in declaration.files:
        place = directory.label, file.label
        if blank or place in contents:
            records = encode_records(file, contents[place]) if place in contents else blank_records(file)
            directory.files.append(ElementaryFile(file, records, headers.get(place)))
    for below in declaration.applications:
        directory.add(_build(below, contents, headers, blank=blank))
    return directory
