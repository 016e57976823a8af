"""Cashiers of the soak, one to a lane: holders come, are read, charged, loaded, and go; and things go wrong."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from cardio.purse.operation import PurseKind
from tests.cashiers import Told, ask_until_final
from tests.counter import PIN
from tests.daemon_process import DaemonProcess
from tests.soak.hands import Act
from tests.soak.outside import LANES, PAD_LANE, Holder, Outside
from tests.soak.trouble import Trouble

TROUBLE = 0.15
"""Chance of a request to meet trouble."""
READ, NONSENSE, LOAD, REPEAT, PRINT = 0.3, 0.1, 0.15, 0.1, 0.1
"""Chances: of a visit to begin with a reading, or with a request that is wrong; of a request to be a load, to be asked
once more after its end, or to have its voucher printed again."""
SHIFTS = 3
MOST = 4
"""Requests of one visit."""
WAIT_S = 2.0
IMPATIENT_S = 0.01
"""Seconds that a caller waits who hangs up."""
PAUSE = 0.02
"""Seconds before a cashier asks again."""


@dataclass(frozen=True)
class Ended:
    """A request that has its end.

    Attributes:
        holder: Whose card it was about.
        path: What was asked for.
        told: How it ended.
    """

    holder: Holder
    path: str
    told: Told


@dataclass
class Day:
    """What all lanes share.

    Attributes:
        total: How many requests there are to be.
        tick: Called after each with the number of those that have their end.
        requests: Those that have their end, by key.
        faults: How often something went wrong.
        shifts: Those that were closed, with their totals.
    """

    total: int
    tick: Callable[[int], None]
    requests: dict[str, Ended] = field(default_factory=dict)
    faults: int = 0
    shifts: list[dict[str, Any]] = field(default_factory=list)
    _begun: int = field(default=0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    @property
    def shift(self) -> int:
        """Number of the shift that works now, counted from 0."""
        return min(len(self.requests) * SHIFTS // self.total, SHIFTS - 1)

    def claim(self) -> bool:
        """Whether one more request is to be made, which the caller makes then."""
        with self._lock:
            if self._begun == self.total:
                return False
            self._begun += 1
            return True

    def end(self, key: str, ended: Ended, *, faulty: bool) -> None:
        """A request has its end."""
        with self._lock:
            self.requests[key] = ended
            self.faults += faulty
            self.tick(len(self.requests))


@dataclass
class Lane:
    """A lane with its cashier.

    Attributes:
        name: Its name, and that of its reader.
        daemon: The daemon.
        outside: The surroundings.
        day: The day.
        seed: Of everything that happens at random.
    """

    name: str
    daemon: DaemonProcess
    outside: Outside
    day: Day
    seed: int

    def __post_init__(self) -> None:
        self._chance = random.Random(f"{self.seed}/{self.name}")  # noqa: S311 - the same day every time
        self._keys = 0

    def work(self) -> None:
        """Serve one holder after the other until the day is over."""
        goes_on = True
        while goes_on:
            number, shift = self.day.shift, self._open_shift()
            while goes_on and self.day.shift == number:
                goes_on = self._serve(*self._chance.sample(self.outside.holders[self.name], 2))
            self._close_shift(shift)

    def _open_shift(self) -> str:
        opened = self.daemon.post("shifts", {"operator": self.name, "lane": self.name})
        assert opened.status_code == 201, opened.text
        return str(opened.json()["id"])

    def _close_shift(self, shift: str) -> None:
        closed = self.daemon.post(f"shifts/{shift}/close", {})
        assert closed.status_code == 200, closed.text
        self.day.shifts.append(closed.json())

    def _serve(self, holder: Holder, other: Holder) -> bool:
        """One visit; whether the day goes on."""
        self.outside.orders.give(Act.INSERT, self.name, holder.name)
        try:
            if self._happens(READ):
                self._read()
            if self._happens(NONSENSE):
                self._ask_nonsense()
            for _ in range(self._chance.randint(1, MOST)):
                if not self.day.claim():
                    return False
                self._request(holder, other)
            return True
        finally:
            self.outside.orders.give(Act.REMOVE, self.name)

    def _request(self, holder: Holder, other: Holder) -> None:
        self._keys += 1
        key = f"{self.name}-{self._keys}"
        path, body = self._body(holder, key)
        trouble = Trouble(self.outside, self.name, holder, other, self._chance) if self._happens(TROUBLE) else None
        if trouble is not None and trouble.hang_up:
            self._hang_up(path, body, key)

        def again() -> None:
            if trouble is not None:
                trouble.put_right()
            time.sleep(PAUSE)

        told = ask_until_final(self.daemon, path, body, key, again)
        if trouble is not None:
            trouble.put_right()
        if self._happens(REPEAT):
            self._repeat(path, body, key, told)
        if self._happens(PRINT):
            self._print(told)
        faulty = trouble is not None and trouble.happened
        self.day.end(key, Ended(holder, path, told), faulty=faulty)

    def _body(self, holder: Holder, key: str) -> tuple[str, dict[str, Any]]:
        amount = self._chance.randint(1, 5000)
        common = {"reference": key, "operator": self.name, "reader": self.name, "wait_s": WAIT_S}
        pin = {} if self.name == PAD_LANE else {"pin": PIN}
        if self._happens(LOAD):
            return "load", {"purse": holder.purse, "amount_fen": amount, **common, **pin}
        if holder.purse is PurseKind.WALLET:
            return "debit", {"purse": "wallet", "amount_fen": amount, **common}
        fund, cash = self._chance.randint(0, 5000), self._chance.randint(0, 5000)
        bill = {"total_fen": fund + amount + cash, "fund_fen": fund, "account_fen": amount, "self_pay_fen": cash}
        special = {"settlement_class": "9"} if self._happens(LOAD) else {}
        return "settle", {"bill": bill, "tender": "cash", **special, **common, **pin}

    def _hang_up(self, path: str, body: dict[str, Any], key: str) -> None:
        """Send a request, and do not wait for its answer."""
        with suppress(httpx.TimeoutException):
            self.daemon.post(path, body, key, timeout=IMPATIENT_S)

    def _repeat(self, path: str, body: dict[str, Any], key: str, told: Told) -> None:
        """The same key must get the same answer for ever, from any reader."""
        again = ask_until_final(self.daemon, path, {**body, "reader": self._chance.choice(LANES)}, key)
        assert again.document == told.document, f"{key} got another answer: {again.document}"

    def _print(self, told: Told) -> None:
        """The voucher once more, on whatever paper; there is none where no money moved."""
        document = told.document
        where = f"{'settlements' if 'legs' in document else 'transactions'}/{document['id']}"
        form = self._chance.choice(("text", "json", "html", "escpos", "pdf"))
        printed = (
            self.daemon.http.get(f"/v1/{where}/receipt?format={form}"),
            self.daemon.post(f"{where}/reprint", {"format": form, "lang": "en", "width": 58}),
        )
        expected = 200 if document["money"] == "moved" else 409
        assert [answer.status_code for answer in printed] == [expected] * len(printed), printed[0].text

    def _read(self) -> None:
        fields = ["card", "wallet", "wallet_log", "holder", "medical"]
        answer = self.daemon.post("read", {"purpose": "soak", "fields": fields, "reader": self.name, "wait_s": WAIT_S})
        assert answer.status_code < 500, answer.text

    def _ask_nonsense(self) -> None:
        """What daemons must refuse, again and again."""
        post = self.daemon.http.post
        for answer in (
            self.daemon.post("debit", {"purse": "wallet", "amount_fen": "much"}, "nonsense"),
            self.daemon.post("debit", {"purse": "wallet", "amount_fen": 1, "reference": "no key"}),
            self.daemon.post("read", {"purpose": "soak", "fields": ["card"], "reader": "nowhere", "wait_s": 0}),
            self.daemon.http.get("/v1/transactions/none"),
            self.daemon.http.get("/v1/nothing"),
            post("/v1/read", content=b"{" * 1000, headers={"Content-Type": "application/json"}),
            post("/v1/read", json={}, headers={"Authorization": "Bearer nobody"}),
        ):
            assert answer.is_error, answer.text

    def _happens(self, chance: float) -> bool:
        return self._chance.random() < chance


def work_all(daemon: DaemonProcess, outside: Outside, day: Day, seed: int) -> None:
    """Work at all lanes until the day is over.

    Raises:
        AssertionError: A lane was told something that cannot be.
    """
    with ThreadPoolExecutor(len(LANES)) as cashiers:
        working = [cashiers.submit(Lane(name, daemon, outside, day, seed).work) for name in LANES]
        for lane in working:
            lane.result()
