"""The environments of a social security card, of any version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cardio.crypto.ciphers import Algorithm
from cardio.files.declaration import PIN, ApplicationDeclaration, FileDeclaration
from cardio.files.file_header import TYPES
from cardio.files.key_file import KeyKind
from cardio.personalize.derived.sizes import extent, key_file_size, sized
from cardio.personalize.layout import (
    COMPANION,
    DirectoryLayout,
    FileLayout,
    KeyRecord,
    Written,
    master_key,
)
from cardio.personalize.states import States, allot
from cardio.products.model import Product, SocialSecurityPart
from cardio.security.card_keys import ENVIRONMENT, CardKey

PIN_TRIES = 6
ACCOUNT, ACCOUNT_FILE, ACCOUNT_SIZE = 0x2D, 0xEF01, 0x0014
NO_FCI_FILE = 0x80
"""ADF whose FCI shows no file (PERS §5.3)."""
DIR_SFI, NO_DIR = 0x1E, 0x00


@dataclass
class SocialSecurityLayout:
    """Layout of the environments of one product.

    Attributes:
        left_out: What of the product's rights the operating system cannot express, as sentences, once they are made.
    """

    product: Product
    social: SocialSecurityPart
    left_out: list[str] = field(default_factory=list)

    def directories(self) -> list[DirectoryLayout]:
        """All environments, with what is below them."""
        root = self.social.tree
        environments = (root,) if root.label == ENVIRONMENT else root.applications
        found = [
            self._keyed(one, self._best_pin(one)) if one.label == ENVIRONMENT else self._keyless(one)
            for one in environments
        ]
        return [sized(one) for one in found]

    def _best_pin(self, environment: ApplicationDeclaration) -> int:
        """The state of the PIN that leaves the fewest rights out; the same in all directories below."""

        def lost(pin: int) -> int:
            directories = [self._states(one, pin) for one in environment.walk()]
            for one, states in zip(environment.walk(), directories, strict=True):
                for file in one.files:
                    states.byte(file.read, file.label)
            return sum(len(states.left_out) for states in directories)

        return min((1, 2), key=lost)

    def _names(self, application: ApplicationDeclaration) -> list[str]:
        """External keys of a directory: those that its files and its maintenance need."""
        accesses = [access for file in application.files for access in (file.read, file.update)]
        needed = {name for access in accesses for one in access.alternatives for name in one}
        return [
            key.name
            for key in self._card_keys(application)
            if not key.name.startswith(("IRK", "STK"))
            and (
                key.name in needed
                or key.name.startswith(("PUK", "BK", "LK", "RKSSSE"))
                or (key.name == "DSK" and self.product.medical is not None)
            )
        ]

    def _card_keys(self, application: ApplicationDeclaration) -> list[CardKey]:
        return [key for key in self.social.naming().card_keys.values() if key.application == application.label]

    def _states(self, application: ApplicationDeclaration, pin: int) -> States:
        accesses = [access for file in application.files for access in (file.read, file.update)]
        return allot(accesses, self._names(application), pin)

    def _keyed(self, application: ApplicationDeclaration, pin: int) -> DirectoryLayout:
        label, environment = application.label, application.label == ENVIRONMENT
        states = self._states(application, pin)
        files = [self._file(file, states) for file in application.files]
        medical = label == "DF04" and self.product.medical is not None
        keys = list(self._keys(application, states, medical=medical))
        if environment:
            keys.append(KeyRecord(name=PIN, kind=KeyKind.PIN, state=pin, tries=PIN_TRIES, protected=False))
        if medical:
            log = next(file.identifier & 0x1F for file in files if file.label == "EF08")
            use = states.of[PIN] << 4 | states.of[PIN]
            files.append(
                FileLayout(label="EF01", identifier=ACCOUNT_FILE, kind=ACCOUNT, size=ACCOUNT_SIZE, read=use,
                           update=0x00, flags=log)
            )  # fmt: skip
        self.left_out += [f"{label}/{sentence}" for sentence in states.left_out]
        return DirectoryLayout(
            label=label,
            identifier=application.identifier,
            name=application.name or _own_name(application),
            file_id=DIR_SFI if environment else NO_FCI_FILE,
            key_file=key_file_size(len(keys) + 1),
            temporary="SSSE-TEMPORARY" if environment else None,
            master=master_key("SMK" if environment else f"{label}MK"),
            keys=tuple(keys),
            files=tuple(files),
            directories=tuple(sized(self._keyed(one, pin)) for one in application.applications),
        )

    def _keys(self, application: ApplicationDeclaration, states: States, *, medical: bool) -> Iterator[KeyRecord]:
        algorithm = self.product_algorithm_id
        for key in self._card_keys(application):
            if key.name.startswith("IRK"):
                yield KeyRecord(name=key.name, kind=KeyKind.ENCRYPT, id=key.kid, algorithm=algorithm)
            elif key.name.startswith("STK"):
                yield KeyRecord(name=key.name, kind=KeyKind.LINE)
        kids = {key.name: key.kid for key in self._card_keys(application)}
        for name in self._names(application):
            yield KeyRecord(name=name, kind=KeyKind.EXTERNAL, id=kids[name], state=states.of[name])
        for name, state in states.companions.items():
            pin = states.of[PIN] << 4 | states.of[PIN]
            yield KeyRecord(name=name, kind=KeyKind.EXTERNAL, id=kids[name] | COMPANION, use=pin, state=state)
        if medical:
            for name, kind, number in (("DPK", KeyKind.PURCHASE, 1), ("DLK", KeyKind.LOAD, 1), ("DTK", KeyKind.TAC, 0)):
                yield KeyRecord(name=name, kind=kind, id=number, algorithm=algorithm)

    @property
    def product_algorithm_id(self) -> int:
        """Algorithm identifier in the headers of purse keys."""
        return 0x03 if algorithm_of(self.social) is Algorithm.SM4 else 0x00

    @staticmethod
    def _file(file: FileDeclaration, states: States) -> FileLayout:
        updaters = {name for needed in file.update.alternatives for name in needed}
        return FileLayout(
            label=file.label,
            identifier=file.identifier,
            kind=TYPES[file.structure],
            size=extent(file),
            read=states.byte(file.read, file.label),
            update=states.byte(file.update, file.label),
            written=Written.AFTERWARDS if updaters else Written.NEVER,
            key=min(updaters, default=None),
        )

    def _keyless(self, application: ApplicationDeclaration) -> DirectoryLayout:
        """An environment without keys of ours: it is filled while it is new, and closed for ever afterwards."""
        states = States({})
        files = tuple(
            FileLayout(
                label=file.label,
                identifier=file.identifier,
                kind=TYPES[file.structure],
                size=extent(file),
                read=states.byte(file.read, file.label),
                update=states.byte(file.update, file.label),
                written=Written.AT_ONCE,
            )
            for file in application.files
        )
        self.left_out += [f"{application.label}/{sentence}" for sentence in states.left_out]
        return DirectoryLayout(
            label=application.label,
            identifier=application.identifier,
            name=application.name or _own_name(application),
            file_id=NO_FCI_FILE if application.files else NO_DIR,
            files=files,
            directories=tuple(sized(self._keyless(one)) for one in application.applications),
        )


SM4_VERSIONS = frozenset({"3.0"})
"""Third-generation cards have SM4 keys (SSC §1)."""


def algorithm_of(social: SocialSecurityPart) -> Algorithm:
    """Cipher of a social security card's keys."""
    return Algorithm.SM4 if social.versions[0] in SM4_VERSIONS else Algorithm.TRIPLE_DES


def _own_name(application: ApplicationDeclaration) -> bytes:
    """A name for a directory whose AID no source gives: the COS creates none without (PERS §1.3). PROJECT CHOICE."""
    return f"SSSE.{application.label}".encode("ascii")
