"""The `cardiod` command."""

from __future__ import annotations

import json
import secrets
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cardio.cli.reporting import guarded
from cardio.files.dates import encode_time
from cardio.ledger.ledger import now
from cardio.virtual.hosts import load_host
from cardiod.cashier import Cashier, Unbalanced
from cardiod.client import ApiProblem, Client
from cardiod.commands import config_commands, console_command, counter_commands, journal_commands, token_commands
from cardiod.commands.doctor_commands import doctor
from cardiod.crashes import leave_nothing_behind
from cardiod.demo import MAKING, DemoCounter, EmbeddedCounter, pcsc_counter
from cardiod.equipment import reader_driver
from cardiod.listening import Listeners, listeners
from cardiod.logs import configure_logging, into_the_journal
from cardiod.service import GracefulServer, background, counter_on, login_address, run_token, server, token_file
from cardiod.settings import DEFAULT_PORT, Scope, Settings, hash_token, load_settings
from cardiod.supervisor import Supervisor

app = typer.Typer(
    help="terminal service for citizen cards and social security cards",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(soft_wrap=True)
errors = Console(stderr=True)
app.add_typer(token_commands.app, name="token")
app.add_typer(config_commands.app, name="config")
app.add_typer(counter_commands.shifts, name="shift")
app.add_typer(counter_commands.batches, name="batch")
app.add_typer(journal_commands.app, name="journal")
app.command()(doctor)
app.command()(console_command.console)


@app.command()
@guarded
def serve(
    config: Annotated[Path | None, typer.Option(help="configuration file", metavar="FILE")] = None,
) -> None:
    """serve the readers of this computer"""
    leave_nothing_behind()
    settings = load_settings(config)
    configure_logging(settings.log_level)
    # The port and the journal first: a second daemon must fail before it touches the first one's token.
    with (
        listeners(settings) as bound,
        reader_driver(settings) as driver,
        counter_on(driver, settings) as counter,
        run_token(settings) as known,
    ):
        if known is not settings:
            errors.print(f"no token is configured; the one for this run is in {token_file(settings)}")
        http = server(counter, known, Supervisor.from_environment())
        errors.print(f"控制台 console: {_login(http, bound)}", highlight=False, markup=False)
        http.serve_on(bound)


@app.command()
@guarded
def demo(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free port")] = DEFAULT_PORT,
    token: Annotated[str, typer.Option(help="bearer token; made up if missing")] = "",
    once: Annotated[bool, typer.Option("--once", help="do a cashier's work once and end")] = False,
    pcsc: Annotated[
        bool, typer.Option("--pcsc", help="put the virtual cards into a real pcscd of its own, through vpcd")
    ] = False,
) -> None:
    """serve virtual readers with virtual cards: nothing here is real money"""
    configure_logging("warning")
    token = token or secrets.token_urlsafe(24)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cardio-demo-"))
        settings = Settings(
            port=0 if once else port,
            socket=None,
            tls_listen="",
            hsm=None,
            keyring=None,
            load_host=None,
            serial_readers=(),
            display=None,
            journal=Path(folder) / "journal.db",
            tokens=None,
            token_sha256=hash_token(token),
            client="demo-cashier",
            scopes=frozenset(Scope),
        )
        readers: DemoCounter = stack.enter_context(pcsc_counter()) if pcsc else EmbeddedCounter()
        console.print(MAKING, highlight=False)
        bound = stack.enter_context(listeners(settings))
        counter = stack.enter_context(counter_on(readers.driver, settings))
        counter.engine.host = load_host(lambda: encode_time(now()))
        http = server(counter, settings)
        if not once:
            _explain(bound.url, login_address(http, bound), readers, token)
            http.serve_on(bound)
            return
        with background(http, bound) as url, Client(url, token) as client:
            console.print(f"cardiod {url}   读卡器 readers: {', '.join(readers.driver.readers())}", highlight=False)
            try:
                Cashier(client, readers, console).work()
            except ApiProblem as problem:
                raise problem.as_error() from problem
            except Unbalanced as wrong:
                errors.print(f"不平 does not add up: {wrong}")
                raise typer.Exit(1) from wrong
        rows = counter.engine.ledger.verify_chain()
        console.rule(align="left")
        console.print(f"流水链校验通过 journal chain verified: {rows} rows. 每一分都对得上 every fen adds up.")


def _login(http: GracefulServer, bound: Listeners) -> str:
    """Where to log in; a one-time address is for whoever sits here, and has no business in the system's journal."""
    return "`cardiod console`" if into_the_journal() else login_address(http, bound)


def _explain(url: str, login: str, readers: DemoCounter, token: str) -> None:
    console.print(f"cardiod 虚拟读卡器 on virtual readers: {url}   (Ctrl-C ends it)")
    console.print(f"控制台 console (once, within 15 min): {login}", highlight=False, markup=False)
    console.print(f"token: {token}", highlight=False)
    body = json.dumps({"purpose": "try", "fields": ["card", "wallet"], "reader": readers.citizen})
    console.print(
        f"try:\n  curl -s {url}/v1/read -H 'Authorization: Bearer {token}' "
        f"-H 'Content-Type: application/json' \\\n       -d '{body}'",
        highlight=False,
        markup=False,
    )


def run() -> None:
    """Entry point."""
    app()
