"""A blank social security card, which personalization fills (PERS §5.3)."""

from __future__ import annotations

from collections.abc import Mapping

from cardio.crypto.ciphers import Algorithm
from cardio.transport.channel import CardProtocol
from cardio.virtual.administration import AdministrationChoices, FirstKey
from cardio.virtual.blank import MASTER_NAME, blank_card
from cardio.virtual.blank_ldt_access import LdtChoices
from cardio.virtual.blank_ldt_security import BlankLdtSecurity
from cardio.virtual.card import VirtualCard
from cardio.virtual.key_file_purses import AccountChoices, WalletChoices
from cardio.virtual.recipe import remembered

BLANK_LDT_ATR = bytes.fromhex("3B6D000099992606019999260101000123")
"""ATR of card B, with the serial number in its last bytes (PERS §5.3)."""
ADMINISTRATION = AdministrationChoices(first_keys=frozenset({FirstKey.PARENT_MASTER, FirstKey.PLAIN}))


@remembered
def blank_ldt_card(
    *,
    atr: bytes = BLANK_LDT_ATR,
    protocol: CardProtocol = CardProtocol.T0,
    algorithm: Algorithm = Algorithm.TRIPLE_DES,
    name: bytes = MASTER_NAME,
    names_from_master_file: bool = False,
    choices: LdtChoices | None = None,
    administration: AdministrationChoices | None = None,
    account: AccountChoices | None = None,
    wallet: WalletChoices | None = None,
    ciphers: Mapping[str, Algorithm] | None = None,
) -> VirtualCard:
    """A blank social security card: nothing but its master file and the transport key.

    Args:
        atr: Answer to reset, with the card's serial number in its historical bytes (PERS §5.3).
        protocol: T=0 or T=1.
        algorithm: Cipher of the keys that will be written. Administrative commands under SM4 keys are protected as
            those of wallets are (EW §4.9), the cryptogram of the master likewise: a PROJECT CHOICE.
        name: Name of the master file.
        names_from_master_file: As for `VirtualCard`.
        choices: What differs between cards in use.
        administration: What differs between them in administration; by default the card takes no plain F9.
        account: What only the chip knows of its medical account.
        wallet: What only the chip knows of its wallets, on a combined card.
        ciphers: Cipher of the keys in directories that have another, such as a wallet, by DF name in hex.
    """
    security = BlankLdtSecurity(
        algorithm,
        choices or LdtChoices(),
        administration or ADMINISTRATION,
        account or AccountChoices(),
        wallet or WalletChoices(),
        ciphers or {},
    )
    return blank_card(security, atr=atr, protocol=protocol, name=name, names_from_master_file=names_from_master_file)
