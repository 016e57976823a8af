"""The master file, and what is below it."""

from __future__ import annotations

from cardio.apdu.command import MASTER_FILE
from cardio.apdu.tlv import encode_ber
from cardio.crypto.ciphers import Algorithm
from cardio.files.key_file import KEY_OVERHEAD, KeyKind
from cardio.personalize.derived.sizes import rounded
from cardio.personalize.derived.social_security import SocialSecurityLayout, algorithm_of
from cardio.personalize.derived.wallet import WALLET, wallet_directory
from cardio.personalize.layout import (
    FIXED,
    FREE,
    KEY_SIZE,
    MASTER,
    DirectoryLayout,
    FileLayout,
    KeyRecord,
    Layout,
    Written,
    master_key,
)
from cardio.products.model import Product

DIR_FILE, DIR_RECORDS = 0x0001, 2
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
        environment = SocialSecurityLayout(product, social)
        below += environment.directories()
        left_out += environment.left_out
    if wallet is not None:
        below.append(wallet_directory(wallet))
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
        update=MASTER,
        written=Written.AT_ONCE,
        content=tuple(record.ljust(length, b"\x00") for record in records),
    )
    wallet = bool(prefix)
    keys = (KeyRecord(name=f"{prefix}CLK", kind=KeyKind.LINE),) if wallet else ()
    return DirectoryLayout(
        label="MF",
        identifier=MASTER_FILE,
        file_id=0x01,
        key_file=rounded((len(keys) + 2) * (KEY_SIZE + KEY_OVERHEAD), 0x10),
        temporary="BATCH",
        temporary_protected=False,
        master=master_key(f"{prefix}CCK" if wallet else "CCKB"),
        keys=keys,
        files=(directory_file,) if wallet else (),
        directories=below,
    )


def _dir_record(name: bytes) -> bytes:
    content = encode_ber(0x4F, name)
    if name in LABELS:
        content += encode_ber(0x50, LABELS[name])
    return encode_ber(0x61, content)
