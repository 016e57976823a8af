"""Declared files against bare construct."""

from __future__ import annotations

from collections.abc import Iterator

import construct

from cardio.files.wallet.log import WalletLogRecord
from tests.bench.rows import Row, interleaved, micro

RAW = bytes.fromhex(WalletLogRecord.VECTORS[0])
BARE = construct.Struct(
    "number" / construct.Int16ub,
    "overdraft" / construct.Int24ub,
    "amount" / construct.Int32ub,
    "kind" / construct.Int8ub,
    "terminal" / construct.Bytes(6),
    "date" / construct.Bytes(4),
    "time" / construct.Bytes(3),
)


def rows(rounds: int) -> Iterator[Row]:
    """A log record, decoded to values with meaning, against the same bytes taken apart."""
    ours, bare = interleaved(rounds, lambda: WalletLogRecord.decode(RAW), lambda: BARE.parse(RAW))
    yield Row("a declared log record decoded, against bare construct", micro(ours), "µs", micro(bare))
