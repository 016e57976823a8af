"""`cardio keys export` and `cardio keys import`: keys between two issuers' keyrings, wrapped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cardio.cli.keys import prompts
from cardio.cli.keys.options import AlgorithmOption, FileArgument, NameArgument, PurposeOption
from cardio.cli.output import print_json, stdout
from cardio.cli.reporting import guarded
from cardio.crypto.check_values import KeyAlgorithm
from cardio.errors import InputInvalid
from cardio.personalize.key_transport import Form, Transport, export_key, import_key
from cardio.security.keyring import MAX_LEVELS

KekOption = Annotated[
    str, typer.Option("--kek", help="name of the key under which it travels, which both sides have", metavar="NAME")
]
PersonsOption = Annotated[
    list[str], typer.Option("--person", help="who does it: two different persons", metavar="NAME")
]


@guarded
def export_command(
    file: FileArgument,
    name: NameArgument,
    kek: KekOption,
    person: PersonsOption,
    purpose: PurposeOption,
    form: Annotated[
        Form, typer.Option("--form", help="TR-31 under an AES key or a 3DES key; or the old form, which binds nothing")
    ] = Form.TR31_AES,
    algorithm: AlgorithmOption = KeyAlgorithm.TRIPLE_DES,
) -> None:
    """print a key wrapped under another, as JSON with its check value"""
    store = prompts.open_store(file)
    print_json(export_key(store, name, kek, form, algorithm, person, purpose).document())


@guarded
def import_command(
    file: FileArgument,
    wrapped: Annotated[
        Path, typer.Argument(help="file with what `export` printed, or with a TR-31 key block", metavar="WRAPPED")
    ],
    kek: KekOption,
    person: PersonsOption,
    purpose: PurposeOption,
    name: Annotated[
        str | None, typer.Option("--name", help="name in this keyring, if not its own", metavar="NAME")
    ] = None,
    levels: Annotated[
        int | None, typer.Option("--levels", help="factors from it to a card, if not its own", min=0, max=MAX_LEVELS)
    ] = None,
    kcv: Annotated[str | None, typer.Option("--kcv", help="check value that came another way", metavar="HEX")] = None,
) -> None:
    """take a key that is wrapped under another"""
    try:
        text = wrapped.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputInvalid(f"{wrapped} cannot be read") from error
    told = Transport.parse(text, name=name, levels=levels, kcv=kcv)
    taken = import_key(prompts.open_store(file), told, kek, person, purpose)
    stdout.print(f"已写入 imported: {taken.name} KCV {taken.kcv}", markup=False)
