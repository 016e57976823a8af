"""Declared files beside bare construct."""

from __future__ import annotations

from collections.abc import Iterator

import construct

from cardio.files.record import FixedRecord
from cardio.files.wallet.log import WalletLogRecord
from cardio.files.wallet.public import PublicData
from tests.bench.clock import in_turn
from tests.bench.rows import Effort, Row, Subject, timed

LOG = construct.Struct(
    "number" / construct.Int16ub,
    "overdraft" / construct.Int24ub,
    "amount" / construct.Int32ub,
    "kind" / construct.Int8ub,
    "terminal" / construct.Bytes(6),
    "date" / construct.Bytes(4),
    "time" / construct.Bytes(3),
)
PUBLIC = construct.Struct(
    "issuer" / construct.Bytes(8),
    "application_type" / construct.Int8ub,
    "application_version" / construct.Int8ub,
    "serial" / construct.Bytes(10),
    "starts" / construct.Bytes(4),
    "ends" / construct.Bytes(4),
    "issuer_data" / construct.Bytes(2),
)
FILES: tuple[tuple[str, type[FixedRecord], construct.Struct], ...] = (
    ("a log record (EF18)", WalletLogRecord, LOG),
    ("public data (EF15)", PublicData, PUBLIC),
)

SUBJECT = Subject(
    "Declared files",
    "A record decoded to values with meaning (dates, digits, codes, amounts) and encoded back, beside construct that "
    "only takes the bytes apart and puts them together. A purchase decodes one record, and reading all of a card a few "
    "dozen: less than one command of the card.",
    lambda effort: _rows(effort),
)


def _rows(effort: Effort) -> Iterator[Row]:
    for name, declared, bare in FILES:
        raw = bytes.fromhex(declared.VECTORS[0])
        record, values = declared.decode(raw), bare.parse(raw)
        decoding = in_turn(effort.many, lambda: declared.decode(raw), lambda: bare.parse(raw))  # noqa: B023
        yield timed(f"decoding {name}, peer: bare construct", "µs", *decoding)
        encoding = in_turn(effort.many, record.encode, lambda: bare.build(values))  # noqa: B023
        yield timed(f"encoding {name}, peer: bare construct", "µs", *encoding)
