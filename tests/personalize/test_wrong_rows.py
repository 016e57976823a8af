"""Whatever stands in a row of a job: it becomes a card's content, or the row and the field are named."""

from __future__ import annotations

import copy
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardio.errors import JobInvalid
from cardio.personalize.example_job import example_job
from cardio.personalize.jobs import load_job
from cardio.personalize.personalizer import Personalizer
from cardio.personalize.pins import pin_of
from cardio.products.catalogue import Catalogue
from cardio.virtual.issuing_keys import issuing_test_keys
from tests.cli.test_read import PRODUCTS
from tests.virtual.test_saving import edited, places

CATALOGUE = Catalogue.load()
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.text(alphabet="0123456789０１", min_size=1, max_size=20)
    | st.sampled_from(["FF" * 20, "甲" * 30, "\ud800", "2026-02-30", "0000-01-01", "9999-12-31", "1" * 5000]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=3,
)


@cache
def maker_of(product: str) -> Personalizer:
    return Personalizer(CATALOGUE[product], issuing_test_keys(CATALOGUE[product]), None, CATALOGUE)


@cache
def row_of(product: str) -> dict[str, Any]:
    maker = maker_of(product)
    (row,) = example_job(maker.product, maker.layout, 1)[1]
    return row.model_dump(mode="json", exclude_none=True)


def load(product: str, row: dict[str, Any]) -> None:
    maker = maker_of(product)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "job.jsonl")
        file.write_text(json.dumps(row), encoding="ascii")
        load_job(file, maker, lambda data: pin_of(maker, data) if maker.needs_pin else None)


@pytest.mark.parametrize("product", PRODUCTS)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_whatever_stands_in_a_row_is_a_card_or_a_fault_of_the_row(product: str, data: st.DataObject) -> None:
    row = copy.deepcopy(row_of(product))
    edited(row, data.draw(st.sampled_from(places(row))), data.draw(VALUES))
    told = "line 1: "
    try:
        load(product, row)
    except JobInvalid as error:
        told = error.detail
    assert told.startswith("line 1: ")


@pytest.mark.parametrize("product", ["ssc-2.0", "ssc-employer"])
def test_a_row_without_its_region_is_told(product: str) -> None:
    with pytest.raises(JobInvalid, match="line 1: region: missing"):
        load(product, {name: value for name, value in row_of(product).items() if name != "region"})
