"""The layout of any card product, from its declarations alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cardio.apdu.command import MASTER_FILE
from cardio.apdu.tlv import encode_ber
from cardio.crypto.ciphers import Algorithm
from cardio.files.declaration import PIN, ApplicationDeclaration, FileDeclaration, Structure
from cardio.files.file_header import MAC_BIT, TYPES, header_of
from cardio.files.key_file import KEY_OVERHEAD, KeyKind
from cardio.files.record import ItemRecord
from cardio.personalize.layout import (
    COMPANION,
    FIXED,
    FREE,
    KEY_SIZE,
    DirectoryLayout,
    FileLayout,
    KeyRecord,
    Layout,
    Written,
)
from cardio.personalize.states import States, allot
from cardio.products.model import Product, SocialSecurityPart, WalletPart, WalletPurseName
from cardio.security.card_keys import ENVIRONMENT, CardKey

WALLET = "WALLET-"
"""What the names of wallet roots begin with, because both standards say DPK."""
WALLET_LABEL = "ADF1"
WALLET_IDENTIFIER = 0x3F01
MASTER_STATE_BYTE = 0xAA
PIN_TRIES, WALLET_PIN_TRIES = 6, 3
PIN_STATE = 0x01
WALLET_PIN_BYTE = 0xF1
SPARE_KEYS = 4
"""Room for further keys in a key file (PERS §5.2)."""
FIXED_RECORDS = 8
"""Room for composite records, of which each industry gets one (EW §2.9)."""
DIR_FILE, DIR_RECORDS = 0x0001, 2
PURSE, ACCOUNT = 0x2F, 0x2D
PASSBOOK_FILE, PURSE_FILE, ACCOUNT_FILE = 0x0001, 0x0002, 0xEF01
PURSE_SIZE, ACCOUNT_SIZE = 0x0208, 0x0014
FILE_OVERHEAD, PURSE_BODY = 11, 22
"""Bytes of a file header, and of a purse (PERS §1.1)."""
FCI_FROM_FILE, NO_FCI_FILE = 0x95, 0x80
"""ADF whose FCI shows EF15, and one without (PERS §1.3, §5.3)."""
DIR_SFI, NO_DIR = 0x1E, 0x00
LABELS = {bytes.fromhex("A00000000386980701"): b"PBOC"}
"""Application labels in the DIR file (PERS §1.6)."""
STARTING_DAY = "0101"
TRANSPORT_KEYS = {Algorithm.TRIPLE_DES: "TRANSPORT", Algorithm.SM4: "TRANSPORT-SM4"}
"""Names of the keys of blank cards, by the cipher of all their keys."""


def layout_of(product: Product) -> tuple[Layout, tuple[str, ...]]:
    """The layout, and what of the product's rights the operating system cannot express.

    Raises:
        ValueError: The product has more rights in one directory than the COS has states.
    """
    left_out: list[str] = []
    social, wallet = product.social_security, product.wallet
    below: list[DirectoryLayout] = []
    if social is not None:
        environment = _SocialSecurity(product, social)
        below += environment.directories()
        left_out += environment.left_out
    if wallet is not None:
        below.append(_wallet(wallet))
    prefix = WALLET if social is None else ""
    layout = Layout(
        id=product.id,
        product=product.id,
        cos="fmcos" if social is None else "ldt",
        transport=TRANSPORT_KEYS[_cipher(product)],
        master_file=_master_file(tuple(below), prefix),
        starting_day=STARTING_DAY if product.medical is not None else None,
    )
    return layout, tuple(left_out)


def _cipher(product: Product) -> Algorithm:
    """Cipher of the keys by which a blank card is taken over."""
    if product.social_security is not None:
        return algorithm_of(product.social_security)
    return product.wallet.algorithm if product.wallet is not None else Algorithm.TRIPLE_DES


def _master_file(below: tuple[DirectoryLayout, ...], prefix: str) -> DirectoryLayout:
    """The master file, with a line key and a directory file where wallets are alone on the card (PERS §5.2)."""
    names = [directory.name for directory in below if directory.name]
    records = [_dir_record(name) for name in names]
    length = max((len(record) for record in records), default=0)
    directory_file = FileLayout(
        label="EF01",
        identifier=DIR_FILE,
        kind=FIXED,
        size=max(DIR_RECORDS, len(records)) << 8 | length,
        read=FREE,
        update=MASTER_STATE_BYTE,
        written=Written.AT_ONCE,
        content=tuple(record.ljust(length, b"\x00") for record in records),
    )
    wallet = bool(prefix)
    keys = (KeyRecord(name=f"{prefix}CLK", kind=KeyKind.LINE),) if wallet else ()
    return DirectoryLayout(
        label="MF",
        identifier=MASTER_FILE,
        file_id=0x01,
        key_file=_rounded((len(keys) + 2) * (KEY_SIZE + KEY_OVERHEAD), 0x10),
        temporary="BATCH",
        temporary_protected=False,
        master=_master(f"{prefix}CCK" if wallet else "CCKB"),
        keys=keys,
        files=(directory_file,) if wallet else (),
        directories=below,
    )


def _dir_record(name: bytes) -> bytes:
    content = encode_ber(0x4F, name)
    if name in LABELS:
        content += encode_ber(0x50, LABELS[name])
    return encode_ber(0x61, content)


def _master(name: str) -> KeyRecord:
    return KeyRecord(name=name, kind=KeyKind.EXTERNAL, state=MASTER_STATE_BYTE)


# ---- wallets ---------------------------------------------------------------------------------------------------------


def _wallet(wallet: WalletPart) -> DirectoryLayout:
    files = [_wallet_file(file) for file in {file.label: file for file in wallet.declarations.values()}.values()]
    passbook = wallet.purse is WalletPurseName.PASSBOOK
    if passbook:
        files.append(_purse(PASSBOOK_FILE, WALLET_PIN_BYTE, wallet.log_file.sfi))
    files.append(_purse(PURSE_FILE, FREE, wallet.log_file.sfi))
    pin = passbook or wallet.load_pin or any(file.read == WALLET_PIN_BYTE for file in files)
    keys = tuple(_wallet_keys(wallet, passbook=passbook, pin=pin))
    identifier = wallet.identifiers[0] if wallet.identifiers else WALLET_IDENTIFIER
    return _sized(
        DirectoryLayout(
            label=WALLET_LABEL,
            identifier=identifier,
            name=wallet.aid,
            file_id=FCI_FROM_FILE,
            key_file=_key_file(len(keys) + 1),
            master=_master(f"{WALLET}AMK"),
            keys=keys,
            files=tuple(files),
        )
    )


def _wallet_keys(wallet: WalletPart, *, passbook: bool, pin: bool) -> Iterator[KeyRecord]:
    sm4 = wallet.algorithm is Algorithm.SM4
    # An SM4 key has the 3DES key's identifier and 40 (EW §4.9).
    offset, algorithm = (0x40, 0x04) if sm4 else (0x00, 0x00)
    yield KeyRecord(name=f"{WALLET}DAMK", kind=KeyKind.LINE)
    if pin:
        yield KeyRecord(name=f"{WALLET}DPUK", kind=KeyKind.PIN_UNBLOCK)
        yield KeyRecord(name=f"{WALLET}DRPK", kind=KeyKind.PIN_RELOAD)
    yield KeyRecord(name=f"{WALLET}DTK", kind=KeyKind.TAC, algorithm=algorithm)
    load = WALLET_PIN_BYTE if wallet.load_pin or passbook else FREE
    yield KeyRecord(name=f"{WALLET}DPK", kind=KeyKind.PURCHASE, id=1 + offset, algorithm=algorithm)
    yield KeyRecord(name=f"{WALLET}DLK", kind=KeyKind.LOAD, id=1 + offset, use=load, algorithm=algorithm)
    if passbook:
        for name, kind in (("DULK", KeyKind.UNLOAD), ("DUK", KeyKind.OVERDRAFT)):
            yield KeyRecord(name=WALLET + name, kind=kind, id=1 + offset, use=load, algorithm=algorithm)
    if pin:
        yield KeyRecord(name=PIN, kind=KeyKind.PIN, state=PIN_STATE, tries=WALLET_PIN_TRIES, protected=False)


def _wallet_file(file: FileDeclaration) -> FileLayout:
    header = header_of(file)
    by_card = not file.update.alternatives
    return FileLayout(
        label=file.label,
        identifier=file.identifier,
        kind=header.kind,
        size=_extent(file),
        read=header.read,
        update=header.update,
        flags=header.flags,
        written=Written.NEVER if by_card else Written.AT_ONCE,
    )


def _purse(identifier: int, use: int, log: int) -> FileLayout:
    label = "ED" if identifier == PASSBOOK_FILE else "EP"
    return FileLayout(label=label, identifier=identifier, kind=PURSE, size=PURSE_SIZE, read=use, update=0x00, flags=log)


# ---- social security -------------------------------------------------------------------------------------------------


@dataclass
class _SocialSecurity:
    """Layout of the environments of one product."""

    product: Product
    social: SocialSecurityPart
    left_out: list[str] = field(default_factory=list)

    def directories(self) -> list[DirectoryLayout]:
        root = self.social.tree
        environments = (root,) if root.label == ENVIRONMENT else root.applications
        found = [
            self._keyed(one, self._best_pin(one)) if one.label == ENVIRONMENT else self._keyless(one)
            for one in environments
        ]
        return [_sized(one) for one in found]

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
            key_file=_key_file(len(keys) + 1),
            temporary="SSSE-TEMPORARY" if environment else None,
            master=_master("SMK" if environment else f"{label}MK"),
            keys=tuple(keys),
            files=tuple(files),
            directories=tuple(_sized(self._keyed(one, pin)) for one in application.applications),
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
            size=_extent(file),
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
                size=_extent(file),
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
            directories=tuple(_sized(self._keyless(one)) for one in application.applications),
        )


SM4_VERSIONS = frozenset({"3.0"})
"""Third-generation cards have SM4 keys (SSC §1)."""


def algorithm_of(social: SocialSecurityPart) -> Algorithm:
    """Cipher of a social security card's keys."""
    return Algorithm.SM4 if social.versions[0] in SM4_VERSIONS else Algorithm.TRIPLE_DES


def _own_name(application: ApplicationDeclaration) -> bytes:
    """A name for a directory whose AID no source gives: the COS creates none without (PERS §1.3). PROJECT CHOICE."""
    return f"SSSE.{application.label}".encode("ascii")


# ---- sizes -----------------------------------------------------------------------------------------------------------


def _extent(file: FileDeclaration) -> int:
    """Bytes 2 and 3 of CREATE FILE: a size, or records and their length."""
    if file.structure is Structure.CYCLIC:
        return file.records << 8 | file.size
    if file.structure is Structure.LINEAR_FIXED:
        return (file.records or FIXED_RECORDS) << 8 | (file.size or _largest(file))
    if file.structure is Structure.TRANSPARENT:
        return file.size
    return _rounded(sum(_record_sizes(file)), 0x20)


def _record_sizes(file: FileDeclaration) -> Iterable[int]:
    """Length of every record, and the byte of length that the card keeps beside it."""
    if not issubclass(file.content, ItemRecord):
        raise TypeError(f"{file.label} has no items")
    return [2 + spec.codec.size + 1 for spec in file.content.specs().values() for _ in range(spec.count)]


def _largest(file: FileDeclaration) -> int:
    return max(_record_sizes(file)) - 1


def _key_file(keys: int) -> int:
    return (keys + SPARE_KEYS) * (KEY_SIZE + KEY_OVERHEAD)


def _sized(directory: DirectoryLayout) -> DirectoryLayout:
    """The directory with room for all that is in it (PERS §1.1)."""
    room = FILE_OVERHEAD + directory.key_file if directory.key_file else 0
    room += sum(_file_room(file) for file in directory.files)
    room += sum(FILE_OVERHEAD + len(one.name) + one.size for one in directory.directories)
    return directory.model_copy(update={"size": _rounded(room, 0x40)})


def _file_room(file: FileLayout) -> int:
    kind = file.kind & ~MAC_BIT
    if kind == PURSE:
        return FILE_OVERHEAD + PURSE_BODY
    if kind in {TYPES[Structure.CYCLIC], TYPES[Structure.LINEAR_FIXED]}:
        return FILE_OVERHEAD + (file.size >> 8) * ((file.size & 0xFF) + 1)
    return FILE_OVERHEAD + file.size


def _rounded(size: int, step: int) -> int:
    return -(-size // step) * step
