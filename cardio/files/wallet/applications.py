"""Wallet applications and the cards that hold them (EW §1.1, §2.1)."""

from __future__ import annotations

from cardio.files.declaration import FREE, ApplicationDeclaration, CardDeclaration, FileDeclaration
from cardio.files.wallet.composite import EF17_COMPOSITE, EF19_COMPOSITE_ETC
from cardio.files.wallet.directory import EF01_DIRECTORY
from cardio.files.wallet.holder import EF16_HOLDER, EF16_HOLDER_LONG
from cardio.files.wallet.issuer import EF05_CARD_ISSUER
from cardio.files.wallet.log import EF18_LOG
from cardio.files.wallet.management import EF17_MANAGEMENT
from cardio.files.wallet.public import EF15_PUBLIC, EF15_PUBLIC_CJT166
from cardio.files.wallet.trips import EF1E_TRIPS
from cardio.files.wallet.tunion import EF1A_COMPOSITE, EF19_COMPOSITE_LOCAL

WALLET_NAME = bytes.fromhex("A00000000386980701")
"""AID of the PBOC and CJ/T 166 purse (EW §1.1)."""
TUNION_NAME = bytes.fromhex("A000000632010105")
"""AID of the T-Union purse (EW §1.1)."""
MASTER_FILE_NAME = b"1PAY.SYS.DDF01"
"""Default name of the master file (EW §1.1)."""

EF18_LOG_FREE = EF18_LOG.readable_with(FREE)
"""EF18 of transit cards: most of them give it without the PIN (EW §2.1)."""

WALLET = ApplicationDeclaration(
    0x3F01,
    "电子钱包",
    "electronic wallet",
    (EF15_PUBLIC, EF16_HOLDER, EF18_LOG),
    name=WALLET_NAME,
    label="ADF1",
    source="EW §1.1, §2.1",
)
WALLET_CJT166 = ApplicationDeclaration(
    0x3F01,
    "城市一卡通电子钱包",
    "city transit wallet",
    (EF15_PUBLIC_CJT166, EF16_HOLDER, EF17_COMPOSITE, EF18_LOG_FREE),
    name=WALLET_NAME,
    label="ADF1",
    source="EW §1.1, §2.1",
)
WALLET_TUNION = ApplicationDeclaration(
    0x3F01,  # EW gives no file identifier: the purse is selected by name
    "交通联合电子钱包",
    "T-Union wallet",
    (
        EF15_PUBLIC,
        EF16_HOLDER_LONG,
        EF17_MANAGEMENT,
        EF18_LOG_FREE,
        EF19_COMPOSITE_LOCAL,
        EF1A_COMPOSITE,
        EF1E_TRIPS,
    ),
    name=TUNION_NAME,
    label="ADF1",
    source="EW §1.1, §2.1",
)


def _card(
    identifier: str, zh: str, en: str, wallet: ApplicationDeclaration, *files: FileDeclaration
) -> CardDeclaration:
    root = ApplicationDeclaration(
        0x3F00,
        "主控文件",
        "master file",
        (EF01_DIRECTORY, *files),
        name=MASTER_FILE_NAME,
        label="MF",
        applications=(wallet,),
        source="EW §1.1, §1.3",
    )
    return CardDeclaration(identifier, zh, en, root, source="EW §1.1, §2.1")


PBOC_WALLET = _card("citizen-wallet", "市民卡电子钱包", "citizen card wallet", WALLET)
CJT166 = _card(
    "transit-cjt166", "城市一卡通（CJ/T 166）", "city transit card (CJ/T 166)", WALLET_CJT166, EF05_CARD_ISSUER
)
TUNION = _card("transit-jtt978", "交通联合卡（JT/T 978）", "T-Union transit card (JT/T 978)", WALLET_TUNION)
ETC = _card(
    "etc",
    "高速公路电子收费卡",
    "motorway toll card (ETC)",
    ApplicationDeclaration(
        0x1001,
        "电子收费钱包",
        "motorway toll wallet",
        # EW names EF15 of ETC cards without a layout of its own: the generic one stands here.
        (EF15_PUBLIC, EF16_HOLDER_LONG, EF18_LOG, EF19_COMPOSITE_ETC),
        label="ADF1",  # its name ends in the province: PAY.ETC.<province>
        source="EW §1.1, §2.4, §2.9",
    ),
)
