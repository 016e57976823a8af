"""`cardio read` on an embedded card of every product: page, JSON with its published schema, counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cardio.cli.schema import read_schema
from cardio.products.groups import Group
from tests.cli.test_cli import cardio

SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "read.schema.json"
PRODUCTS = (
    "ssc-1.0",
    "ssc-2.0",
    "ssc-3.0",
    "ssc-employer",
    "citizen-wallet",
    "transit-cjt166",
    "transit-jtt978",
    "combined",
)
each_product = pytest.mark.parametrize("product", PRODUCTS)


def read(product: str, *arguments: str, stdin: str | None = None) -> dict[str, Any]:
    done = cardio("read", "--reader", "virtual", "--product", product, "--json", *arguments, stdin=stdin)
    assert done.exception is None or done.exit_code in {0, 4}, done.exception
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_the_published_schema_is_that_of_the_declarations() -> None:
    """`make manual` writes it anew."""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == read_schema()
    jsonschema.Draft202012Validator.check_schema(read_schema())


@each_product
@pytest.mark.parametrize("masked", [True, False], ids=["masked", "in clear"])
def test_what_is_read_of_a_product_is_as_the_schema_says(product: str, masked: bool) -> None:
    document = read(product, "--all", "--pin", "--stats", *(["--masked"] if masked else []), stdin="123456\n")
    jsonschema.validate(document, read_schema())
    assert document["card"]["data"]["product"] == product
    assert document["files"]["data"]
    assert sum(document["stats"].values()) > 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"colour": {}},
        {"card": {"data": {"product": 1}}},
        {"insurance": {"data": {"pension": {"status": "perhaps"}}}},
        {"wallet": {"data": {"balance_fen": "100"}}},
    ],
)
def test_the_schema_refuses_what_is_never_printed(wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, read_schema())


@each_product
def test_a_card_says_which_product_it_is_and_why(product: str) -> None:
    card = read(product, "--group", "card")["card"]["data"]
    assert card["title"]["zh"]
    assert card["reasons"]
    assert all(reason["zh"] and reason["en"] for reason in card["reasons"])


@each_product
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_page_is_in_one_language_where_that_is_wanted(product: str, language: str) -> None:
    done = cardio("read", "--reader", "virtual", "--product", product, "--language", language)
    assert done.exit_code == 0
    assert ("卡产品" in done.stdout) is (language == "zh")
    assert ("recognised by" in done.stdout) is (language == "en")


@each_product
def test_the_virtual_card_of_each_product_proves_itself_where_it_has_the_key(product: str) -> None:
    card = read(product, "--group", "card")["card"]["data"]
    has_key = product.startswith("ssc") or product in {"combined", "transit-cjt166"}
    assert (card.get("authenticity") == {"status": "genuine"}) is has_key
    unchecked = read(product, "--group", "card", "--no-authenticate")["card"]["data"]
    assert "authenticity" not in unchecked


@pytest.mark.parametrize(
    ("product", "group", "count"),
    [
        ("ssc-1.0", Group.HOLDER, 3),
        ("ssc-2.0", Group.HOLDER, 3),
        # RKSSSE first: GET CHALLENGE and EXTERNAL AUTHENTICATION
        ("ssc-3.0", Group.HOLDER, 5),
        # where the product is known, see --product
        ("citizen-wallet", Group.WALLET, 2),
        ("transit-cjt166", Group.WALLET, 2),
        ("transit-jtt978", Group.WALLET, 2),
    ],
)
def test_the_bounds_of_the_design_hold(product: str, group: Group, count: int) -> None:
    """Design §6; the authenticity check is a row of its own."""
    arguments = ["--group", group.value, "--stats"]
    if product != "ssc-3.0":
        arguments.append("--no-authenticate")
    stats = read(product, *arguments)["stats"]
    assert sum(stats.values()) - stats.get("INTERNAL AUTHENTICATION", 0) == count


def test_stats_are_told_on_standard_error_of_a_page() -> None:
    done = cardio("read", "--reader", "virtual", "--product", "ssc-2.0", "--group", "holder", "--stats")
    assert "APDUs: 4 (SELECT 1, READ RECORD 2, INTERNAL AUTHENTICATION 1)" in " ".join(done.stderr.split())


def test_an_unknown_product_names_the_known_ones() -> None:
    done = cardio("read", "--reader", "virtual", "--product", "atlantis")
    assert (done.exit_code, "atlantis" in done.stderr, "ssc-2.0" in done.stderr) == (2, True, True)
