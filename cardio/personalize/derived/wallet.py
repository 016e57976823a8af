"""The directory of a wallet."""

from __future__ import annotations

from collections.abc import Iterator

from cardio.crypto.ciphers import Algorithm
from cardio.files.declaration import PIN, FileDeclaration
from cardio.files.file_header import header_of
from cardio.files.key_file import KeyKind
from cardio.personalize.derived.sizes import PURSE, extent, key_file_size, sized
from cardio.personalize.layout import FREE, DirectoryLayout, FileLayout, KeyRecord, Written, master_key
from cardio.products.model import WalletPart, WalletPurseName

WALLET = "WALLET-"
"""What the names of wallet roots begin with, because both standards say DPK."""
WALLET_LABEL = "ADF1"
WALLET_IDENTIFIER = 0x3F01
WALLET_PIN_TRIES, PIN_STATE, WALLET_PIN_BYTE = 3, 0x01, 0xF1
PASSBOOK_FILE, PURSE_FILE, PURSE_SIZE = 0x0001, 0x0002, 0x0208
FCI_FROM_FILE = 0x95
"""ADF whose FCI shows EF15 (PERS §1.3)."""


def wallet_directory(wallet: WalletPart) -> DirectoryLayout:
    """The application, with its files, its purses and its keys."""
    files = [_wallet_file(file) for file in {file.label: file for file in wallet.declarations.values()}.values()]
    passbook = wallet.purse is WalletPurseName.PASSBOOK
    if passbook:
        files.append(_purse(PASSBOOK_FILE, WALLET_PIN_BYTE, wallet.log_file.sfi))
    files.append(_purse(PURSE_FILE, FREE, wallet.log_file.sfi))
    pin = passbook or wallet.load_pin or any(file.read == WALLET_PIN_BYTE for file in files)
    keys = tuple(_wallet_keys(wallet, passbook=passbook, pin=pin))
    identifier = wallet.identifiers[0] if wallet.identifiers else WALLET_IDENTIFIER
    return sized(
        DirectoryLayout(
            label=WALLET_LABEL,
            identifier=identifier,
            name=wallet.aid,
            file_id=FCI_FROM_FILE,
            key_file=key_file_size(len(keys) + 1),
            master=master_key(f"{WALLET}AMK"),
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
        size=extent(file),
        read=header.read,
        update=header.update,
        flags=header.flags,
        written=Written.NEVER if by_card else Written.AT_ONCE,
    )


def _purse(identifier: int, use: int, log: int) -> FileLayout:
    label = "ED" if identifier == PASSBOOK_FILE else "EP"
    return FileLayout(label=label, identifier=identifier, kind=PURSE, size=PURSE_SIZE, read=use, update=0x00, flags=log)
