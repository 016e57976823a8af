"""Ready-made virtual cards: a social security card 2.0 and a citizen card; `sams` has the PSAM that serves both.

All keys are test keys: the first 16 bytes of SHA-256 over "cardio test root …" (PERS §5.1). Persons are fictional:
region 999999 does not exist.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from cardio.apdu.atr import card_factor
from cardio.apdu.tlv import encode_ber
from cardio.applications.medical import CardMode
from cardio.applications.pin import encode_pin
from cardio.crypto.ciphers import Algorithm
from cardio.crypto.factors import city_factor, province_factor
from cardio.crypto.suites import LdtSuite, PbocSuite
from cardio.files.codecs import Text
from cardio.files.dates import CardDate
from cardio.files.social_security.environment import EF05_ISSUER, EF06_HOLDER, SSSE, HolderData, IssuerData
from cardio.files.social_security.medical import (
    DF04,
    EF05_MEDICAL,
    EF08_MEDICAL_LOG,
    MedicalData,
    MedicalScheme,
)
from cardio.files.wallet.applications import WALLET
from cardio.files.wallet.log import EF18_LOG
from cardio.files.wallet.public import EF15_PUBLIC, PublicData
from cardio.transport.channel import CardProtocol
from cardio.virtual.card import CardPin, VirtualCard
from cardio.virtual.filesystem import Directory, build_directory
from cardio.virtual.fmcos_keys import FmcosKey, KeyKind
from cardio.virtual.fmcos_security import FmcosSecurity
from cardio.virtual.ldt_security import LdtSecurity
from cardio.virtual.medical import MedicalFunction
from cardio.virtual.provisioning import ldt_card_keys
from cardio.virtual.recipe import remembered
from cardio.virtual.roots import SOCIAL_SECURITY_ROOT as SOCIAL_SECURITY_ROOT
from cardio.virtual.roots import WALLET_ROOT as WALLET_ROOT
from cardio.virtual.roots import account_keys, social_security_root, wallet_keys
from cardio.virtual.roots import test_root as test_root
from cardio.virtual.sams import psam as psam
from cardio.virtual.security import Security
from cardio.virtual.wallet import WalletFunction
from cardio.virtual.wallet_purse import PurseNumber, StoredPurse

CITIZEN_ATR = bytes.fromhex("3B888001434152444F00000153")
PPSE_NAME = b"1PAY.SYS.DDF01"


@dataclass(frozen=True)
class Person:
    """The holder of a virtual card.

    Attributes:
        name: Name, up to 15 GBK characters.
        number: Citizen ID number.
        sex: `1` male, `2` female.
        born: Date of birth.
        serial: Serial number of the card inside its region, 8 digits.
        card_number: Card number of 9 characters with its check character.
    """

    name: str
    number: str
    sex: str
    born: CardDate
    serial: str
    card_number: str


PERSON_A = Person("测试甲", "999999199001010016", "1", CardDate(1990, 1, 1), "00000123", "A00000126")
PERSON_B = Person("测试乙", "999999198502020023", "2", CardDate(1985, 2, 2), "00000124", "A00000134")


@remembered
def social_security_card(
    person: Person = PERSON_A,
    *,
    mode: CardMode = CardMode.ONLINE,
    balance_fen: int = 0,
    pin: str = "123456",
    algorithm: Algorithm = Algorithm.TRIPLE_DES,
) -> VirtualCard:
    """A social security card 2.0 with the medical account in DF04.

    Args:
        person: Its holder.
        mode: Where the personal account lives; an off-line card holds `balance_fen`.
        balance_fen: Personal account on the card.
        pin: The holder's PIN, 4 to 12 digits; empty for none.
        algorithm: Cipher of its keys.

    Raises:
        ValueError: The holder's serial number is not 8 digits; the ATR holds its last six.
    """
    if not re.fullmatch("[0-9]{8}", person.serial):
        raise ValueError("the serial number has 8 digits")
    region = "999900"
    serial = bytes.fromhex(person.serial)
    atr = bytes.fromhex("3B6D0000999926060199992601") + b"\x01" + serial[1:]
    factors = (province_factor(region), city_factor(region), card_factor(atr))
    suite = LdtSuite(algorithm)
    ssse = build_directory(SSSE, ((EF05_ISSUER, issuer_of(person, region)), (EF06_HOLDER, holder_of(person))))
    ssse.proprietary = lambda: (
        b"\x88\x01\x1e" + encode_ber(0x9F0C, b"\x86\x01" + (b"\x03" if algorithm is Algorithm.SM4 else b"\x01"))
    )
    scheme = MedicalScheme.decode(b"31000000")
    medical = replace(MedicalData.empty(), scheme=scheme, region=region, mode=mode.value)
    df04 = ssse.add(build_directory(DF04, ((EF05_MEDICAL, medical), (EF08_MEDICAL_LOG, None))))
    function = MedicalFunction(suite, account_keys(suite, factors), df04.files[1], balance_fen=balance_fen)
    df04.function = function
    master = Directory(0x3F00)
    master.add(ssse)
    security = LdtSecurity(
        ldt_card_keys(social_security_root, suite, factors),
        pin=CardPin(encode_pin(pin)) if pin else None,
        suite=suite,
    )
    card = VirtualCard(atr, master, CardProtocol.T0, security=security)
    function.card = card
    return card


@remembered
def citizen_card(
    *,
    serial: str = "00008600000000000123",
    balance_fen: int = 10000,
    algorithm: Algorithm = Algorithm.TRIPLE_DES,
    native: bool = False,
    passbook_fen: int | None = None,
    overdraft_fen: int = 0,
    load_needs_pin: bool = True,
    grey_lock: bool = False,
) -> VirtualCard:
    """A contactless citizen card with a PBOC wallet.

    Args:
        serial: Application serial number, 20 digits.
        balance_fen: Balance of the electronic purse.
        algorithm: Cipher of its keys.
        native: Whether it decides as FMCOS does, with the keys of PERS §5.2; otherwise it has one PIN for everything.
        passbook_fen: Balance of the electronic passbook, its overdraft limit included; None for a card without one.
        overdraft_fen: Overdraft limit of the passbook.
        load_needs_pin: Whether loading the purse needs the PIN; loading the passbook always does (EW §3.2).
        grey_lock: Whether it has the grey lock extension of fuel cards (EW §3.5).
    """
    public = PublicData(
        issuer=bytes.fromhex("9999000000000001"),
        application_type=0x03,
        application_version=0x01,
        serial=serial,
        starts=CardDate(2026, 6, 1),
        ends=CardDate(2035, 12, 31),
        issuer_data=bytes.fromhex("5566"),
    )
    suite = PbocSuite(algorithm)
    application = build_directory(WALLET, ((EF15_PUBLIC, public), (EF18_LOG, None)))
    application.proprietary = lambda: encode_ber(0x9F0C, application.files[0].data)
    passbook = None
    if passbook_fen is not None:
        passbook = StoredPurse(PurseNumber.PASSBOOK, balance=passbook_fen, overdraft_limit=overdraft_fen)
    function = WalletFunction(
        suite,
        wallet_keys(suite, [public.factor]),
        application.files[1],
        balance_fen=balance_fen,
        passbook=passbook,
        load_needs_pin=load_needs_pin,
        grey_lock=grey_lock,
    )
    application.function = function
    master = Directory(0x3F00, PPSE_NAME, proprietary=lambda: b"\x88\x01\x01")
    master.add(application)
    if native:
        security: Security = wallet_security(master.label, application.label, algorithm, public.factor)
    else:
        security = LdtSecurity(pin=CardPin(encode_pin("123456")))
    card = VirtualCard(CITIZEN_ATR, master, CardProtocol.T1, security=security)
    function.card = card
    return card


def wallet_security(
    master: str, application: str, algorithm: Algorithm, factor: bytes, pin: str = "123456"
) -> FmcosSecurity:
    """Keys of a wallet as PERS §5.2 loads them.

    Args:
        master: Label of the master file.
        application: Label of the wallet's directory.
        algorithm: Cipher of the keys.
        factor: Diversification factor of the card.
        pin: The holder's PIN.
    """
    return FmcosSecurity(
        {
            master: _line_keys(algorithm, factor, "CCK", "CLK"),
            application: [
                *_line_keys(algorithm, factor, "AMK", "DAMK"),
                _wallet_key(KeyKind.PIN_UNBLOCK, "DPUK", algorithm, factor),
                _wallet_key(KeyKind.PIN_RELOAD, "DRPK", algorithm, factor),
                FmcosKey(encode_pin(pin), kind=KeyKind.PIN, follow_up=1),
            ],
        }
    )


def _line_keys(algorithm: Algorithm, factor: bytes, master: str, line: str) -> list[FmcosKey]:
    """Master key and line key of a directory (PERS §5.2)."""
    external = _wallet_key(KeyKind.EXTERNAL, master, algorithm, factor)
    external.follow_up = 0x0A
    return [external, _wallet_key(KeyKind.LINE, line, algorithm, factor)]


def _wallet_key(kind: KeyKind, name: str, algorithm: Algorithm, factor: bytes) -> FmcosKey:
    key = PbocSuite(algorithm).diversify(test_root(WALLET_ROOT, name), [factor])
    return FmcosKey(key, kind=kind, change=0xAA, algorithm=algorithm)


def issuer_of(person: Person, region: str) -> IssuerData:
    """Issuer data of a person's card of version 2.0, issued in `region` (6 digits)."""
    return IssuerData(
        card_id=bytes.fromhex(region + "D156000005" + person.serial + "FFFFFFFF"),
        card_class="3",
        version="2.00",
        institution="9156000002" + region + region + "01",
        issued=CardDate(2026, 6, 15),
        expires=CardDate(2036, 6, 14),
        card_number=person.card_number,
    )


def holder_of(person: Person) -> HolderData:
    """Holder data of a person's card of version 2.0."""
    return HolderData(
        social_security_number=person.number,
        name_bytes=Text(0x1E).encode(person.name),
        name_extension_bytes=None,
        sex=person.sex,
        ethnicity="01",
        birthplace="999999",
        born=person.born,
    )
