"""`cardiod console`: another one-time address of the console."""

from __future__ import annotations

import typer

from cardio.cli.reporting import guarded
from cardiod.client import ApiProblem, Client
from cardiod.client.addresses import default_token, default_url
from cardiod.client.commands import PATIENCE_S
from cardiod.commands.options import ConfigOption
from cardiod.logins import console_address
from cardiod.settings import load_settings, loopback_url


@guarded
def console(config: ConfigOption = None) -> None:
    """print a new address of the console, for one login within 15 minutes; for administrators"""
    settings = load_settings(config)
    # Not the token beside the journal, which is a till's: on the socket an administrator is known without any.
    with Client(default_url(), default_token(), patience_s=PATIENCE_S) as client:
        try:
            code = client.post("logins/new", {})["code"]
        except ApiProblem as refusal:
            raise refusal.as_error() from refusal
    typer.echo(console_address(loopback_url(settings.host, settings.port), code))
