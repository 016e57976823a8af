"""What a card's registry tells: applications and load files, their states and privileges (PERS §2.5)."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.apdu.globalplatform import LOCKED, Privilege
from cardio.apdu.tlv import Tlv, find_ber, iterate_ber
from cardio.errors import CardDataInvalid


@dataclass(frozen=True)
class RegistryEntry:
    """One entry.

    Attributes:
        aid: AID, 5 to 16 bytes.
        state: Life cycle state, its first byte.
        privileges: Privileges of an application.
        load_file: AID of the load file that an application comes from; None where the card does not tell.
        modules: AIDs of a load file's modules, if they were asked for.
        security_domain: AID of the security domain that it belongs to; None where the card does not tell.
        version: Version of a load file, major and minor; None where the card does not tell.
    """

    aid: bytes
    state: int
    privileges: Privilege = Privilege.NONE
    load_file: bytes | None = None
    modules: tuple[bytes, ...] = ()
    security_domain: bytes | None = None
    version: tuple[int, int] | None = None

    @property
    def locked(self) -> bool:
        """Whether an application is locked."""
        return bool(self.state & LOCKED)


def parse_registry(data: bytes) -> tuple[RegistryEntry, ...]:
    """Entries of the templates E3 that GET STATUS answers.

    Raises:
        CardDataInvalid: Something else is there, or an entry has no AID or state.
    """
    return tuple(_entry(tlv) for tlv in iterate_ber(data))


def _entry(template: Tlv) -> RegistryEntry:
    if template.tag != 0xE3:
        raise CardDataInvalid(f"object {template.tag:X} in the registry")
    content = template.value
    aid, state = find_ber(content, 0x4F), find_ber(content, 0x9F70)
    if not aid or not state:
        raise CardDataInvalid("an entry of the registry has no AID or no state")
    privileges, version = find_ber(content, 0xC5), find_ber(content, 0xCE)
    return RegistryEntry(
        aid,
        state[0],
        Privilege.decode(privileges) if privileges is not None else Privilege.NONE,
        find_ber(content, 0xC4),
        tuple(tlv.value for tlv in iterate_ber(content) if tlv.tag == 0x84),
        find_ber(content, 0xCC),
        (version[0], version[1]) if version is not None and len(version) == 2 else None,
    )
