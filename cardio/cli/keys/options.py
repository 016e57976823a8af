"""Arguments and options that several of the commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cardio.crypto.check_values import KeyAlgorithm

FileArgument = Annotated[Path, typer.Argument(help="keyring file", metavar="FILE")]
NameArgument = Annotated[str, typer.Argument(help="name of the key, such as WALLET-DLK", metavar="NAME")]
AlgorithmOption = Annotated[KeyAlgorithm, typer.Option("--algorithm", help="what the key is for")]
PurposeOption = Annotated[str, typer.Option("--purpose", help="why; stands in the log", metavar="TEXT")]
