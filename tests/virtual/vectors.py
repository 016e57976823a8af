"""The purchase vectors of the e-wallet file (EW §10): what both sides of the counter are held to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite, Sm4SessionInput

FILE = Path(__file__).parent.parent / "vectors" / "e-wallet-vectors.json"
ELECTRONIC_PURSE_PURCHASE = "06"


@dataclass(frozen=True)
class Exchange:
    """A command and the answer it must get, in upper-case hex."""

    command: str
    answer: str


@dataclass(frozen=True)
class PurchaseVector:
    """One purchase with everything that either side must send or answer."""

    name: str
    suite: PbocSuite
    master_key: bytes
    factors: tuple[bytes, ...]
    purchase_key: bytes
    tac_key: bytes
    key_index: int
    key_version: int
    algorithm_id: int
    balance: int
    amount: int
    counter: int
    sequence: int
    random: bytes
    terminal: bytes
    time: str
    mac1: bytes
    mac2: bytes
    tac: bytes
    new_balance: int
    new_counter: int
    record: bytes
    initialize: Exchange
    sam_init: Exchange
    debit: Exchange
    sam_credit: Exchange
    prove: Exchange

    @property
    def card_exchanges(self) -> tuple[Exchange, ...]:
        """What goes to the card, in order."""
        return self.initialize, self.debit, self.prove


def entries() -> list[dict[str, Any]]:
    """The vectors as they stand in the file."""
    content: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["vectors"]
    return content


def ep_purchases() -> list[PurchaseVector]:
    """The purchases from the electronic purse that carry APDUs, found by what they are and not by name."""
    return [
        _vector(entry)
        for entry in entries()
        if entry["kind"].startswith("purchase")
        and entry["inputs"]["type"] == ELECTRONIC_PURSE_PURCHASE
        and "apdus" in entry
    ]


def _vector(entry: dict[str, Any]) -> PurchaseVector:
    inputs, outputs = entry["inputs"], entry["outputs"]
    initialize, sam_init, debit, sam_credit, prove = (
        Exchange(apdu["command"], apdu["response"]) for apdu in entry["apdus"]
    )

    def raw(name: str) -> bytes:
        return bytes.fromhex(inputs[name] if name in inputs else outputs[name])

    def number(name: str) -> int:
        return int.from_bytes(raw(name), "big")

    return PurchaseVector(
        name=entry["id"],
        suite=suite_of(entry),
        master_key=raw("master_DPK"),
        factors=tuple(bytes.fromhex(factor) for factor in inputs["factors_in_order_of_use"]),
        purchase_key=raw("DPK"),
        tac_key=raw("DTK"),
        key_index=number("key_index"),
        key_version=number("key_version"),
        algorithm_id=number("alg_id"),
        balance=number("balance"),
        amount=number("amount"),
        counter=number("offline_seq"),
        sequence=number("terminal_seq"),
        random=raw("card_random"),
        terminal=raw("terminal"),
        time=inputs["datetime"],
        mac1=raw("MAC1"),
        mac2=raw("MAC2"),
        tac=raw("TAC"),
        new_balance=number("new_balance"),
        new_counter=number("new_offline_seq"),
        record=raw("log_record"),
        initialize=initialize,
        sam_init=sam_init,
        debit=debit,
        sam_credit=sam_credit,
        prove=prove,
    )


def suite_of(entry: dict[str, Any]) -> PbocSuite:
    """Cryptography of a vector: single DES is the 3DES of short keys."""
    algorithm = Algorithm.SM4 if entry["alg"] == "SM4" else Algorithm.TRIPLE_DES
    for variant in (Sm4SessionInput.ZERO, Sm4SessionInput.COMPLEMENT):
        if entry["id"].endswith(f"session-{variant.value}"):
            return PbocSuite(algorithm, variant)
    return PbocSuite(algorithm)
