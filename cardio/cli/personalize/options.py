"""Options that these commands share, and what they open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cardio.cli.hsm_keys import HsmKeysOption
from cardio.cli.key_sources import named_keys
from cardio.cli.options import ProfilesOption, catalogue
from cardio.cli.reporting import stderr
from cardio.errors import InputInvalid
from cardio.personalize.card_data import CardData
from cardio.personalize.derived.card import layout_of
from cardio.personalize.jobs import Job, load_job
from cardio.personalize.layouts import CardLayout, load_card_layout
from cardio.personalize.personalizer import Personalizer
from cardio.personalize.pins import pin_of
from cardio.products.model import Product
from cardio.security.hsm import Hsm
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
TryAgainOption = Annotated[bool, typer.Option("--try-again", help="try cards once more that were rejected")]
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


@dataclass(frozen=True)
class MakerOptions:
    """What the cards of a job are made with."""

    layout: LayoutOption = None
    keyring: KeyringOption = None
    hsm: HsmOption = None
    hsm_keys: HsmKeysOption = None
    pins: PinsOption = PinPolicy.NATURAL
    profiles: ProfilesOption = None

    @contextmanager
    def maker(self, product: str) -> Iterator[Personalizer]:
        """Makes cards of the product of that id; what its operating system cannot express is told.

        Raises:
            InputInvalid: No product has that id, or both a keyring and a token are named.
            LayoutInvalid: The layout cannot be used, or is another product's.
            LoadFileInvalid: A CAP file of it cannot be used.
        """
        made_for = catalogue(self.profiles, product)[product]
        layout = self._layout()
        shared = (layout or layout_of(made_for)[0]).passing_key_names()
        with named_keys(self.keyring, self.hsm, self.hsm_keys, shared) as named:
            yield self._maker(made_for, issuing_keys(made_for, named), layout)

    def test_maker(self, product: str) -> Personalizer:
        """As `maker`, with test keys."""
        made_for = catalogue(self.profiles, product)[product]
        return self._maker(made_for, issuing_test_keys(made_for), self._layout())

    def _layout(self) -> CardLayout | None:
        return None if self.layout is None else load_card_layout(self.layout)

    def _maker(self, product: Product, keys: IssuingKeys, layout: CardLayout | None) -> Personalizer:
        maker = Personalizer(product, keys, layout, catalogue(self.profiles))
        for sentence in maker.left_out:
            stderr.print(f"注意 note: {sentence}", markup=False)
        return maker

    def load_job(self, maker: Personalizer, file: Path, operators: tuple[str, ...] = ()) -> Job:
        """The job in a file, all its rows checked, each with its PIN.

        Raises:
            JobInvalid: A row is wrong.
        """
        return load_job(file, maker, Pins(maker, self.pins), operators=operators)


def issuing_keys(product: Product, named: Keyring | Hsm | None) -> IssuingKeys:
    """The issuer's keys: a keyring, a token, or test keys, which no real card meets."""
    if isinstance(named, Keyring):
        return KeyringIssuingKeys(named)
    if named is not None:
        return HsmIssuingKeys(named)
    stderr.print("测试密钥，仅限虚拟卡 test keys: for virtual cards only")
    return issuing_test_keys(product)


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
