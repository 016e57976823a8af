"""The command `cardio manual`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cardio.cli.manual.pages import pages
from cardio.cli.output import stdout
from cardio.cli.reporting import guarded
from cardio.errors import InputInvalid


@guarded
def manual(folder: Annotated[Path, typer.Argument(help="folder for the pages; made if it is not there")]) -> None:
    """write the manual of cards: every file and item, in Chinese and English, as Markdown"""
    written = pages()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in written.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputInvalid(f"{folder}: {error.strerror}") from error
    stdout.print(f"{folder}: {len(written)} 页 pages", markup=False)
