"""What users ask of a card, and what an answer says besides the facts: known, absent, unknown, refused, unreadable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cardio.applications.card_files import CardFiles, Place, Standing, standing_of
from cardio.errors import CardioError, error_document
from cardio.files.record import Record


@dataclass(frozen=True)
class Answer:
    """What the card says to one question.

    Attributes:
        standing: How well it is known.
        facts: The facts; several for logs and lists, newest first.
        error: Why something could not be read; facts may be there all the same, as far as they came.
    """

    standing: Standing
    facts: tuple[Record, ...] = ()
    error: CardioError | None = None

    def show(self, *, many: bool, masked: bool) -> dict[str, Any]:
        """The answer for JSON: `status`, `data`, and the code and texts of an error."""
        document: dict[str, Any] = {"status": self.standing.value}
        shown = [record.show(masked=masked) for record in self.facts]
        if many:
            document["data"] = shown
        elif shown:
            document["data"] = shown[0]
        if self.error is not None:
            document["error"] = error_document(self.error)
        return document


@dataclass(frozen=True)
class Question:
    """One question with the files that answer it.

    Attributes:
        name: Name of the answer in JSON.
        zh: Chinese title.
        en: English title.
        facts: Record class of the facts.
        places: Files that the answer is made of; a card's version need not have all of them.
        derive: Makes the facts from the files.
        many: Whether the answer is a list.
        limit: Records of a log that are wanted.
        declared: Record class that the card's version must declare for the file; None for any. Versions 1.0 and 2.0
            keep different things under one label.
    """

    name: str
    zh: str
    en: str
    facts: type[Record]
    places: tuple[Place, ...]
    derive: Callable[[CardFiles], tuple[Record, ...]]
    many: bool = False
    limit: int | None = None
    declared: type[Record] | None = None

    def wanted(self, files: CardFiles) -> tuple[Place, ...]:
        """The files that this card's version has for the question."""
        return tuple(place for place in self.places if self.declared in {None, files.content_of(*place)})

    def ask(self, files: CardFiles) -> Answer:
        """Read the files, as far as they can be read, and answer."""
        readings = {place: files.read(*place, limit=self.limit) for place in self.wanted(files)}
        if not readings:
            return Answer(Standing.UNKNOWN)
        facts = tuple(record for record in self.derive(files) if any(True for _ in record.values()))
        errors = [reading.error for reading in readings.values() if reading.error is not None]
        if facts:
            return Answer(Standing.KNOWN, facts, _telling(errors))
        standing = standing_of(readings)
        if standing is Standing.KNOWN:
            # The file says something, but nothing about this.
            standing = Standing.ABSENT
        return Answer(standing, (), _telling(errors) if standing not in SILENT else None)

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema of the answer."""
        facts = self.facts.json_schema()
        return {
            "title": f"{self.zh} {self.en}",
            "type": "object",
            "properties": {
                "status": {"enum": [standing.value for standing in Standing]},
                "data": {"type": "array", "items": facts} if self.many else facts,
                "error": ERROR_SCHEMA,
            },
            "required": ["status"],
            "additionalProperties": False,
        }


SILENT = frozenset({Standing.ABSENT, Standing.UNKNOWN})
ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("code", "title", "title_en")},
    "required": ["code", "title", "title_en"],
}


def _telling(errors: list[CardioError]) -> CardioError | None:
    """The error that is worth telling: not that a file is missing, if there is another."""
    return min(errors, key=lambda error: error.code in {"file.not-found", "record.not-found"}, default=None)
