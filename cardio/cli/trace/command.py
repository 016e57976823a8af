"""`cardio trace`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cardio.cli.options import JsonOption
from cardio.cli.output import print_json
from cardio.cli.reporting import guarded
from cardio.cli.trace.explainer import explain
from cardio.cli.trace.printing import print_step
from cardio.cli.trace.source import load


class Language(StrEnum):
    """Languages of the explanation."""

    ZH = "zh"
    EN = "en"
    BOTH = "both"


@guarded
def trace(
    file: Annotated[Path, typer.Argument(help="a recording, or text with > commands and < answers", metavar="FILE")],
    unmasked: Annotated[bool, typer.Option("--unmasked", help="show personal data; PINs and keys never")] = False,
    language: Annotated[Language, typer.Option("--language", "-l", help="language of the texts")] = Language.BOTH,
    as_json: JsonOption = False,
) -> None:
    """explain a recorded exchange with a card, command by command

    FILE is a recording of cardio, or text with one APDU a line: > before commands, < before answers, `ATR:` before an
    answer to reset, # before comments, ** for a hidden byte.
    """
    steps = explain(load(file), masked=not unmasked)
    if as_json:
        print_json([step.document() for step in steps])
        return
    for step in steps:
        print_step(step, language)
