"""Which plan a card gets: the one place that knows both kinds of layouts."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from functools import partial

from cardio.apdu.connection import CardConnection
from cardio.errors import LayoutInvalid
from cardio.personalize.binding import references
from cardio.personalize.card_data import CardData, declarations
from cardio.personalize.cos.driver import cos_driver
from cardio.personalize.globalplatform.applet_keys import AppletKeys
from cardio.personalize.globalplatform.driver import JavaCardDriver, chip_identity
from cardio.personalize.globalplatform.layout import JavaCardLayout
from cardio.personalize.globalplatform.plan import JavaCardPlan
from cardio.personalize.layout import Layout
from cardio.personalize.layouts import CardLayout
from cardio.personalize.plan import NativePlan
from cardio.personalize.steps import CardContent, CardPlan
from cardio.products.model import Product
from cardio.security.issuing import IssuingKeys

SOME_ATR = bytes.fromhex("3B6D00009999000000999900000000000000")
"""Of no card: as PERS §5.3 has it, without a serial number. Keys of the same roots are compared by it."""


class Planner(ABC):
    """Makes the plans of all cards of one layout.

    Args:
        product: What they are.
        layout: What is on them.
        keys: The issuer's keys.
        described: The same for the same layout, on whatever machine.
    """

    def __init__(self, product: Product, layout: CardLayout, keys: IssuingKeys, described: str) -> None:
        self._product = product
        self._described = described
        self._keys = keys
        self._passing, self._lasting = tuple(layout.passing_key_names()), tuple(layout.key_names())

    def fingerprint(self, data: CardData, content: CardContent) -> bytes:
        """SHA-256 over the layout and the check values that all keys would have on some card with this content.

        Roots that are one key make one key on every card.

        Raises:
            SamKeyMissing: The source of keys lacks one.
            KeyRejected: Two of the keys that a finished card has are the same.
        """
        reference = references(self._product, data, content.files, SOME_ATR)
        self._keys.refuse_equal(reference(name) for name in self._lasting)
        values = [self._keys.kcv(reference(name)).hex() for name in (*self._passing, *self._lasting)]
        return hashlib.sha256(f"{self._described} {' '.join(values)}".encode()).digest()

    @abstractmethod
    def plan(self, card: CardConnection, data: CardData, content: CardContent, pin: str | None) -> CardPlan:
        """The plan of one powered card; nothing is sent to it.

        Args:
            card: The card.
            data: Its row.
            content: What it will hold.
            pin: The holder's PIN; None for a card without.

        Raises:
            CardDataInvalid: Its ATR does not hold what its keys are made from.
        """

    def chip(self, card: CardConnection) -> str:  # noqa: ARG002 - most cards tell nothing
        """What tells a card from others of the same ATR besides a UID, in hex; empty if it tells nothing."""
        return ""


class NativePlanner(Planner):
    """Plans for cards whose files their operating system creates.

    Args:
        product: What they are.
        layout: Their files.
        keys: The issuer's keys.
    """

    def __init__(self, product: Product, layout: Layout, keys: IssuingKeys) -> None:
        super().__init__(product, layout, keys, layout.model_dump_json())
        self._layout = layout
        self._cos = cos_driver(layout.cos)

    def plan(self, card: CardConnection, data: CardData, content: CardContent, pin: str | None) -> CardPlan:
        """The plan for the COS that the layout names."""
        reference = references(self._product, data, content.files, card.atr)
        return NativePlan(self._layout, content, reference, self._cos(card, self._keys), pin)


class JavaCardPlanner(Planner):
    """Plans for JavaCards; their CAP files and key sets are looked at once, before the first card.

    Args:
        product: What they are.
        layout: Their applets.
        keys: The issuer's keys.
    """

    def __init__(self, product: Product, layout: JavaCardLayout, keys: IssuingKeys) -> None:
        self._layout = layout
        self._load_files = layout.read_packages()
        loaded = [hashlib.sha256(file.load_file()).hexdigest() for file in self._load_files]
        described = f"{layout.model_dump_json(exclude={'packages'})} {' '.join(loaded)}"
        super().__init__(product, layout, keys, described)
        self._transport = keys.key_set(layout.transport.reference(layout.protocol))
        self._own = keys.key_set(layout.own.reference(layout.protocol))
        declared = declarations(product, layout)
        for written in layout.written_files():
            if written.place not in declared:
                raise LayoutInvalid(f"{'/'.join(written.place)}: {product.id} has no such file")

    def plan(self, card: CardConnection, data: CardData, content: CardContent, pin: str | None) -> CardPlan:  # noqa: ARG002 - it is in the content
        """The plan by GlobalPlatform's commands."""
        driver = JavaCardDriver(card, self._layout, self._transport, self._own)
        of_card = partial(references, self._product, data, content.files, card.atr)
        return JavaCardPlan(self._layout, self._load_files, content, AppletKeys(self._keys, of_card), driver)

    def chip(self, card: CardConnection) -> str:
        """Production data: cards of one make have one ATR."""
        return chip_identity(card, self._layout)


def planner_for(product: Product, layout: CardLayout, keys: IssuingKeys) -> Planner:
    """The planner for a layout.

    Raises:
        LayoutInvalid: Its COS has no driver, an applet's module is in no package, or the product lacks a file of it.
        LoadFileInvalid: A CAP file cannot be read.
        SamKeyMissing: The source of keys lacks a key set, or lets none out.
    """
    if isinstance(layout, JavaCardLayout):
        return JavaCardPlanner(product, layout, keys)
    return NativePlanner(product, layout, keys)
