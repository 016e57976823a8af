"""Job files: one row a card, as CSV or JSON Lines, checked whole before the first card (PERS §3.2).

JSON Lines may begin with a head: `{"job": "2026-11-25-1", "product": "ssc-2.0", "cards": 1000}`. CSV has one column for
each field, inner ones with a point: `holder.name`, `items.DF04/EF05.region`; an empty cell is a field that is not told.
Keys and PINs have no place in a job.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from cardio.errors import CardioError, JobInvalid
from cardio.ledger.chain import canonical
from cardio.personalize.attempts import JobHead
from cardio.personalize.card_data import FILE_NAME, CardData, Holder
from cardio.personalize.personalizer import Personalizer, Prepared
from cardio.products.part import Part

MAX_FAULTS = 50
"""Faults that one message names."""
ENCODINGS = ("utf-8-sig", "gb18030")
"""Of a CSV file: what spreadsheets in China write."""
SERIAL_DIGITS = 16
"""Digits of an application serial number from which the keys of a wallet are made: its last (EW §2.3, PERS §5.2)."""
UNIQUE: Mapping[str, Callable[[CardData], str | None]] = {
    "record": lambda row: row.record,
    "card_number": lambda row: row.card_number,
    "wallet_serial": lambda row: row.wallet_serial[-SERIAL_DIGITS:] if row.wallet_serial else None,
    "card_serial": lambda row: f"{row.region}{row.card_serial}" if row.card_serial else None,
    "holder.number": lambda row: row.holder.number.upper() if row.holder else None,
}
"""What no two rows may have."""


COLUMN = re.compile(
    "|".join((*(name for name in CardData.model_fields if name not in {"holder", "items"}),
              *(rf"holder\.{name}" for name in Holder.model_fields),
              rf"items\.{FILE_NAME.pattern}(\.[a-z0-9_]+)*"))
)  # fmt: skip
"""Names of columns."""


FIELD = re.compile("[a-z_]{1,20}")
"""The form of a field's name."""


class JobLine(Part):
    """First line of a job file in JSON Lines.

    Attributes:
        job: Name of the job.
        product: Card product.
        cards: Number of rows, so that a file that was cut short is noticed.
    """

    job: str = Field(min_length=1, max_length=64)
    product: str
    cards: int = Field(ge=1)


@dataclass(frozen=True)
class Job:
    """A job that can be run.

    Attributes:
        head: What the register keeps of it.
        rows: All cards, checked.
    """

    head: JobHead
    rows: tuple[Prepared, ...]


def load_job(
    file: Path,
    maker: Personalizer,
    pin: Callable[[CardData], str | None],
    *,
    operators: tuple[str, ...] = (),
) -> Job:
    """Read a job file and check every row.

    Args:
        file: `.csv`, or `.jsonl` and any other name for JSON Lines.
        maker: Makes the cards.
        pin: The PIN of a row.
        operators: Who runs the job.

    Raises:
        JobInvalid: It cannot be read, or something in it is wrong: row and field are named, a line for each row, and no
            value is repeated.
    """
    head, rows = _read(file)
    faults: list[str] = []
    if head is not None and head.product != maker.product.id:
        # Every row would be wrong in every file.
        raise JobInvalid(f"head: the job is for product {head.product}, not {maker.product.id}")
    if head is not None and head.cards != len(rows):
        faults.append(f"head: {head.cards} cards are announced, there are {len(rows)}")
    if not rows:
        faults.append("there is no row")
    data = [*_validated(rows, faults)]
    faults += _duplicates(data)
    prepared = [*_prepared(data, maker, pin, faults)]
    if faults:
        more = [f"and {len(faults) - MAX_FAULTS} more"] if len(faults) > MAX_FAULTS else []
        raise JobInvalid("\n".join([*faults[:MAX_FAULTS], *more]))
    name = head.job if head is not None else file.stem
    digest = hashlib.sha256(canonical([row.model_dump(mode="json") for _, row in data]).encode()).digest()
    found = JobHead(name, maker.product.id, len(prepared), digest, maker.keys.name, operators, maker.made_with)
    return Job(found, tuple(prepared))


def job_schema() -> dict[str, Any]:
    """JSON Schema of one line of a job in JSON Lines."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "制卡任务的一行 one line of a personalization job",
        "anyOf": [JobLine.model_json_schema(), CardData.model_json_schema(ref_template="#/anyOf/1/$defs/{model}")],
    }


def job_lines(head: JobLine, rows: Iterable[CardData]) -> Iterator[str]:
    """A job as JSON Lines."""
    yield json.dumps(head.model_dump(mode="json"), ensure_ascii=False)
    for row in rows:
        yield json.dumps(row.model_dump(mode="json", exclude_none=True), ensure_ascii=False)


# ---- reading ---------------------------------------------------------------------------------------------------------

Row = tuple[str, dict[str, Any]]
"""Where a row stands, `row 3`, and its fields."""


def _read(file: Path) -> tuple[JobLine | None, list[Row]]:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise JobInvalid(f"{file}: {error.strerror}") from error
    if file.suffix.lower() == ".csv":
        return None, _csv_rows(file, raw)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise JobInvalid(f"{file.name}: byte {error.start} is no UTF-8 text") from error
    return _json_rows(text)


def _json_rows(text: str) -> tuple[JobLine | None, list[Row]]:
    head: JobLine | None = None
    rows: list[Row] = []
    # Not splitlines: text in JSON may hold line separators of other kinds.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        content = _json_object(f"line {number}", line)
        if number == 1 and "job" in content:
            try:
                head = JobLine.model_validate(content)
            except ValidationError as error:
                raise JobInvalid("; ".join(_reasons("head", error))) from None
        else:
            rows.append((f"line {number}", content))
    return head, rows


def _json_object(place: str, line: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
        json.dumps(content, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        raise JobInvalid(f"{place}: no JSON: {error.msg} at character {error.colno}") from None
    except UnicodeEncodeError:
        raise JobInvalid(f"{place}: half a character: \\u escapes of two must stand together") from None
    except (ValueError, RecursionError):
        raise JobInvalid(f"{place}: no JSON that can be read: too long a number, or too deep") from None
    if not isinstance(content, dict):
        raise JobInvalid(f"{place}: an object is needed")
    return content


def _csv_rows(file: Path, raw: bytes) -> list[Row]:
    for encoding in ENCODINGS:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        break
    else:
        raise JobInvalid(f"{file.name}: neither UTF-8 nor GB 18030 text")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        table = [(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise JobInvalid(f"line {reader.line_num}: {error}") from None
    if not table:
        return []
    columns = _columns(table[0][1])
    rows: list[Row] = []
    for number, cells in table[1:]:
        if not any(cells):
            continue
        if len(cells) != len(columns):
            raise JobInvalid(f"line {number}: {len(cells)} cells, {len(columns)} columns")
        rows.append((f"line {number}", _nested(zip(columns, cells, strict=True))))
    return rows


def _columns(cells: list[str]) -> list[str]:
    """Names of the columns; without them the first person would be taken for names, and must not be repeated."""
    names = [name.strip() for name in cells]
    for number, name in enumerate(names, 1):
        if not COLUMN.fullmatch(name):
            raise JobInvalid(f"line 1: column {number} has no name that a field has")
    if len(set(names)) < len(names):
        raise JobInvalid("line 1: two columns have the same name")
    for number, name in enumerate(names, 1):
        if any(other.startswith(f"{name}.") for other in names):
            raise JobInvalid(f"line 1: column {number} is a field, and has fields in other columns")
    return names


def _nested(cells: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Columns `holder.name` as inner objects; empty cells are left out."""
    found: dict[str, Any] = {}
    for column, cell in cells:
        if not cell:
            continue
        *path, last = column.split(".")
        inner = found
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = cell
    return found


# ---- checking --------------------------------------------------------------------------------------------------------


def _validated(rows: Iterable[Row], faults: list[str]) -> Iterator[tuple[str, CardData]]:
    for place, content in rows:
        try:
            yield place, CardData.model_validate(content)
        except ValidationError as error:
            faults += _reasons(place, error)


def _reasons(place: str, error: ValidationError) -> list[str]:
    """Field and reason of each fault; never the value, which may be a name or an ID number."""
    return [f"{place}: {_field(one['loc'])}: {one['msg'].removeprefix('Value error, ')}" for one in error.errors()]


def _field(path: Iterable[int | str]) -> str:
    """A field by its names; what has no form of one may be a value in the wrong place."""
    return ".".join(name if FIELD.fullmatch(name) else "…" for name in map(str, path)) or "row"


def _duplicates(data: list[tuple[str, CardData]]) -> Iterator[str]:
    for field, value in UNIQUE.items():
        counts = Counter(value(row) for _, row in data)
        seen: dict[str, str] = {}
        for place, row in data:
            told = value(row)
            if told is None or counts[told] == 1:
                continue
            if told in seen:
                yield f"{place}: {field}: the same as in {seen[told]}"
            else:
                seen[told] = place


def _prepared(
    data: list[tuple[str, CardData]],
    maker: Personalizer,
    pin: Callable[[CardData], str | None],
    faults: list[str],
) -> Iterator[Prepared]:
    for place, row in data:
        try:
            yield maker.prepare(row, pin(row))
        except CardioError as error:
            faults.append(f"{place}: {error.detail or error.text('en')}")
