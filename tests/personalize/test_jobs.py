"""Job files: what is read, and that every fault is named by row and field, without the value (PERS §3.2)."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardio.errors import JobInvalid
from cardio.personalize.card_data import CardData
from cardio.personalize.example_job import example_job
from cardio.personalize.jobs import MAX_FAULTS, Job, JobLine, job_lines, job_schema, load_job
from tests.files.declared import JSON
from tests.personalize.workshop import PIN, PRODUCTS, Workshop

NAME, NUMBER, PLACE = "欧阳小苗", "110101199003074530", "440305"
"""Canaries: what no message may repeat."""
BROKEN_NUMBER = "110101199003074531"
SOCIAL = Workshop("ssc-2.0", rows=3)
WALLET = Workshop("citizen-wallet", "citizen-wallet", rows=3)


def load(file: Path, workshop: Workshop = SOCIAL) -> Job:
    return load_job(file, workshop.maker, lambda _: PIN, operators=("Li", "Wang"))


def rows_of(workshop: Workshop = SOCIAL) -> list[dict[str, Any]]:
    """The example rows as JSON, with a person whose data are looked for in messages."""
    rows = [row.model_dump(mode="json", exclude_none=True) for row in workshop.data]
    rows[1]["holder"] |= {"name": NAME, "number": NUMBER, "birthplace": PLACE}
    return rows


def jsonl(folder: Path, rows: list[Any], head: dict[str, Any] | None = None) -> Path:
    lines = [json.dumps(one, ensure_ascii=False) for one in ([head] if head else []) + rows]
    file = folder / "job.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def table_of(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Rows as a spreadsheet has them: inner fields with points, records as hex."""

    def cells(prefix: str, value: Any) -> dict[str, str]:
        if isinstance(value, dict):
            found: dict[str, str] = {}
            for name, inner in value.items():
                found |= cells(f"{prefix}.{name}" if prefix else name, inner)
            return found
        return {prefix: {True: "1", False: "0"}.get(value, str(value)) if isinstance(value, bool) else str(value)}

    return [cells("", row) for row in rows]


def csv_file(folder: Path, table: list[dict[str, str]], encoding: str = "utf-8") -> Path:
    text = io.StringIO(newline="")
    columns = list(dict.fromkeys(column for row in table for column in row))
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(table)
    file = folder / "job.csv"
    file.write_bytes(text.getvalue().encode(encoding))
    return file


def faults(file: Path, workshop: Workshop = SOCIAL) -> list[str]:
    """Everything that is wrong with a job; none of it tells a person's data."""
    with pytest.raises(JobInvalid) as raised:
        load(file, workshop)
    told = raised.value.detail
    for canary in (NAME, NUMBER, BROKEN_NUMBER, NUMBER[:10], PIN, "欧阳", "zhangsan"):
        assert canary not in told + raised.value.describe()
    return told.splitlines()


# ---- what is read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("product", PRODUCTS)
def test_example_jobs_of_every_product_run_as_they_are_and_fit_the_schema(product: str, tmp_path: Path) -> None:
    made = Workshop(product, rows=3)
    lines = list(job_lines(*example_job(made.product, made.maker.layout, 3)))
    validator = jsonschema.Draft202012Validator(job_schema())
    for line in lines:
        validator.validate(json.loads(line))
    file = tmp_path / "job.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    job = load(file, made)
    assert (job.head.id, job.head.cards, job.head.product) == (f"example-{product}", 3, product)
    assert [row.data for row in job.rows] == made.data
    assert all(row.content.files for row in job.rows)


def test_the_schema_refuses_what_rows_do_not_have() -> None:
    validator = jsonschema.Draft202012Validator(job_schema())
    for wrong in ({}, {"record": ""}, {"record": "1", "pin": "123456"}, {"job": "1", "product": "x", "cards": 0}):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(wrong)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_says_the_same_as_json_in_every_encoding_of_spreadsheets(tmp_path: Path, encoding: str) -> None:
    rows = rows_of()
    for row in rows:
        # A cell holds one value: files of several records are hex in JSON only.
        row["items"] = {name: one for name, one in row["items"].items() if isinstance(one, dict | str)}
        row["items"] = {name: one for name, one in row["items"].items() if "[" not in json.dumps(one)}
    by_json, by_table = load(jsonl(tmp_path, rows)), load(csv_file(tmp_path, table_of(rows), encoding))
    assert [row.content for row in by_table.rows] == [row.content for row in by_json.rows]
    assert by_table.rows[1].data.holder == by_json.rows[1].data.holder
    assert by_table.head.id == "job"


def test_blank_lines_empty_cells_and_a_byte_order_mark_are_nothing(tmp_path: Path) -> None:
    rows = rows_of()
    file = jsonl(tmp_path, rows)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n\r\n"))
    assert len(load(file).rows) == 3
    rows[0]["photo"] = ""
    table = [{**row, "photo": ""} for row in table_of(rows_of(WALLET))]
    found = csv_file(tmp_path, table)
    found.write_bytes(found.read_bytes() + b"\r\n" + b"," * (len(table[0]) - 1) + b"\r\n")
    assert [row.data.photo for row in load(found, WALLET).rows] == [None] * 3


def test_line_separators_inside_a_text_do_not_end_the_row(tmp_path: Path) -> None:
    rows = rows_of(WALLET)
    rows[1]["photo"] = "a\u2028b\u2029c"
    assert load(jsonl(tmp_path, rows), WALLET).rows[1].data.photo == "a\u2028b\u2029c"


def test_the_same_rows_have_the_same_digest_whatever_their_form(tmp_path: Path) -> None:
    rows = rows_of(WALLET)
    plain = load(jsonl(tmp_path, rows), WALLET).head
    turned = [dict(reversed(row.items())) for row in rows]
    assert load(jsonl(tmp_path, turned), WALLET).head.digest == plain.digest
    rows[2]["photo"] = "other.jpg"
    assert load(jsonl(tmp_path, rows), WALLET).head.digest != plain.digest
    assert len(plain.digest) == 32


# ---- faults ------------------------------------------------------------------------------------------------------

Change = Callable[[dict[str, Any]], object]
FAULTS: dict[str, tuple[Change, str]] = {
    "check digit of the ID number": (lambda row: row["holder"].update(number=BROKEN_NUMBER), "holder.number"),
    "no date in the ID number": (lambda row: row["holder"].update(number="110101199013074530"), "holder.number"),
    "check character of the card number": (lambda row: row.update(card_number="A00000129"), "card_number"),
    "too long a name": (lambda row: row["holder"].update(name=NAME * 20), "holder.name"),
    "a name outside the code page": (lambda row: row["holder"].update(name=NAME + "\ud83d"), "half a character"),
    "unknown ethnicity": (lambda row: row["holder"].update(ethnicity="77"), "ethnicity"),
    "unknown sex": (lambda row: row["holder"].update(sex="7"), "sex"),
    "no region code": (lambda row: row.update(region="44030"), "region"),
    "digits of another width in the region": (lambda row: row.update(region="４４０３００"), "region"),
    "digits of another width in the serial number": (lambda row: row.update(card_serial="0000000１"), "card_serial"),
    "digits of another width in a date of an item": (
        lambda row: row["items"].update({"SSSE/EF05": {"issued": "２０２６"}}),
        "SSSE/EF05: issued: a date is needed",
    ),
    "a control character in the photo's name": (lambda row: row.update(photo="a\x07.jpg"), "photo"),
    "a control character in the row's number": (lambda row: row.update(record="1\x1b[2J"), "record"),
    "no date": (lambda row: row.update(issued=f"{NAME}"), "issued"),
    "expired before it was issued": (lambda row: row.update(expires="2020-01-01"), "expires"),
    "no such field": (lambda row: row.update({NUMBER: 1}), "…"),
    "a PIN": (lambda row: row.update(pin=PIN), "pin"),
    "no such field of the holder": (lambda row: row["holder"].update({NAME: 1}), "holder.…"),
    "no such file": (lambda row: row["items"].update({"SSSE/EF1B": {}}), "items.SSSE/EF1B"),
    "a value for a file's name": (lambda row: row["items"].update({NUMBER: {}}), "items.…"),
    "no such item": (lambda row: row["items"].update({"SSSE/EF05": {"colour": 1}}), "SSSE/EF05: colour"),
    "a value for an item's name": (lambda row: row["items"].update({"SSSE/EF05": {NUMBER: 1}}), "SSSE/EF05: …"),
    "a number among the items": (
        lambda row: row["items"].update({"SSSE/EF05": {"card_number": "A00000012"}}),
        "SSSE/EF05: card_number: not in items, the row itself says it",
    ),
    "an ID number among the items": (
        lambda row: row["items"].update({"SSSE/EF06": {"social_security_number": NUMBER}}),
        "SSSE/EF06: social_security_number: not in items",
    ),
    "numbers in bytes": (lambda row: row["items"].update({"SSSE/EF05": "01" * 60}), "SSSE/EF05: fields by name"),
    "a control character in a name": (lambda row: row["holder"].update(name=NAME + "\n"), "holder.name"),
    "a control character in an item": (
        lambda row: row["items"].update({"SSSE/EF05": {"institution": "A\x00B"}}),
        "SSSE/EF05: institution: a control character",
    ),
    "no fields": (lambda row: row["items"].update({"SSSE/EF05": 7}), "SSSE/EF05"),
    "records that are no records": (lambda row: row["items"].update({"SSSE/EF05": [5, None]}), "SSSE/EF05"),
    "no hex": (lambda row: row["items"].update({"SSSE/EF05": NAME}), "SSSE/EF05"),
    "cut hex": (lambda row: row["items"].update({"SSSE/EF05": "0110"}), "SSSE/EF05"),
    "too long a text": (
        lambda row: row["items"].update({"SSSE/EF05": {"institution": NUMBER * 9}}),
        "SSSE/EF05: institution",
    ),
    "no digits": (lambda row: row["items"].update({"DF04/EF05": {"region": NAME}}), "DF04/EF05: region"),
    "a number too many": (lambda row: row["items"].update({"SSSE/EF05": {"institution": 10**40}}), "institution"),
    "a wrong inner value": (
        lambda row: row["items"].update({"DF04/EF05": {"scheme": {"scheme": "310", "major_disease": NAME}}}),
        "DF04/EF05: scheme: major_disease",
    ),
    "a row that is not named": (lambda row: row.pop("record"), "record"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_by_row_and_field(tmp_path: Path, fault: str) -> None:
    change, field = FAULTS[fault]
    rows = rows_of()
    change(rows[1])
    file = tmp_path / "job.jsonl"
    # As ASCII, so that half a character can be told at all.
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="ascii")
    told = faults(file)
    assert any(one.startswith("line 2: ") and field in one for one in told), told
    assert not any(one.startswith(("line 1:", "line 3:")) for one in told)


@pytest.mark.parametrize("field", ["record", "card_number", "card_serial", "holder.number"])
def test_the_same_number_twice_is_told_with_both_rows(tmp_path: Path, field: str) -> None:
    rows = rows_of()
    *path, last = field.split(".")
    first, third = rows[1], rows[2]
    for name in path:
        first, third = first[name], third[name]
    third[last] = first[last]
    assert f"line 3: {field}: the same as in line 2" in faults(jsonl(tmp_path, rows))


def test_the_same_wallet_twice_is_told(tmp_path: Path) -> None:
    rows = rows_of(WALLET)
    rows[2]["wallet_serial"] = rows[0]["wallet_serial"]
    assert faults(jsonl(tmp_path, rows), WALLET) == ["line 3: wallet_serial: the same as in line 1"]


@pytest.mark.parametrize(("product", "field"), [("transit-cjt166", "asn"), ("citizen-wallet", "serial")])
def test_a_row_without_a_wallets_number_gets_it_by_no_item(tmp_path: Path, product: str, field: str) -> None:
    workshop = Workshop(product)
    rows = [row.model_dump(mode="json", exclude_none=True) for row in workshop.data]
    del rows[1]["wallet_serial"]
    rows[1].setdefault("items", {}).setdefault("ADF1/EF15", {})[field] = NUMBER
    (fault,) = (one for one in faults(jsonl(tmp_path, rows), workshop) if one.startswith("line 2: "))
    assert f"ADF1/EF15: {field}: not in items" in fault


def test_a_wallet_is_the_same_with_and_without_the_digits_that_make_no_keys(tmp_path: Path) -> None:
    rows = rows_of(WALLET)
    rows[2]["wallet_serial"] = rows[0]["wallet_serial"][-16:]
    assert "line 3: wallet_serial: the same as in line 1" in faults(jsonl(tmp_path, rows), WALLET)


def test_faults_of_all_rows_are_told_at_once_and_the_rest_is_counted(tmp_path: Path) -> None:
    row = rows_of(WALLET)[1]
    rows = [{**row, "record": str(n), "wallet_serial": "12"} for n in range(MAX_FAULTS + 20)]
    told = faults(jsonl(tmp_path, rows), WALLET)
    assert len(told) == MAX_FAULTS + 1
    assert told[-1] == "and 20 more"
    assert told[6].startswith("line 7: wallet_serial: ")


HEAD = {"job": "2026-1", "product": "citizen-wallet", "cards": 3}


@pytest.mark.parametrize(
    ("head", "fault"),
    [
        ({**HEAD, "cards": 4}, "head: 4 cards are announced, there are 3"),
        ({**HEAD, "product": "ssc-2.0"}, "head: the job is for product ssc-2.0, not citizen-wallet"),
        ({**HEAD, "cards": 0}, "head: cards: "),
        ({**HEAD, "job": ""}, "head: job: "),
        ({"job": "1"}, "head: product: "),
        ({**HEAD, "keys": "00"}, "head: keys: "),
    ],
)
def test_a_head_must_fit_its_rows(tmp_path: Path, head: dict[str, Any], fault: str) -> None:
    assert load(jsonl(tmp_path, rows_of(WALLET), HEAD), WALLET).head.id == "2026-1"
    assert any(one.startswith(fault) for one in faults(jsonl(tmp_path, rows_of(WALLET), head), WALLET))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "there is no row"),
        (b"\n\n", "there is no row"),
        (f'{{"record": "{NUMBER}'.encode(), "line 1: no JSON: "),
        (b"[1]", "line 1: an object is needed"),
        (b"[" * 100_000, "line 1: no JSON that can be read"),
        (b'{"record": ' + b"9" * 5000 + b"}", "line 1: no JSON that can be read"),
        (f'{{"record": "{NAME}"}}'.encode("gb18030"), "job.jsonl: byte 14 is no UTF-8 text"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_its_place(tmp_path: Path, content: bytes, fault: str) -> None:
    file = tmp_path / "job.jsonl"
    file.write_bytes(content)
    assert faults(file)[0].startswith(fault)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert faults(tmp_path / "job.csv") == [f"{tmp_path / 'job.csv'}: No such file or directory"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "there is no row"),
        ("record\n", "there is no row"),
        (f"1,{NAME},{NUMBER}\n2,zhangsan,{NUMBER}\n", "line 1: column 1 has no name that a field has"),
        (f"record,{NAME}\n1,2\n", "line 1: column 2 has no name that a field has"),
        ("record,zhangsan\n1,2\n", "line 1: column 2 has no name that a field has"),
        ("record,holder.pin\n1,2\n", "line 1: column 2 has no name that a field has"),
        ("record,items\n1,2\n", "line 1: column 2 has no name that a field has"),
        ("record,record\n1,2\n", "line 1: two columns have the same name"),
        (
            "record,items.SSSE/EF05.version,items.SSSE/EF05\n1,2,3\n",
            "line 1: column 3 is a field, and has fields in other columns",
        ),
        (f"record,region\n1,{NUMBER},3\n", "line 2: 3 cells, 2 columns"),
        (f'record,region\n1,"{NUMBER}\n', "line 2: unexpected end of data"),
        (f'record,photo\n1,"a\nb"\n2,{NAME},\n', "line 4: 3 cells, 2 columns"),
    ],
)
def test_a_table_that_is_none_is_told_with_its_place(tmp_path: Path, content: str, fault: str) -> None:
    file = tmp_path / "job.csv"
    file.write_text(content, encoding="utf-8")
    assert faults(file)[0] == fault


def test_a_table_in_no_known_encoding_is_told(tmp_path: Path) -> None:
    file = tmp_path / "job.csv"
    file.write_bytes(b"record\n\xff\xff\n")
    assert faults(file) == ["job.csv: neither UTF-8 nor GB 18030 text"]


FIELDS = [*CardData.model_fields, *(f"holder.{name}" for name in ("name", "number", "sex", "document_type"))]
FILES = sorted({"/".join(place) for place in SOCIAL.rows[0].content.files})


@settings(max_examples=100, deadline=None)
@given(field=st.sampled_from(FIELDS), file=st.sampled_from(FILES), value=JSON, inner=JSON)
def test_any_value_anywhere_is_a_job_or_an_invalid_one(
    tmp_path_factory: pytest.TempPathFactory, field: str, file: str, value: Any, inner: Any
) -> None:
    rows = rows_of()
    *path, last = field.split(".")
    target = rows[1]
    for name in path:
        target = target[name]
    target[last] = value
    if isinstance(rows[1].get("items"), dict):
        given_fields = rows[1]["items"].get(file)
        if isinstance(given_fields, dict) and given_fields:
            given_fields[next(iter(given_fields))] = inner
        else:
            rows[1]["items"][file] = inner
    path_of_job = tmp_path_factory.mktemp("job") / "job.jsonl"
    path_of_job.write_text("\n".join(json.dumps(row) for row in rows), encoding="ascii")
    wrong = "line 2"
    try:
        load(path_of_job)
    except JobInvalid as error:
        wrong = error.detail
    assert re.search(r"line 2|line 3: .*the same", wrong)


def test_a_job_line_is_for_some_cards() -> None:
    assert JobLine(job="1", product="x", cards=1).cards == 1
