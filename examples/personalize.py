"""Makes a virtual citizen card from a blank one with test keys, loads ¥100.00, and prints what it tells."""

from datetime import date

from cardio.apdu.connection import CardConnection
from cardio.personalize.card_data import CardData
from cardio.personalize.virtual_cards import VirtualIssuer
from cardio.products.catalogue import Catalogue
from cardio.products.reading import CardReading, Group
from cardio.purse.operation import PurseKind
from cardio.transport.embedded import EmbeddedReader

catalogue = Catalogue.load()
issuer = VirtualIssuer(catalogue)
public = {"issuer": "9999000000000001", "application_type": 3, "application_version": 1, "issuer_data": "5566"}
row = CardData(
    record="1",
    wallet_serial="00008600000000000123",
    issued=date(2026, 6, 15),
    expires=date(2036, 6, 14),
    items={"ADF1/EF15": public},
)
card = issuer.card("citizen-wallet", row, pin="123456")
issuer.load(card, PurseKind.WALLET, 10000, pin="123456")

connection = CardConnection(EmbeddedReader("table", card).connect())
groups = CardReading(connection, catalogue).read([Group.CARD, Group.WALLET])
print(groups[Group.CARD].content["serial"], groups[Group.WALLET].content["balance_fen"])
