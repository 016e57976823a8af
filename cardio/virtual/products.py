"""A virtual card of any product: every file that the product declares, filled with example data.

All keys are test keys (PERS §5.1), the holder is fictional: region 999999 does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from cardio.apdu.atr import card_factor
from cardio.apdu.tlv import encode_ber, encode_simple, iterate_simple
from cardio.applications.pin import encode_pin
from cardio.crypto.ciphers import Algorithm
from cardio.crypto.factors import city_factor, province_factor
from cardio.crypto.suites import LdtSuite, PbocSuite
from cardio.files.declaration import ApplicationDeclaration, FileDeclaration, Structure
from cardio.files.record import Record
from cardio.files.social_security.environment import EF05_ISSUER, EF06_HOLDER, HolderData, IssuerData
from cardio.files.social_security.version1.environment import HolderDataV1
from cardio.files.wallet.composite import EF17_COMPOSITE
from cardio.files.wallet.tunion import EF1A_COMPOSITE
from cardio.products.checking import decode_content, encode_content
from cardio.products.model import Product, SocialSecurityPart, WalletPart, WalletPurseName
from cardio.security.card_keys import ENVIRONMENT
from cardio.transport.channel import CardProtocol
from cardio.virtual.building import Place, build_card, find_directory, find_file
from cardio.virtual.card import CardPin, VirtualCard
from cardio.virtual.cards import (
    CITIZEN_ATR,
    PERSON_A,
    Person,
    holder_of,
    issuer_of,
    wallet_security,
)
from cardio.virtual.ldt_keys import ALGORITHM_IDS
from cardio.virtual.ldt_security import LdtSecurity
from cardio.virtual.medical import MedicalFunction
from cardio.virtual.provisioning import ldt_card_keys
from cardio.virtual.recipe import remembered
from cardio.virtual.roots import account_keys, social_security_root, wallet_keys
from cardio.virtual.security import Security
from cardio.virtual.wallet import WalletFunction
from cardio.virtual.wallet_purse import PurseNumber, StoredPurse

REGION = "999900"
PURSE = "ADF1"
"""Label of the directory with the wallet."""
_MASTER_FILE = ApplicationDeclaration(0x3F00, "主控文件", "master file", (), label="MF")
DIR_SFI = b"\x88\x01\x1e"
SM4_VERSIONS = frozenset({"3.0"})
"""Third-generation cards have SM4 keys (SSC §1)."""


UNEMPLOYMENT_REGISTRATION = 0x60
WITHOUT_REGISTRATION = frozenset({"DF03/EF05"})
"""Tag 60 stands in exactly one of DF02/EF06 and DF03/EF05 (SSC §4.3)."""


def _tunion(number: int) -> bytes:
    """Record `27 nn` before the first journey: valid, composite, open, state 00 (EW §2.9)."""
    return bytes([0x27, number, 0x7D, 0x01, 0x01]).ljust(128, b"\0")


def _cjt166(identifier: int) -> bytes:
    """Composite record of CJ/T 166 without data, open (EW §2.9)."""
    return bytes([identifier, 0x2E]).ljust(48, b"\0")


COMPOSITE_RECORDS = (
    (EF1A_COMPOSITE, tuple(_tunion(number) for number in (0x01, 0x02, 0x06))),
    (EF17_COMPOSITE, tuple(_cjt166(identifier) for identifier in (0x01, 0x04))),
)
"""Records that terminals look for on a new card: metro, bus and bicycle (EW §2.9, §6.6)."""


@remembered
def example_card(
    product: Product, person: Person = PERSON_A, *, pin: str = "123456", balance_fen: int = 10000
) -> VirtualCard:
    """A card of a product.

    Args:
        product: Any product, a city's own included.
        person: Its holder.
        pin: The holder's PIN, 4 to 12 digits.
        balance_fen: Balance of the purse that the product uses.
    """
    social, wallet = product.social_security, product.wallet
    root = _root(product)
    contents = _contents(root, product, person)
    atr, protocol = (CITIZEN_ATR, CardProtocol.T1) if social is None else (_atr(person), CardProtocol.T0)
    securities: dict[str, Security] = {}
    if wallet is not None:
        public = wallet.selection().decode_public(_encoded(contents[PURSE, wallet.public_file.label]))
        securities[PURSE] = wallet_security(_MASTER_FILE.label, PURSE, wallet.algorithm, public.factor, pin)
    security = securities[PURSE] if social is None else _ldt_security(social, atr, CardPin(encode_pin(pin)))
    card = build_card(root, contents, atr=atr, protocol=protocol, security=security, securities=securities)
    if social is not None:
        _provide_environment(card, product, social, atr)
    if wallet is not None:
        _provide_wallet(card, wallet, balance_fen)
    return card


def _root(product: Product) -> ApplicationDeclaration:
    """The tree of a product's cards, the wallet included."""
    social, wallet = product.social_security, product.wallet
    root = _MASTER_FILE if social is None else social.tree
    if wallet is not None:
        if root.label != _MASTER_FILE.label:
            root = replace(_MASTER_FILE, applications=(root,))
        root = replace(root, applications=(*root.applications, _purse_directory(wallet)))
    return root


# ---- contents ----------------------------------------------------------------------------------------------------


def example_contents(product: Product, person: Person = PERSON_A) -> Mapping[Place, Sequence[Record]]:
    """Records of all files of a product by place; logs newest first."""
    return _contents(_root(product), product, person)


def _contents(root: ApplicationDeclaration, product: Product, person: Person) -> Mapping[Place, Sequence[Record]]:
    contents: dict[Place, Sequence[Record]] = {}
    for application in root.walk():
        for file in application.files:
            contents[application.label, file.label] = _examples(file, f"{application.label}/{file.label}", product)
    social = product.social_security
    if social is not None:
        contents[ENVIRONMENT, EF05_ISSUER.label] = (_issuer(social, person),)
        holder = _HOLDERS.get(contents[ENVIRONMENT, EF06_HOLDER.label][0].__class__)
        if holder is not None:
            contents[ENVIRONMENT, EF06_HOLDER.label] = (holder(person),)
    return contents


def _holder_v1(person: Person) -> HolderDataV1:
    return HolderDataV1(
        social_security_number=person.number,
        name=person.name,
        sex=person.sex,
        ethnicity="01",
        birthplace="999999",
        born=person.born,
    )


_HOLDERS: Mapping[type[Record], Callable[[Person], Record]] = {HolderData: holder_of, HolderDataV1: _holder_v1}
"""Employer cards name a unit instead."""


def _encoded(records: Sequence[Record]) -> bytes:
    (record,) = records
    return encode_content(record)


def _examples(file: FileDeclaration, name: str, product: Product) -> tuple[Record, ...]:
    """Vectors of the product for its own files, and those of the declaration for the others."""
    for declaration, raws in COMPOSITE_RECORDS:
        if file == declaration:
            return tuple(decode_content(file.layout(raw), raw) for raw in raws)
    own = [vector.bytes for vector in product.vectors if vector.file == name]
    kept = [bytes.fromhex(raw) for raw in file.content.VECTORS]
    if file.structure is Structure.CYCLIC:
        # A 1.0 log may have shorter records, but all of one length (SSC §3.2).
        kept = [raw for raw in kept if len(raw) == file.size]
    if name in WITHOUT_REGISTRATION:
        kept = [_without(raw, UNEMPLOYMENT_REGISTRATION) for raw in kept]
    records = [decode_content(file.layout(raw), raw) for raw in kept or own]
    if file.structure is Structure.CYCLIC:
        return tuple(records[: file.records or None])
    return tuple(records[-1:])


def _without(raw: bytes, tag: int) -> bytes:
    return b"".join(encode_simple(tlv.tag, tlv.value) for tlv in iterate_simple(raw) if tlv.tag != tag)


def _issuer(social: SocialSecurityPart, person: Person) -> IssuerData:
    issuer = issuer_of(person, REGION)
    return replace(
        issuer,
        version=f"{social.versions[0]}0",
        card_class=social.card_classes[0] if social.card_classes else issuer.card_class,
    )


# ---- social security ---------------------------------------------------------------------------------------------


def _atr(person: Person) -> bytes:
    """Chip supplier, COS, card maker, region, serial number: 13 historical bytes (SSC §1.1)."""
    return bytes.fromhex("3B6D0000" + "9999" + "260601" + "9999" + REGION[:4] + person.serial)


def _algorithm(social: SocialSecurityPart) -> Algorithm:
    return Algorithm.SM4 if social.versions[0] in SM4_VERSIONS else Algorithm.TRIPLE_DES


def _factors(atr: bytes) -> tuple[bytes, ...]:
    return province_factor(REGION), city_factor(REGION), card_factor(atr)


def _ldt_security(social: SocialSecurityPart, atr: bytes, pin: CardPin) -> LdtSecurity:
    suite = LdtSuite(_algorithm(social))
    keys = ldt_card_keys(social_security_root, suite, _factors(atr), social.naming().card_keys.values())
    return LdtSecurity(keys, pin=pin, suite=suite)


def _provide_environment(card: VirtualCard, product: Product, social: SocialSecurityPart, atr: bytes) -> None:
    algorithm = _algorithm(social)
    announced = DIR_SFI
    if social.versions[0] != "1.0":
        announced += encode_ber(0x9F0C, bytes([0x86, 0x01, ALGORITHM_IDS[algorithm]]))
    find_directory(card, ENVIRONMENT).proprietary = lambda: announced
    if product.medical is None:
        return
    suite = LdtSuite(algorithm)
    directory = find_directory(card, "DF04")
    function = MedicalFunction(
        suite,
        account_keys(suite, _factors(atr)),
        find_file(directory, "EF08"),
        log_number=product.medical.log_number,
        proof_number=product.medical.proof_number,
    )
    function.card = card
    directory.function = function


# ---- wallet ------------------------------------------------------------------------------------------------------


def _purse_directory(wallet: WalletPart) -> ApplicationDeclaration:
    files = tuple({file.label: file for file in wallet.declarations.values()}.values())
    identifier = wallet.identifiers[0] if wallet.identifiers else 0x3F01
    return ApplicationDeclaration(identifier, "电子钱包", "electronic wallet", files, name=wallet.aid, label=PURSE)


def _provide_wallet(card: VirtualCard, wallet: WalletPart, balance_fen: int) -> None:
    directory = find_directory(card, PURSE)
    public = find_file(directory, wallet.public_file.label)
    directory.proprietary = lambda: encode_ber(0x9F0C, public.data)
    selection = wallet.selection()
    factors = selection.factors.factors(selection.decode_public(public.data))
    suite = PbocSuite(wallet.algorithm)
    log = find_file(directory, wallet.log_file.label)
    passbook = None
    if wallet.purse is WalletPurseName.PASSBOOK:
        passbook, balance_fen = StoredPurse(PurseNumber.PASSBOOK, balance=balance_fen), 0
    function = WalletFunction(
        suite,
        wallet_keys(suite, factors),
        log,
        balance_fen=balance_fen,
        passbook=passbook,
        load_needs_pin=wallet.load_pin,
        grey_lock=wallet.grey_lock,
        log_number=wallet.log_number,
        proof_number=wallet.proof_number,
    )
    function.card = card
    directory.function = function
