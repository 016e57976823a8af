"""`cardio card replace-keys`: a finished card gets new keys in one directory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cardio.cli.hsm_keys import HsmKeysOption
from cardio.cli.key_sources import named_keys
from cardio.cli.option_groups import grouped
from cardio.cli.options import JsonOption, ProfilesOption, ReaderOption, WaitOption, catalogue
from cardio.cli.output import print_json, stdout
from cardio.cli.personalize.feeding import next_serial
from cardio.cli.personalize.options import (
    DEFAULT_REGISTER,
    HsmOption,
    KeyringOption,
    LayoutOption,
    OperatorOption,
    ProductName,
    RegisterOption,
    TryAgainOption,
    check_operators,
    issuing_keys,
)
from cardio.cli.reporting import guarded
from cardio.cli.selection import ReaderChoice
from cardio.errors import InputInvalid, LayoutInvalid
from cardio.personalize.example_job import example_job
from cardio.personalize.key_replacement import KeyReplacement
from cardio.personalize.layout import Layout
from cardio.personalize.layouts import load_card_layout
from cardio.personalize.pins import pin_of
from cardio.personalize.register import Register
from cardio.personalize.virtual_cards import VirtualIssuer
from cardio.products.catalogue import Catalogue
from cardio.products.model import Product
from cardio.security.issuing import IssuingKeys
from cardio.transport.channel import Channel
from cardio.transport.embedded import EmbeddedReader


@dataclass(frozen=True)
class KeyChangeOptions:
    """Two sources of keys: before and after."""

    keyring: KeyringOption = None
    hsm: HsmOption = None
    hsm_keys: HsmKeysOption = None
    new_keyring: Annotated[
        Path | None, typer.Option("--new-keyring", help="encrypted file with the new keys", metavar="FILE")
    ] = None
    new_hsm_keys: Annotated[
        Path | None,
        typer.Option("--new-hsm-keys", help="as --hsm-keys: the new keys in the same token", metavar="FILE"),
    ] = None

    @contextmanager
    def sources(self, product: Product) -> Iterator[tuple[IssuingKeys, IssuingKeys]]:
        """The keys that the cards have, and those that they get.

        Raises:
            InputInvalid: Not exactly one source of new keys is named, or as of `named_keys`.
        """
        tokenless = self.new_hsm_keys is not None and self.hsm is None
        if tokenless or (self.new_keyring is None) == (self.new_hsm_keys is None):
            raise InputInvalid("--new-keyring FILE, or --new-hsm-keys FILE with --hsm, tells where the new keys are")
        new_token = self.hsm if self.new_hsm_keys is not None else None
        with (
            named_keys(self.keyring, self.hsm, self.hsm_keys) as before,
            named_keys(self.new_keyring, new_token, self.new_hsm_keys) as after,
        ):
            yield issuing_keys(product, before), issuing_keys(product, after)


@grouped
@guarded
def replace_keys(
    directory: Annotated[
        str, typer.Argument(help="directory that the keys are in: ADF1, DF04, MF …", metavar="DIRECTORY")
    ],
    product: ProductName,
    keys: KeyChangeOptions,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", help="key to replace besides the master; all of the directory without", metavar="NAME"),
    ] = None,
    layout: LayoutOption = None,
    reader: ReaderOption = None,
    wait: WaitOption = 0.0,
    profiles: ProfilesOption = None,
    register: RegisterOption = DEFAULT_REGISTER,
    operator: OperatorOption = None,
    try_again: TryAgainOption = False,
    as_json: JsonOption = False,
) -> None:
    """give a finished card new keys in one directory, its master last

    A card that was interrupted is gone on with by the same command.
    """
    products = catalogue(profiles)
    made = catalogue(profiles, product)[product]
    choice = ReaderChoice(reader, wait)
    with keys.sources(made) as (before, after):
        operators = check_operators(before, operator)
        check_operators(after, operator)
        names = None if key is None else frozenset(key)
        replacement = KeyReplacement(made, directory, before, after, _layout(layout), names)
        job = replacement.job(operators)
        serial = next_serial(register) if choice.virtual else 0
        opened = Register(register)
        try:
            opened.open_job(job)
            with _virtual_card(products, made, serial) if choice.virtual else choice.card(products) as channel:
                done = replacement.replace(channel, opened, job.id, try_again=try_again)
        finally:
            opened.close()
    if as_json:
        print_json({"job": job.id, "attempt": done.id, "state": done.state.value, "kcvs": done.kcvs})
    else:
        for name in replacement.names:
            stdout.print(f"{directory}/{name}: {done.kcvs[f'{directory}/{name}']}", markup=False)
        text = f"{len(replacement.names)} 个密钥已更换 keys replaced; 登记 register: {done.id}"
        stdout.print(text, markup=False)


def _layout(file: Path | None) -> Layout | None:
    """The layout that was named.

    Raises:
        LayoutInvalid: It cannot be used, or is a JavaCard's, whose key sets are not replaced by these commands.
    """
    loaded = None if file is None else load_card_layout(file)
    if loaded is not None and not isinstance(loaded, Layout):
        raise LayoutInvalid(f"{loaded.id}: keys of JavaCards are not replaced")
    return loaded


@contextmanager
def _virtual_card(products: Catalogue, product: Product, serial: int) -> Iterator[Channel]:
    """A finished virtual card of the product, with test keys, that nobody has seen."""
    issuer = VirtualIssuer(products)
    maker = issuer.maker(product.id)
    row = example_job(product, maker.layout, serial)[1][-1]
    pin = pin_of(maker, row) if maker.needs_pin else None
    channel = EmbeddedReader("virtual", issuer.card(product.id, row, pin, number=serial)).connect()
    try:
        yield channel
    finally:
        channel.close()
