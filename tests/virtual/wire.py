"""Talks to a virtual card in bytes, as a reader does, without any of the terminal's code."""

from __future__ import annotations

from collections.abc import Callable

from cardio.files.declaration import FREE, FileDeclaration, Structure
from cardio.files.social_security.environment import SSSE_NAME, IssuerData
from cardio.files.wallet.applications import WALLET_NAME
from cardio.transport.channel import CardProtocol
from cardio.virtual.card import VirtualCard
from cardio.virtual.filesystem import Directory, ElementaryFile

SELECT_SSSE = f"00A404000F{SSSE_NAME.hex()}"
SELECT_DF04 = "00A4000002DF04"
SELECT_WALLET = f"00A4040009{WALLET_NAME.hex()}"
VERIFY_RIGHT = "0020000003123456"
VERIFY_WRONG = "0020000003654321"
VERIFY_EMPTY = "0020000000"


def send(card: VirtualCard, command: str) -> str:
    """Pass one command on as it is; answer in upper-case hex."""
    return card.transmit(bytes.fromhex(command)).hex().upper()


def complete(card: VirtualCard, command: str) -> str:
    """Pass one command on as its protocol does: under T=0 without the Le of a case 4, then GET RESPONSE."""
    raw = bytes.fromhex(command)
    if card.protocol is CardProtocol.T1:
        return card.transmit(raw).hex().upper()
    if len(raw) > 5 and len(raw) == 6 + raw[4]:
        raw = raw[:-1]
    answer = card.transmit(raw)
    if answer[0] == 0x61 and len(answer) == 2:
        answer = card.transmit(bytes.fromhex("00C00000") + answer[1:])
    return answer.hex().upper()


def fixed(value: bytes) -> Callable[[int], bytes]:
    """A source of random bytes that knows only one answer."""

    def give(size: int) -> bytes:
        assert size == len(value)
        return value

    return give


def declare(identifier: int, structure: Structure, *, records: int = 0) -> FileDeclaration:
    """A free file of some structure; what its content means does not matter."""
    sfi = identifier & 0x1F
    return FileDeclaration(
        identifier, sfi, "文件", "file", structure, IssuerData, read=FREE, update=FREE, records=records
    )


def card_of(*files: ElementaryFile, protocol: CardProtocol = CardProtocol.T1) -> VirtualCard:
    """A card with nothing but these files in its master file."""
    return VirtualCard(bytes.fromhex("3B00"), Directory(0x3F00, files=list(files)), protocol)
