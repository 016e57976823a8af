"""PINs of new cards, made from a key and the number of the card."""

from __future__ import annotations

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite
from cardio.errors import JobInvalid
from cardio.personalize.card_data import CardData
from cardio.personalize.personalizer import Personalizer
from cardio.security.issuing import CardKeyReference
from cardio.security.natural_pin import VALIDATION_DIGITS, natural_pin

PIN_GENERATION = "PIN-GENERATION"
"""Name of the key in the source of keys; its level is 0."""


def pin_of(maker: Personalizer, row: CardData) -> str:
    """The PIN of a row's card; the same whenever it is asked for.

    Raises:
        JobInvalid: The row has no number that it could be made from.
        SamKeyMissing: The source of keys has no key for it.
    """
    if row.card_serial and not row.region:
        raise JobInvalid("region: missing; the PIN is made from it and the serial number")
    number = f"{row.region}{row.card_serial}" if row.card_serial else row.wallet_serial
    if number is None:
        raise JobInvalid("card_serial or wallet_serial: missing; the PIN is made from it")
    key = CardKeyReference(PIN_GENERATION, PbocSuite(Algorithm.TRIPLE_DES))
    return natural_pin(maker.keys, key, number[-VALIDATION_DIGITS:])
