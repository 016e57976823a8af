"""Life cycles, privileges and the parts of the registry of GlobalPlatform cards, for both ends (PERS §2.5)."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from cardio.errors import CardDataInvalid

ISSUER_SECURITY_DOMAIN = bytes.fromhex("A000000151000000")
"""AID of most cards' issuer security domain (PERS §2.1)."""
LOCKED = 0x80
"""Bit of the state of a locked application."""


class CardState(IntEnum):
    """Life cycle of the card, which is that of its issuer security domain."""

    OP_READY = 0x01
    INITIALIZED = 0x07
    SECURED = 0x0F
    CARD_LOCKED = 0x7F
    TERMINATED = 0xFF


class ApplicationState(IntEnum):
    """Life cycle of an application; beyond SELECTABLE it has states of its own, 0xxxx111."""

    INSTALLED = 0x03
    SELECTABLE = 0x07
    PERSONALIZED = 0x0F


class Privilege(IntFlag):
    """Privileges of an application, three bytes (tables 11-7 to 11-9)."""

    NONE = 0
    SECURITY_DOMAIN = 0x800000
    DAP_VERIFICATION = 0xC00000
    DELEGATED_MANAGEMENT = 0xA00000
    CARD_LOCK = 0x100000
    CARD_TERMINATE = 0x080000
    CARD_RESET = 0x040000
    CVM_MANAGEMENT = 0x020000
    MANDATED_DAP = 0xC10000
    TRUSTED_PATH = 0x008000
    AUTHORIZED_MANAGEMENT = 0x004000
    TOKEN_VERIFICATION = 0x002000
    GLOBAL_DELETE = 0x001000
    GLOBAL_LOCK = 0x000800
    GLOBAL_REGISTRY = 0x000400
    FINAL_APPLICATION = 0x000200
    GLOBAL_SERVICE = 0x000100
    RECEIPT_GENERATION = 0x000080
    CIPHERED_LOAD = 0x000040
    CONTACTLESS_ACTIVATION = 0x000020
    CONTACTLESS_SELF_ACTIVATION = 0x000010

    def encode(self) -> bytes:
        """One byte where that is enough, as older cards want it, else three."""
        coded = int(self).to_bytes(3, "big")
        return coded if any(coded[1:]) else coded[:1]

    @classmethod
    def decode(cls, coded: bytes) -> Privilege:
        """Privileges of 1 or 3 bytes.

        Raises:
            CardDataInvalid: There are none, or too many.
        """
        if not 1 <= len(coded) <= 3:
            raise CardDataInvalid(f"privileges of {len(coded)} bytes")
        return cls(int.from_bytes(coded.ljust(3, b"\x00"), "big"))


class Scope(IntEnum):
    """Part of the registry that GET STATUS tells: its P1."""

    ISSUER_SECURITY_DOMAIN = 0x80
    APPLICATIONS = 0x40
    LOAD_FILES = 0x20
    LOAD_FILES_AND_MODULES = 0x10
