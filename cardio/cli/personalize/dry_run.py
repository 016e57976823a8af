"""`cardio personalize --dry-run`: the plan of one card with every command explained, on a blank virtual card."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from cardio.apdu.connection import CardConnection
from cardio.cli.output import print_json, stdout
from cardio.cli.personalize.feeding import blank_for
from cardio.cli.trace import explainer, explanation
from cardio.cli.trace.printing import print_step
from cardio.personalize.personalizer import Personalizer, Prepared
from cardio.personalize.steps import Step
from cardio.transport.embedded import EmbeddedReader
from cardio.transport.recording import Exchange, record

LANGUAGE = "both"


@dataclass(frozen=True)
class DryStep:
    """One step of a plan with its commands.

    Attributes:
        step: What it does.
        commands: Its commands, explained; keys, PINs and personal data are hidden.
    """

    step: Step
    commands: tuple[explanation.Step, ...]

    def document(self) -> dict[str, Any]:
        """The step as JSON."""
        return {
            "phase": self.step.phase.value,
            "place": self.step.place,
            "zh": self.step.zh,
            "en": self.step.en,
            "key": self.step.key,
            "commands": [command.document() for command in self.commands],
        }


def dry_run(maker: Personalizer, prepared: Prepared) -> Iterator[DryStep]:
    """Make a card of a row on a blank virtual card, and tell every step and command.

    Args:
        maker: Makes the card.
        prepared: The row.
    """
    sink = io.StringIO()
    channel = record(EmbeddedReader("dry run", blank_for(maker)).connect(), sink)
    steps: list[Step] = []
    ends: list[int] = []
    try:
        for step in maker.plan(CardConnection(channel), prepared).whole():
            step.act()
            steps.append(step)
            ends.append(sink.getvalue().count("\n") - 1)
    finally:
        channel.close()
    exchanges = [Exchange(**json.loads(line)) for line in sink.getvalue().splitlines()[1:]]
    explained = list(explainer.explain(exchanges, masked=True))
    begin = 0
    for step, end in zip(steps, ends, strict=True):
        yield DryStep(step, tuple(one for one in explained if begin < one.number <= end))
        begin = end


def print_plan(maker: Personalizer, prepared: Prepared, *, as_json: bool) -> None:
    """Print the plan, for people or for programs."""
    found = list(dry_run(maker, prepared))
    if as_json:
        print_json([one.document() for one in found])
        return
    phase = ""
    for number, one in enumerate(found, 1):
        if one.step.phase != phase:
            phase = one.step.phase
            stdout.print(Text(f"── {phase} ──", style="bold blue"))
        stdout.print(Text.assemble((f"{number}. {one.step.place}: {one.step.zh} {one.step.en}", "bold green")))
        for command in one.commands:
            print_step(command, LANGUAGE)
    commands = sum(len(one.commands) for one in found)
    stdout.print(f"{len(found)} 步 steps, {commands} 条命令 commands; 未触及任何卡片 no card was touched")
