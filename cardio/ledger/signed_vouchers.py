"""Signed vouchers: what the institution can check, as the issuer can check the TAC (OPS §4.5).

One is made together with the final state of every transaction and settlement that moved money, and is never rewritten.
It names its place in the chain, and the hash of the receipt that is printed from the same transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version

from cardio.errors import JournalBroken
from cardio.ledger.chain import ChainRow, canonical
from cardio.ledger.model import Document, Settlement, Transaction
from cardio.ledger.receipts.canonical import fingerprint
from cardio.ledger.times import stamp
from cardio.ledger.voucher import voucher_of
from cardio.security.device_keys import DeviceKeys, verified

FORMAT = "cardio-voucher-1"
_UNSIGNED = frozenset({"voucher", "action", "notes", "settlement_class", "bill_details"})
"""What is text for people, may change later, or tells about somebody's health."""


@dataclass(frozen=True)
class SignedVoucher:
    """A voucher and its detached signature.

    Attributes:
        document: Canonical JSON in UTF-8: the very bytes that were signed.
        signature: Ed25519, 64 bytes.
        key: Public key that it can be checked with, 32 bytes.
    """

    document: bytes
    signature: bytes
    key: bytes

    @property
    def content(self) -> Document:
        """The document, decoded."""
        return dict(json.loads(self.document))

    def signed_by(self, public: bytes) -> bool:
        """Whether it was signed with the key of which this is the public one, and not changed since."""
        return verified(self.document, self.signature, public)


def write(
    db: sqlite3.Connection,
    keys: DeviceKeys,
    subject: Transaction | Settlement,
    shown: Document,
    row: ChainRow,
) -> None:
    """Sign what a transaction or settlement came to, in the database transaction of its final state.

    Args:
        db: The journal.
        keys: The terminal's keys.
        subject: What has ended.
        shown: The answer that its caller gets.
        row: The row of the chain that ended it.
    """
    receipt = voucher_of(subject)
    content = {
        "format": FORMAT,
        "transaction" if isinstance(subject, Transaction) else "settlement": _signed_part(shown),
        "receipt_sha256": None if receipt is None else fingerprint(receipt),
        "journal": {"seq": row.seq, "head": row.hash.hex(), "time": stamp(row.time)},
        "software": software(),
        "key": keys.public.hex(),
    }
    document = canonical(content)
    db.execute(
        "INSERT INTO vouchers VALUES (?, ?, ?, ?, ?)",
        (subject.id, row.seq, document, keys.sign(document.encode("utf-8")), keys.public),
    )


def find(db: sqlite3.Connection, identifier: str) -> SignedVoucher | None:
    """The voucher of a transaction or settlement; None if no money moved, or before there were vouchers."""
    row = db.execute("SELECT * FROM vouchers WHERE subject = ?", (identifier,)).fetchone()
    return None if row is None else voucher_from(row)


def voucher_from(row: sqlite3.Row) -> SignedVoucher:
    """A row of `vouchers`."""
    return SignedVoucher(row["document"].encode("utf-8"), row["signature"], row["key"])


def check(db: sqlite3.Connection, keys: Collection[bytes]) -> int:
    """Check all vouchers: signature, place in the chain, and the answer that they repeat; return how many.

    Args:
        db: The journal.
        keys: Public keys that the chain names.

    Raises:
        JournalBroken: One was changed, or signed by somebody else.
    """
    count = 0
    for row in db.execute(
        "SELECT v.*, j.hash, j.time, j.subject AS about, COALESCE(t.answer, s.answer) AS answer FROM vouchers v"
        " LEFT JOIN journal j ON j.seq = v.seq LEFT JOIN transactions t ON t.id = v.subject"
        " LEFT JOIN settlements s ON s.id = v.subject"
    ):
        count += 1
        voucher = voucher_from(row)
        if voucher.key not in keys or not voucher.signed_by(voucher.key):
            raise JournalBroken(f"the signature of the voucher of {row['subject']} does not hold")
        content = voucher.content
        place = {"seq": row["seq"], "head": bytes(row["hash"] or b"").hex(), "time": row["time"]}
        told, answer = content.get("transaction") or content["settlement"], json.loads(row["answer"] or "{}")
        if (row["about"], content["journal"], told) != (row["subject"], place, _signed_part(answer)):
            raise JournalBroken(f"the voucher of {row['subject']} belongs elsewhere")
    return count


def _signed_part(shown: Document) -> Document:
    """What of an answer is signed."""
    part = {name: value for name, value in shown.items() if name not in _UNSIGNED}
    if "legs" in part:
        part["legs"] = [_signed_part(leg) for leg in part["legs"]]
    return part


@cache
def software() -> str:
    """Name and version of this program."""
    return f"cardio {version('cardio')}"
