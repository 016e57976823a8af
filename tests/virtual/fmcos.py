"""A wallet on FMCOS with keys that the tests know (EW §2.1, §4.8)."""

from __future__ import annotations

from dataclasses import replace

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite
from cardio.files.declaration import FREE, NEVER, PIN, Structure, any_of
from cardio.files.file_header import FileHeader
from cardio.files.wallet.applications import WALLET_NAME
from cardio.transport.channel import CardProtocol
from cardio.virtual.card import VirtualCard
from cardio.virtual.filesystem import Directory, ElementaryFile
from cardio.virtual.fmcos_access import FmcosChoices
from cardio.virtual.fmcos_keys import FmcosKey, KeyKind
from cardio.virtual.fmcos_security import FmcosSecurity
from tests.virtual.wire import SELECT_WALLET, declare, fixed, send

MF, ADF = "3F00", "3F01"
SELECT_MF = "00A40000023F00"


def key(text: str) -> bytes:
    """A key of 16 bytes that differs with its name."""
    return text.encode("ascii").ljust(16, b"\x5a")


class FmcosCard:
    """A card with MF and wallet, the wallet selected.

    EF15 is written with a MAC, EF16 with MAC and encryption, EF17 is read protected, EF18 is a log read after the PIN,
    EF19 is written freely.

    Attributes:
        card: The card, T=1.
        security: Its security.
    """

    def __init__(self, algorithm: Algorithm = Algorithm.TRIPLE_DES, choices: FmcosChoices | None = None) -> None:
        self.suite = PbocSuite(algorithm)

        def make(kind: KeyKind, name: str, identifier: int = 0, follow_up: int = 0) -> FmcosKey:
            return FmcosKey(key(name), kind=kind, id=identifier, follow_up=follow_up, algorithm=algorithm)

        self.security = FmcosSecurity(
            {
                MF: [make(KeyKind.EXTERNAL, "CCK", follow_up=0xAA), make(KeyKind.LINE, "CLK")],
                ADF: [
                    make(KeyKind.EXTERNAL, "AMK", follow_up=0xAA),
                    make(KeyKind.EXTERNAL, "EXT1", 1, follow_up=0x04),
                    make(KeyKind.LINE, "DAMK"),
                    make(KeyKind.LINE, "LINE1", 1),
                    make(KeyKind.PIN_UNBLOCK, "DPUK"),
                    make(KeyKind.PIN_RELOAD, "DRPK"),
                    make(KeyKind.ENCRYPT, "ENC"),
                    make(KeyKind.DECRYPT, "DEC"),
                    make(KeyKind.MAC, "MAC"),
                    FmcosKey(bytes.fromhex("123456"), kind=KeyKind.PIN, follow_up=0x01),
                ],
            },
            choices,
        )
        mac = any_of("DAMK")
        transparent = Structure.TRANSPARENT
        self.public = ElementaryFile(replace(declare(0x15, transparent), update=mac, size=30), [bytes(30)])
        self.holder = ElementaryFile(
            replace(declare(0x16, transparent), size=55), [bytes(55)], FileHeader(0xE8, 0xF0, 0xF0)
        )
        self.guarded = ElementaryFile(
            replace(declare(0x17, transparent), size=8), [bytes(range(8))], FileHeader(0x28, 0xF0, 0xEF, 0x7B)
        )
        log = replace(declare(0x18, Structure.CYCLIC, records=10), read=any_of(PIN), update=NEVER, size=23)
        self.log = ElementaryFile(log)
        self.free = ElementaryFile(replace(declare(0x19, transparent), update=FREE, size=8), [bytes(8)])
        files = [self.public, self.holder, self.guarded, self.log, self.free]
        master = Directory(0x3F00, files=[ElementaryFile(declare(0x05, transparent), [b"\x05"])])
        master.add(Directory(0x3F01, WALLET_NAME, files))
        self.card = VirtualCard(b"\x3b\x00", master, CardProtocol.T1, security=self.security)
        self.select()

    def select(self, command: str = SELECT_WALLET) -> None:
        assert self.send(command).endswith("9000")

    def send(self, command: str) -> str:
        return send(self.card, command.replace(" ", ""))

    def key(self, kind: KeyKind, identifier: int = 0, label: str = ADF) -> FmcosKey:
        return self.security.key_files[label].find(kind, identifier)

    def give(self, challenge: str) -> None:
        """Have GET CHALLENGE answer this."""
        fresh, self.card.random = self.card.random, fixed(bytes.fromhex(challenge))
        assert self.send(f"00840000{len(challenge) // 2:02X}") == challenge.upper() + "9000"
        self.card.random = fresh

    def challenge(self, size: int = 4) -> bytes:
        return bytes.fromhex(self.send(f"00840000{size:02X}")[:-4])

    def external(self, identifier: int, name: str, size: int = 8) -> str:
        data = self.suite.external_authentication(key(name), self.challenge(size))
        return f"008200{identifier:02X}08{data.hex()}"

    def protected(self, header: str, name: str, body: str = "", *, encrypt: bool = False) -> str:
        """A command with line protection under a fresh challenge."""
        challenge = self.challenge()
        data = bytes.fromhex(body)
        data = self.suite.line_encrypt(key(name), data) if encrypt else data
        start = bytes.fromhex(header) + bytes([len(data) + 4])
        return (start + data + self.suite.line_mac(key(name), challenge, start + data)).hex()

    def verify(self, pin: str = "123456") -> str:
        return self.send(f"00200000{len(pin) // 2:02X}{pin}")
