"""How many APDUs each use costs (design §6): the figure that is the same on every machine.

Purchases and gate taps are counted through the engine, in `test_tap_counts`.
"""

from datetime import datetime

from cardio.apdu.connection import CardConnection
from cardio.applications.medical import MedicalApplication
from cardio.applications.social_security import SocialSecurityApplication
from cardio.applications.wallet import WalletApplication
from cardio.files.dates import CARD_TIMEZONE, encode_time
from cardio.files.social_security.environment import HolderData
from cardio.purse.operation import Operation
from cardio.purse.purse import Purse, parse_proof
from cardio.security.keys import Mac2
from cardio.security.psam import Psam
from cardio.virtual.cards import citizen_card, social_security_card
from tests.applications.presenting import MEDICAL_RULES, SELECTION, WALLET_RULES, open_files, present, refuse_runs
from tests.security.slots import EmbeddedSlot

NOON = datetime(2026, 7, 1, 12, tzinfo=CARD_TIMEZONE)
ISSUER_ITEMS = 7
HOLDER_ITEMS = 7


def wallet_on(card: CardConnection) -> WalletApplication:
    return WalletApplication.open(card, SELECTION, WALLET_RULES)


def buy(card: CardConnection, purse: Purse, psam: Psam, amounts: tuple[int, ...]) -> None:
    """One purchase as the engine makes it."""
    with psam.hold() as session:
        terminal, key_index = session.terminal_number(), session.key_index(purse.rules.sam)
        initialized = purse.initialize(Operation.PURCHASE, amounts, terminal, key_index)
        order = purse.order(Operation.PURCHASE, initialized, amounts, encode_time(NOON))
        authorization = session.authorize(order)
        debited = parse_proof(
            Operation.PURCHASE, card.call(purse.debit_command(Operation.PURCHASE, authorization, order.time))
        )
        assert session.check_mac2(debited.mac2 or b"") is Mac2.OK


def warm(psam: Psam, purse: Purse) -> None:
    """What a terminal reads from its PSAM once."""
    psam.terminal_number()
    psam.key_index(purse.rules.sam)


def test_holders_data_of_a_2_0_card_take_three() -> None:
    card = present(social_security_card())
    environment = SocialSecurityApplication.select(card)
    assert environment.issuer().card_number == "A00000126"
    holder = open_files(card, environment).read("SSSE", "EF06").record
    assert isinstance(holder, HolderData)
    assert holder.name == "测试甲"
    environment.issuer()
    environment.identity()
    environment.factors()
    assert card.counts == {"SELECT": 1, "READ RECORD": 2}


def test_card_that_refuses_runs_is_read_record_by_record() -> None:
    virtual = social_security_card()
    refuse_runs(virtual)
    card = present(virtual)
    environment = SocialSecurityApplication.select(card)
    files = open_files(card, environment)
    read = [files.read("SSSE", label).records for label in ("EF05", "EF06")]
    # the first file: the refused run, its items, and the record that is not there; the second is not asked for a run
    assert card.counts == {"SELECT": 1, "READ RECORD": (1 + ISSUER_ITEMS + 1) + (HOLDER_ITEMS + 1)}
    other = present(social_security_card())
    whole = open_files(other, SocialSecurityApplication.select(other))
    assert read == [whole.read("SSSE", label).records for label in ("EF05", "EF06")]


def test_wallet_balance_takes_two() -> None:
    card = present(citizen_card(balance_fen=4321))
    assert wallet_on(card).purse.balance() == 4321
    assert card.counts == {"SELECT": 1, "GET BALANCE": 1}


def test_psam_is_selected_and_read_only_for_the_first_purchase() -> None:
    slot = EmbeddedSlot()
    psam = Psam(slot)
    totals = []
    for _ in range(3):
        card = present(citizen_card())
        buy(card, wallet_on(card).purse, psam, (1,))
        totals.append(slot.counts.total())
    # first: SELECT MF, READ terminal number, SELECT MF, SELECT 1001, READ key index, 80 70, 80 72
    assert totals == [7, 9, 11]


def test_settlement_takes_two_card_apdus_after_the_application_is_open() -> None:
    card, slot = present(social_security_card()), EmbeddedSlot()
    psam = Psam(slot)
    medical = MedicalApplication.open(card, SocialSecurityApplication.select(card), MEDICAL_RULES, "123456")
    # environment, EF05, PIN asked and presented, DF04, its EF05
    assert card.counts == {"SELECT": 2, "READ RECORD": 2, "VERIFY": 2}
    warm(psam, medical.purse)
    card.counts.clear()
    slot.counts.clear()
    buy(card, medical.purse, psam, (0, 10000, 8000))
    assert card.counts == {"INITIALIZE FOR PURCHASE": 1, "DEBIT FOR PURCHASE": 1}
    assert slot.counts == {"INIT SAM FOR PURCHASE": 1, "CREDIT SAM FOR PURCHASE": 1}


def test_proof_takes_one() -> None:
    card = present(citizen_card())
    wallet = wallet_on(card)
    buy(card, wallet.purse, Psam(EmbeddedSlot()), (200,))
    before = card.counts.total()
    assert wallet.purse.proof(Operation.PURCHASE, 0) is not None
    assert card.counts.total() == before + 1
    assert wallet.purse.proof(Operation.PURCHASE, 1) is None
    assert card.counts.total() == before + 2
