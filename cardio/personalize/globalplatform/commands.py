"""Commands for the content of a card (PERS §2.5)."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.apdu.command import Command
from cardio.apdu.globalplatform import CardState, Privilege, Scope
from cardio.apdu.globalplatform_status import CONTENT, PUT_KEY
from cardio.apdu.tlv import encode_ber, encode_ber_length
from cardio.transport.channel import Disclosure

CLA = 0x80
FOR_LOAD, FOR_INSTALL_AND_SELECTABLE, FOR_PERSONALIZATION = 0x02, 0x0C, 0x20
WITH_RELATED = 0x80
"""P2 of DELETE: a load file with its applications."""
LAST_BLOCK = 0x80
SEVERAL_KEYS = 0x80
ENCRYPTED_DGI, DGI_FORMAT = 0x60, 0x08
FIRST_PAGE, NEXT_PAGE = 0x02, 0x03
LOCK, UNLOCK = 0x80, 0x00
MAX_SHORT_SIZE = 0x7FFF
"""Largest memory size that is told in 2 bytes."""
BLOCKS = 256


@dataclass(frozen=True)
class MemoryLimits:
    """Memory that a load file or an application asks for, in bytes; None leaves it open.

    Attributes:
        code: For the code, load files only.
        volatile: In RAM.
        non_volatile: In EEPROM or flash.
    """

    code: int | None = None
    volatile: int | None = None
    non_volatile: int | None = None

    def encode(self) -> bytes:
        """Object EF, or nothing."""
        sizes = ((0xC6, self.code), (0xC7, self.volatile), (0xC8, self.non_volatile))
        content = b"".join(encode_ber(tag, _size(size)) for tag, size in sizes if size is not None)
        return encode_ber(0xEF, content) if content else b""


@dataclass(frozen=True)
class Installation:
    """An application to make out of a module.

    Attributes:
        load_file: AID of the load file.
        module: AID of its module, an applet.
        instance: AID under which the application will be selected.
        privileges: What it may do beyond others.
        parameters: What its install method gets.
        limits: Memory that it asks for.
    """

    load_file: bytes
    module: bytes
    instance: bytes
    privileges: Privilege = Privilege.NONE
    parameters: bytes = b""
    limits: MemoryLimits = MemoryLimits()


def delete(aid: bytes, *, related: bool = False) -> Command:
    """DELETE of an application or load file; with `related` also of what was made from it."""
    p2 = WITH_RELATED if related else 0x00
    return _content("DELETE", 0xE4, 0x00, p2, encode_ber(0x4F, aid), le=0)


def delete_keys(version: int, identifier: int | None = None) -> Command:
    """DELETE of a key set, or of one key of it."""
    which = encode_ber(0xD0, bytes([identifier])) if identifier is not None else b""
    return _content("DELETE", 0xE4, 0x00, 0x00, which + encode_ber(0xD2, bytes([version])), le=0)


def install_for_load(load_file: bytes, security_domain: bytes = b"", limits: MemoryLimits | None = None) -> Command:
    """INSTALL [for load]: announce a load file for a security domain, by default the one that is selected."""
    parameters = limits.encode() if limits else b""
    data = _lv(load_file) + _lv(security_domain) + _lv(b"") + _lv(parameters) + _lv(b"")
    return _content("INSTALL for load", 0xE6, FOR_LOAD, 0x00, data, le=0)


def load(block: bytes, number: int, *, last: bool) -> Command:
    """LOAD of one block of a load file, 0 to 255; the last one has an answer."""
    p1 = LAST_BLOCK if last else 0x00
    return _content("LOAD", 0xE8, p1, number, block, le=0 if last else None)


def install_for_install(installation: Installation) -> Command:
    """INSTALL [for install and make selectable]."""
    parameters = encode_ber(0xC9, installation.parameters) + installation.limits.encode()
    parts = (
        installation.load_file,
        installation.module,
        installation.instance,
        installation.privileges.encode(),
        parameters,
        b"",
    )
    data = b"".join(_lv(part) for part in parts)
    # Parameters may be personal.
    return _content("INSTALL for install", 0xE6, FOR_INSTALL_AND_SELECTABLE, 0x00, data, le=0, disclosed=False)


def install_for_personalization(instance: bytes) -> Command:
    """INSTALL [for personalization]: the next STORE DATA go to this application."""
    data = _lv(b"") + _lv(b"") + _lv(instance) + _lv(b"") + _lv(b"") + _lv(b"")
    return _content("INSTALL for personalization", 0xE6, FOR_PERSONALIZATION, 0x00, data, le=0)


def store_data(block: bytes, number: int, *, last: bool, encrypted: bool) -> Command:
    """STORE DATA of one block of data groupings, 0 to 255."""
    p1 = (LAST_BLOCK if last else 0x00) | (ENCRYPTED_DGI if encrypted else 0x00) | DGI_FORMAT
    return _content("STORE DATA", 0xE2, p1, number, block, disclosed=False)


def put_key(data: bytes, replaced: int, identifier: int = 1) -> Command:
    """PUT KEY of several keys.

    Args:
        data: New version ‖ keys, encrypted.
        replaced: Version of the set that they replace; 00 makes a new set.
        identifier: Of the first key.
    """
    return Command(
        "PUT KEY", CLA, 0xD8, replaced, identifier | SEVERAL_KEYS, data, le=0, outcomes=PUT_KEY, repeatable=False
    )


def get_status(scope: Scope, aid: bytes = b"", *, following: bool = False) -> Command:
    """GET STATUS: entries whose AID begins with `aid`, or those that did not fit the answer before."""
    p2 = NEXT_PAGE if following else FIRST_PAGE
    return _content("GET STATUS", 0xF2, scope, p2, encode_ber(0x4F, aid), le=0)


def set_card_state(state: CardState) -> Command:
    """SET STATUS of the card."""
    return _content("SET STATUS", 0xF0, Scope.ISSUER_SECURITY_DOMAIN, state, b"")


def set_application_lock(aid: bytes, *, locked: bool) -> Command:
    """SET STATUS that locks an application, or lets it go back to its state before."""
    return _content("SET STATUS", 0xF0, Scope.APPLICATIONS, LOCK if locked else UNLOCK, aid)


def get_data(tag: int) -> Command:
    """GET DATA of a tag, 0000 to FFFF: 0066 card data, 00E0 keys, 9F7F production data."""
    return _content("GET DATA", 0xCA, tag >> 8, tag & 0xFF, b"", le=0, repeatable=True)


def _content(
    name: str,
    ins: int,
    p1: int,
    p2: int,
    data: bytes,
    *,
    le: int | None = None,
    disclosed: bool = True,
    repeatable: bool = False,
) -> Command:
    disclosure = Disclosure.ALL if disclosed else Disclosure.HEADER
    return Command(name, CLA, ins, p1, p2, data, le, CONTENT, disclosure, repeatable)


def _lv(value: bytes) -> bytes:
    return encode_ber_length(len(value)) + value


def _size(size: int) -> bytes:
    return size.to_bytes(2 if size <= MAX_SHORT_SIZE else 4, "big")
