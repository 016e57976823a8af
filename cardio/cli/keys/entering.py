"""`cardio keys component` and `cardio keys ceremony`: a key comes in, known to nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cardio.cli.keys import prompts
from cardio.cli.keys.options import AlgorithmOption, FileArgument, NameArgument, PurposeOption
from cardio.cli.output import stdout
from cardio.cli.reporting import guarded, stderr
from cardio.crypto.check_values import KeyAlgorithm
from cardio.errors import InputInvalid
from cardio.personalize.ceremony import Ceremony
from cardio.security.key_components import KeyComponent
from cardio.security.keyring import MAX_LEVELS


@guarded
def component(
    file: Annotated[Path, typer.Argument(help="new file for the component", metavar="FILE")],
    custodian: Annotated[str, typer.Option("--custodian", help="who will have it", metavar="NAME")],
    algorithm: AlgorithmOption = KeyAlgorithm.TRIPLE_DES,
) -> None:
    """make a random component of a key, in a file under its custodian's passphrase"""
    made = KeyComponent.generate(custodian, algorithm)
    made.save(file, prompts.new_passphrase(file))
    stdout.print(f"{custodian}: 分量校验值 KCV of the component {made.kcv.hex().upper()}", markup=False)


@guarded
def ceremony(
    file: FileArgument,
    name: NameArgument,
    levels: Annotated[
        int,
        typer.Option(
            "--levels",
            help="factors from the key to a card: 3 a national root, 0 a key that many cards share",
            min=0,
            max=MAX_LEVELS,
        ),
    ],
    purpose: PurposeOption,
    custodian: Annotated[
        list[str] | None,
        typer.Option("--custodian", help="who types a component; once for each of them", metavar="NAME"),
    ] = None,
    component_file: Annotated[
        list[Path] | None,
        typer.Option("--component", help="file of a component; once for each of them", metavar="FILE"),
    ] = None,
    checker: Annotated[
        str | None,
        typer.Option(
            "--checker", help="who enters the key's check value; the first custodian if missing", metavar="NAME"
        ),
    ] = None,
    is_new: Annotated[
        bool, typer.Option("--new", help="nobody knows the key's check value yet: show it, to be written down")
    ] = False,
    algorithm: AlgorithmOption = KeyAlgorithm.TRIPLE_DES,
) -> None:
    """enter a key in components; two persons at least"""
    if not custodian and not component_file:
        raise InputInvalid("nobody has a component: --custodian or --component")
    entered = Ceremony(prompts.open_store(file), name, levels, algorithm, purpose)
    for person in custodian or []:
        part = prompts.typed_component(person, algorithm)
        entered.add(part, prompts.component_kcv(person))
    for path in component_file or []:
        part = prompts.filed_component(path, algorithm)
        entered.add(part, prompts.component_kcv(part.custodian))
    if is_new:
        stderr.print(f"{name}: 密钥校验值 KCV of the key {entered.kcv().hex().upper()}", markup=False)
    person = checker or entered.custodians[0]
    kcv = prompts.key_kcv(person)
    entered.finish(person, kcv)
    stdout.print(f"已写入 entered: {name} KCV {kcv.hex().upper()}", markup=False)
