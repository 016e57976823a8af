"""Records out of what people and programs write: the fields that `show` gives, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardio.errors import CardDataInvalid
from cardio.files.codecs import UNREADABLE
from cardio.files.record import Record
from tests.files.declared import JSON, RECORDS, VECTORS, decode, encode


def told_by(record: Record) -> Any:
    """A record as JSON has it."""
    return json.loads(json.dumps(record.show(masked=False)))


def written_anew(record: Record) -> bytes | None:
    """A record by its values alone, without what it remembers of a card; None if it cannot be written like that."""
    try:
        return encode(_without_memory(record))
    except ValueError:
        return None


def _without_memory(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_without_memory(one) for one in value)
    if not isinstance(value, Record):
        return value
    return type(value)(**{name: _without_memory(getattr(value, name)) for name in value.specs()})


@pytest.mark.parametrize(("cls", "vector"), VECTORS)
def test_a_record_is_parsed_from_what_it_shows(cls: type[Record], vector: str) -> None:
    """All that it shows; what it does not, such as filler, is blank then."""
    record = decode(cls, bytes.fromhex(vector))
    shown = told_by(record)
    anew = written_anew(record)
    if anew is None or UNREADABLE in str(shown):
        # A code outside its table, a shorter AID, half a character: read, but not written.
        with pytest.raises(ValueError, match=r"^[a-z]"):
            encode(cls.parse(shown))
        return
    again = cls.parse(shown)
    assert again.show(masked=False) == record.show(masked=False)
    assert encode(again) == anew


@pytest.mark.parametrize("cls", RECORDS)
@settings(deadline=None, max_examples=8)
@given(raw=st.binary(max_size=120))
def test_any_record_that_can_be_read_is_parsed_from_what_it_shows_or_a_field_is_named(
    cls: type[Record], raw: bytes
) -> None:
    try:
        record = decode(cls, raw)
    except CardDataInvalid:
        return
    shown, named = told_by(record), ""
    try:
        again = cls.parse(shown)
    except ValueError as error:
        named = str(error).split(":")[0]
    if named:
        # Codes outside their table and dates that do not exist can be read, but are not written.
        assert named in shown
    else:
        assert again.show(masked=False) == record.show(masked=False)


@pytest.mark.parametrize("cls", RECORDS)
@settings(deadline=None, max_examples=8)
@given(data=st.data())
def test_no_value_is_more_than_a_record_or_a_value_error(cls: type[Record], data: st.DataObject) -> None:
    names = st.sampled_from([*cls.specs(), "nothing"])
    fields = data.draw(JSON | st.dictionaries(names, JSON, max_size=4))
    try:
        record = cls.parse(fields)
        encode(record)
    except ValueError:
        return
    assert isinstance(fields, dict)
    assert set(record.show(masked=False)) <= set(fields)
