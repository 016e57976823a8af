"""A voucher as canonical JSON, with the hash by which a printed one is found to be the same."""

from __future__ import annotations

import hashlib

from cardio.ledger.chain import canonical
from cardio.ledger.model import Document
from cardio.ledger.voucher import Entry, Remark, Reprint, Rule, Title, Voucher, label


def document(voucher: Voucher) -> Document:
    """Rows in their order, each with its Chinese and English text; amounts in fen."""
    return {
        "rows": [_row(row) for row in voucher if not isinstance(row, Reprint)],
        "reprint": next((row.count for row in voucher if isinstance(row, Reprint)), 0),
        "sha256": fingerprint(voucher),
    }


def encode(voucher: Voucher) -> bytes:
    """The document as canonical JSON."""
    return canonical(document(voucher)).encode("utf-8")


def fingerprint(voucher: Voucher) -> str:
    """SHA-256 of the rows as canonical JSON, hex; a reprint has that of the first print."""
    rows = [_row(row) for row in voucher if not isinstance(row, Reprint)]
    return hashlib.sha256(canonical(rows).encode("utf-8")).hexdigest()


def _row(row: Title | Rule | Entry | Remark) -> Document:
    found: Document = {"kind": type(row).__name__.lower()}
    if row.name is not None:
        found |= {"name": row.name, "zh": label(row.name, "zh"), "en": label(row.name, "en")}
    if isinstance(row, Entry):
        found["value"] = row.value
        if row.fen is not None:
            found["amount_fen"] = row.fen
    return found
