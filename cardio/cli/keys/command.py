"""`cardio keys new`, `list`, `kcv` and `log`; the other commands of the group are in the modules beside."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from cardio.cli.keys import prompts
from cardio.cli.keys.entering import ceremony, component
from cardio.cli.keys.options import FileArgument, NameArgument
from cardio.cli.keys.transport import export_command, import_command
from cardio.cli.options import JsonOption
from cardio.cli.output import print_json, stdout
from cardio.cli.reporting import guarded
from cardio.crypto.check_values import KeyAlgorithm
from cardio.crypto.ciphers import Algorithm
from cardio.crypto.suites import PbocSuite
from cardio.errors import InputInvalid
from cardio.ledger.chain_log import ChainLog
from cardio.personalize.key_store import KeyStore, check_values_text, log_file
from cardio.security.issuing import CardKeyReference, KeyringIssuingKeys
from cardio.security.keyring import Keyring, RootKey
from cardio.virtual.issuing_keys import TRANSPORT, issuer_test_keyring

FACTOR_SIZE = 8
FIXED_COLUMNS = ("seq", "time", "kind", "subject")

keys = typer.Typer(
    help="""issuer keys: keyring files, key ceremonies, key transport

    \b
    cardio keys new city.keys --name city
    cardio keys component li.part --custodian Li
    cardio keys ceremony city.keys WALLET-DLK --levels 1 --purpose "issue 2026" --custodian Li --custodian Wang
    cardio keys list city.keys
    """,
    no_args_is_help=True,
)
keys.command()(component)
keys.command()(ceremony)
keys.command("export")(export_command)
keys.command("import")(import_command)


@keys.command()
@guarded
def new(
    file: FileArgument,
    name: Annotated[str, typer.Option("--name", help="name of the keyring in registers and messages")] = "issuer",
    test: Annotated[
        bool, typer.Option("--test", help="fill it with the published test keys; it serves virtual cards only")
    ] = False,
    transport: Annotated[
        str | None,
        typer.Option("--transport", help="the card maker's transport key, if it is a public one", metavar="HEX"),
    ] = None,
) -> None:
    """make a keyring file"""
    if test and transport is not None:
        raise InputInvalid("--test has a transport key already")
    roots = {} if transport is None else {TRANSPORT: _public_key(transport)}
    keyring = issuer_test_keyring() if test else Keyring(name, roots, test=False)
    KeyStore.create(file, prompts.new_passphrase(file), keyring)
    stdout.print(f"已建立 made: {file}", markup=False)


@keys.command("list")
@guarded
def list_keys(file: FileArgument, as_json: JsonOption = False) -> None:
    """list the keys of a keyring: names, levels, check values"""
    keyring = prompts.open_store(file).keyring
    if as_json:
        found = [
            {"name": name, "levels": keyring.levels(name), "kcv": check_values_text(keyring, name)}
            for name in keyring.names()
        ]
        print_json({"name": keyring.name, "test": keyring.test, "keys": found})
        return
    kind = "测试密钥 test keys" if keyring.test else "正式密钥 production keys"
    table = Table(title=f"{keyring.name}  {kind}", title_justify="left")
    for title in ("名称\nname", "级数\nlevels", *(f"KCV\n{algorithm}" for algorithm in KeyAlgorithm)):
        table.add_column(title)
    for name in keyring.names():
        values = check_values_text(keyring, name)
        table.add_row(name, str(keyring.levels(name)), *(values.get(algorithm, "") for algorithm in KeyAlgorithm))
    stdout.print(table)


@keys.command()
@guarded
def kcv(
    file: FileArgument,
    name: NameArgument,
    factor: Annotated[
        list[str] | None,
        typer.Option("--factor", help="8 bytes; once for each level, highest authority first", metavar="HEX"),
    ] = None,
    algorithm: Annotated[Algorithm, typer.Option("--algorithm", help="cipher of the card")] = Algorithm.TRIPLE_DES,
) -> None:
    """print the check value of a card's key, diversified with the card's factors"""
    key = CardKeyReference(name, PbocSuite(algorithm), tuple(_factor(one) for one in factor or []))
    source = KeyringIssuingKeys(prompts.open_store(file).keyring)
    stdout.print(source.kcv(key).hex().upper())


@keys.command()
@guarded
def log(file: FileArgument, as_json: JsonOption = False) -> None:
    """check and print what happened to the keys of a keyring; takes no passphrase"""
    rows = [
        {"seq": row.seq, "time": row.time.isoformat(), "kind": row.kind, "subject": row.subject, **row.payload}
        for row in ChainLog(log_file(file)).rows()
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        fixed = [str(row.pop(name)) for name in FIXED_COLUMNS]
        stdout.print("  ".join([*fixed, *(f"{name}={_told(value)}" for name, value in row.items())]), markup=False)


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return f"{len(value)}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _public_key(text: str) -> RootKey:
    try:
        return RootKey(bytes.fromhex(text), 0)
    except ValueError:
        raise InputInvalid("a transport key has 16 or 32 hexadecimal digits") from None


def _factor(text: str) -> bytes:
    try:
        factor = bytes.fromhex(text)
    except ValueError:
        factor = b""
    if len(factor) != FACTOR_SIZE:
        raise InputInvalid("a factor has 16 hexadecimal digits")
    return factor
