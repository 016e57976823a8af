"""Virtual cards that are made as an issuer makes real ones: from blank cards, with test keys, loaded by a host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from cardio.apdu.connection import CardConnection
from cardio.engine.target import open_target
from cardio.errors import CardDiffers, OperationUnsupported
from cardio.files.dates import encode_time
from cardio.ledger.ledger import now
from cardio.personalize.card_data import CardData
from cardio.personalize.personalizer import Personalizer
from cardio.products.catalogue import Catalogue
from cardio.purse.operation import Operation, PurseKind
from cardio.transport.embedded import EmbeddedReader
from cardio.virtual.blank_products import blank_card_for
from cardio.virtual.card import VirtualCard
from cardio.virtual.hosts import load_host
from cardio.virtual.issuing_keys import issuing_test_keys

TERMINAL = bytes.fromhex("999999000099")
"""Number of the terminal at which new cards are loaded."""


class VirtualIssuer:
    """Makes virtual cards, and puts money on them.

    It takes no reader, so no real card can come to it, and needs neither register nor journal: a card that did not come
    out right is thrown away.

    Args:
        catalogue: The products that it can make.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._makers: dict[str, Personalizer] = {}

    def maker(self, product: str) -> Personalizer:
        """What makes the cards of a product, by the product's id."""
        found = self._makers.get(product)
        if found is None:
            known = self._catalogue[product]
            found = self._makers[product] = Personalizer(known, issuing_test_keys(known))
        return found

    def card(self, product: str, data: CardData, pin: str | None = None, *, number: int = 1) -> VirtualCard:
        """Make a card from a blank one.

        Args:
            product: Id of its product.
            data: What it is to hold.
            pin: The holder's PIN, 4 to 12 digits; None for a product without.
            number: Serial number of its chip, 1 to 99 999 999, which is part of its ATR.

        Raises:
            JobInvalid: A field of the data is missing, wrong, or does not fit.
            CardDiffers: What was read back is not what was written: a bug.
        """
        maker = self.maker(product)
        prepared = maker.prepare(data, pin)
        card = blank_card_for(maker.product, number)
        with _powered(card) as connection:
            for step in maker.plan(connection, prepared).whole():
                step.act()
            wrong = [found.file for found in maker.read_back(connection.channel, prepared) if found.differs]
        if wrong:
            raise CardDiffers("; ".join(wrong))
        return card

    def load(self, card: VirtualCard, purse: PurseKind, amount_fen: int, pin: str | None = None) -> None:
        """Load a purse, authorized by a host with the same test keys.

        Args:
            card: The card.
            purse: Its wallet or its medical account.
            amount_fen: 1 to 0x7FFFFFFF.
            pin: The holder's PIN, where loading needs it.

        Raises:
            OperationUnsupported: The card has no such purse.
            CardioError: The card refused.
        """
        with _powered(card) as connection:
            target = open_target(connection, self._catalogue, purse, pin, Operation.LOAD)
            if target is None:
                raise OperationUnsupported(f"the card has no {purse}")
            account, wallet = target.purse, target.product.wallet
            host = load_host(lambda: encode_time(now()), wallet_levels=wallet.factors.levels if wallet else 1)
            initialized = account.initialize(Operation.LOAD, (amount_fen,), TERMINAL, account.load_key_index)
            request = account.host_request(
                Operation.LOAD, str(uuid4()), initialized, amount_fen, TERMINAL, target.number
            )
            grant = host.authorize(request)
            connection.call(account.grant_command(Operation.LOAD, grant, amount_fen))


@contextmanager
def _powered(card: VirtualCard) -> Iterator[CardConnection]:
    channel = EmbeddedReader("virtual issuer", card).connect()
    try:
        yield CardConnection(channel)
    finally:
        channel.close()
