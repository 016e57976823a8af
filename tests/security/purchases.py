"""The off-line transactions of EW §10 and SSC §9.3 as orders to derived keys, with the roots of every level."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import CipherSuite
from cardio.security.derived_keys import PurchaseCryptograms, Terminal, suite_for
from cardio.security.keys import Family, PurchaseOrder
from tests.crypto.vectors import Vector, all_vectors
from tests.purse.scripted import WALLET_SAM
from tests.security.test_psam_vectors import SETTLEMENT
from tests.virtual.settlements import SEQUENCE, SETTLEMENTS, TERMINAL

OTHER_SESSION_INPUTS = ("session-zero", "session-complement")
"""Vectors of SM4 session inputs that are not the chosen one (EW PC-14)."""
NATIONAL_ROOT = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")


@dataclass(frozen=True)
class PurchaseCase:
    """One transaction.

    Attributes:
        name: Of the vector.
        order: What is asked for.
        terminal: The terminal.
        sequence: Terminal sequence.
        root: Purchase key at the topmost level.
        card_key: Purchase key of the card, as the source prints it.
        cryptograms: What must come out.
    """

    name: str
    order: PurchaseOrder
    terminal: Terminal
    sequence: int
    root: bytes
    card_key: bytes
    cryptograms: PurchaseCryptograms

    @property
    def suite(self) -> CipherSuite:
        """Suite of the card."""
        return suite_for(self.order.application.family, self.order.algorithm)

    @property
    def key_name(self) -> str:
        """Name of the root."""
        return "DPK" if self.order.application.family is Family.LDT else "WALLET-DPK"

    @property
    def levels(self) -> dict[int, bytes]:
        """The root by the number of factors that are still to be applied."""
        factors = self.order.factors
        above = {len(factors) - n: self.suite.diversify(self.root, factors[:n]) for n in range(len(factors))}
        return {**above, 0: self.card_key}

    def __str__(self) -> str:
        return self.name


def wallet_cases() -> list[PurchaseCase]:
    """All vectors with MAC1, MAC2 and a purchase key, but those of other session inputs and of grey locks."""
    return [
        _wallet_case(vector)
        for vector in all_vectors()
        if "terminal_seq" in vector.inputs
        and {"MAC1", "MAC2"} <= vector.outputs.keys()
        and vector.kind != "grey-lock"
        and not vector.id.endswith(OTHER_SESSION_INPUTS)
    ]


def medical_cases() -> list[PurchaseCase]:
    """The settlement of SSC §9.3, both columns."""
    return [
        PurchaseCase(
            name=f"settlement-{name}",
            order=replace(SETTLEMENT, algorithm=vector.algorithm),
            terminal=Terminal(TERMINAL),
            sequence=SEQUENCE,
            root=NATIONAL_ROOT,
            card_key=vector.card_key,
            cryptograms=PurchaseCryptograms(bytes.fromhex(vector.mac1), bytes.fromhex(vector.mac2)),
        )
        for name, vector in SETTLEMENTS.items()
    ]


def _wallet_case(vector: Vector) -> PurchaseCase:
    diversified = "master_DPK" in vector.inputs
    card_key = vector.output("DPK") if diversified else vector.input("DPK")
    return PurchaseCase(
        name=vector.id,
        order=PurchaseOrder(
            application=WALLET_SAM,
            algorithm=Algorithm.SM4 if vector.algorithm == "SM4" else Algorithm.TRIPLE_DES,
            random=vector.input("card_random"),
            counter=int.from_bytes(vector.input("offline_seq"), "big"),
            amounts=(int.from_bytes(vector.input("amount"), "big"),),
            kind=vector.input("type")[0],
            time=vector.input("datetime"),
            key_version=1,
            algorithm_id=0,
            factors=tuple(vector.factors) if diversified else (),
        ),
        terminal=Terminal(vector.input("terminal")),
        sequence=int.from_bytes(vector.input("terminal_seq"), "big"),
        root=vector.input("master_DPK") if diversified else card_key,
        card_key=card_key,
        cryptograms=PurchaseCryptograms(vector.output("MAC1"), vector.output("MAC2")),
    )


CASES = wallet_cases() + medical_cases()
