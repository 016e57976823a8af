"""What surrounds the daemon of the soak: holders with their cards, PSAMs, and the load host."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.applications.medical import CardMode
from cardio.files.dates import CardDate, encode_time
from cardio.purse.operation import PurseKind
from cardio.security.keyring import Keyring
from cardio.security.software_load_host import SoftwareLoadHost
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import Person, citizen_card, psam, social_security_card
from tests.counter import PIN, account_of, wallet_of
from tests.faults.world import SHIPPED, FaultyHost, roots
from tests.soak.clock import SimulatedClock
from tests.soak.hands import Orders

WALLET_LANES = ("wallet 1", "wallet 2", "wallet 3", "wallet 4", "wallet 5")
PAD_LANE = "social with pad"
SOCIAL_LANES = ("social 1", "social 2", PAD_LANE)
LANES = (*WALLET_LANES, *SOCIAL_LANES)
SAMS = ("sam 1", "sam 2")
"""Names of the PSAMs and of their readers."""
READERS = (*LANES, *SAMS)
HOLDERS = 12
"""Holders who come to one lane again and again."""
BALANCE = 50_000_000
"""Fen on each card: enough for a busy day."""
CARDS = (*(f"{lane}, {number}" for lane in LANES for number in range(HOLDERS)), *SAMS)


@dataclass(frozen=True)
class Standing:
    """A purse, seen from inside its card.

    Attributes:
        balance_fen: Fen.
        purchases: How many it made.
        loads: How many it got.
    """

    balance_fen: int
    purchases: int
    loads: int


@dataclass(frozen=True)
class Holder:
    """Somebody with a card.

    Attributes:
        name: Name of the card.
        card: The card.
        purse: Its purse.
    """

    name: str
    card: VirtualCard
    purse: PurseKind

    @property
    def standing(self) -> Standing:
        """What the card holds now."""
        if self.purse is PurseKind.MEDICAL:
            account = account_of(self.card)
            return Standing(account.balance, account.purchase_counter, account.load_counter)
        wallet = wallet_of(self.card)
        return Standing(wallet.balance, wallet.offline_counter, wallet.online_counter)


class Outside:
    """Everything outside of the daemon's process.

    Args:
        clock: The simulated time.

    Attributes:
        holders: Who comes to each lane.
        sams: The PSAMs, by name.
        host: The load host behind its line.
        orders: For the hands at the readers.
    """

    def __init__(self, clock: SimulatedClock) -> None:
        self.holders = {lane: [_holder(lane, number) for number in range(HOLDERS)] for lane in LANES}
        self.sams = {
            name: psam(terminal=bytes.fromhex(f"{999999000000 + number}")) for number, name in enumerate(SAMS, 1)
        }
        keyring = Keyring("host", roots(SHIPPED["citizen-wallet"]), test=True)
        self.host = FaultyHost(SoftwareLoadHost(keyring, lambda: encode_time(clock())))
        self.orders = Orders()

    @property
    def targets(self) -> dict[str, object]:
        """What the daemon's process reaches, by name."""
        cards = {holder.name: holder.card for holders in self.holders.values() for holder in holders}
        return {**cards, **self.sams, "host": self.host, "orders": self.orders}


def _holder(lane: str, number: int) -> Holder:
    """The n-th holder of a lane; no two cards of the counter are alike."""
    name, serial = f"{lane}, {number}", LANES.index(lane) * HOLDERS + number + 1
    if lane in WALLET_LANES:
        card = citizen_card(serial=f"{8600000000002000 + serial:020}", balance_fen=BALANCE)
        return Holder(name, card, PurseKind.WALLET)
    person = Person("测试丙", "999999199003030019", "1", CardDate(1990, 3, 3), f"{serial:08}", "A00000126")
    card = social_security_card(person, mode=CardMode.OFFLINE, balance_fen=BALANCE, pin=PIN)
    return Holder(name, card, PurseKind.MEDICAL)
