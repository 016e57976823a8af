"""A social security card of two areas with keys that the tests know (SSC §6.2, §9.3)."""

from __future__ import annotations

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import LdtSuite
from cardio.files.declaration import (
    FREE,
    NEVER,
    PIN,
    Access,
    FileDeclaration,
    Structure,
    all_of,
    any_of,
)
from cardio.files.social_security.environment import SSSE_NAME, IssuerData
from cardio.transport.channel import CardProtocol
from cardio.virtual.card import CardPin, VirtualCard
from cardio.virtual.filesystem import Directory, ElementaryFile
from cardio.virtual.ldt_keys import LdtKey
from cardio.virtual.ldt_security import LdtSecurity
from tests.virtual.wire import SELECT_SSSE, fixed, send

SELECT_DF03, SELECT_DF04, SELECT_MF = "00A4000002DF03", "00A4000002DF04", "00A40000023F00"
PIN_VALUE = "123456"
ROOT = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
FACTORS = [bytes.fromhex(one) for one in ("3531303030307368", "3531393930307378", "86605199000001AC")]
STK = {Algorithm.TRIPLE_DES: "ED38D0F158263E8D", Algorithm.SM4: "8D2FA0906FD89D8E42A473DA82E3826A"}
"""STK of the card in SSC §9.3."""


def key(text: str) -> bytes:
    """A key of 16 bytes that differs with its name."""
    return text.encode("ascii").ljust(16, b"\x5a")


def file(identifier: int, structure: Structure, read: Access, update: Access, size: int = 0) -> FileDeclaration:
    return FileDeclaration(
        identifier,
        identifier & 0x1F,
        "文件",
        "file",
        structure,
        IssuerData,
        read=read,
        update=update,
        size=size,
        records=3,
    )


V, T, C = Structure.LINEAR_VARIABLE, Structure.TRANSPARENT, Structure.CYCLIC
SSSE_FILES = (
    (file(0xEF05, V, FREE, any_of("UKSSSE")), ["020133", "0304322E3030"]),
    (file(0xEF06, V, any_of("RKSSSE"), any_of("UKSSSE")), ["0A0131"]),
    (file(0xEF07, T, any_of("RKSSSE"), any_of("UKSSSE"), 300), ["00" * 300]),
)
DF03_FILES = (
    (file(0xEF05, V, any_of(PIN, "RK2DF03"), any_of("UK1DF03")), ["700131"]),
    (file(0xEF06, V, any_of(PIN, "RK1DF03"), any_of("UK2DF03")), ["710131"]),
    (file(0xEF07, V, FREE, any_of("UK3DF03")), ["720131"]),
    (file(0xEF16, C, FREE, any_of("UK3DF03"), 4), ["00000001"]),
)
DF04_FILES = (
    (file(0xEF05, V, any_of(PIN, "RK1DF04"), any_of("UK1DF04")), ["8F0131"]),
    (file(0xEF06, V, all_of(PIN, "RK1DF04"), any_of("UK2DF04")), ["800131"]),
    (file(0xEF08, C, any_of(PIN), NEVER, 4), ["00000001"]),
)
SSSE_KEYS = ("IRK", 0x00), ("STKSSSE", 0x02), ("UKSSSE", 0x04), ("BK", 0x05), ("PUK", 0x06), ("RKSSSE", 0x0A)
DF03_KEYS = (
    ("STKDF03", 0x82), ("LKDF03", 0x83), ("RK1DF03", 0x84), ("RK2DF03", 0x85), ("UK1DF03", 0x86), ("UK2DF03", 0x87),
    ("UK3DF03", 0x88),
)  # fmt: skip
DF04_KEYS = ("STKDF04", 0x82), ("LKDF04", 0x83), ("RK1DF04", 0x84), ("UK1DF04", 0x85), ("UK2DF04", 0x86)


class LdtCard:
    """A card with SSSE, DF03 and DF04, the SSSE selected.

    Attributes:
        card: The card, T=1 so that answers come at once.
        security: Its security.
    """

    def __init__(
        self, algorithm: Algorithm = Algorithm.TRIPLE_DES, *, protocol: CardProtocol = CardProtocol.T1
    ) -> None:
        self.suite = LdtSuite(algorithm)
        keys = {
            label: [LdtKey(name, kid, (key(name),)) for name, kid in table]
            for label, table in (("SSSE", SSSE_KEYS), ("DF03", DF03_KEYS), ("DF04", DF04_KEYS))
        }
        self.security = LdtSecurity(keys, pin=CardPin(bytes.fromhex(PIN_VALUE)), suite=self.suite)
        master = Directory(0x3F00)
        ssse = master.add(_directory(0xDDF1, SSSE_NAME, "SSSE", SSSE_FILES))
        ssse.add(_directory(0xDF03, bytes.fromhex("D15600000502"), "DF03", DF03_FILES))
        ssse.add(_directory(0xDF04, bytes.fromhex("D15600000503"), "DF04", DF04_FILES))
        self.card = VirtualCard(b"\x3b\x00", master, protocol, security=self.security)
        self.select(SELECT_SSSE)

    def send(self, command: str) -> str:
        return send(self.card, command.replace(" ", ""))

    def select(self, command: str) -> None:
        assert self.send(command)[:2] in {"6F", "61"}

    def key(self, name: str) -> LdtKey:
        return next(one for keys in self.security.keys.values() for one in keys if one.name == name)

    def give(self, challenge: str) -> None:
        """Have GET CHALLENGE answer this."""
        fresh, self.card.random = self.card.random, fixed(bytes.fromhex(challenge))
        assert self.send(f"00840000{len(challenge) // 2:02X}") == challenge.upper() + "9000"
        self.card.random = fresh

    def authentication(self, kid: int, value: bytes, size: int = 8, version: str = "") -> str:
        """EXTERNAL AUTHENTICATION that is right for a fresh challenge."""
        challenge = bytes.fromhex(self.send(f"00840000{size:02X}")[:-4])
        original = bytes(range(1, 9))
        data = self.suite.authentication(self.suite.challenge_key(value, challenge), original) + original
        return f"008200{kid:02X}{16 + len(version) // 2:02X}{data.hex()}{version}"

    def authenticate(self, name: str) -> str:
        found = self.key(name)
        return self.send(self.authentication(found.kid, found.keys[0]))

    def protected(self, header: str, key_name: str, body: str = "", *, encrypt: bool = False, size: int = 8) -> str:
        """A command with secure messaging under a fresh challenge."""
        challenge = bytes.fromhex(self.send(f"00840000{size:02X}")[:-4])
        session = self.suite.challenge_key(self.key(key_name).keys[0], challenge)
        data = bytes.fromhex(body)
        data = self.suite.encrypt(session, data) if encrypt else data
        start = bytes.fromhex(header) + bytes([len(data) + 4])
        return (start + data + self.suite.mac(session, start + data)).hex()

    def verify(self, pin: str = PIN_VALUE) -> str:
        return self.send(f"00200000{len(pin) // 2:02X}{pin}")


def _directory(
    identifier: int, name: bytes, label: str, files: tuple[tuple[FileDeclaration, list[str]], ...]
) -> Directory:
    contents = [ElementaryFile(one, [bytes.fromhex(record) for record in records]) for one, records in files]
    return Directory(identifier, name, contents, label=label)
