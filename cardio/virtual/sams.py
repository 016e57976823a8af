"""A ready-made virtual PSAM for all virtual cards.

All keys are test keys (PERS §5.1).
"""

from __future__ import annotations

from collections.abc import Iterable

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.factors import city_factor, province_factor
from cardio.crypto.suites import CipherSuite, LdtSuite, PbocSuite
from cardio.files.codecs import Octets
from cardio.files.declaration import FREE, NEVER, FileDeclaration, Structure
from cardio.files.record import FixedRecord, field
from cardio.security.card_keys import CARD_KEYS, CardKey
from cardio.security.keys import Family
from cardio.transport.channel import CardProtocol
from cardio.virtual.card import VirtualCard
from cardio.virtual.filesystem import Directory, ElementaryFile
from cardio.virtual.provisioning import psam_cipher_keys
from cardio.virtual.psam import PsamFunction, PsamKey
from cardio.virtual.psam_cipher import MAINTENANCE, PsamCipherKey, PsamEnvironment
from cardio.virtual.recipe import remembered
from cardio.virtual.roots import (
    KEY_INDEX,
    SOCIAL_SECURITY_ROOT,
    WALLET_ROOT,
    sm4_offset,
    social_security_root,
    test_root,
)

TERMINAL_NUMBER = bytes.fromhex("999999000001")
PSAM_ATR = bytes.fromhex("3B6D0000435244494F5053414D00000001")
_APPLICATIONS = (
    (0xDF01, bytes.fromhex("D15600000590")),
    (0x1001, bytes.fromhex("BDA8C9E8B2BF0000")),
    (0x8011, bytes.fromhex("A0000006324D4F542E435053414D3031")),
)
"""Identifiers and names: social security (SSC §2.3), MOHURD and T-Union (EW §1.1)."""
REGION = "999900"
_VALIDITY = bytes.fromhex("2026010120351231")
_CIPHERS = (Algorithm.TRIPLE_DES, Algorithm.SM4)


class _Opaque(FixedRecord):
    """A PSAM file that holds bytes only."""

    content: bytes = field(Octets(6), "内容", "content")


@remembered
def psam(
    *,
    terminal: bytes = TERMINAL_NUMBER,
    card_keys: Iterable[CardKey] = tuple(CARD_KEYS.values()),
    grey_lock: bool = False,
) -> VirtualCard:
    """A PSAM with purchase, authentication and maintenance keys for all virtual cards, in 3DES and SM4.

    Its DF01 serves social security cards with provincial roots (two factors); from the national root, its 1001 serves
    citizen cards (one factor) and CJ/T 166 cards (two), and its 8011 T-Union cards (two).

    Args:
        terminal: Terminal number, 6 bytes.
        card_keys: Authentication keys of the social security cards that it serves, as a city numbers them.
        grey_lock: Whether it locks the wallets of fuel cards (EW §3.5).
    """
    master = Directory(0x3F00, function=PsamEnvironment())
    master.files.append(_transparent(0x16, terminal))
    grey_tac = test_root(WALLET_ROOT, "PSAM-TAC") if grey_lock else None
    functions = [
        _medical(terminal, tuple(card_keys)),
        _wallet(terminal, (1, 2), grey_tac),
        _wallet(terminal, (2,), grey_tac),
    ]
    medical, mohurd, tunion = (
        master.add(Directory(identifier, name, function=function))
        for (identifier, name), function in zip(_APPLICATIONS, functions, strict=True)
    )
    # DPK index, authentication key version, start and expiry date (SSC §2.3)
    medical.files.append(_transparent(0x1C, bytes([KEY_INDEX, 0x01]) + _VALIDITY))
    for wallet in (mohurd, tunion):
        # key index, issuer, acquirer, start and expiry date (EW §5.1)
        wallet.files.append(_transparent(0x17, bytes([KEY_INDEX]) + bytes(16) + _VALIDITY))
    card = VirtualCard(PSAM_ATR, master, CardProtocol.T0)
    for function in functions:
        function.card = card
    return card


def _medical(terminal: bytes, card_keys: tuple[CardKey, ...]) -> PsamFunction:
    province, city = province_factor(REGION), city_factor(REGION)
    suites = [LdtSuite(algorithm) for algorithm in _CIPHERS]
    root = test_root(SOCIAL_SECURITY_ROOT, "DPK")
    return PsamFunction(
        Family.LDT,
        [_purchase_key(suite, suite.diversify(root, [province]), 2, sm4_id=0x03) for suite in suites],
        terminal=terminal,
        cipher_keys=[
            key
            for suite in suites
            for key in psam_cipher_keys(social_security_root, suite, [province, city], card_keys)
        ],
    )


def _wallet(terminal: bytes, levels: Iterable[int], grey_tac: bytes | None) -> PsamFunction:
    """Keys by number of factors; the maintenance key has the identifier of that number (EW §5.3)."""
    kinds = [(PbocSuite(algorithm), count) for algorithm in _CIPHERS for count in levels]
    root, maintenance = test_root(WALLET_ROOT, "DPK"), test_root(WALLET_ROOT, "DAMK")
    return PsamFunction(
        Family.PBOC,
        [_purchase_key(suite, root, count, sm4_id=0x04) for suite, count in kinds],
        terminal=terminal,
        cipher_keys=[
            PsamCipherKey(MAINTENANCE, count + sm4_offset(suite), count, suite, maintenance) for suite, count in kinds
        ],
        grey_tac=grey_tac,
    )


def _purchase_key(suite: CipherSuite, key: bytes, levels: int, *, sm4_id: int) -> PsamKey:
    served = frozenset({sm4_id}) if suite.algorithm is Algorithm.SM4 else frozenset({0x00, 0x01})
    return PsamKey(0x01, served, suite, key, levels)


def _transparent(sfi: int, content: bytes) -> ElementaryFile:
    declaration = FileDeclaration(
        sfi,
        sfi,
        "PSAM文件",
        "PSAM file",
        Structure.TRANSPARENT,
        _Opaque,
        read=FREE,
        update=NEVER,
        size=len(content),
    )
    return ElementaryFile(declaration, [content])
