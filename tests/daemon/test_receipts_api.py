"""Receipts over HTTP: every form, both languages, reprints counted."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cardiod.settings import Scope
from tests.daemon.callers import call, make_token, refused
from tests.daemon.conftest import Daemon
from tests.daemon.sales import accepted, debit, new_key, settled, sold, torn

FORMS = {
    "json": "application/json",
    "text": "text/plain; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "escpos": "application/octet-stream",
}


def receipt(daemon: Daemon, identifier: str, kind: str = "transactions", **how: Any) -> httpx.Response:
    return daemon.http("GET", f"/v1/{kind}/{identifier}/receipt", params=how)


def reprint(daemon: Daemon, identifier: str, kind: str = "transactions", **how: Any) -> httpx.Response:
    return daemon.http("POST", f"/v1/{kind}/{identifier}/reprint", json=how)


@pytest.fixture(scope="module")
def sale(lasting_daemon: Daemon) -> dict[str, Any]:
    lasting_daemon.put_in((lasting_daemon.citizen, lasting_daemon.bench.restore()[0]))
    return sold(lasting_daemon)


@pytest.mark.parametrize("form", FORMS)
def test_a_sale_is_printed_in_every_form(lasting_daemon: Daemon, sale: dict[str, Any], form: str) -> None:
    answer = receipt(lasting_daemon, sale["id"], format=form)
    assert (answer.status_code, answer.headers["content-type"]) == (200, FORMS[form])
    beginning = {"pdf": b"%PDF-", "html": b"<!doctype html>", "json": b"{", "escpos": b"\x1b"}.get(form, b"")
    assert answer.content.lower().startswith(beginning.lower())
    if form in {"text", "html", "json"}:
        assert sale["tac"] in answer.text


def test_text_is_chinese_or_english_and_as_wide_as_the_paper(lasting_daemon: Daemon, sale: dict[str, Any]) -> None:
    chinese = receipt(lasting_daemon, sale["id"]).text
    english = receipt(lasting_daemon, sale["id"], lang="en").text
    assert "消费凭证" in chinese
    assert "消费凭证" not in english
    assert (chinese, english) != (sale["voucher"]["zh"], "")
    narrow = receipt(lasting_daemon, sale["id"], lang="en", width=58).text
    assert max(map(len, narrow.splitlines())) < max(map(len, english.splitlines()))


@pytest.mark.parametrize("wrong", [{"format": "doc"}, {"lang": "fr"}, {"width": 60}, {"width": "wide"}])
def test_a_form_that_does_not_exist_is_400(lasting_daemon: Daemon, sale: dict[str, Any], wrong: dict[str, Any]) -> None:
    refused(receipt(lasting_daemon, sale["id"], **wrong), 400, "input.invalid")
    refused(reprint(lasting_daemon, sale["id"], **wrong), 400, "input.invalid")


def test_reprints_are_counted_and_marked_and_the_first_print_is_not(shared: Daemon) -> None:
    identifier = sold(shared)["id"]
    first = receipt(shared, identifier, lang="en").text
    assert [reprint(shared, identifier, format="json").json()["reprint"] for _ in range(2)] == [1, 2]
    third = reprint(shared, identifier, lang="en").text
    assert "3" in third
    assert "reprint" in third.lower()
    assert "reprint" not in first.lower()
    assert receipt(shared, identifier, lang="en").text == first


def test_a_settlement_has_one_receipt_for_all_its_parts(shared: Daemon) -> None:
    bill = settled(shared)
    text = receipt(shared, bill["id"], "settlements", lang="en").text
    assert all(leg["tac"] in text for leg in bill["legs"])
    again = reprint(shared, bill["id"], "settlements", format="json")
    assert (again.status_code, again.json()["reprint"]) == (200, 1)
    refused(receipt(shared, bill["id"]), 404, "transaction.unknown")
    refused(receipt(shared, sold(shared)["id"], "settlements"), 404, "transaction.unknown")


def test_where_no_money_moved_there_is_nothing_to_print(shared: Daemon) -> None:
    declined = debit(shared, new_key(), amount_fen=99999, reader="citizen").json()["transaction"]["id"]
    for identifier in (declined, accepted(shared)):
        refused(receipt(shared, identifier), 409, "voucher.missing")
        refused(reprint(shared, identifier), 409, "voucher.missing")
    refused(receipt(shared, "none"), 404, "transaction.unknown")
    refused(reprint(shared, "none"), 404, "transaction.unknown")


def test_an_unknown_outcome_is_printed_as_such(shared: Daemon) -> None:
    identifier, _ = torn(shared)
    answer = receipt(shared, identifier, lang="en")
    if answer.status_code == 200:
        assert "unknown" in answer.text.lower()
    else:
        refused(answer, 409, "voucher.missing")


def test_a_receipt_wants_the_scope_to_read(shared: Daemon, sale: dict[str, Any]) -> None:
    token = make_token(shared, new_key(), scopes=frozenset(Scope) - {Scope.READ_CARD})
    for kind in ("transactions", "settlements"):
        refused(call(shared, token, path=f"/v1/{kind}/{sale['id']}/receipt"), 403, "client.forbidden")
        answer = call(shared, token, "POST", f"/v1/{kind}/{sale['id']}/reprint", json={})
        refused(answer, 403, "client.forbidden")
