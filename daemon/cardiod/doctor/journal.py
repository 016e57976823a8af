"""Whether the journal is whole and its keys are there; nothing is written to it, also beside a running service."""

from __future__ import annotations

import os

from cardio.cli.doctor.findings import Finding, Text, fail, failed_with, ok, warn
from cardio.errors import CardioError, JournalBehind
from cardio.ledger.audit import audit
from cardio.ledger.chain import newest_time
from cardio.ledger.freshness import doubt
from cardio.ledger.ledger import now
from cardio.ledger.read_only import read_only
from cardio.ledger.terminal_keys import load_keys
from cardiod.doctor.site import Site


def journal(site: Site) -> Finding:
    """All of it, from the first row to the last."""
    name, path = "journal", site.settings.journal
    try:
        path.stat()
    except FileNotFoundError:
        return ok(name, Text("尚无流水，首次启动时建立", "there is no journal yet; the first start makes it"))
    except PermissionError:
        return _closed(name)
    if not os.access(path, os.R_OK):
        return _closed(name)
    try:
        with read_only(path) as db:
            found = audit(db)
            load_keys(db, path)
            behind = doubt(db)
    except CardioError as error:
        return failed_with(
            name,
            error,
            Text(
                "不要修改文件；保留副本，请负责人恢复并核对",
                "do not touch the file; keep a copy, and have the persons in charge restore and reconcile it",
            ),
        )
    if behind is not None:
        reconcile = Text("两名负责人核对后放行", "two persons compare the records, and release it")
        return failed_with(name, JournalBehind(), reconcile)
    text = Text(f"流水完整，{found.rows}行", f"the journal is whole, {found.rows} rows")
    holder = site.holder()
    if holder is None:
        return ok(name, text)
    used = Text("；服务正在使用，进程", "; a running service works with it, process")
    return ok(name, Text(text.zh + used.zh, text.en + used.en) + str(holder))


def clock_behind_journal(site: Site) -> Finding:
    """Whether the clock is behind what the journal has already seen: then nothing new is charged."""
    name, settings = "clock.journal", site.settings
    try:
        with read_only(settings.journal) as db:
            newest = newest_time(db)
    except CardioError:
        # It is not there, or `journal` tells what is wrong with it.
        newest = None
    if newest is not None and now() < newest - settings.limits.clock_tolerance:
        last = f"{newest:%Y-%m-%d %H:%M:%S}"
        text = Text(f"时钟早于流水最后时间{last}", f"the clock is behind the journal's last row, {last}")
        return fail(name, text, Text("校准时钟：", "set the clock:") + "timedatectl set-ntp true")
    return ok(name, Text("时钟不早于流水", "the clock is not behind the journal"))


def _closed(name: str) -> Finding:
    return warn(
        name,
        Text("无权读取流水", "the journal may not be read by this user"),
        Text("以root或服务用户运行", "run this as root or as the service's user"),
    )
