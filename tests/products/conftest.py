"""Cards and products for reading: the shipped catalogue, and a card that holds both applications."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from cardio.apdu.connection import CardConnection
from cardio.files.social_security.environment import EF05_ISSUER, IssuerData
from cardio.products import catalogue as catalogue_module
from cardio.products.catalogue import Catalogue
from cardio.products.group_reading import GroupReading
from cardio.products.groups import Group
from cardio.products.reading import CardReading
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card, social_security_card
from cardio.virtual.pin_pad import VirtualPinPad
from cardio.virtual.wallet import WalletFunction
from tests.products.readings import Read

Present = Callable[..., CardConnection]


@pytest.fixture(autouse=True)
def no_system_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Products of the machine that runs the tests stay out."""
    monkeypatch.setattr(catalogue_module, "SYSTEM_FOLDER", tmp_path / "no such folder")


@pytest.fixture
def catalogue(no_system_folder: None) -> Catalogue:
    """The products that are shipped."""
    return Catalogue.load()


@pytest.fixture
def present() -> Present:
    """Puts a card into a reader and powers it."""

    def powered(card: VirtualCard, pad: VirtualPinPad | None = None) -> CardConnection:
        return CardConnection(EmbeddedReader("counter", card, pad).connect())

    return powered


@pytest.fixture
def read(catalogue: Catalogue, present: Present) -> Read:
    """Reads groups of a card that is put into a reader and taken out again."""

    def reading(
        card: VirtualCard,
        groups: Iterable[Group],
        pad: VirtualPinPad | None = None,
        *,
        pin: str | None = None,
        masked: bool = True,
    ) -> dict[Group, GroupReading]:
        connection = present(card, pad)
        try:
            return CardReading(connection, catalogue, pin=pin, masked=masked).read(groups)
        finally:
            connection.channel.close()

    return reading


def combined_card() -> VirtualCard:
    """A social security card that also holds a citizen wallet."""
    card = social_security_card()
    (wallet,) = citizen_card().master_file.directories
    card.master_file.add(wallet)
    assert isinstance(wallet.function, WalletFunction)
    wallet.function.card = card
    return card


def card_of_version(version: str | None) -> VirtualCard:
    """A social security card whose item 03 says this."""
    card = social_security_card()
    (ssse,) = card.master_file.directories
    (issuer,) = (file for file in ssse.files if file.declaration is EF05_ISSUER)
    records = list(issuer.records)
    item = IssuerData.specs()["version"].codec
    raw = item.blank() if version is None else item.encode(version)
    issuer.records = [bytes([0x03, 4]) + raw if record[0] == 0x03 else record for record in records]
    return card
