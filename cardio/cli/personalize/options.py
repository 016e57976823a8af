"""Options that these commands share, and what they open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cardio.cli.key_sources import open_hsm
from cardio.cli.options import catalogue
from cardio.cli.reporting import stderr
from cardio.errors import InputInvalid
from cardio.personalize.card_data import CardData
from cardio.personalize.layouts import load_card_layout
from cardio.personalize.personalizer import Personalizer
from cardio.personalize.pins import pin_of
from cardio.products.model import Product
from cardio.security.hsm_issuing import HsmIssuingKeys
from cardio.security.issuing import IssuingKeys, KeyringIssuingKeys
from cardio.security.keyring import Keyring
from cardio.virtual.issuing_keys import issuing_test_keys

JobArgument = Annotated[Path, typer.Argument(help="job file: .csv, or JSON Lines", metavar="JOB")]
ProductName = Annotated[str, typer.Option("--product", help="card product", metavar="PRODUCT")]
LayoutOption = Annotated[
    Path | None, typer.Option("--layout", help="layout in TOML; derived from the product without", metavar="FILE")
]
KeyringOption = Annotated[
    Path | None,
    typer.Option("--keyring", help="encrypted file with the issuer's keys; test keys without", metavar="FILE"),
]
HsmOption = Annotated[
    str | None,
    typer.Option("--hsm", help="token with the issuer's keys: PKCS#11 library and label", metavar="LIBRARY:TOKEN"),
]
RegisterOption = Annotated[Path, typer.Option("--register", help="register of all cards", metavar="FILE")]
OperatorOption = Annotated[
    list[str] | None,
    typer.Option("--operator", help="who runs it; keys that are no test keys want two", metavar="NAME"),
]
DEFAULT_REGISTER = Path("cards.db")


class PinPolicy(StrEnum):
    """Where the PINs come from."""

    NATURAL = "natural"
    """Made from the key PIN-GENERATION and the card's number."""
    ASK = "ask"
    """One for all cards, typed here."""


PinsOption = Annotated[
    PinPolicy,
    typer.Option("--pins", help="natural: made by a key from the card's number; ask: one for all, typed here"),
]


def product_named(name: str, profiles: Path | None) -> Product:
    """The product of that id.

    Raises:
        InputInvalid: No product has it.
    """
    return catalogue(profiles, name)[name]


@contextmanager
def issuing_keys(product: Product, keyring: Path | None, hsm: str | None) -> Iterator[IssuingKeys]:
    """The issuer's keys: a keyring, a token, or test keys, which no real card meets."""
    if keyring is not None and hsm is not None:
        raise InputInvalid("--keyring and --hsm exclude each other")
    if hsm is not None:
        token = open_hsm(hsm)
        try:
            yield HsmIssuingKeys(token)
        finally:
            token.close()
        return
    if keyring is not None:
        passphrase: str = typer.prompt("密钥文件口令 keyring passphrase", hide_input=True, err=True)
        yield KeyringIssuingKeys(Keyring.load(keyring, passphrase))
        return
    stderr.print("测试密钥，仅限虚拟卡 test keys: for virtual cards only")
    yield issuing_test_keys(product)


def maker_of(product: Product, keys: IssuingKeys, layout: Path | None) -> Personalizer:
    """Makes cards of the product; what its operating system cannot express is told.

    Raises:
        LayoutInvalid: The layout cannot be used, or is another product's.
        LoadFileInvalid: A CAP file of it cannot be used.
    """
    maker = Personalizer(product, keys, None if layout is None else load_card_layout(layout))
    for sentence in maker.left_out:
        stderr.print(f"注意 note: {sentence}", markup=False)
    return maker


class Pins:
    """The PIN of every row.

    Args:
        maker: Makes the cards.
        policy: Where the PINs come from.
    """

    def __init__(self, maker: Personalizer, policy: PinPolicy) -> None:
        self._maker = maker
        self._typed: str | None = None
        if policy is PinPolicy.ASK and maker.needs_pin:
            self._typed = typer.prompt("初始密码 initial PIN", hide_input=True, confirmation_prompt=True, err=True)

    def __call__(self, row: CardData) -> str | None:
        """The PIN of a row; None if the cards have none.

        Raises:
            JobInvalid: The row has no number that one could be made from.
        """
        if not self._maker.needs_pin:
            return None
        return self._typed if self._typed is not None else pin_of(self._maker, row)


def check_operators(keys: IssuingKeys, operators: list[str] | None) -> tuple[str, ...]:
    """Two different persons run a job with keys that are no test keys (PERS §3.2).

    Raises:
        InputInvalid: There are fewer.
    """
    names = tuple(dict.fromkeys(name.strip() for name in operators or () if name.strip()))
    if not keys.test and len(names) < 2:
        raise InputInvalid("--operator NAME twice: two persons run a job with production keys")
    return names
