"""What an explanation consists of: phrases in two languages, explained values, and one step per command."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple


class Phrase(NamedTuple):
    """A text in Chinese and English.

    Attributes:
        zh: Chinese text.
        en: English text.
        code: What stands before either text: a code, the label of a file.
    """

    zh: str
    en: str
    code: str = ""

    def text(self, language: str) -> str:
        """The text in `zh`, `en`, or `both`, where it stands once if it is the same in both."""
        text = self.en if language == "en" else self.zh
        if language == "both" and self.zh != self.en:
            text = f"{self.zh} {self.en}"
        return f"{self.code} {text}".strip()


def same(text: str) -> Phrase:
    """A text without language: a number, a name, hex digits."""
    return Phrase(text, text)


class Secrecy(IntEnum):
    """Who may see bytes: everybody, only who asks for personal values, nobody."""

    OPEN = 0
    PERSONAL = 1
    SECRET = 2

    def hidden(self, *, masked: bool) -> bool:
        """Whether bytes of this kind are hidden."""
        return self is Secrecy.SECRET or (masked and self is Secrecy.PERSONAL)


@dataclass(frozen=True)
class Value:
    """One explained value.

    Attributes:
        name: Name in JSON.
        title: Name for people.
        json: The value in JSON, masked if it is personal.
        text: The value for people, likewise.
        tag: Tag in hex, for items that have one.
        values: Values inside this one.
        personal: Whether its bytes, or those of a value inside, are personal.
    """

    name: str
    title: Phrase
    json: Any
    text: Phrase
    tag: str | None = None
    values: tuple[Value, ...] = ()
    personal: bool = False

    def document(self) -> dict[str, Any]:
        """The value as JSON: `value` for programs, `text` for people, `values` inside it.

        `tag` is in hex, null without; a value that is `personal` is shown in full with `--unmasked` only.
        """
        return {
            "name": self.name,
            "tag": self.tag,
            "zh": self.title.zh,
            "en": self.title.en,
            "value": self.json,
            "text": {language: self.text.text(language) for language in ("zh", "en")},
            "personal": self.personal,
            "values": [value.document() for value in self.values],
        }


def simple(name: str, zh: str, en: str, text: str | Phrase, json: Any = None) -> Value:
    """A value that is shown as it is."""
    phrase = text if isinstance(text, Phrase) else same(text)
    return Value(name, Phrase(zh, en), phrase.text("en") if json is None else json, phrase)


def secrecy_of(values: tuple[Value, ...] | list[Value]) -> Secrecy:
    """Who may see the bytes that these values were read from."""
    return Secrecy.PERSONAL if any(value.personal for value in values) else Secrecy.OPEN


@dataclass(frozen=True)
class Step:
    """One command with its complete answer, or a reset.

    Attributes:
        number: Number of its first exchange, from 1; 0 for a reset.
        exchanges: Numbers of all its exchanges: GET RESPONSE and repetitions with the right length included.
        time: When it was sent, as the recording has it; empty if unknown.
        name: Name of the command in the standard.
        title: The same in two languages.
        place: Directory and file that it works on, such as `SSSE/EF05`; empty if it has none.
        parameters: What it asks for.
        command: Its bytes in hex; hidden ones as `**`.
        answer: Bytes of the complete answer, likewise.
        outcome: The status word in words.
        error: Code of the error that cardio raises for it; empty if none.
        values: What the answer says.
    """

    number: int
    exchanges: tuple[int, ...]
    time: str
    name: str
    title: Phrase
    place: str
    parameters: tuple[Value, ...]
    command: str
    answer: str
    outcome: Phrase
    error: str
    values: tuple[Value, ...]

    @property
    def done(self) -> bool:
        """Whether the card did what it was asked."""
        return not self.exchanges or self.answer.endswith("9000")

    def document(self) -> dict[str, Any]:
        """The step as JSON.

        `number` 0 and no `exchanges` mean a reset, whose `answer.bytes` are the ATR. Hidden bytes are `**` each.
        `answer.status` is the status word, null if the answer was lost; `answer.error` the code of the error that
        cardio raises for it. `parameters` and `values` have the shape of `Value.document`.
        """
        return {
            "number": self.number,
            "exchanges": list(self.exchanges),
            "time": self.time or None,
            "command": {
                "name": self.name,
                "zh": self.title.zh,
                "en": self.title.en,
                "place": self.place or None,
                "bytes": self.command,
                "parameters": [value.document() for value in self.parameters],
            },
            "answer": {
                "bytes": self.answer,
                "status": self.answer[-4:] if self.exchanges and self.answer else None,
                "zh": self.outcome.zh,
                "en": self.outcome.en,
                "error": self.error or None,
                "values": [value.document() for value in self.values],
            },
        }
