"""Questions that one file answers as it is."""

from __future__ import annotations

from cardio.applications.answers import Question
from cardio.applications.card_files import CardFiles, Place
from cardio.applications.versions import facts_of
from cardio.files.record import Record


def file_question(
    name: str,
    zh: str,
    en: str,
    place: Place,
    facts: type[Record],
    *,
    many: bool = False,
    limit: int | None = None,
    declared: type[Record] | None = None,
) -> Question:
    """A question whose facts are the records of one file.

    Args:
        name: Name of the answer in JSON.
        zh: Chinese title.
        en: English title.
        place: The file.
        facts: Record class of version 2.0.
        many: Whether the file is a log.
        limit: Records of the log that are wanted.
        declared: Record class that the card's version must declare for the file; None for any.
    """

    def derive(files: CardFiles) -> tuple[Record, ...]:
        return facts_of(files, place, facts)

    return Question(name, zh, en, facts, (place,), derive, many=many, limit=limit, declared=declared)
