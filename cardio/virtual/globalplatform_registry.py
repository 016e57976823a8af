"""What is on a virtual JavaCard: load files, applications, and how GET STATUS tells them (PERS §2.5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cardio.apdu.globalplatform import LOCKED, ApplicationState, CardState, Privilege, Scope
from cardio.apdu.tlv import encode_ber
from cardio.virtual.globalplatform_applet import Applet

LOADED = b"\x01"
DOMAIN_PRIVILEGES = bytes.fromhex("9EFE80")
"""Privileges of an issuer security domain, as in the answer of PERS §2.7."""


@dataclass(frozen=True)
class LoadFile:
    """A load file.

    Attributes:
        aid: Its AID.
        version: Major and minor.
        modules: AIDs of its applets.
        size: Bytes that it takes.
    """

    aid: bytes
    version: tuple[int, int]
    modules: tuple[bytes, ...]
    size: int


@dataclass
class Application:
    """An application.

    Attributes:
        aid: Its AID.
        load_file: AID of the load file that it comes from.
        applet: What it does.
        privileges: What it may do beyond others.
        state: Life cycle state.
    """

    aid: bytes
    load_file: bytes
    applet: Applet
    privileges: Privilege
    state: int = ApplicationState.SELECTABLE

    @property
    def locked(self) -> bool:
        """Whether it is locked."""
        return bool(self.state & LOCKED)


@dataclass
class Registry:
    """All that the card holds, in the order in which it came.

    Attributes:
        security_domain: AID of the issuer security domain.
        memory: Bytes for load files.
        state: Life cycle of the card.
    """

    security_domain: bytes
    memory: int
    state: CardState = CardState.OP_READY
    load_files: dict[bytes, LoadFile] = field(default_factory=dict)
    applications: dict[bytes, Application] = field(default_factory=dict)

    @property
    def free(self) -> int:
        """Bytes that are left for load files."""
        return self.memory - sum(load_file.size for load_file in self.load_files.values())

    def knows(self, aid: bytes) -> bool:
        """Whether something on the card has this AID."""
        return aid == self.security_domain or aid in self.load_files or aid in self.applications

    def made_from(self, load_file: bytes) -> list[bytes]:
        """AIDs of the applications of a load file."""
        return [found.aid for found in self.applications.values() if found.load_file == load_file]

    def tell(self, scope: Scope, prefix: bytes) -> Iterator[bytes]:
        """Entries of a part of the registry whose AID begins with `prefix`, each as template E3."""
        match scope:
            case Scope.ISSUER_SECURITY_DOMAIN:
                if self.security_domain.startswith(prefix):
                    yield _entry(self.security_domain, bytes([self.state]), encode_ber(0xC5, DOMAIN_PRIVILEGES))
            case Scope.APPLICATIONS:
                for application in self.applications.values():
                    if application.aid.startswith(prefix):
                        yield self._application(application)
            case _:
                for load_file in self.load_files.values():
                    if load_file.aid.startswith(prefix):
                        yield self._load_file(load_file, modules=scope is Scope.LOAD_FILES_AND_MODULES)

    def _application(self, application: Application) -> bytes:
        rest = encode_ber(0xC5, application.privileges.encode()) + encode_ber(0xC4, application.load_file)
        return _entry(application.aid, bytes([application.state]), rest + encode_ber(0xCC, self.security_domain))

    def _load_file(self, load_file: LoadFile, *, modules: bool) -> bytes:
        rest = encode_ber(0xCE, bytes(load_file.version))
        if modules:
            rest += b"".join(encode_ber(0x84, aid) for aid in load_file.modules)
        return _entry(load_file.aid, LOADED, rest + encode_ber(0xCC, self.security_domain))


def _entry(aid: bytes, state: bytes, rest: bytes) -> bytes:
    return encode_ber(0xE3, encode_ber(0x4F, aid) + encode_ber(0x9F70, state) + rest)
