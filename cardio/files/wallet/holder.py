"""Holder data of wallets, EF16 (EW §2.4)."""

from __future__ import annotations

from cardio.files.codecs import Number, Text
from cardio.files.codes import Code
from cardio.files.declaration import (
    FREE,
    FileDeclaration,
    Structure,
    any_of,
)
from cardio.files.masking import Mask
from cardio.files.record import FixedRecord, field, optional
from cardio.files.tables.wallet import IDENTITY_TYPE


class WalletHolder(FixedRecord):
    """EF16 持卡人基本信息, the PBOC form of 39 bytes (EW §2.4)."""

    card_type: int = field(Number(1), "卡类型标识", "card type")
    staff: int = field(Number(1), "本行职工标识", "own-staff flag")
    name: str | None = optional(Text(20), "持卡人姓名", "name", personal=Mask.NAME)
    identity_number: str | None = optional(Text(16), "持卡人证件号码", "identity number", personal=Mask.ID_NUMBER)
    identity_type: str = field(Code(1, IDENTITY_TYPE, form="b", open_ended=True), "持卡人证件类型", "identity type")

    VECTORS = ("0000B2E2CAD4BCD700000000000000000000000000003939393939393139393030313031303005",)


class WalletHolderLong(FixedRecord):
    """EF16 持卡人基本信息, the T-Union and ETC form of 55 bytes (EW §2.4)."""

    card_type: int = field(Number(1), "卡类型标识", "card type")
    staff: int = field(Number(1), "本行职工标识", "own-staff flag")
    name: str | None = optional(Text(20), "持卡人姓名", "name", personal=Mask.NAME)
    identity_number: str | None = optional(Text(32), "持卡人证件号码", "identity number", personal=Mask.ID_NUMBER)
    identity_type: str = field(Code(1, IDENTITY_TYPE, form="b", open_ended=True), "持卡人证件类型", "identity type")

    VECTORS = (
        # PERS §5.2, A53
        ("0000B2E2CAD4BCD70000000000000000000000000000"
        "393939393939313939303031303130303136000000000000000000000000000000"),
    )  # fmt: skip


def _holder(content: type[FixedRecord]) -> FileDeclaration:
    return FileDeclaration(
        0x0016,
        0x16,
        "持卡人基本信息文件",
        "holder data",
        Structure.TRANSPARENT,
        content,
        read=FREE,
        update=any_of("DAMK"),
        size=content.size(),
        source="EW §2.1, §2.4",
    )


EF16_HOLDER = _holder(WalletHolder)
EF16_HOLDER_LONG = _holder(WalletHolderLong)
