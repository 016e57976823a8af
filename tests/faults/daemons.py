"""SIGKILLs of the whole daemon, and a cashier program that asks again with the same key until it knows."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx

from cardio.purse.operation import Operation, PurseKind
from cardio.virtual.faults import Fault
from tests.faults.disk import DiskFaults
from tests.faults.forks import Forks, Outcome
from tests.faults.inside import TOKEN
from tests.faults.judge import KEY, Verdict
from tests.faults.processes import Case, Death, Result, case_of
from tests.faults.scenarios import BILL, Scenario

PATIENCE = 20.0
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": KEY}


class Daemon:
    """The daemon of one case, in a forked process."""

    def __init__(self, case: Case, forks: Forks, starter: ThreadPoolExecutor) -> None:
        self._case = case
        arguments = str(case.scenario), str(case.world.folder), case.server.address
        self._ended: Future[Outcome] = starter.submit(forks.call, "serve_daemon", *arguments)
        if not case.server.ready.wait(PATIENCE):
            raise AssertionError(f"the daemon does not start: {self._ended}")
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{case.server.value}", headers=HEADERS, trust_env=False)

    def wait_for_card(self) -> None:
        """Until it knows the card and has its keys."""
        deadline = time.monotonic() + PATIENCE
        while True:
            readers, cards = (self._get(path) for path in ("/v1/readers", "/v1/cards"))
            identified = [card for card in cards.get("cards", []) if card["identified"]]
            if identified and (readers["sam"] or self._case.scenario.source != "psam"):
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"the daemon does not see its cards: {readers}, {cards}")
            time.sleep(0.005)

    def _get(self, path: str) -> dict[str, Any]:
        try:
            return dict(self.http.get(path).json())
        except httpx.TransportError:
            return {"sam": None}

    def ask(self) -> httpx.Response | None:
        """The cashier's request; None if the daemon is gone."""
        path, body = request_of(self._case.scenario)
        try:
            return self.http.post(path, json=body, timeout=PATIENCE)
        except httpx.TransportError:
            return None

    def end(self) -> Outcome:
        """Stop it politely, or take note that it is dead."""
        self.http.close()
        with suppress(ProcessLookupError):  # it may have been killed
            os.kill(self._case.server.pid, signal.SIGTERM)
        outcome = self._ended.result(PATIENCE)
        self._case.server.settle()
        return outcome


def request_of(scenario: Scenario) -> tuple[str, dict[str, Any]]:
    """What the API calls the operation; `/operate` for what it does not have (yet)."""
    wallet = scenario.purse is PurseKind.WALLET
    if scenario.passbook or scenario.gives_back or scenario.operation not in {Operation.PURCHASE, Operation.LOAD}:
        return "/operate", {}
    common = {"reference": "sale", "wait_s": 5}
    if scenario.operation is Operation.LOAD:
        return "/v1/load", {"purse": scenario.purse, "amount_fen": scenario.amount_fen, **common}
    if wallet:
        return "/v1/debit", {"purse": "wallet", "amount_fen": scenario.amount_fen, **common}
    bill = {"total_fen": BILL.total_fen, "fund_fen": BILL.fund_fen}
    bill |= {"account_fen": BILL.account_fen, "self_pay_fen": BILL.self_pay_fen}
    return "/v1/settle", {"bill": bill, "tender": "cash", **common}


@dataclass(frozen=True)
class KillDaemon:
    """SIGKILL of the daemon at the n-th command of a request."""

    name: str
    fault: Fault

    def run(self, scenario: Scenario, n: int, forks: Forks, disk: DiskFaults) -> Result:
        """One case."""
        disk.off()
        with case_of(scenario) as case, ThreadPoolExecutor(1) as starter:
            daemon = Daemon(case, forks, starter)
            daemon.wait_for_card()
            death = Death(case.server, self.fault, n)
            case.put_on(death.plan)
            first = daemon.ask()
            ended = daemon.end()
            case.put_on(None)
            if death.plan.fired:
                if ended.status != -signal.SIGKILL:
                    return True, Verdict.LOST, f"the daemon was not killed: {ended}"
                case.server.ready.clear()
                daemon = Daemon(case, forks, starter)
                daemon.wait_for_card()
                answers = [daemon.ask() for _ in range(4)]
                daemon.end()
                contents = {answer.content for answer in answers[-2:] if answer is not None}
                if len(contents) != 1:
                    return True, Verdict.LOST, f"the same key got different answers: {answers}"
            elif first is None or not first.is_success:
                return False, Verdict.LOST, f"the undisturbed request failed: {first and first.text}"
            return death.plan.fired, *case.found_in_journal()


def daemon_kills() -> Iterator[KillDaemon]:
    """All kinds."""
    yield KillDaemon("daemon killed before a command", Fault.CUT_BEFORE)
    yield KillDaemon("daemon killed after a command", Fault.CUT_AFTER)
