"""The base of all errors, and what each of them says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, ClassVar


class Money(StrEnum):
    """What is known about the money when an error is raised."""

    NONE = "none"
    MOVED = "moved"
    UNKNOWN = "unknown"


class Retry(StrEnum):
    """When the same request may be sent again."""

    NEVER = "never"
    SAME_KEY = "same_key"
    NEW_KEY = "new_key"
    AFTER_ACTION = "after_action"


class ExitCode(IntEnum):
    """Exit codes of the command line (design §5)."""

    DONE = 0
    USAGE = 2
    NO_CARD = 3
    REFUSED = 4
    UNKNOWN = 5
    UNAVAILABLE = 6


@dataclass(frozen=True)
class Source:
    """Where an error was born: `layer` (pcsc, card, sam, store), the command's name, the raw code in hex."""

    layer: str
    command: str = ""
    raw: str = ""


class CardioError(Exception):
    """Base of all errors; a subclass is one row of the catalogue.

    Args:
        detail: Technical text in English, free of secrets and personal data.
        source: Layer, command and raw code that produced the error.
        money: Overrides the class's statement about the money.
        values: Numbers that the operator's text mentions, for example `tries_left`.
    """

    code: ClassVar[str]
    zh: ClassVar[str]
    en: ClassVar[str]
    retry: ClassVar[Retry] = Retry.SAME_KEY
    action: ClassVar[str] = "retry"
    exit_code: ClassVar[ExitCode] = ExitCode.REFUSED
    default_money: ClassVar[Money] = Money.NONE
    catalogue: ClassVar[dict[str, type[CardioError]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" in cls.__dict__:
            if cls.code in CardioError.catalogue:
                raise TypeError(f"error code {cls.code} is defined twice")
            CardioError.catalogue[cls.code] = cls

    def __init__(
        self,
        detail: str = "",
        *,
        source: Source | None = None,
        money: Money | None = None,
        **values: int,
    ) -> None:
        self.detail = detail
        self.source = source
        self.money = money if money is not None else self.default_money
        self.values = values
        super().__init__(self.describe())

    def text(self, language: str) -> str:
        """The operator's sentence in `zh` or `en`, numbers filled in."""
        template = self.zh if language == "zh" else self.en
        return template.format_map(_Known(self.values))

    def describe(self) -> str:
        """One line for an engineer: code, English text, detail, raw code."""
        parts = [f"{self.code}: {self.text('en')}"]
        if self.detail:
            parts.append(f"({self.detail})")
        if self.source and self.source.raw:
            parts.append(f"[{self.source.command or self.source.layer} {self.source.raw}]")
        return " ".join(parts)


def error_document(error: CardioError) -> dict[str, str]:
    """Code and texts of an error, as documents of readings carry them."""
    return {"code": error.code, "title": error.text("zh"), "title_en": error.text("en")}


class _Known(dict[str, int]):
    """Leaves a placeholder visible when its number is not known."""

    def __missing__(self, key: str) -> str:
        return "?"
