"""A load file on its way into a virtual JavaCard: blocks in order, then the components (PERS §2.5)."""

from __future__ import annotations

from cardio.virtual.globalplatform_fields import objects
from cardio.virtual.globalplatform_registry import LoadFile
from cardio.virtual.received import Received, Status

MAGIC = bytes.fromhex("DECAFFED")
LOAD_FILE = 0xC4
HEADER, APPLET = 0x01, 0x03
ORDER = (0x01, 0x02, 0x04, 0x03, 0x06, 0x07, 0x08, 0x0A, 0x05, 0x09, 0x0B)
"""Tags of the components in the order in which they must come."""
OPTIONAL = frozenset({APPLET, 0x0A, 0x0B})
"""Applet, Export, Descriptor."""
LAST_BLOCK = 0x80


class Loading:
    """One load file between INSTALL [for load] and its last block.

    Args:
        aid: AID that was announced.
        room: Bytes that the card has left.
    """

    def __init__(self, aid: bytes, room: int) -> None:
        self._aid = aid
        self._room = room
        self._data = b""
        self._next = 0

    def take(self, command: Received) -> LoadFile | None:
        """Take a LOAD; the load file when it was the last one.

        Raises:
            Status: 6A86 P1 or block number, 6A84 no room, 6A80 no load file, or not the one that was announced.
        """
        if command.p1 not in {0x00, LAST_BLOCK} or command.p2 != self._next:
            raise Status(0x6A86)
        self._next += 1
        self._data += command.data
        if len(self._data) > self._room:
            raise Status(0x6A84)
        return self._finish() if command.p1 == LAST_BLOCK else None

    def _content(self) -> bytes:
        """The components: content of object C4, which comes alone, for there is nobody to check DAP blocks."""
        found = objects(self._data)
        if [tlv.tag for tlv in found] != [LOAD_FILE]:
            raise Status(0x6A80)
        return found[0].value

    def _finish(self) -> LoadFile:
        components = _components(self._content())
        header = components[HEADER]
        if header[:4] != MAGIC or header[10 : 10 + header[9]] != self._aid:
            raise Status(0x6A80)
        return LoadFile(self._aid, (header[8], header[7]), _modules(components.get(APPLET) or b"\x00"), len(self._data))


def _components(content: bytes) -> dict[int, bytes]:
    """Components by tag.

    Raises:
        Status: 6A80, one is missing, cut short or out of order.
    """
    found: dict[int, bytes] = {}
    while content:
        size = int.from_bytes(content[1:3], "big")
        if len(content) < 3 + size:
            raise Status(0x6A80)
        found[content[0]] = content[3 : 3 + size]
        content = content[3 + size :]
    expected = tuple(tag for tag in ORDER if tag in found or tag not in OPTIONAL)
    if tuple(found) != expected or len(found[HEADER]) < 11:
        raise Status(0x6A80)
    return found


def _modules(applets: bytes) -> tuple[bytes, ...]:
    """AIDs of component Applet: count, then AID length, AID and offset 2 each.

    Raises:
        Status: 6A80, it is cut short.
    """
    found, rest = [], applets[1:]
    for _ in range(applets[0]):
        size = rest[0] if rest else 0
        if len(rest) < 1 + size + 2:
            raise Status(0x6A80)
        found.append(rest[1 : 1 + size])
        rest = rest[1 + size + 2 :]
    return tuple(found)
