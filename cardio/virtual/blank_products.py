"""Blank virtual cards for any product, as a card maker would ship them."""

from __future__ import annotations

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.globalplatform.keys import DIVERSIFICATION_SIZE
from cardio.products.model import Product
from cardio.virtual.blank_fmcos import blank_fmcos_card
from cardio.virtual.blank_ldt import blank_ldt_card
from cardio.virtual.blank_ldt_access import LdtChoices
from cardio.virtual.card import VirtualCard
from cardio.virtual.globalplatform import JavaCard
from cardio.virtual.globalplatform_channel import Options
from cardio.virtual.key_file_purses import AccountChoices, WalletChoices
from cardio.virtual.products import REGION, SM4_VERSIONS

FIRST_ANNOUNCING = "2.0"
"""Version from which on cards name their algorithm in the FCI (SSC §1)."""


def blank_card_for(product: Product, number: int = 1) -> VirtualCard:
    """A blank card that can become one of a product.

    Args:
        product: What it is to become: what only the mask of a chip knows, it has already.
        number: Its serial number, 1 to 99 999 999; part of its ATR, so that no two cards are alike.
    """
    social, wallet, medical = product.social_security, product.wallet, product.medical
    mask = None
    if wallet is not None:
        mask = WalletChoices(grey_lock=wallet.grey_lock, log_number=wallet.log_number, proof_number=wallet.proof_number)
    if social is not None:
        sm4 = social.versions[0] in SM4_VERSIONS
        return blank_ldt_card(
            atr=bytes.fromhex(f"3B6D000099992606019999{REGION[:4]}{number:08d}"),
            algorithm=Algorithm.SM4 if sm4 else Algorithm.TRIPLE_DES,
            choices=LdtChoices(announces=social.versions[0] >= FIRST_ANNOUNCING),
            account=AccountChoices(medical.log_number, medical.proof_number) if medical else None,
            wallet=mask,
            ciphers={wallet.aid.hex().upper(): wallet.algorithm} if wallet is not None else None,
        )
    if wallet is None:
        raise ValueError(f"{product.id} has neither environment nor wallet")
    return blank_fmcos_card(
        atr=bytes.fromhex(f"3B8C8001107880900220900000{number:08X}"),
        algorithm=wallet.algorithm,
        wallet=mask,
    )


def blank_java_card(options: Options, number: int = 1) -> JavaCard:
    """A blank JavaCard; all of them have one ATR, and serial numbers of their own.

    Args:
        options: Protocol of its secure channel.
        number: Its serial number, 1 to 4 294 967 295; also what its own keys are derived from.
    """
    return JavaCard(options, serial=number, diversification_data=number.to_bytes(DIVERSIFICATION_SIZE, "big"))
