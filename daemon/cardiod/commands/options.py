"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path | None,
    typer.Option(help="configuration file; default /etc/cardio/cardiod.toml if it is there", metavar="FILE"),
]
