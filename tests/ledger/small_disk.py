"""A terminal whose journal is on a small disk that fills up; run by `test_small_disk` in a namespace of its own.

python -m tests.ledger.small_disk FOLDER STORY prints what happened as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from cardio.engine.requests import DebitRequest
from cardio.errors import CardioError
from cardio.ledger.admission import AdmissionLimits
from cardio.ledger.bill import Bill
from cardio.ledger.model import Tender, Transaction
from cardio.virtual.card import Moment
from tests.counter import TestCounter, request, tear, wallet_of

MB = 1_000_000
BILL = Bill(total_fen=12000, fund_fen=7000, account_fen=3000, self_pay_fen=2000)


class SmallDisk:
    """A counter, and the file that fills its disk.

    Args:
        folder: Where the disk is mounted.
        limits: When nothing new is charged.
    """

    def __init__(self, folder: Path, limits: AdmissionLimits) -> None:
        self._folder = folder
        self._ballast = folder / "ballast"
        state = folder / "state"
        state.mkdir()
        self.counter = TestCounter(state, limits=limits)

    def leave_free(self, size: int) -> None:
        """Fill the disk until `size` bytes are left."""
        found = os.statvfs(self._folder)
        with self._ballast.open("ab") as file:
            file.write(bytes(max(0, found.f_bavail * found.f_frsize - size)))

    def free(self) -> None:
        """Somebody has cleared the disk."""
        self._ballast.unlink()

    def begin(self, key: str) -> Transaction:
        """Write a request for 100 fen down."""
        return self.counter.engine.begin_debit(DebitRequest(request(key=key, body=b"100"), 100, "sale"))

    def tried(self, key: str) -> str:
        """State of a debit of 100 fen, or the error and what it says about the money."""
        try:
            return str(self.counter.debit(100, key).state)
        except CardioError as error:
            return f"{error.code} {error.money}"

    @property
    def balance(self) -> int:
        """What is on the card, fen."""
        return wallet_of(self.counter.wallet_card).purse.balance


def low(folder: Path) -> dict[str, object]:
    """Less is free than the limit says."""
    disk = SmallDisk(folder, AdmissionLimits(min_free_bytes=8 * MB, min_free_share=0.05))
    told: dict[str, object] = {"before": disk.tried("a")}
    answer = disk.counter.ledger.transactions()[0].answer
    disk.begin("begun")
    tear(disk.counter.wallet_card, Moment.AFTER_COMMIT)
    told["torn"] = disk.tried("torn")
    disk.leave_free(6 * MB)
    told["new"] = disk.tried("new")
    try:
        disk.counter.begin_settlement(BILL, Tender.CASH)
    except CardioError as error:
        told["settlement"] = f"{error.code} {error.money}"
    told["recovered"] = [str(found.state) for found in disk.counter.recover(disk.counter.wallet_card)]
    told["begun"] = disk.tried("begun")
    told["same answer"] = disk.counter.debit(100, "a").answer == answer
    told["taken"] = 10000 - disk.balance
    disk.free()
    told["cleared"] = disk.tried("new")
    disk.counter.close()
    return told


def share(folder: Path) -> dict[str, object]:
    """A smaller part is free than the limit says."""
    disk = SmallDisk(folder, AdmissionLimits(min_free_bytes=0, min_free_share=0.5))
    told: dict[str, object] = {"before": disk.tried("a")}
    disk.leave_free(12 * MB)
    told["new"] = disk.tried("new")
    disk.counter.close()
    return told


def full(folder: Path) -> dict[str, object]:
    """Nothing is free at all: what was begun cannot be armed."""
    disk = SmallDisk(folder, AdmissionLimits(min_free_bytes=8 * MB))
    disk.begin("begun")
    disk.leave_free(0)
    told: dict[str, object] = {"begun": disk.tried("begun"), "taken": 10000 - disk.balance}
    disk.free()
    told["cleared"] = disk.tried("begun")
    told["taken then"] = 10000 - disk.balance
    disk.counter.close()
    return told


if __name__ == "__main__":
    print(json.dumps({"low": low, "share": share, "full": full}[sys.argv[2]](Path(sys.argv[1]))))
