"""The settlement of SSC §9.3, in 3DES and SM4, and its load, as both sides of the counter are held to them."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.crypto.ciphers import Algorithm
from tests.virtual.vectors import Exchange

CITY_FACTOR = bytes.fromhex("3531393930307378")
PROVINCE_FACTOR = bytes.fromhex("3531303030307368")
CARD_FACTOR = bytes.fromhex("86605199000001AC")
TERMINAL = bytes.fromhex("519900000001")
AMOUNTS = (0, 10000, 8000)
SEQUENCE = 0x2A
COUNTER = 5
RANDOM = bytes.fromhex("A1B2C3D4")
TIME = "20260115093045"
INITIALIZE = "B028010113 01 00000000 00002710 00001F40 519900000001 16"
RECORD = bytes.fromhex("0005 32 519900000001 20260115093045 00000000 00002710 00001F40")
DEBITED_BEFORE = 123
"""Yearly totals of our own choice: the vector leaves them open."""
LOAD_BALANCE, LOAD_AMOUNT, LOAD_COUNTER = 12345, 50000, 3
LOAD_RECORD = bytes.fromhex("0003 31 519900000001 20260115093045 0000C350 00000000 00000000")
"""Not printed there: the record of the settlement, with the amount as PERS §5.3 B120 has it."""


@dataclass(frozen=True)
class SettlementVector:
    """One cipher's share of the settlement.

    Attributes:
        algorithm: Cipher.
        algorithm_id: Algorithm byte.
        province_key: Purchase key as a PSAM with a provincial root holds it.
        card_key: Purchase key of the card.
        tac_key: DTK of the card.
        mac1: Of the PSAM.
        mac2: Of the card.
        tac: Of the card.
        load_macs: MAC1, MAC2 and TAC of the load; None where SSC §9.3 has none.
    """

    algorithm: Algorithm
    algorithm_id: int
    province_key: bytes
    card_key: bytes
    tac_key: bytes
    mac1: str
    mac2: str
    tac: str
    load_macs: tuple[str, str, str] | None = None

    @property
    def initialize(self) -> Exchange:
        """Balance 0, totals 123 fen of 2026, counter 5."""
        answer = f"00000000 0000007B 0000007B 2026 0005 01 {self.algorithm_id:02X} A1B2C3D4 9000"
        return Exchange(INITIALIZE.replace(" ", ""), answer.replace(" ", ""))

    @property
    def sam_init(self) -> Exchange:
        """80 70 with card and city factor; SSC §9.3 prints it for 3DES."""
        command = (
            f"807001002C A1B2C3D4 0005 00000000 00002710 00001F40 32 {TIME} 01 {self.algorithm_id:02X}"
            "86605199000001AC 3531393930307378 08"
        )
        return Exchange(command.replace(" ", ""), f"0000002A{self.mac1}9000")

    @property
    def debit(self) -> Exchange:
        """B0 2C."""
        return Exchange(f"B02C01000F0000002A{TIME}{self.mac1}08", f"{self.tac}{self.mac2}9000")

    @property
    def sam_credit(self) -> Exchange:
        """80 72."""
        return Exchange(f"8072000004{self.mac2}", "9000")

    @property
    def prove(self) -> Exchange:
        """B0 2E for the number after the settlement: MAC before TAC."""
        return Exchange("B02E000202000608", f"{self.mac2}{self.tac}9000")

    @property
    def open_load(self) -> Exchange:
        """B0 28 00 01."""
        mac1, _, _ = self._load_macs()
        return Exchange("B02800010B010000C35051990000000110", f"0000303900030100A1B2C3D4{mac1}9000")

    @property
    def credit(self) -> Exchange:
        """B0 2A."""
        _, mac2, tac = self._load_macs()
        return Exchange(f"B02A00000B{TIME}{mac2}04", f"{tac}9000")

    def _load_macs(self) -> tuple[str, str, str]:
        assert self.load_macs is not None, "SSC §9.3 prints the load in 3DES only"
        return self.load_macs


SETTLEMENTS = {
    "3des": SettlementVector(
        Algorithm.TRIPLE_DES,
        0x00,
        province_key=bytes.fromhex("1ECE88D67B41FDA68DD49246736851AE"),
        card_key=bytes.fromhex("91FA66C7FAEBB77353E749A57FD42676"),
        tac_key=bytes.fromhex("4E3CB7F7C515831391ED5B6B62C03025"),
        mac1="F01120FD",
        mac2="7A0EC137",
        tac="731F5CB3",
        load_macs=("1D35AE13", "E9596762", "08E44B1D"),
    ),
    "sm4": SettlementVector(
        Algorithm.SM4,
        0x03,
        province_key=bytes.fromhex("79AFE3B9FAA8B47C0695EFD6907CB8D5"),
        card_key=bytes.fromhex("0BE536BFB1C839EA4B3F501265A146E2"),
        tac_key=bytes.fromhex("E971FE53807B2B1E4B3AA17361B66640"),
        mac1="BFAFFB0A",
        mac2="01EBE18A",
        tac="CA7CCA6A",
    ),
}
