"""Things at a running counter that requests can be about: transactions in any state, bills, shifts, cards, readers."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from cardiod.api.schemas.requests import TransactionKind
from tests.daemon.conforming import Operation, api_document
from tests.daemon.conftest import PIN, Daemon
from tests.daemon.sales import BILL, accepted, new_key, settle, settled, sold, torn

ALWAYS = random.Random(0)  # noqa: S311
"""For those who leave nothing to chance."""
CARDS = ("citizen", "social")
WALLET_ADDRESSES = ("/wallet", "/wallet/log")


class Things:
    """What there is at one daemon.

    Args:
        daemon: The daemon.
    """

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self._ids: dict[str, list[str]] = {}
        self._batch = 0
        daemon.citizen.pin_pad = daemon.pad

    # ---- making them -----------------------------------------------------------------------------------------

    def prepare(self, operation: Operation) -> None:
        """Put fresh cards in, and make what an operation can be about; the first of each kind suits it best."""
        self._present()
        bill, sale = settled(self.daemon), sold(self.daemon)
        shift = self.daemon.http("POST", "/v1/shifts", json={"operator": new_key()}).json()
        if not self._batch:
            self._batch = self.daemon.http("POST", "/v1/batches", json={}).json()["number"]
        self._ids = {
            "transactions": [sale["id"], bill["legs"][0]["id"]],
            "settlements": [bill["id"]],
            "shifts": [shift["id"]],
        }
        special = self._special.get(str(operation))
        if special is not None:
            kind, make = special
            self._ids[kind].insert(0, make())
            self._present()
        sold(self.daemon)

    def _present(self) -> None:
        citizen, patient = self.daemon.bench.restore()
        self.daemon.put_in((self.daemon.citizen, citizen), (self.daemon.social, patient))

    @property
    def _special(self) -> dict[str, tuple[str, Callable[[], str]]]:
        """Operations that are about something in a rarer state."""
        return {
            "POST /v1/transactions/{identifier}/cancel": ("transactions", lambda: accepted(self.daemon)),
            "POST /v1/transactions/{identifier}/resolve": ("transactions", lambda: torn(self.daemon)[0]),
            "POST /v1/settlements/{identifier}/cancel": ("settlements", self._awaiting),
        }

    def _awaiting(self) -> str:
        self.daemon.take_citizen_out()
        return str(settle(self.daemon, new_key(), wait_s=0).json()["id"])

    # ---- naming them -----------------------------------------------------------------------------------------

    def value(self, operation: Operation, parameter: dict[str, Any], chance: random.Random = ALWAYS) -> Any:
        """A value for a parameter of an address; None for one that may be missing."""
        if parameter["in"] != "path":
            return None if parameter["name"] != "Idempotency-Key" else new_key()
        area = operation.path.split("/")[2]
        if area == "cards":
            cards = self.daemon.cards
            if chance is ALWAYS:
                return cards["citizen" if operation.path.endswith(WALLET_ADDRESSES) else "social"]["handle"]
            return chance.choice([card["handle"] for card in cards.values()] or ["0" * 32])
        choices: dict[str, list[Any]] = {
            **self._ids,
            "batches": [self._batch],
            "errors": ["card.absent"],
            "readers": ["social", "citizen", "sam"],
            "sams": ["sam"],
        }
        return choices[area][0] if chance is ALWAYS else chance.choice(choices[area])

    @staticmethod
    def fields(operation: Operation) -> dict[str, Any]:
        """Fields of the body of an operation."""
        content = operation.description.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            return {}
        properties: dict[str, Any] = api_document().component(content["schema"]["$ref"])["properties"]
        return properties

    def fitted(self, operation: Operation, body: dict[str, Any], chance: random.Random = ALWAYS) -> dict[str, Any]:
        """A body that fits, made to fit this counter, too; by chance not in everything."""
        known = self.fields(operation)
        fitting: dict[str, Any] = {
            "wait_s": 0,
            "reader": self._reader(body, chance),
            "pin": PIN,
            "old_pin": PIN,
            "new_pin": PIN,
            "amount_fen": 1 + chance.randrange(100),
            "bill": BILL,
            "lock": self._ids["transactions"][0],
            "shift": self._ids["shifts"][0],
            "code": self._code,
        }
        made = dict(body)
        if "wait_s" in known:
            made["wait_s"] = 0
        for name, value in fitting.items():
            given = name in body or (name in {"reader", "pin"} and name in known)
            if given and (chance is ALWAYS or chance.random() < 0.7):
                made[name] = value() if callable(value) else value
        if body.get("kind") != TransactionKind.GREY_DEBIT and chance is not ALWAYS and chance.random() < 0.7:
            made.pop("lock", None)
        return made

    def _code(self) -> str:
        return str(self.daemon.http("POST", "/v1/logins/new", json={}).json()["code"])

    @staticmethod
    def _reader(body: dict[str, Any], chance: random.Random) -> str:
        if chance is not ALWAYS:
            return chance.choice(CARDS)
        medical = body.get("purse") == "medical" or "bill" in body or "fields" in body
        return "social" if medical else "citizen"
