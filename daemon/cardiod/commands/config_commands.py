"""`cardiod config`: what the configuration means."""

from __future__ import annotations

from typing import Any

import typer

from cardio.cli.output import print_json
from cardio.cli.reporting import guarded
from cardiod.commands.options import ConfigOption
from cardiod.settings import Settings, load_settings
from cardiod.tokens import TokenFile
from cardiod.trials import TRIALS

CUT = "…"

app = typer.Typer(help="the configuration", no_args_is_help=True)


@app.command()
@guarded
def check(config: ConfigOption = None) -> None:
    """check file, environment and every file they name; print what holds, secrets cut"""
    settings = load_settings(config)
    for trial in TRIALS:
        trial(settings)
    names = [token.name for token in TokenFile(settings.tokens_file).all()]
    print_json({**effective(settings), "tokens": str(settings.tokens_file), "token_names": names})


def effective(settings: Settings) -> dict[str, Any]:
    """All settings, also those that nobody set; what opens a door is cut, even as a hash."""
    document = settings.model_dump(mode="json")
    document["scopes"] = sorted(document["scopes"])
    for rule in document["peers"]:
        rule["scopes"] = sorted(rule["scopes"])
    if settings.token_sha256:
        document["token_sha256"] = CUT
    if settings.load_host is not None:
        # Only the adapter knows which of its options is a secret.
        document["load_host"]["options"] = dict.fromkeys(settings.load_host.options, CUT)
    return document
