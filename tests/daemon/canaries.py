"""A holder, cards, keys and a token whose values nobody else has."""

from __future__ import annotations

from dataclasses import replace

from cardio.apdu.atr import card_factor
from cardio.applications.medical import CardMode
from cardio.applications.pin import encode_pin
from cardio.crypto.ciphers import Algorithm
from cardio.crypto.factors import city_factor, province_factor
from cardio.crypto.suites import LdtSuite
from cardio.files.dates import CardDate
from cardio.security.card_keys import CARD_KEYS
from cardio.security.keyring import Keyring, RootKey
from cardio.virtual.card import CardPin, VirtualCard
from cardio.virtual.cards import Person, citizen_card, social_security_card
from cardio.virtual.provisioning import ldt_card_keys
from cardio.virtual.purse_keys import PurseKeys
from cardio.virtual.roots import SOCIAL_SECURITY_ROOT, WALLET_ROOT, social_security_root, test_root
from cardio.virtual.sams import REGION
from tests.counter import account_of, wallet_of
from tests.daemon.canary_search import of_bytes, of_digits, of_text

PIN = "907153864219"
WRONG_PIN = "815624093517"
HOLDER = Person("欧阳墨染", "999999197803154821", "2", CardDate(1978, 3, 15), "00731946", "A73194822")
SECOND = replace(HOLDER, serial="00731947")
"""The same person with another card."""
SERIAL = "00008600731948265047"
"""Number of the wallet."""
TOKEN = "canary-qZ7vK1mX9dTn3RbW"
MASKED = "canary-Lw2cY8pFh5GjS6Ue"
"""Token of somebody who may not read persons."""
BALANCE = 40_000
PURSE_ROOTS = ("DPK", "DLK", "DULK", "DUK", "DTK", "DAMK", "PSAM-TAC")
MAINTENANCE_ROOTS = ("CLK", "DAMK", "DPUK", "DRPK")
"""Of wallets (PERS §5.2)."""
RESTORING = ("PUK", "STKSSSE")
"""Keys that restore the PIN of a social security card (SSC §6.6)."""


def social_card(person: Person = HOLDER) -> VirtualCard:
    """The holder's social security card, with money on it."""
    return social_security_card(person, mode=CardMode.OFFLINE, balance_fen=BALANCE, pin=PIN)


def wallet_card() -> VirtualCard:
    """The holder's citizen card."""
    card = citizen_card(serial=SERIAL, balance_fen=BALANCE)
    card.pin = CardPin(encode_pin(PIN))
    return card


def maintenance_keys() -> Keyring:
    """Keys that restore PINs, and no others: a purchase still needs the PSAM."""
    roots = {name: RootKey(social_security_root(name), 3) for name in RESTORING}
    roots |= {f"WALLET-{name}": RootKey(test_root(WALLET_ROOT, name), 1) for name in MAINTENANCE_ROOTS}
    return Keyring("maintenance", roots, test=True)


def _keys() -> dict[str, bytes]:
    """Keys of the cards and of the PSAM, and their roots."""
    families = {"wallet": WALLET_ROOT, "account": SOCIAL_SECURITY_ROOT}
    keys = {f"{name} root {key}": test_root(root, key) for name, root in families.items() for key in PURSE_ROOTS}
    keys |= {f"root {name}": social_security_root(name) for name in CARD_KEYS}
    keys |= {f"wallet root {name}": test_root(WALLET_ROOT, name) for name in MAINTENANCE_ROOTS}
    suite, region = LdtSuite(Algorithm.TRIPLE_DES), (province_factor(REGION), city_factor(REGION))
    keys["PSAM's DPK"] = suite.diversify(test_root(SOCIAL_SECURITY_ROOT, "DPK"), region[:1])
    for person in (HOLDER, SECOND):
        card = social_card(person)
        keys |= _purse_keys(f"account {person.serial}", account_of(card).keys)
        of_card = ldt_card_keys(social_security_root, suite, (*region, card_factor(card.atr)))
        for label, some in of_card.items():
            keys |= {f"{person.serial} {label}/{key.name}": value for key in some for value in key.keys}
    return keys | _purse_keys("wallet", wallet_of(wallet_card()).keys)


def _purse_keys(name: str, keys: PurseKeys) -> dict[str, bytes]:
    named = {"purchase": keys.purchase, "load": keys.load, "unload": keys.unload, "overdraft": keys.overdraft}
    return {f"{name} {kind} key": key for kind, some in named.items() for key in some.values()} | {
        f"{name} TAC key": keys.tac
    }


SECRETS = (
    of_digits("PIN", PIN),
    of_digits("wrong PIN", WRONG_PIN),
    of_text("token", TOKEN),
    of_text("masked token", MASKED),
    *(of_bytes(name, key) for name, key in _keys().items()),
)
"""What must be nowhere."""
PERSONAL = (
    of_text("name", HOLDER.name),
    of_text("given name", HOLDER.name[2:]),
    of_digits("ID number", HOLDER.number),
    of_digits("birth date", HOLDER.number[6:14]),
)
"""What belongs into a reading that somebody asked for who may have it; a masked name begins with the family's."""
NUMBERS = (of_text("card number", HOLDER.card_number), of_digits("wallet number", SERIAL))
"""What the clearing centre needs, too."""
