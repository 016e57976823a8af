"""Files of wallets by the names under which products choose them."""

from __future__ import annotations

from collections.abc import Mapping

from cardio.files.declaration import FileDeclaration
from cardio.files.wallet.applications import EF18_LOG_FREE
from cardio.files.wallet.composite import EF17_COMPOSITE, EF19_COMPOSITE_ETC
from cardio.files.wallet.directory import EF01_DIRECTORY
from cardio.files.wallet.holder import EF16_HOLDER, EF16_HOLDER_LONG
from cardio.files.wallet.issuer import EF05_CARD_ISSUER
from cardio.files.wallet.local import EF06_GUANGXI, EF06_GUANGXI_COUNT, EF07_GUANGXI
from cardio.files.wallet.log import EF18_LOG
from cardio.files.wallet.management import EF17_MANAGEMENT
from cardio.files.wallet.public import (
    EF15_PUBLIC,
    EF15_PUBLIC_CJT166,
    EF15_PUBLIC_CJT166_FULL,
    EF15_PUBLIC_LINGNAN,
    EF15_PUBLIC_STAFF,
)
from cardio.files.wallet.trips import EF1E_TRIPS
from cardio.files.wallet.tunion import EF1A_COMPOSITE, EF19_COMPOSITE_LOCAL

WALLET_FILES: Mapping[str, FileDeclaration] = {
    "public-pboc": EF15_PUBLIC,
    "public-tunion-staff": EF15_PUBLIC_STAFF,
    "public-cjt166-30": EF15_PUBLIC_CJT166,
    "public-cjt166-34": EF15_PUBLIC_CJT166_FULL,
    "public-lingnan": EF15_PUBLIC_LINGNAN,
    "holder-39": EF16_HOLDER,
    "holder-55": EF16_HOLDER_LONG,
    "issuer": EF05_CARD_ISSUER,
    "directory": EF01_DIRECTORY,
    "management": EF17_MANAGEMENT,
    "log": EF18_LOG,
    "log-open": EF18_LOG_FREE,
    "trips": EF1E_TRIPS,
    "composite-tunion": EF1A_COMPOSITE,
    "composite-tunion-local": EF19_COMPOSITE_LOCAL,
    "composite-cjt166": EF17_COMPOSITE,
    "composite-etc": EF19_COMPOSITE_ETC,
    "guangxi-06": EF06_GUANGXI,
    "guangxi-06-count": EF06_GUANGXI_COUNT,
    "guangxi-07": EF07_GUANGXI,
}
"""Files of the wallet's directory; `issuer` and `directory` lie in the master file (EW §2.1)."""
