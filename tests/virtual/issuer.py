"""An issuer who speaks bytes to a blank card: administrative commands under keys that the tests know (PERS §1)."""

from __future__ import annotations

from dataclasses import replace

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite
from cardio.virtual.blank import BlankSecurity
from cardio.virtual.card import VirtualCard
from cardio.virtual.fmcos_keys import FmcosKey
from tests.virtual.wire import complete

SELECT_MF = "00A40000023F00"
MF_KEY_FILE = "80E00000073F010001AAFFFF"
ADF = "80E03F0111381000AAAA95FFFFA00000000386980701"
SELECT_ADF = "00A4040009A00000000386980701"
ADF_KEY_FILE = "80E00000073F020095AAFFFF"
MASTER = "39F0AAAA33"
PROTECTED_MASTER = "F9F0AAAA33"
LINE = "F6F0AAFF33"


def key(text: str) -> bytes:
    """A key of 16 bytes that differs with its name."""
    return text.encode("ascii").ljust(16, b"\x5a")


class Issuer:
    """Makes something of a blank card.

    Attributes:
        card: The card.
        security: Its security.
    """

    def __init__(self, card: VirtualCard, algorithm: Algorithm = Algorithm.TRIPLE_DES) -> None:
        assert isinstance(card.security, BlankSecurity)
        self.card = card
        self.security = card.security
        self.suite = PbocSuite(algorithm)
        self.transport = b"\xff" * (16 if algorithm is Algorithm.SM4 else 8)

    def send(self, command: str) -> str:
        """One command; data ‖ status word in hex."""
        return complete(self.card, command.replace(" ", ""))

    def ok(self, *commands: str) -> None:
        """Commands that must succeed."""
        for command in commands:
            answer = self.send(command)
            assert answer.endswith("9000"), (command, answer)

    def keys(self) -> dict[str, list[FmcosKey]]:
        """All keys on the card as they are now."""
        return {label: [replace(one) for one in file.keys] for label, file in self.security.key_files.items()}

    def challenge(self, size: int = 4) -> bytes:
        """GET CHALLENGE."""
        return bytes.fromhex(self.send(f"00840000{size:02X}")[:-4])

    def authenticate(self, value: bytes, identifier: int = 0) -> str:
        """EXTERNAL AUTHENTICATE in the form of FMCOS."""
        data = self.suite.external_authentication(value, self.challenge(8))
        return self.send(f"008200{identifier:02X}08{data.hex()}")

    def plain(self, header: str, value: bytes, identifier: int = 0, p1: int = 0x01) -> str:
        """WRITE KEY in plain."""
        block = bytes.fromhex(header) + value
        return self.send(f"80D4{p1:02X}{identifier:02X}{len(block):02X}{block.hex()}")

    def protected_command(self, header: str, value: bytes, master: bytes, identifier: int = 0, p1: int = 0x01) -> bytes:
        """WRITE KEY with protection, under a fresh challenge."""
        challenge = self.challenge()
        body = self.suite.line_encrypt(master, bytes.fromhex(header) + value)
        start = bytes([0x84, 0xD4, p1, identifier, len(body) + 4]) + body
        return start + self.suite.line_mac(master, challenge, start)

    def protected(self, header: str, value: bytes, master: bytes, identifier: int = 0, p1: int = 0x01) -> str:
        """The same, sent."""
        return self.send(self.protected_command(header, value, master, identifier, p1).hex())

    def line(self, header: str, data: str, value: bytes) -> str:
        """A command with line protection under a line key of FMCOS."""
        challenge, body = self.challenge(), bytes.fromhex(data)
        start = bytes.fromhex(header) + bytes([len(body) + 4]) + body
        return self.send((start + self.suite.line_mac(value, challenge, start)).hex())

    # ---- steps -----------------------------------------------------------------------------------------------

    def take_over(self) -> None:
        """Erase the card."""
        self.ok(SELECT_MF)
        assert self.authenticate(self.transport) == "9000"
        self.ok("800E000000")

    def make_master_file(self) -> None:
        """Key file and master key of the master file; the master key is presented."""
        self.take_over()
        self.ok(MF_KEY_FILE)
        assert self.plain(MASTER, key("CCK")) == "9000"
        assert self.authenticate(key("CCK")) == "9000"

    def make_application(self) -> None:
        """An ADF with key file and master key below it, selected, free until it is left."""
        self.make_master_file()
        self.ok(ADF, SELECT_ADF, ADF_KEY_FILE)
        assert self.protected(PROTECTED_MASTER, key("AMK"), key("CCK")) == "9000"

    def reenter(self) -> None:
        """Leave the application and come back: its rights hold from now on."""
        self.ok(SELECT_MF, SELECT_ADF)
