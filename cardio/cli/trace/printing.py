"""Prints explained steps for people: one block per command."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.text import Text

from cardio.cli.output import stdout
from cardio.cli.trace.explanation import Phrase, Step, Value
from cardio.transport.recording import MASKED

INDENT = "     "
_HIDDEN_RUN = re.compile(r"(?:\*\*){4,}")


def print_step(step: Step, language: str) -> None:
    """One block: what was asked, the bytes, what was answered."""
    for line in block(step, language):
        stdout.print(line, soft_wrap=True)
    stdout.print()


def block(step: Step, language: str) -> Iterator[Text]:
    """The lines of a block."""
    number = f"{step.number:>3}" if step.exchanges else "  -"
    head = Text.assemble(f"{number}  ", (step.name, "bold"))
    title = step.title.zh if step.title.en.upper() == step.name and language != "en" else step.title.text(language)
    if title.upper() != step.name:
        head.append(f"  {title}")
    if step.place:
        head.append(f"  [{step.place}]", style="cyan")
    if len(step.exchanges) > 1:
        head.append(f"  {step.exchanges[0]}–{step.exchanges[-1]}", style="dim")
    if step.time:
        head.append(f"  {step.time}", style="dim")
    yield head
    if step.command:
        yield Text(f"{INDENT}→ {_folded(step.command, language)}", style="dim")
    yield from _lines(step.parameters, language, 0)
    yield _answer(step, language)
    yield from _lines(step.values, language, 0)


def _answer(step: Step, language: str) -> Text:
    line = Text(f"{INDENT}← {_folded(step.answer, language)}".rstrip(), style="dim")
    outcome = step.outcome.text(language)
    if outcome:
        line.append("  " + outcome, style="not dim green" if step.done else "not dim red")
    if step.error:
        line.append(f"  {step.error}", style="dim")
    return line


def _folded(octets: str, language: str) -> str:
    """Many hidden bytes in a row as their number."""

    def count(run: re.Match[str]) -> str:
        size = len(run.group()) // len(MASKED)
        return f"[{Phrase(f'隐去{size}字节', f'{size} bytes hidden').text(language)}]"

    return _HIDDEN_RUN.sub(count, octets)


def _lines(values: tuple[Value, ...], language: str, level: int) -> Iterator[Text]:
    for value in values:
        tag = f"{value.tag} " if value.tag else ""
        line = Text(f"{INDENT}  {'  ' * level}{tag}{value.title.text(language)}")
        text = value.text.text(language)
        if text:
            line.append(": ")
            line.append(text, style="bold")
        yield line
        yield from _lines(value.values, language, level + 1)
