"""Signed vouchers over HTTP, checked as an institution would: with nothing but the answer and a public key."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cardio.ledger.ledger import now
from cardiod.settings import Scope
from tests.daemon.callers import call, make_token, refused
from tests.daemon.conftest import Daemon
from tests.daemon.sales import accepted, debit, new_key, settled, sold


def test_the_voucher_of_a_sale_is_signed_by_the_terminal_and_always_the_same(shared: Daemon) -> None:
    sale = sold(shared)
    answer = shared.http("GET", f"/v1/transactions/{sale['id']}/voucher")
    voucher = answer.json()
    signed = base64.b64decode(voucher["signed"])
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(voucher["public_key"]))
    key.verify(bytes.fromhex(voucher["signature"]), signed)
    assert json.loads(signed) == voucher["content"]
    assert sale["tac"] in signed.decode()
    with pytest.raises(InvalidSignature):
        key.verify(bytes.fromhex(voucher["signature"]), signed.replace(b"1234", b"9234"))
    assert shared.http("GET", f"/v1/transactions/{sale['id']}/voucher").content == answer.content


def test_a_settlement_has_one_voucher_that_holds_its_legs(shared: Daemon) -> None:
    bill = settled(shared)
    signed = base64.b64decode(shared.http("GET", f"/v1/settlements/{bill['id']}/voucher").json()["signed"]).decode()
    assert all(leg["tac"] in signed for leg in bill["legs"])


def test_where_no_money_moved_there_is_no_voucher(shared: Daemon) -> None:
    waiting = accepted(shared)
    refused(shared.http("GET", f"/v1/transactions/{waiting}/voucher"), 409, "voucher.missing")
    refused(shared.http("GET", "/v1/transactions/nothing/voucher"), 404, "transaction.unknown")


def test_two_persons_let_money_move_after_a_clock_that_had_been_ahead(
    shared: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold(shared)
    monkeypatch.setattr(shared.counter.engine.ledger.admission, "_clock", lambda: now() - timedelta(hours=1))
    refused(debit(shared, new_key()), 503, "clock.untrusted")
    same = {"persons": ["Li", "li"], "reason": "set by hand"}
    refused(shared.http("POST", "/v1/journal/accept-clock", json=same), 400, "input.invalid")
    token = make_token(shared, new_key(), scopes=frozenset(Scope) - {Scope.RESOLVE})
    two = {"persons": ["Li", "Han"], "reason": "set by hand"}
    refused(call(shared, token, "POST", "/v1/journal/accept-clock", json=two), 403, "client.forbidden")
