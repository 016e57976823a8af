"""Sums, as callers get them."""

from __future__ import annotations

from typing import Any

from cardio.ledger.listing import Total


def total_document(total: Total) -> dict[str, Any]:
    """A sum, in fen."""
    return {
        "purse": total.purse.value,
        "operation": total.operation.value,
        "state": total.state.value,
        "count": total.count,
        "amount_fen": total.amount_fen,
    }
