"""The page that `cardio read` prints for a clerk: one table a group, in Chinese, English or both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rich.markup import escape
from rich.table import Table

from cardio.applications.card_files import Standing
from cardio.cli.output import stdout
from cardio.cli.reporting import stderr
from cardio.cli.titles import Titles, file_titles, group_titles
from cardio.errors import CardioError
from cardio.files.codecs import yuan
from cardio.files.declaration import FileDeclaration
from cardio.products.group_reading import Content, GroupReading
from cardio.products.groups import FLAT, GROUP_TITLES, QUESTIONS, Group


class Language(StrEnum):
    """Language of a page."""

    ZH = "zh"
    EN = "en"
    BOTH = "both"

    def pick(self, zh: str, en: str) -> str:
        """A text in this language."""
        return {Language.ZH: zh, Language.EN: en, Language.BOTH: zh if zh == en else f"{zh} {en}"}[self]


MAX_COLUMNS = 7
"""Wider records are printed one below the other."""
STANDINGS: dict[str, tuple[str, str]] = {
    Standing.KNOWN.value: ("卡上有记录", "on the card"),
    Standing.ABSENT.value: ("卡上未写入", "not written on the card"),
    Standing.UNKNOWN.value: ("本卡无此文件", "this card has no place for it"),
    Standing.REFUSED.value: ("未获准读取", "not allowed to read"),
    Standing.UNREADABLE.value: ("无法读取", "could not be read"),
    "genuine": ("已验证为真卡", "proved to be genuine"),
    "unchecked": ("未验证", "not checked"),
}


@dataclass(frozen=True)
class Section:
    """Part of a table.

    Attributes:
        standing: What is known, where the rows do not say it.
        rows: Titles and values.
    """

    standing: str
    rows: list[tuple[str, str]]


class Page:
    """Prints readings.

    Args:
        language: Language of titles and texts.
        files: Declarations of the card's files by place, for the titles of the group of all files.
    """

    def __init__(self, language: Language, files: Mapping[str, FileDeclaration] | None = None) -> None:
        self._language = language
        self._files = files or {}

    def print_readings(self, readings: dict[Group, GroupReading]) -> None:
        """All groups; what could not be read says why, on standard error if it is a whole group."""
        for group, reading in readings.items():
            title = self._language.pick(*GROUP_TITLES[group])
            if reading.content is not None:
                self.print_group(group, reading.content)
            if reading.error is not None:
                stderr.print(f"{title}: {self._error(reading.error)}", markup=False)

    def print_group(self, group: Group, content: Content | list[Content]) -> None:
        """One group."""
        title = self._language.pick(*GROUP_TITLES[group])
        if isinstance(content, list):
            self._print_list(title, content, group_titles(group))
        elif group is Group.FILES:
            self._print_files(title, content)
        elif group in FLAT or group not in QUESTIONS:
            self._print_table(title, [("", Section("", list(self._rows(content, group_titles(group)))))])
        else:
            sections = [
                (self._language.pick(question.zh, question.en), self._answer(group, question.name, content))
                for question in QUESTIONS[group]
                if question.name in content
            ]
            self._print_table(title, sections)

    def _answer(self, group: Group, question: str, content: Content) -> Section:
        answer = content[question]
        titles = group_titles(group, question)
        data = answer.get("data")
        rows: list[tuple[str, str]] = []
        if isinstance(data, list):
            for number, one in enumerate(data, 1):
                rows += [(f"{number}. {name}", text) for name, text in self._rows(one, titles)]
        elif data is not None:
            rows += self._rows(data, titles)
        return Section(self._standing(answer), [*rows, *self._reason(answer)])

    def _standing(self, answer: Content) -> str:
        """What is known; silent where the facts speak."""
        known = answer["status"] == Standing.KNOWN.value
        return "" if known else self._language.pick(*STANDINGS[answer["status"]])

    def _reason(self, answer: Content) -> list[tuple[str, str]]:
        error = answer.get("error")
        return [] if error is None else [("", self._language.pick(error["title"], error["title_en"]))]

    def _print_table(self, title: str, sections: list[tuple[str, Section]]) -> None:
        table = Table(title=escape(title), title_justify="left", show_header=False)
        table.add_column(overflow="fold", ratio=2)
        table.add_column(overflow="fold", ratio=3)
        for name, section in sections:
            if name:
                table.add_section()
                table.add_row(f"[bold]{escape(name)}[/bold]", escape(section.standing))
            elif section.standing:
                table.add_row("", escape(section.standing))
            for field, text in section.rows:
                table.add_row(escape(field), escape(text))
        stdout.print(table)

    def _print_list(self, title: str, records: list[Content], titles: Titles) -> None:
        """One record a row, newest first."""
        if not records:
            stdout.print(f"{title}: {self._language.pick('无记录', 'no records')}", markup=False)
            return
        names = list(dict.fromkeys(name for record in records for name in record))
        if len(names) > MAX_COLUMNS or any(_has_parts(value) for record in records for value in record.values()):
            numbered = [
                (str(number), Section("", list(self._rows(record, titles)))) for number, record in enumerate(records, 1)
            ]
            self._print_table(title, numbered)
            return
        table = Table(title=escape(title), title_justify="left")
        for name in names:
            table.add_column(escape(self._title(name, titles)))
        for record in records:
            table.add_row(*(escape(self._text(name, record[name]) if name in record else "") for name in names))
        stdout.print(table)

    def _print_files(self, title: str, content: Content) -> None:
        stdout.print(title, markup=False)
        for place, document in content.items():
            declared = self._files.get(place)
            titles = file_titles(declared.record_classes if declared is not None else ())
            rows: list[tuple[str, str]] = []
            for record in document.get("records", ()):
                rows += self._rows(record, titles)
            section = Section(self._standing(document), [*rows, *self._reason(document)])
            self._print_table(f"{place} {self._text('title', document['title'])}", [("", section)])

    # ---- values ----------------------------------------------------------------------------------------------

    def _rows(self, content: Content, titles: Titles) -> Iterator[tuple[str, str]]:
        """One value a row; values inside values are indented below."""
        for name, value in content.items():
            title = self._title(name, titles)
            if _has_parts(value):
                yield title, ""
                yield from self._inner_rows(name, value, titles)
            elif isinstance(value, list) and any(_has_parts(one) for one in value):
                for number, one in enumerate(value, 1):
                    if one is not None:
                        yield f"{title} {number}", ""
                        yield from self._inner_rows(name, one, titles)
            else:
                yield title, self._text(name, value)

    def _inner_rows(self, name: str, value: Content, titles: Titles) -> Iterator[tuple[str, str]]:
        inner = titles[name].inner if name in titles else {}
        for title, text in self._rows(value, inner):
            yield f"  {title}", text

    def _title(self, name: str, titles: Titles) -> str:
        title = titles.get(name)
        return name if title is None else self._language.pick(title.zh, title.en)

    def _text(self, name: str, value: Any) -> str:
        if isinstance(value, list):
            return "; ".join(self._text(name, one) for one in value if one is not None)
        if isinstance(value, bool):
            return self._language.pick("是" if value else "否", "yes" if value else "no")
        if isinstance(value, dict):
            text = self._language.pick(value["zh"], value["en"])
            return f"{value['code']} {text}" if value.get("code", text) != text else text
        if name == "status" and value in STANDINGS:
            return self._language.pick(*STANDINGS[value])
        return yuan(value) if name.endswith("_fen") and isinstance(value, int) else str(value)

    def _error(self, error: CardioError) -> str:
        return f"{error.code} {self._language.pick(error.text('zh'), error.text('en'))}"


def _has_parts(value: Any) -> bool:
    """Whether a value has values of its own, and is not a text in both languages."""
    return isinstance(value, dict) and not {"zh", "en"} <= value.keys()
