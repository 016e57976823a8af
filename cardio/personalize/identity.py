"""Which card lies in the reader, and whether it is blank: asked without trying any key (PERS §3.2)."""

from __future__ import annotations

from cardio.apdu.command import Command, select_file, select_name
from cardio.apdu.connection import CardConnection
from cardio.errors import CardNotBlank
from cardio.products.catalogue import Catalogue
from cardio.transport.channel import Disclosure

CONTACTLESS = bytes.fromhex("8001")
"""What the ATR of a contactless card begins with, behind TS and T0 (PC/SC part 3)."""
GET_UID = Command("GET UID", 0xFF, 0xCA, le=0, disclosure=Disclosure.ALL)
NOT_THERE = frozenset({0x6A82, 0x6A86})
"""Answers to SELECT: no such file, or a card that selects by names only."""
BLOCKED = frozenset({0x6283, 0x6A81, 0x9303})
"""Answers of a blocked application (SSC §2.1, EW §1.4)."""


def identity_of(card: CardConnection) -> str:
    """What every card is known by: its ATR, and its UID where a contactless reader tells it, in hex."""
    identity = card.atr.hex().upper()
    # A contact card must never be sent class FF (ISO 7816-3 §10.3).
    if not card.contact and card.atr[2:4] == CONTACTLESS:
        answer = card.send(GET_UID)
        if answer.ok and answer.data:
            identity += f" {answer.data.hex().upper()}"
    return identity


def refuse_known(card: CardConnection, catalogue: Catalogue) -> None:
    """Refuse a card on which an application of any known product can be selected; no key is tried.

    Raises:
        CardNotBlank: There is one, blocked or not.
        CardError: The card does not say.
    """
    selectors: dict[bytes | int, str] = {}
    for product in catalogue:
        if product.wallet is not None:
            selectors |= dict.fromkeys((product.wallet.aid, *product.wallet.identifiers), product.id)
        if product.social_security is not None:
            selectors[product.social_security.name] = product.id
    for selector, name in selectors.items():
        command = select_file(selector) if isinstance(selector, int) else select_name(selector)
        response = card.send(command)
        if response.sw in NOT_THERE:
            continue
        if not response.ok and response.sw not in BLOCKED:
            raise command.outcomes.error(response.sw, command.name)
        raise CardNotBlank(f"it holds an application of {name}")
