"""Which plan a card gets: the one place that knows both kinds of layouts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial

from cardio.apdu.connection import CardConnection
from cardio.errors import LayoutInvalid
from cardio.personalize.binding import Reference, references
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


class Planner(ABC):
    """Makes the plans of all cards of one layout.

    Args:
        product: What they are.
        layout: What is on them.
        keys: The issuer's keys.
    """

    def __init__(self, product: Product, layout: CardLayout, keys: IssuingKeys) -> None:
        self._product = product
        self._keys = keys
        self._passing, self._lasting = tuple(layout.passing_key_names()), tuple(layout.key_names())
        self._compared = False

    def references(self, card: CardConnection, data: CardData, content: CardContent) -> Reference:
        """How the keys of one card are named to their source.

        Those of the first card are compared: roots that are one key make one key on every card.

        Raises:
            SamKeyMissing: The source lacks one.
            KeyRejected: Two of them are the same.
            CardDataInvalid: The card's ATR does not hold what they are made from.
        """
        reference = references(self._product, data, content.files, card.atr)
        if not self._compared:
            for name in self._passing:
                self._keys.kcv(reference(name))
            self._keys.refuse_equal(reference(name) for name in self._lasting)
            self._compared = True
        return reference

    @abstractmethod
    def plan(self, card: CardConnection, data: CardData, content: CardContent, pin: str | None) -> CardPlan:
        """The plan of one powered card; nothing is sent to it.

        Args:
            card: The card.
            data: Its row.
            content: What it will hold.
            pin: The holder's PIN; None for a card without.

        Raises:
            SamKeyMissing: The source of keys lacks one.
            KeyRejected: Two keys of the card are the same.
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
        super().__init__(product, layout, keys)
        self._layout = layout
        self._cos = cos_driver(layout.cos)

    def plan(self, card: CardConnection, data: CardData, content: CardContent, pin: str | None) -> CardPlan:
        """The plan for the COS that the layout names."""
        reference = self.references(card, data, content)
        return NativePlan(self._layout, content, reference, self._cos(card, self._keys), pin)


class JavaCardPlanner(Planner):
    """Plans for JavaCards; their CAP files and key sets are looked at once, before the first card.

    Args:
        product: What they are.
        layout: Their applets.
        keys: The issuer's keys.
    """

    def __init__(self, product: Product, layout: JavaCardLayout, keys: IssuingKeys) -> None:
        super().__init__(product, layout, keys)
        self._layout = layout
        self._load_files = layout.read_packages()
        self._transport = keys.key_set(layout.transport.reference(layout.protocol))
        self._own = keys.key_set(layout.own.reference(layout.protocol))
        declared = declarations(product, layout)
        for written in layout.written_files():
            if written.place not in declared:
                raise LayoutInvalid(f"{'/'.join(written.place)}: {product.id} has no such file")

    def plan(self, card: CardConnection, data: CardData, content: CardContent, pin: str | None) -> CardPlan:  # noqa: ARG002 - it is in the content
        """The plan by GlobalPlatform's commands."""
        driver = JavaCardDriver(card, self._layout, self._transport, self._own)
        of_card = partial(self.references, card, data, content)
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
