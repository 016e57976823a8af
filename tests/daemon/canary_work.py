"""Every operation of the API, with canaries in it: as it should be, as it should not, and through bugs."""

from __future__ import annotations

import json
import re
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from cardio.products.groups import Group
from tests.counter import eventually
from tests.daemon.canaries import BALANCE, HOLDER, MASKED, PIN, TOKEN, WRONG_PIN
from tests.daemon_process import DaemonProcess

BUGS = ("route", "task", "callback", "thread", "reader", "journal", "finalizer")
FORMS = ("text", "json", "html", "escpos", "pdf")
BILL = {"total_fen": 1000, "fund_fen": 500, "account_fen": 400, "self_pay_fen": 100}
SETTLE = {"bill": BILL, "tender": "wallet", "reference": "bill", "wait_s": 5}
DEBIT = {"purse": "wallet", "amount_fen": 100, "reference": "sale", "wait_s": 5}
PERSONS = {"persons": ["zhang", "li"], "reason": "the card is lost"}
POISON = {"pin": PIN, "name": HOLDER.name, "id": HOLDER.number, "amount_fen": HOLDER.number, "reference": [HOLDER.name]}
"""A body that fits nowhere."""


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        asked: Its number, method, path and status.
        full: Whether the caller may read persons.
        content: Headers and body.
    """

    asked: str
    full: bool
    content: bytes


@dataclass
class Work:
    """Asks a daemon for everything, and keeps all answers.

    Attributes:
        daemon: The daemon.
        answers: What it said.
    """

    daemon: DaemonProcess
    answers: list[Answer] = field(default_factory=list)

    def do_all(self) -> None:
        """Everything but the last."""
        self._wait_for_cards()
        for token in (TOKEN, MASKED):
            self._read(token)
        self._pay()
        self._pay_with_trouble()
        self._office()
        self._nonsense()
        self._poison_every_route()
        for where in BUGS:
            self.ask("GET", f"/trouble/bug/{where}")
        for path in ("/metrics", "/readyz", "/v1/status", "/v1/events?after=0", "/v1/journal", "/v1/transactions"):
            self.expect(200, "GET", path)

    def wait_for_ever(self) -> None:
        """A settlement whose card does not come."""
        self._trouble("remove", "social")
        eventually(lambda: len(self.daemon.get("cards")["cards"]) == 2)
        self.ask("POST", "/v1/settle", {**SETTLE, "reader": "social", "pin": PIN, "wait_s": 300}, key="for ever")

    def ask(
        self, method: str, path: str, body: Any = None, *, key: str = "", token: str = TOKEN, **more: Any
    ) -> httpx.Response:
        """One request; without a key it gets one of its own."""
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key or f"key {len(self.answers)}"}
        if body is not None:
            more["json"] = body
        answer = self.daemon.http.request(method, path, headers={**headers, **more.pop("headers", {})}, **more)
        content = json.dumps(dict(answer.headers)).encode() + answer.content
        self._keep(f"{method} {path} ({answer.status_code})", content, full=token == TOKEN)
        return answer

    def _keep(self, asked: str, content: bytes, *, full: bool) -> None:
        self.answers.append(Answer(f"{len(self.answers)}: {asked}", full, content))

    def expect(self, status: int, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        """A request that must be answered so."""
        answer = self.ask(method, path, body, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        is_json = answer.headers.get("content-type", "").endswith("/json")
        return dict(answer.json()) if is_json else {}

    def _trouble(self, what: str, reader: str) -> None:
        self.expect(200, "GET", f"/trouble/card/{what}/{reader}")

    def _wait_for_cards(self) -> None:
        def identified() -> bool:
            cards = self.daemon.get("cards")["cards"]
            return len(cards) == 3 and all(card["identified"] for card in cards)

        eventually(identified)
        eventually(self._has_psam)

    def _has_psam(self) -> bool:
        return any(sam["kind"] == "psam" for sam in self.daemon.get("sams")["sams"])

    # ---- what should be ------------------------------------------------------------------------------------------

    def _read(self, token: str) -> None:
        everything = {"purpose": "canary", "fields": [group.value for group in Group], "wait_s": 5}
        for reader in ("citizen", "social"):
            for pin in ({"pin": PIN}, {"pin": WRONG_PIN}, {"pin": PIN}, {}):
                self.expect(200, "POST", "/v1/read", {**everything, **pin, "reader": reader}, token=token)
        self.expect(200, "POST", "/v1/read", {**everything, "reader": "pad"}, token=token)
        for card in self.expect(200, "GET", "/v1/cards", token=token)["cards"]:
            path = f"/v1/cards/{card['handle']}"
            for part in ("", "/wallet", "/wallet/log", "/medical-account", "/medical-account/log", "/pin"):
                self.ask("GET", path + part, token=token)
            self._pins(path, token)
            self.ask("POST", f"{path}/cardholder", {"purpose": "canary", "pin": PIN}, token=token)
        self.expect(200, "POST", "/v1/cards/wait", {"reader": "citizen", "wait_s": 1}, token=token)

    def _pins(self, card: str, token: str) -> None:
        """Everything that can be done to a PIN; in the end it is what it was."""
        for old, new, status in ((PIN, WRONG_PIN, 200), (WRONG_PIN, PIN, 200), (WRONG_PIN, PIN, 403)):
            self.expect(status, "POST", f"{card}/pin/change", {"old_pin": old, "new_pin": new}, token=token)
        self.ask("POST", f"{card}/pin/change", {"digits": len(PIN)}, token=token)
        for how in ({}, {"pin": WRONG_PIN}, {"pin": PIN}, {"pin": PIN, "replace": True}):
            self.ask("POST", f"{card}/pin/unblock", how, token=token)
        for typed in (WRONG_PIN, PIN):
            self.ask("POST", f"{card}/pin/verify", {"pin": typed}, token=token)

    def _pay(self) -> None:
        self.expect(201, "POST", "/v1/shifts", {"operator": "zhang"})
        sale = self.expect(201, "POST", "/v1/debit", {**DEBIT, "reader": "citizen"})
        load = {"purse": "wallet", "amount_fen": 200, "reference": "load", "reader": "citizen", "wait_s": 5}
        for pin, status in ((PIN, 201), (WRONG_PIN, 403), (PIN, 201)):
            self.expect(status, "POST", "/v1/load", {**load, "pin": pin})
        for kind in ("debit", "load", "unload", "overdraft", "grey-lock", "grey-debit"):
            self.ask("POST", "/v1/transactions", {**load, "kind": kind, "pin": PIN})
        bill = self.expect(201, "POST", "/v1/settle", {**SETTLE, "reader": "social", "pin": PIN})
        self.expect(201, "POST", "/v1/settle", {**SETTLE, "reader": "pad"})
        self.expect(201, "POST", "/v1/settlements", {**SETTLE, "reader": "pad", "settlement_class": "9"})
        self.expect(403, "POST", "/v1/settle", {**SETTLE, "reader": "social", "pin": WRONG_PIN})
        self.expect(402, "POST", "/v1/debit", {**DEBIT, "reader": "citizen", "amount_fen": 2 * BALANCE})
        for where in (f"/v1/transactions/{sale['id']}", f"/v1/settlements/{bill['id']}"):
            self.expect(200, "GET", where)
            for form in FORMS:
                self.expect(200, "GET", f"{where}/receipt?format={form}")
                self.expect(200, "POST", f"{where}/reprint", {"format": form})
            self.ask("POST", f"{where}/cancel", {})
        back = {"reason": "returned", "amount_fen": 10, "reader": "citizen", "wait_s": 5, "pin": PIN}
        for by in ("load", "order"):
            self.expect(201, "POST", f"/v1/transactions/{sale['id']}/reverse", {**back, "by": by})
        self.expect(201, "POST", f"/v1/settlements/{bill['id']}/reverse", {"by": "order", "reason": "returned"})

    def _pay_with_trouble(self) -> None:
        settle = {**SETTLE, "tender": "cash", "reader": "social", "pin": PIN}
        self._trouble("tear", "social")
        torn = self.expect(202, "POST", "/v1/settle", settle, key="torn")
        self._trouble("insert", "social")
        self.expect(201, "POST", "/v1/settle", settle, key="torn")
        self.expect(200, "GET", f"/v1/settlements/{torn['id']}")
        for key, path in (("asked", "recover"), ("lost", "resolve")):
            self._trouble("tear", "citizen")
            sale = self.expect(202, "POST", "/v1/debit", {**DEBIT, "reader": "citizen"}, key=key)
            if path == "recover":
                self._trouble("insert", "citizen")
                self.ask("POST", f"/v1/transactions/{sale['id']}/recover", {"reader": "citizen", "pin": PIN})
            else:
                self.expect(200, "POST", f"/v1/transactions/{sale['id']}/resolve", {"money": "moved", **PERSONS})
                self._trouble("insert", "citizen")
        self._trouble("wrong-mac2", "citizen")
        self.ask("POST", "/v1/debit", {**DEBIT, "reader": "citizen"})
        self._trouble("remove", "sam")
        eventually(lambda: not self._has_psam())
        self.expect(503, "POST", "/v1/settle", settle)
        self._trouble("insert", "sam")
        eventually(self._has_psam)

    def _office(self) -> None:
        shift = self.expect(200, "GET", "/v1/shifts?open=true")["shifts"][0]
        self.expect(200, "POST", f"/v1/shifts/{shift['id']}/close", {})
        self.expect(201, "POST", "/v1/batches", {"shift": shift["id"]})
        self.expect(200, "GET", "/v1/batches/1/file")
        self.expect(200, "POST", "/v1/journal/verify", {})
        self.ask("POST", "/v1/journal/reconcile", PERSONS)
        code = self.expect(201, "POST", "/v1/logins/new", {})["code"]
        session = self.expect(201, "POST", "/v1/logins", {"code": code})
        self.expect(204, "POST", "/v1/logout", {}, token=session["token"])
        for sam in self.expect(200, "GET", "/v1/sams")["sams"]:
            self.expect(200, "POST", f"/v1/sams/{sam['id']}/check", {})
        for reader in ("social", "citizen"):
            self.expect(200, "POST", f"/v1/readers/{reader}/self-test", {})
            self.expect(200, "POST", f"/v1/readers/{reader}/reset", {})
        self._wait_for_cards()
        newest = self.expect(200, "GET", "/v1/events?after=0")
        assert "transaction.completed" in {event["type"] for event in newest["events"]}
        with self.daemon.http.stream("GET", "/v1/events", headers={"Authorization": f"Bearer {TOKEN}"}) as stream:
            snapshot = next(stream.iter_raw())
        self._keep("GET /v1/events, the snapshot", snapshot, full=True)

    # ---- what should not be ----------------------------------------------------------------------------------------

    def _nonsense(self) -> None:
        whole = json.dumps(POISON, ensure_ascii=False)
        plain = {"Content-Type": "text/plain"}
        ours = {"Content-Type": "application/json"}
        self.expect(400, "POST", "/v1/read", {**POISON, "fields": [PIN, HOLDER.name]})
        self.expect(400, "POST", "/v1/settle", {**SETTLE, "pin": [PIN]})
        self.expect(400, "POST", "/v1/debit", content=whole[:-1].encode(), headers=ours)
        self.expect(400, "POST", "/v1/debit", content=whole.encode("gbk"), headers=ours)
        self.expect(415, "POST", "/v1/debit", content=whole.encode(), headers=plain)
        self.expect(413, "POST", "/v1/debit", content=whole.encode() * 1000, headers=ours)
        self.expect(404, "GET", f"/v1/patients/{HOLDER.number}?name={HOLDER.name}&pin={PIN}")
        self.expect(405, "PUT", "/v1/debit", POISON)
        self.expect(401, "GET", "/v1/cards", token=f"{PIN}{HOLDER.number}")
        self.expect(421, "GET", "/v1/cards", headers={"Host": HOLDER.number})
        self.expect(403, "GET", "/v1/cards", headers={"Origin": f"https://{HOLDER.number}.example"})
        for request in (
            f"{HOLDER.number} /v1/cards HTTP/1.1\r\nHost: localhost\r\n\r\n",
            f"GET /v1/cards HTTP/1.1\r\n{HOLDER.number}\r\n\r\n",
            f"{HOLDER.name} {PIN}\r\n\r\n",
            f"GET / HTTP/1.1\r\nHost: localhost\r\nX: {HOLDER.number * 10000}\r\n\r\n",
        ):
            self._raw(request)

    def _raw(self, request: str) -> None:
        with socket.create_connection(("127.0.0.1", self.daemon.port), timeout=20) as connection:
            said = b""
            # Who still sends when it is refused may be cut off.
            with suppress(ConnectionError):
                connection.sendall(request.encode("utf-8"))
                connection.shutdown(socket.SHUT_WR)
                while part := connection.recv(65536):
                    said += part
            self._keep(f"raw request, {request[:20]}", said, full=False)

    def _poison_every_route(self) -> None:
        """Also those that this file does not know yet."""
        paths = self.expect(200, "GET", "/openapi.json")["paths"]
        for path, methods in paths.items():
            address = re.sub(r"\{[^}]*\}", HOLDER.number, path)
            # Without a number to begin after, the events would never end.
            query = {"state": PIN, **({"after": 0} if path == "/v1/events" else {})}
            for method in methods:
                for body in (None,) if method in {"get", "delete"} else (POISON, {}):
                    self.ask(method.upper(), address, body, params=query)
