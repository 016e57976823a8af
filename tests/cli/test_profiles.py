"""`cardio profile list | show | check` on the shipped products."""

import json

import pytest

from tests.cli.test_cli import cardio
from tests.cli.test_read import PRODUCTS


def test_the_products_are_listed() -> None:
    done = cardio("profile", "list")
    assert done.exit_code == 0
    for product in PRODUCTS:
        assert product in done.stdout
    listed = json.loads(cardio("profile", "list", "--json").stdout)
    assert {entry["id"] for entry in listed} == set(PRODUCTS)
    assert all(entry["files"] > 0 for entry in listed)


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_product_is_shown_with_its_files_and_rights(product: str) -> None:
    done = cardio("profile", "show", product)
    assert done.exit_code == 0
    assert product in done.stdout
    shown = json.loads(cardio("profile", "show", product, "--json").stdout)
    assert shown["files"]
    assert all(file["read"] and file["update"] for file in shown["files"])


def test_rights_are_written_as_alternatives() -> None:
    shown = json.loads(cardio("profile", "show", "ssc-2.0", "--json").stdout)
    rights = {file["file"]: (file["read"], file["update"]) for file in shown["files"]}
    assert rights["SSSE/EF05"] == ("free", "UKSSSE")
    assert rights["DF03/EF07"] == ("PIN | RK1DF03", "UK3DF03")
    assert rights["DF04/EF06"] == ("PIN & RK1DF04", "UK2DF04")
    assert rights["DF04/EF08"] == ("PIN", "never")


def test_every_shipped_product_holds_its_vectors() -> None:
    checked = json.loads(cardio("profile", "check", "--json").stdout)
    assert checked.keys() == set(PRODUCTS)
    for product, checks in checked.items():
        assert checks, product
        assert [check for check in checks if not check["holds"]] == []


@pytest.mark.parametrize("action", ["show", "check"])
def test_a_product_that_is_not_there_is_said(action: str) -> None:
    for name in ("atlantis", "no-such-file.toml"):
        done = cardio("profile", action, name)
        assert (done.exit_code, name in done.stderr) == (2, True)


def test_a_rule_that_is_not_confirmed_is_told() -> None:
    assert "not confirmed" in cardio("profile", "show", "transit-jtt978").stdout
    assert "not confirmed" not in cardio("profile", "show", "citizen-wallet").stdout
