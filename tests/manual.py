"""Parts of the manual of cards, for the tests that look into it."""

from collections.abc import Iterator

from cardio.cli.manual.cards import file_heading, places_of
from cardio.cli.manual.pages import pages
from cardio.cli.manual.source import CARDS
from cardio.cli.manual.words import LANGUAGES, Language
from cardio.files.declaration import FileDeclaration

PAGES = pages()


def section(page: str, heading: str) -> str:
    """The text under a heading, up to the next one; empty where there is none."""
    _, _, after = PAGES[page].partition(f"\n### {heading}\n")
    return after.partition("\n#")[0]


def file_sections() -> Iterator[tuple[str, FileDeclaration, str]]:
    """Name, declaration and text of every file of every card in every language."""
    for card in CARDS:
        for language in map(Language, LANGUAGES):
            page = f"{card.id}.{language.code}.md"
            for place, application in places_of(card):
                for file in application.files:
                    name = f"{page} {place} {file.label}"
                    yield name, file, section(page, file_heading(place, file, language))
