"""Chinese and English titles of everything a reading can hold, from the declarations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from cardio.files.record import Record
from cardio.files.social_security.environment import IssuerData
from cardio.files.wallet.registry import WALLET_FILES
from cardio.products.groups import QUESTIONS, Group


@dataclass(frozen=True)
class Title:
    """Title of a value.

    Attributes:
        zh: Chinese.
        en: English.
        inner: Titles of the values inside it, by name.
    """

    zh: str
    en: str
    inner: Mapping[str, Title] = field(default_factory=dict)


Titles = Mapping[str, Title]


def titles_of(*records: type[Record]) -> Titles:
    """Titles of the fields of record classes, by field name."""
    titles: dict[str, Title] = {}
    for record in records:
        for name, spec in record.specs().items():
            inner = getattr(spec.codec, "record", None)
            titles.setdefault(name, Title(spec.zh, spec.en, {} if inner is None else titles_of(inner)))
    return titles


COMMON: Titles = {
    "product": Title("卡产品", "product"),
    "title": Title("名称", "title"),
    "reasons": Title("识别依据", "recognised by"),
    "authenticity": Title(
        "卡片真伪", "authenticity", {"status": Title("验证", "check"), "error": Title("原因", "reason")}
    ),
    "balance_fen": Title("余额", "balance"),
    "starts": Title("启用日期", "valid from"),
    "ends": Title("有效日期", "valid to"),
    "max_amount_fen": Title("单笔限额", "limit of one purchase"),
    "yearly_self_paid_fen": Title("年度自付累计", "yearly self-paid total"),
    "yearly_pool_fen": Title("年度统筹累计", "yearly pool total"),
    "payment_year": Title("年度", "payment year"),
    "malformed": Title("无法理解的数据项", "malformed items"),
    "unknown_items": Title(
        "未定义的数据项", "unknown items", {"tag": Title("标识", "tag"), "value": Title("内容", "value")}
    ),
}
"""Values that no single record declares."""


@cache
def group_titles(group: Group, question: str | None = None) -> Titles:
    """Titles of the values of a group, or of one question in it."""
    asked = [one.facts for one in QUESTIONS.get(group, ()) if question in {None, one.name}]
    wallet = _wallet_records(WALLET_FILES)
    if group is Group.CARD:
        card = {**COMMON, **titles_of(*wallet), **_management()}
        return {**card, **titles_of(IssuerData), "wallet": Title("电子钱包", "wallet", card)}
    if group is Group.WALLET:
        return COMMON
    return {**COMMON, **titles_of(*wallet), **titles_of(*asked)}


def _management() -> Titles:
    file = WALLET_FILES["management"]
    return {"management": Title(file.zh, file.en, titles_of(file.content))}


def _wallet_records(names: Iterable[str]) -> list[type[Record]]:
    return [cls for name in names for cls in WALLET_FILES[name].record_classes]


def file_titles(records: Iterable[type[Record]]) -> Titles:
    """Titles of the values of one file."""
    return {**COMMON, **titles_of(*records)}
