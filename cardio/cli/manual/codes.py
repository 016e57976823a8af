"""The page of code tables."""

from __future__ import annotations

from collections.abc import Iterator

from cardio.cli.manual.markdown import table
from cardio.cli.manual.source import CARDS, additions, tables, uses_of
from cardio.cli.manual.words import Language
from cardio.files.codes import Codes, CodeTable
from cardio.files.declaration import FileDeclaration


def codes_page(language: Language) -> Iterator[str]:
    """All code tables, by name."""
    yield f"# {language.pick('代码表', 'Code tables')}"
    yield ""
    yield language.pick(
        f"共 {len(tables())} 个代码表，按程序中的名称排列。",
        f"{len(tables())} tables, by the names that they have in the program.",
    )
    yield language.links("codes")
    yield ""
    for name, codes in tables().items():
        yield from _section(name, codes, language)


def _section(name: str, codes: Codes, language: Language) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    yield f"- {language.label(language.pick('来源', 'Source'))}{codes.source}"
    for use, cards in _uses(codes, language).items():
        yield f"- {language.label(language.pick('用于', 'Used by'))}{use} ({', '.join(cards)})"
    yield ""
    if not isinstance(codes, CodeTable):
        yield language.pick(
            "代码取自公开数据包，此处不列。", "The codes come from a public data package and are not listed here."
        )
        yield ""
        return
    rows = [(code, language.of(texts)) for code, texts in codes.entries.items()]
    yield from table((language.pick("代码", "code"), language.pick("含义", "meaning")), rows)


def _uses(codes: Codes, language: Language) -> dict[str, list[str]]:
    """Items that take their codes from a table, with the cards that have them."""
    found: dict[str, list[str]] = {}
    files: list[tuple[str, str, FileDeclaration]] = [
        (card.id, application.label, file) for card in CARDS for application, file in card.files()
    ]
    files += [(name, label, file) for name, label, file in additions()]
    for card, label, file in files:
        for record in file.record_classes:
            for _, spec in uses_of(codes, record):
                tag = "" if spec.tag is None else f" {spec.tag:02X}"
                use = f"{label} {file.label}{tag} {language.pick(spec.zh, spec.en)}"
                cards = found.setdefault(use, [])
                if card not in cards:
                    cards.append(card)
    return found
