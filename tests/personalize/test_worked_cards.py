"""The two worked cards of PERS §5: every command that leaves, and every answer that comes, byte for byte.

The tables play the card, and the blank virtual cards do: neither can hide a mistake of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from cardio.apdu.connection import CardConnection
from cardio.applications.pin import verify_pin
from cardio.personalize.binding import Reference, references
from cardio.personalize.card_data import CardData, Holder
from cardio.personalize.cos.driver import cos_driver
from cardio.personalize.layout import Layout, load_layout
from cardio.personalize.personalizer import Personalizer, Prepared
from cardio.personalize.verifying import ReadingBack
from cardio.products.model import Product
from cardio.purse.medical import MedicalPurse
from cardio.purse.operation import Operation
from cardio.purse.purse import Purse
from cardio.purse.wallet import WalletPurse
from cardio.security.derived_keys import Terminal
from cardio.security.issuing import KeyringIssuingKeys
from cardio.security.keyring import Keyring
from cardio.security.keys import Authorization, Family
from cardio.security.software_load_host import SoftwareLoadHost
from cardio.transport.channel import CardProtocol, Disclosure
from cardio.virtual.blank_fmcos import blank_fmcos_card
from cardio.virtual.blank_ldt import BLANK_LDT_ATR, blank_ldt_card
from cardio.virtual.card import VirtualCard
from cardio.virtual.issuing_keys import issuer_test_keyring
from tests.personalize.workshop import CATALOGUE, LAYOUTS, PIN
from tests.virtual.personalization import ANY_FCI, Step, steps
from tests.virtual.wire import fixed

KEYRING = issuer_test_keyring()
TIME = bytes.fromhex("20260615101500")
SELECT, SOME_FCI = "00A4", "6F009000"
HOLDER = Holder(name="测试甲", number="999999199001010016", ethnicity="01", birthplace="999999")
CARD_A = CardData(
    record="1",
    holder=HOLDER,
    wallet_serial="00008600000000000123",
    issued=date(2026, 6, 1),
    expires=date(2035, 12, 31),
    items={
        "ADF1/EF15": {
            "issuer": "9999000000000001",
            "application_type": 3,
            "application_version": 1,
            "issuer_data": "5566",
        }
    },
)
CARD_B = CardData(
    record="1",
    holder=HOLDER,
    region="999900",
    card_serial="00000123",
    card_number="A00000126",
    issued=date(2026, 6, 15),
    expires=date(2036, 6, 14),
    items={
        "SSSE/EF05": {"institution": "915600000299990099990001", "card_class": "3"},
        "DF04/EF05": {
            "scheme": {
                "scheme": "310",
                "treatment_elsewhere": False,
                "outpatient_pooling": False,
                "major_disease": False,
                "medical_assistance": False,
                "veteran_subsidy": False,
            },
            "region": "999900",
            "insured_class": "11",
            "account_opened": "2026-01-01",
            "account_number": "9999000000000123",
            "mode": "2",
        },
    },
)


class Table:
    """A channel that takes exactly the commands of a table, in their order.

    Args:
        rows: The table.
        card: Answers, and must answer as the table has it; without a card the table answers itself.
        atr: Answer to reset, for a table that answers itself.
    """

    reader = "table"
    virtual = True
    protocol = CardProtocol.T1

    def __init__(self, rows: Sequence[Step], card: VirtualCard | None, atr: bytes) -> None:
        self.rows = list(rows)
        self.atr = atr if card is None else card.atr
        self._card = card

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        """The next row."""
        sent = command.hex().upper()
        assert self.rows, f"one command too many: {sent}"
        row = self.rows.pop(0)
        # The tables have SELECT without Le, which is how T=0 carries it.
        expected = row.command + "00" if row.command.startswith(SELECT) else row.command
        assert sent == expected, row.name
        if self._card is None:
            return bytes.fromhex(SOME_FCI if row.answer == ANY_FCI else row.answer)
        self._card.random = fixed(row.random)
        answer = self._card.transmit(command)
        assert row.fits(answer.hex().upper()), row.name
        return answer

    def close(self) -> None:
        """Nothing to give up."""


class Made:
    """One card that is made by the table.

    Args:
        product: Its product.
        layout: Name of its layout.
        data: Its row.
        table: All commands.
        tries: Tries of its PIN.
    """

    def __init__(self, product: str, layout: str, data: CardData, table: Table, tries: int) -> None:
        self.product: Product = CATALOGUE[product]
        self.maker = Personalizer(self.product, KeyringIssuingKeys(KEYRING), load_layout(LAYOUTS / f"{layout}.toml"))
        self.prepared: Prepared = self.maker.prepare(data, PIN)
        self.table, self._tries = table, tries
        self.card = CardConnection(table)

    def personalize(self) -> None:
        """Every step of the plan."""
        for step in self.maker.plan(self.card, self.prepared).whole():
            step.act()

    @property
    def reference(self) -> Reference:
        """The card's keys by name."""
        return references(self.product, self.prepared.data, self.prepared.content.files, self.card.atr)

    def reading_back(self) -> ReadingBack:
        """What reads the finished card."""
        layout = self.maker.layout
        assert isinstance(layout, Layout)
        cos = cos_driver(layout.cos)(self.card, self.maker.keys)
        return ReadingBack(layout, self.prepared.content, self.reference, cos, PIN)

    def verify(self) -> None:
        """Present the PIN; cardio asks for the tries that are left before, which the tables do not."""
        self.table.rows.insert(0, Step("asks first", "00200000", f"63C{self._tries}"))
        verify_pin(self.card, PIN)

    def load(self, purse: Purse, amount: int, terminal: str) -> None:
        """A load, granted by a host with the card's keys at the recorded time."""
        number = bytes.fromhex(terminal)
        asked = purse.initialize(Operation.LOAD, (amount,), number, 1)
        request = purse.host_request(Operation.LOAD, "1", asked, amount, number, "")
        grant = SoftwareLoadHost(KEYRING, lambda: TIME).authorize(request)
        self.card.call(purse.grant_command(Operation.LOAD, grant, amount))


def card_a(card: VirtualCard | None) -> Made:
    return Made("citizen-wallet", "citizen-wallet", CARD_A, Table(steps("a"), card, bytes(2)), 3)


def card_b(card: VirtualCard | None) -> Made:
    return Made("ssc-2.0", "social-security", CARD_B, Table(steps("b"), card, BLANK_LDT_ATR), 6)


@pytest.fixture(params=["the table answers", "a blank card answers"])
def answered_by_card(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "a blank card answers")


def test_card_a_is_made_and_accepted_by_exactly_the_61_commands_of_the_table(answered_by_card: bool) -> None:
    made = card_a(blank_fmcos_card() if answered_by_card else None)
    made.personalize()
    assert made.table.rows[0].name == "A48"
    back = made.reading_back()
    back.prove_masters()
    assert [found.file for found in back.of("ADF1") if found.same] == ["ADF1/EF15", "ADF1/EF16"]
    assert made.product.wallet is not None
    factors = made.reference("WALLET-DLK").factors
    purse = WalletPurse(made.card, made.product.wallet.rules(Family.PBOC), factors)
    assert purse.balance() == 0
    made.verify()
    made.load(purse, 10000, "999999000001")
    assert purse.balance() == 10000
    number = bytes.fromhex("999999000001")
    asked = purse.initialize(Operation.PURCHASE, (1000,), number, 1)
    keys = Keyring("terminal", {"WALLET-DPK": KEYRING.root("WALLET-DPK")}, test=True, terminal=Terminal(number))
    cryptograms = keys.purchase(purse.order(Operation.PURCHASE, asked, (1000,), TIME), 7)
    answer = made.card.call(purse.debit_command(Operation.PURCHASE, Authorization(7, cryptograms.mac1), TIME))
    assert answer[4:] == cryptograms.mac2
    assert purse.balance() == 9000
    assert made.table.rows == []


def test_card_b_is_made_and_accepted_by_exactly_the_120_commands_of_the_table(answered_by_card: bool) -> None:
    made = card_b(blank_ldt_card(protocol=CardProtocol.T1) if answered_by_card else None)
    made.personalize()
    assert made.table.rows[0].name == "B114"
    assert made.product.medical is not None
    factors = made.reference("DLK").factors
    purse = MedicalPurse(made.card, made.product.medical.rules(Family.LDT), factors)
    assert purse.starting_day() == "0101"
    made.verify()
    assert purse.balance() == 0
    made.load(purse, 10000, "999900000001")
    assert purse.balance() == 10000
    loaded = next(purse.log())
    assert (loaded.amounts, loaded.terminal.hex(), loaded.time) == ((10000,), "999900000001", TIME)
    assert made.table.rows == []
