"""`cardio readers` and `cardio read`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cardio.apdu.connection import CardConnection
from cardio.cli.options import (
    JsonOption,
    LanguageOption,
    PinOption,
    ProductOption,
    ProfilesOption,
    ReaderOption,
    WaitOption,
    catalogue,
    load_pin,
)
from cardio.cli.output import print_json, readings_document, stdout
from cardio.cli.page import Language, Page
from cardio.cli.reporting import guarded, stderr
from cardio.cli.schema import read_schema
from cardio.cli.selection import ReaderChoice
from cardio.errors import InputInvalid, ReaderUnavailable, SamAbsent
from cardio.products.groups import Group
from cardio.products.reading import CardReading
from cardio.readers.owner import SamOwner
from cardio.security.authentication import AuthenticationKeys
from cardio.security.hsm import Hsm
from cardio.security.keyring import Keyring
from cardio.security.psam import Psam

HSM_PIN_FILE = "CARDIO_HSM_PIN_FILE"
DEFAULT_GROUPS = (Group.CARD, Group.HOLDER, Group.WALLET)


@guarded
def readers(reader: ReaderOption = None, as_json: JsonOption = False) -> None:
    """list the readers, and whether a card is in them"""
    states = ReaderChoice(reader).driver.readers()
    if as_json:
        print_json([{"name": name, "card_present": state.present} for name, state in states.items()])
        return
    if not states:
        raise ReaderUnavailable("no reader is connected")
    for number, (name, state) in enumerate(states.items()):
        stdout.print(f"{number}  {name}  {'有卡 card' if state.present else '空 empty'}", markup=False)


@guarded
def read(
    reader: ReaderOption = None,
    groups: Annotated[list[Group] | None, typer.Option("--group", "-g", help="what to read; may be repeated")] = None,
    everything: Annotated[bool, typer.Option("--all", help="read all groups")] = False,
    masked: Annotated[bool, typer.Option("--masked", help="mask personal data")] = False,
    pin: PinOption = False,
    keyring: Annotated[
        Path | None, typer.Option("--keyring", help="encrypted file with authentication keys", metavar="FILE")
    ] = None,
    hsm: Annotated[
        str | None,
        typer.Option(
            "--hsm",
            help=f"token with authentication keys: PKCS#11 library and label; its PIN: {HSM_PIN_FILE} or a prompt",
            metavar="LIBRARY:TOKEN",
        ),
    ] = None,
    authenticate: Annotated[
        bool, typer.Option("--authenticate/--no-authenticate", help="have the card prove itself with PSAM or keyring")
    ] = True,
    product: ProductOption = None,
    profiles: ProfilesOption = None,
    stats: Annotated[bool, typer.Option("--stats", help="tell how many commands the card got")] = False,
    language: LanguageOption = Language.BOTH,
    wait: WaitOption = 0.0,
    as_json: JsonOption = False,
    schema: Annotated[bool, typer.Option("--schema", help="print the JSON Schema of --json, and read nothing")] = False,
) -> None:
    """read the card"""
    if schema:
        print_json(read_schema())
        return
    named = list(Group) if everything else groups
    products = catalogue(profiles, product)
    choice = ReaderChoice(reader, wait, None if product is None else products[product])
    with choice.card(products) as channel, _keys(choice, keyring, hsm, wanted=authenticate) as keys:
        card = CardConnection(channel)
        reading = CardReading(card, products, pin=load_pin(pin), keys=keys, masked=masked, authenticate=authenticate)
        found = reading.read(named or DEFAULT_GROUPS)
    if not groups:
        # Nobody asked for these by name: what the card does not have is not worth an error.
        found = {
            group: reading
            for group, reading in found.items()
            if reading.error is None or reading.error.code != "operation.unsupported"
        }
    if as_json:
        document = readings_document(found)
        print_json({**document, "stats": dict(card.counts)} if stats else document)
    else:
        Page(language, reading.files).print_readings(found)
    if stats:
        counts = ", ".join(f"{name} {count}" for name, count in card.counts.items())
        stderr.print(f"卡片指令 APDUs: {card.counts.total()} ({counts})", markup=False)
    failed = next((reading.error for reading in found.values() if reading.error is not None), None)
    if failed is not None:
        raise typer.Exit(failed.exit_code)


@contextmanager
def _keys(
    choice: ReaderChoice, keyring: Path | None, hsm: str | None, *, wanted: bool
) -> Iterator[AuthenticationKeys | None]:
    """Authentication keys: the keyring or the HSM that was named, or a PSAM if there is one."""
    if keyring is not None and hsm is not None:
        raise InputInvalid("--keyring and --hsm exclude each other")
    if hsm is not None:
        opened = _open_hsm(hsm)
        try:
            yield opened
        finally:
            opened.close()
        return
    if keyring is not None:
        passphrase: str = typer.prompt("密钥文件口令 keyring passphrase", hide_input=True, err=True)
        yield Keyring.load(keyring, passphrase)
        return
    try:
        found = choice.sam(None) if wanted else None
    except SamAbsent:
        found = None
    if found is None:
        yield None
        return
    owner = SamOwner(found.reader, choice.driver, virtual=found.virtual)
    try:
        yield Psam(owner)
    finally:
        owner.stop()


def _open_hsm(name: str) -> Hsm:
    library, separator, token = name.rpartition(":")
    if not separator or not library or not token:
        raise InputInvalid("--hsm takes LIBRARY:TOKEN")
    file = os.environ.get(HSM_PIN_FILE)
    try:
        pin = (
            Path(file).read_text(encoding="utf-8").strip()
            if file
            else typer.prompt("HSM PIN", hide_input=True, err=True)
        )
    except OSError as error:
        raise InputInvalid(f"{file}: {error.strerror}") from error
    return Hsm(Path(library), token, pin)
