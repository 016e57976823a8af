"""A test bench: one virtual card of a product, commands in hex, and keys by their names."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.apdu.atr import card_factor
from cardio.apdu.tlv import Tlv, iterate_simple
from cardio.crypto.ciphers import Algorithm
from cardio.crypto.factors import city_factor, province_factor
from cardio.crypto.suites import LdtSuite
from cardio.products.catalogue import Catalogue
from cardio.security.card_keys import CARD_KEYS, CardKey
from cardio.virtual import cards
from cardio.virtual.card import VirtualCard
from cardio.virtual.products import example_card
from tests.virtual.wire import SELECT_SSSE, VERIFY_RIGHT, complete

REGION = "999900"
OK = "9000"
ORIGINAL = "0102030405060708"


@dataclass
class Bench:
    """A powered card with the environment selected.

    Attributes:
        product: Id of its product.
        card: The card.
    """

    product: str
    card: VirtualCard

    @classmethod
    def of(cls, product: str) -> Bench:
        """A new card of a product."""
        bench = cls(product, example_card(Catalogue.load()[product]))
        bench.select("SSSE")
        return bench

    @property
    def suite(self) -> LdtSuite:
        """Cryptography of the card: SM4 from version 3.0 on (SSC §1)."""
        return LdtSuite(Algorithm.SM4 if self.product in {"ssc-3.0", "combined"} else Algorithm.TRIPLE_DES)

    def send(self, command: str) -> str:
        """One command; data and status word."""
        return complete(self.card, command.replace(" ", ""))

    def sw(self, command: str) -> str:
        """One command; its status word."""
        return self.send(command)[-4:]

    def select(self, label: str) -> None:
        """SELECT of the environment, or of a directory from it."""
        assert self.sw(SELECT_SSSE) == OK
        if label != "SSSE":
            assert self.sw(f"00A4000002{label}") == OK, label

    def verify(self) -> None:
        """Present the PIN."""
        assert self.sw(VERIFY_RIGHT) == OK

    def reset(self, label: str) -> None:
        """Power off and on, and select a directory."""
        self.card.power_off()
        self.card.power_on()
        self.select(label)

    def card_key(self, key: CardKey) -> bytes:
        """The key of this card: its root through province, city and card (SSC §6.3)."""
        factors = (province_factor(REGION), city_factor(REGION), card_factor(self.card.atr))
        return self.suite.diversify(cards.test_root(cards.SOCIAL_SECURITY_ROOT, key.name), factors)

    def authenticate(self, name: str, version: str = "", value: bytes | None = None) -> str:
        """EXTERNAL AUTHENTICATION with a key; its status word."""
        key = CARD_KEYS[name]
        challenge = bytes.fromhex(self.send("0084000008")[:-4])
        session = self.suite.challenge_key(value or self.card_key(key), challenge)
        proof = self.suite.authentication(session, bytes.fromhex(ORIGINAL)).hex()
        size = 0x10 + len(version) // 2
        return self.sw(f"008200{key.kid:02X}{size:02X}{proof}{ORIGINAL}{version}")

    def read(self, sfi: int, number: int = 1) -> str:
        """READ RECORD by number; its status word. Le = 00 is answered with the right length first (T=0)."""
        return self.record(sfi, number)[-4:]

    def record(self, sfi: int, number: int = 1) -> str:
        """READ RECORD by number; data and status word."""
        header = f"00B2{number:02X}{sfi << 3 | 4:02X}"
        answer = self.send(f"{header}00")
        return self.send(f"{header}{answer[-2:]}") if answer.startswith("6C") else answer

    def records(self, sfi: int) -> list[bytes]:
        """All records of a file."""
        found: list[bytes] = []
        while (answer := self.record(sfi, len(found) + 1)).endswith(OK):
            found.append(bytes.fromhex(answer[:-4]))
        assert answer == "6A83"
        return found

    def items(self, sfi: int) -> list[Tlv]:
        """The items of a linear file; each record is exactly one TLV."""
        found = []
        for record in self.records(sfi):
            (tlv,) = iterate_simple(record)
            found.append(tlv)
        return found

    def update(self, sfi: int, record: bytes, number: int = 1) -> str:
        """UPDATE RECORD by number; its status word."""
        return self.sw(f"00DC{number:02X}{sfi << 3 | 4:02X}{len(record):02X}{record.hex()}")
