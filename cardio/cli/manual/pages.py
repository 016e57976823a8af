"""All pages of the manual by file name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cardio.cli.manual.cards import card_page
from cardio.cli.manual.codes import codes_page
from cardio.cli.manual.index import additions_page, index_page
from cardio.cli.manual.source import CARDS
from cardio.cli.manual.words import LANGUAGES, Language


def pages() -> Mapping[str, str]:
    """The whole manual: the same declarations give the same bytes."""
    found = {"index.md": _text(index_page())}
    for language in map(Language, LANGUAGES):
        for card in CARDS:
            found[f"{card.id}.{language.code}.md"] = _text(card_page(card, language))
        found[f"additions.{language.code}.md"] = _text(additions_page(language))
        found[f"codes.{language.code}.md"] = _text(codes_page(language))
    return found


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"
