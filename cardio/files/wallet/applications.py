"""Wallet applications and their files (EW §1.1, §2.1)."""

from cardio.files.declaration import ApplicationDeclaration
from cardio.files.wallet.log import EF18_LOG
from cardio.files.wallet.public import EF15_PUBLIC

WALLET_NAME = bytes.fromhex("A00000000386980701")
"""AID of the PBOC and CJ/T 166 purse (EW §1.1)."""

WALLET = ApplicationDeclaration(0x3F01, "电子钱包", "electronic wallet", (EF15_PUBLIC, EF18_LOG), name=WALLET_NAME)
