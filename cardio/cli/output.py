"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table

from cardio.cli.reporting import stderr
from cardio.errors import CardioError
from cardio.files.codecs import yuan
from cardio.files.record import Record
from cardio.files.social_security.environment import HolderData, IssuerData
from cardio.files.social_security.medical import MedicalData, MedicalLogRecord
from cardio.files.wallet.log import WalletLogRecord
from cardio.files.wallet.public import PublicData
from cardio.products.reading import Content, Group, GroupReading

stdout = Console(highlight=False)

GROUP_TITLES: dict[Group, tuple[str, str]] = {
    Group.CARD: ("卡片", "card"),
    Group.HOLDER: ("持卡人", "holder"),
    Group.INSURANCE: ("社会保险", "insurance"),
    Group.MEDICAL: ("医疗保险", "medical insurance"),
    Group.EMPLOYMENT: ("就业", "employment"),
    Group.WALLET: ("电子钱包", "wallet"),
    Group.WALLET_LOG: ("钱包交易明细", "wallet log"),
    Group.MEDICAL_LOG: ("医疗交易明细", "medical log"),
}

RECORDS: tuple[type[Record], ...] = (
    IssuerData,
    HolderData,
    MedicalData,
    MedicalLogRecord,
    PublicData,
    WalletLogRecord,
)
TITLES: dict[str, tuple[str, str]] = {
    "product": ("卡产品", "product"),
    "title": ("名称", "title"),
    "name": ("姓名", "name"),
    "balance_fen": ("余额", "balance"),
    "yearly_self_paid_fen": ("年度自付累计", "yearly self-paid total"),
    "yearly_pool_fen": ("年度统筹累计", "yearly pool total"),
    "payment_year": ("年度", "payment year"),
    **{name: (spec.zh, spec.en) for record in RECORDS for name, spec in record.specs().items()},
}


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    stdout.print_json(json.dumps(value, ensure_ascii=False))


def print_readings(readings: dict[Group, GroupReading]) -> None:
    """Groups as tables, refused ones as errors."""
    for group, reading in readings.items():
        zh, en = GROUP_TITLES[group]
        if reading.error is not None:
            stderr.print(f"{zh} {en}: {error_line(reading.error)}", markup=False)
        elif isinstance(reading.content, list):
            print_log(f"{zh} {en}", reading.content)
        elif reading.content is not None:
            print_fields(f"{zh} {en}", reading.content)


def print_fields(title: str, content: Content) -> None:
    """One value a line."""
    table = Table(title=title, title_justify="left", show_header=False)
    for _ in range(3):
        table.add_column(overflow="fold")
    for name, value in _flat(content):
        zh, en = TITLES.get(name, (name, name))
        table.add_row(zh, en, _text(name, value))
    stdout.print(table)


def print_log(title: str, records: list[Content]) -> None:
    """One record a row, newest first."""
    if not records:
        stdout.print(f"{title}: 无记录 no records")
        return
    table = Table(title=title, title_justify="left")
    for name in records[0]:
        zh, en = TITLES.get(name, (name, name))
        table.add_column(f"{zh}\n{en}")
    for record in records:
        table.add_row(*(_text(name, value) for name, value in record.items()))
    stdout.print(table)


def error_line(error: CardioError) -> str:
    """An error in one line."""
    return f"{error.code} {error.text('zh')} / {error.text('en')}"


def readings_document(readings: dict[Group, GroupReading]) -> dict[str, Any]:
    """Groups for `--json`, in the shape of the API."""
    return {
        group.value: {"data": reading.content}
        if reading.error is None
        else {
            "error": {
                "code": reading.error.code,
                "title": reading.error.text("zh"),
                "title_en": reading.error.text("en"),
            }
        }
        for group, reading in readings.items()
    }


def _flat(content: Content) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in content.items():
        rows += _flat(value) if name == "wallet" else [(name, value)]
    return rows


def _text(name: str, value: Any) -> str:
    if isinstance(value, dict):
        text = f"{value['zh']} {value['en']}"
        return f"{value['code']} {text}" if "code" in value else text
    return yuan(value) if name.endswith("_fen") else str(value)
