"""CAP files: what a JavaCard compiler makes, and what of it a card gets (PERS §2.5)."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from cardio.apdu.tlv import encode_ber
from cardio.errors import LoadFileInvalid

MAGIC = bytes.fromhex("DECAFFED")
LOAD_FILE_TAG = 0xC4
HEADER, APPLET = "Header", "Applet"
COMPONENTS = {
    HEADER: 0x01,
    "Directory": 0x02,
    "Import": 0x04,
    APPLET: 0x03,
    "Class": 0x06,
    "Method": 0x07,
    "StaticField": 0x08,
    "Export": 0x0A,
    "ConstantPool": 0x05,
    "RefLocation": 0x09,
    "Descriptor": 0x0B,
}
"""Components with their tags, in the order in which a card wants them."""
NEEDED = frozenset({HEADER, "Directory", "Import", "Class", "Method", "StaticField", "ConstantPool", "RefLocation"})
OPTIONAL_LAST = "Descriptor"
"""Component that cards can do without."""
COMPONENT_HEADER = 3
"""Bytes of tag and size."""


@dataclass(frozen=True)
class CapFile:
    """A CAP file.

    Attributes:
        package: AID of its package, which becomes that of the load file.
        version: Version of the package, major and minor.
        applets: AIDs of its applets, the modules.
        components: Components by name, in the order in which a card wants them.
    """

    package: bytes
    version: tuple[int, int]
    applets: tuple[bytes, ...]
    components: dict[str, bytes]

    @classmethod
    def read(cls, path: Path) -> CapFile:
        """Read a CAP file.

        Raises:
            LoadFileInvalid: It cannot be read, or is none.
        """
        try:
            with zipfile.ZipFile(path) as archive:
                names = {Path(name).stem: name for name in archive.namelist() if name.endswith(".cap")}
                components = {name: archive.read(names[name]) for name in COMPONENTS if name in names}
        except OSError as error:
            raise LoadFileInvalid(f"{path}: {error.strerror}") from error
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise LoadFileInvalid(f"{path}: {error}") from error
        try:
            return cls.of(components)
        except LoadFileInvalid as error:
            raise LoadFileInvalid(f"{path}: {error.detail}") from None

    @classmethod
    def of(cls, components: dict[str, bytes]) -> CapFile:
        """A CAP file of components by name.

        Raises:
            LoadFileInvalid: One is missing or malformed.
        """
        missing = NEEDED - components.keys()
        if missing:
            raise LoadFileInvalid(f"component {min(missing)} is missing")
        for name, content in components.items():
            size = int.from_bytes(content[1:COMPONENT_HEADER], "big")
            if content[:1] != bytes([COMPONENTS[name]]) or len(content) != COMPONENT_HEADER + size:
                raise LoadFileInvalid(f"component {name} is malformed")
        package, version = _package(components[HEADER])
        applets = _applets(components[APPLET]) if APPLET in components else ()
        ordered = {name: components[name] for name in COMPONENTS if name in components}
        return cls(package, version, applets, ordered)

    def load_file(self, *, descriptor: bool = False) -> bytes:
        """What the card gets: object C4 with the components.

        Args:
            descriptor: Whether the descriptor component goes along; few cards want it.
        """
        parts = [part for name, part in self.components.items() if descriptor or name != OPTIONAL_LAST]
        return encode_ber(LOAD_FILE_TAG, b"".join(parts))


def _package(header: bytes) -> tuple[bytes, tuple[int, int]]:
    """AID and version: tag, size 2, magic 4, minor, major, flags, package minor, major, AID length, AID."""
    body = header[COMPONENT_HEADER:]
    if len(body) < 10 or body[:4] != MAGIC:
        raise LoadFileInvalid(f"component {HEADER} is malformed")
    return _aid(body, 9, HEADER), (body[8], body[7])


def _applets(component: bytes) -> tuple[bytes, ...]:
    """AIDs: tag, size 2, count, then AID length, AID, offset 2 each."""
    found, place = [], COMPONENT_HEADER + 1
    for _ in range(component[COMPONENT_HEADER] if len(component) > COMPONENT_HEADER else 0):
        aid = _aid(component, place, APPLET)
        found.append(aid)
        place += 1 + len(aid) + 2
    return tuple(found)


def _aid(data: bytes, place: int, component: str) -> bytes:
    size = data[place] if place < len(data) else 0
    aid = data[place + 1 : place + 1 + size]
    if len(aid) != size or not 5 <= size <= 16:
        raise LoadFileInvalid(f"component {component} has a malformed AID")
    return aid
