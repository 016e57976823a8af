"""What the library itself needs: card products, the reader service, readers, a font for paper."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from cardio.cli.doctor.findings import Finding, Text, fail, failed_with, ok
from cardio.errors import CardioError, ReaderError, ReceiptFontMissing
from cardio.ledger.receipts import fonts
from cardio.products.catalogue import Catalogue
from cardio.transport.channel import ReaderDriver, SlotState

SECURITY_VIOLATION = "8010006A"
"""SCARD_W_SECURITY_VIOLATION: polkit did not let us in (PERS §4.6)."""
SYSTEM_PROGRAMS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where daemons are, which are not on everybody's PATH."""


def card_products(load: Callable[[], Catalogue]) -> Finding:
    """Whether every card product can be loaded."""
    try:
        count = len(list(load()))
    except CardioError as error:
        return failed_with("products", error, Text("请修正该文件", "correct that file"))
    return ok("products", Text(f"卡产品可用：{count}种", f"{count} card products"))


def reader_service(driver: ReaderDriver) -> Finding:
    """Whether pcscd answers us."""
    name = "pcsc.service"
    try:
        driver.readers()
    except ReaderError as error:
        if error.source is not None and error.source.raw == SECURITY_VIOLATION:
            return fail(
                name,
                Text("读卡服务拒绝本用户访问", "the reader service does not let this user in"),
                Text(
                    "安装polkit规则50-cardio.rules到/etc/polkit-1/rules.d",
                    "install the polkit rule 50-cardio.rules into /etc/polkit-1/rules.d",
                ),
            )
        return failed_with(
            name,
            error,
            Text("安装并启动pcscd：", "install and start pcscd:")
            + "apt-get install pcscd; systemctl enable --now pcscd.socket",
        )
    return ok(name, Text("读卡服务运行中", "the reader service answers") + pcscd_version())


def connected_readers(driver: ReaderDriver) -> Finding:
    """Which readers there are, and what lies in them."""
    try:
        states = driver.readers()
    except ReaderError:
        states = {}
    if not states:
        return fail(
            "readers",
            Text("没有读卡器", "no reader is connected"),
            Text(
                "请连接读卡器；lsusb可见但此处没有时，需要它的驱动程序(libccid、libacsccid1)",
                "connect one; if lsusb shows it and this does not, it needs its driver (libccid, libacsccid1)",
            ),
        )
    zh, en = _listed(states, "有卡", "空"), _listed(states, "card", "empty")
    return ok("readers", Text(f"读卡器{len(states)}个：{zh}", f"{len(states)} readers: {en}"))


def receipt_font() -> Finding:
    """Whether PDF vouchers have a font with Chinese characters."""
    try:
        found = fonts.register()
    except ReceiptFontMissing as error:
        return failed_with("font", error, Text("安装字体：", "install a font:") + "apt-get install fonts-wqy-zenhei")
    return ok("font", Text("凭证字体", "font of vouchers:") + Path(found).name)


def pcscd_version() -> str:
    """First words of `pcscd --version`; empty if it is not installed here."""
    found = re.search(r"version [0-9.]+[0-9]", pcscd_features())
    return f"(pcsc-lite {found[0]})" if found else ""


def pcscd_features() -> str:
    """What pcscd says about how it was built; empty if it is not installed here."""
    program = shutil.which("pcscd") or next(
        (found for folder in SYSTEM_PROGRAMS if (found := shutil.which("pcscd", path=folder))), None
    )
    if program is None:
        return ""
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603


def _listed(states: dict[str, SlotState], card: str, empty: str) -> str:
    return ", ".join(f"{name} [{card if state.present else empty}]" for name, state in states.items())
