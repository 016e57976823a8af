"""The counter's readers: cards that another program holds, readers that hang, PSAMs that come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cardio.applications.medical import CardMode
from cardio.engine.engine import Engine
from cardio.engine.requests import DebitRequest, SettleRequest
from cardio.errors import CardMultiple, Money, ReaderBusy, ReaderPoisoned
from cardio.ledger.bill import Bill
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import State, Tender, Transaction
from cardio.products.catalogue import Catalogue
from cardio.products.groups import Group
from cardio.readers.owner import OwnerState
from cardio.security.derived_keys import Terminal
from cardio.security.keyring import Keyring, RootKey
from cardio.security.keys import Mac2
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual import roots
from cardio.virtual.cards import citizen_card, psam, social_security_card
from cardiod.counter import Counter
from tests.counter import PIN, account_of, eventually, request, wallet_of
from tests.readers.stuck import LIMIT, StuckCard

INITIALIZE, DEBIT, MEDICAL_DEBIT = (bytes.fromhex(code) for code in ("8050", "8054", "B02C"))
OTHER_SERIAL = "00008600000000000124"


class World:
    """A counter with two readers for cards, of which one may hang, and one with a PSAM."""

    def __init__(self, folder: Path, *keys: Keyring) -> None:
        self.wallet = citizen_card(balance_fen=10000)
        self.card = StuckCard(self.wallet)
        self.citizen = EmbeddedReader("citizen", self.card)
        self.other_card = citizen_card(balance_fen=10000, serial=OTHER_SERIAL)
        self.other = EmbeddedReader("other")
        self.sam = EmbeddedReader("sam", psam())
        self.driver = EmbeddedDriver([self.citizen, self.other, self.sam])
        self.ledger = Ledger(folder / "journal.db")
        self.counter = Counter(Engine(self.ledger, Catalogue.load(), None), self.driver, keys=keys, limit=LIMIT)

    async def debit(self, reader: str | None = "citizen", key: str = "", wait: float = 5) -> Transaction:
        return await self.counter.payments.debit(DebitRequest(request(key=key, body=b"100"), 100, "sale"), reader, wait)

    async def until(self, check: Callable[[], bool]) -> None:
        await asyncio.to_thread(eventually, check)

    async def hangs(self) -> None:
        await self.until(self.card.hangs.is_set)


@asynccontextmanager
async def world_in(folder: Path, *keys: Keyring) -> AsyncIterator[World]:
    world = World(folder, *keys)
    try:
        async with world.counter.running():
            await world.until(lambda: bool(world.counter.presence.sams.readers))
            try:
                yield world
            finally:
                world.card.free.set()
        world.ledger.verify_chain()
    finally:
        world.ledger.close()


def run(folder: Path, story: Callable[[World], Awaitable[None]], *keys: Keyring) -> None:
    async def told() -> None:
        async with world_in(folder, *keys) as world:
            await story(world)

    asyncio.run(told())


# ---- a reader that hangs -----------------------------------------------------------------------------------------


def test_a_debit_that_hangs_is_uncertain_and_the_card_tells_at_another_reader(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.card.stuck_at = DEBIT
        uncertain = await world.debit(key="k")
        assert uncertain.state is State.UNCERTAIN
        assert world.counter.presence.states["citizen"] is OwnerState.POISONED
        world.citizen.remove()
        world.other.insert(world.wallet)
        known = await world.debit(reader="other", key="k")
        assert (known.id, known.state) == (uncertain.id, State.COMPLETED)
        # The stuck thread comes back when the question is answered: nothing changes any more.
        world.card.free.set()
        await world.until(lambda: world.counter.presence.states["citizen"] is OwnerState.READY)
        assert world.ledger.transaction(known.id).state is State.COMPLETED
        assert wallet_of(world.wallet).balance == 9900

    run(tmp_path, story)


def test_other_readers_are_served_while_one_hangs_in_its_debit(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.other.insert(world.other_card)
        world.card.stuck_at = DEBIT
        stuck = asyncio.create_task(world.debit())
        await world.hangs()
        # The PSAM is with the stuck purchase until that is given up.
        assert (await world.debit(reader="other")).state is State.COMPLETED
        assert (await stuck).state is State.UNCERTAIN
        assert (await world.debit(reader="other")).state is State.COMPLETED

    run(tmp_path, story)


def test_what_hangs_before_the_debit_moved_nothing_and_leaves_the_key_free(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.card.stuck_at = INITIALIZE
        with pytest.raises(ReaderPoisoned) as caught:
            await world.debit(key="k")
        assert caught.value.money is Money.NONE
        world.card.free.set()
        await world.until(lambda: world.counter.presence.states["citizen"] is OwnerState.READY)
        assert (await world.debit(key="k")).state is State.COMPLETED
        assert wallet_of(world.wallet).balance == 9900

    run(tmp_path, story)


def test_a_reader_that_hangs_refuses_and_serves_again_when_it_was_plugged_in_anew(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.card.stuck_at = DEBIT
        uncertain = await world.debit(key="k")
        with pytest.raises(ReaderPoisoned) as caught:
            await world.debit(key="another")
        assert caught.value.money is Money.NONE
        reader = world.driver.unplug("citizen")
        await world.until(lambda: "citizen" not in world.counter.presence.states)
        world.driver.plug(reader)
        await world.until(lambda: "citizen" in world.counter.presence.readers)
        known = await world.debit(key="k")
        assert (known.id, known.state) == (uncertain.id, State.COMPLETED)
        assert (await world.debit(key="another")).state is State.COMPLETED

    run(tmp_path, story)


def test_a_settlement_that_hangs_in_its_leg_is_uncertain_and_finished_later(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        social = social_security_card(mode=CardMode.OFFLINE, balance_fen=50000)
        stuck = world.card = StuckCard(social, MEDICAL_DEBIT)
        world.citizen.insert(stuck)
        bill = Bill(total_fen=1000, fund_fen=400, account_fen=600, self_pay_fen=0)
        asked = SettleRequest(request("settle", "s"), bill, Tender.CASH, "bill")
        settlement = await world.counter.payments.settle(asked, "citizen", 5, PIN)
        assert (settlement.state, settlement.legs[0].state) == (State.UNCERTAIN, State.UNCERTAIN)
        world.citizen.remove()
        world.other.insert(social)
        done = await world.counter.payments.settle(asked, "other", 5, PIN)
        assert done.state is State.COMPLETED
        assert account_of(social).purchase_counter == 1

    run(tmp_path, story)


def test_the_wallet_of_another_lane_does_not_pay_this_ones_bill(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.other.insert(social_security_card(mode=CardMode.OFFLINE, balance_fen=50000))
        world.driver.plug(EmbeddedReader("lane 2", world.other_card))
        await world.until(lambda: len(world.counter.presence.cards) == 3)
        bill = Bill(total_fen=1000, fund_fen=300, account_fen=600, self_pay_fen=100)
        asked = SettleRequest(request("settle", "s"), bill, Tender.WALLET, "bill")
        waiting = await world.counter.payments.settle(asked, "other", 1, PIN)
        assert waiting.state is State.AWAITING_CARD
        paid = await world.counter.payments.settle(asked, "other", 5, PIN, wallet_reader="citizen")
        assert paid.state is State.COMPLETED
        assert (wallet_of(world.wallet).balance, wallet_of(world.other_card).balance) == (9900, 10000)

    run(tmp_path, story)


def test_a_reading_that_hangs_moved_no_money(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.until(lambda: all(one.identified for one in world.counter.presence.cards.values()))
        world.card.stuck_at = bytes.fromhex("00A4")
        with pytest.raises(ReaderPoisoned) as caught:
            await world.counter.read([Group.WALLET], "citizen", 5, pin=None, masked=True)
        assert caught.value.money is Money.NONE

    run(tmp_path, story)


def test_the_daemon_ends_though_a_reader_hangs(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.card.stuck_at = DEBIT
        assert (await world.debit()).state is State.UNCERTAIN

    run(tmp_path, story)


# ---- cards that cannot be used yet -------------------------------------------------------------------------------


def test_a_card_that_another_program_holds_is_named_busy_and_served_when_it_is_free(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.other.insert(world.other_card)
        foreign = world.other.connect()
        await world.until(lambda: getattr(world.counter.presence.cards.get("other"), "held", None) is not None)
        with pytest.raises(ReaderBusy):
            await world.debit(reader="other", wait=0)
        waiting = asyncio.create_task(world.debit(reader="other"))
        await asyncio.sleep(0.1)
        foreign.close()
        assert (await waiting).state is State.COMPLETED

    run(tmp_path, story)


def test_several_cards_in_one_field_are_refused_by_name_until_one_is_left(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.other.insert(world.other_card)
        world.other.crowd(1)
        await world.until(lambda: getattr(world.counter.presence.cards.get("other"), "error", None) is not None)
        with pytest.raises(CardMultiple, match="2 cards in the field"):
            await world.debit(reader="other", wait=0.1)
        world.other.crowd(0)
        await world.until(
            lambda: getattr(world.counter.presence.cards.get("other"), "identification", None) is not None
        )
        assert (await world.debit(reader="other")).state is State.COMPLETED

    run(tmp_path, story)


# ---- PSAMs -------------------------------------------------------------------------------------------------------


def test_a_psam_is_found_again_after_it_was_moved_to_another_reader(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        assert (await world.debit()).state is State.COMPLETED
        card = world.sam.remove()
        assert card is not None
        await world.until(lambda: not world.counter.presence.sams.readers)
        assert "sam" in world.counter.presence.readers
        world.other.insert(card)
        await world.until(lambda: world.counter.presence.sams.readers == ("other",))
        assert "other" not in world.counter.presence.readers
        # Its former reader serves card holders now.
        world.sam.insert(world.other_card)
        assert (await world.debit(reader="sam")).state is State.COMPLETED

    run(tmp_path, story)


def test_the_next_psam_serves_when_one_is_pulled_out(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.driver.plug(EmbeddedReader("sam 2", psam(terminal=bytes.fromhex("999999000002"))))
        await world.until(lambda: world.counter.presence.sams.readers == ("sam", "sam 2"))
        first = await world.debit()
        world.sam.remove()
        await world.until(lambda: world.counter.presence.sams.readers == ("sam 2",))
        second = await world.debit()
        assert (first.state, second.state) == (State.COMPLETED, State.COMPLETED)
        assert second.armed is not None
        assert second.armed.terminal_number == "999999000002"
        assert second.armed.key_source == "psam:sam 2"

    run(tmp_path, story)


def test_a_keyring_behind_the_psam_serves_when_that_is_gone_and_the_journal_names_it(tmp_path: Path) -> None:
    root = RootKey(roots.test_root(roots.WALLET_ROOT, "DPK"), 1)
    keyring = Keyring("spare", {"WALLET-DPK": root}, test=True, terminal=Terminal(bytes.fromhex("999999000009")))

    async def story(world: World) -> None:
        first = await world.debit()
        world.sam.remove()
        await world.until(lambda: not world.counter.presence.sams.readers)
        second = await world.debit()
        assert first.armed is not None
        assert second.armed is not None
        assert (first.armed.key_source, second.armed.key_source) == ("psam:sam", "keyring:spare")
        assert (second.state, second.outcome.mac2) == (State.COMPLETED, Mac2.OK)

    run(tmp_path, story, keyring)


def test_a_torn_debit_is_judged_by_the_source_that_made_it_though_another_serves_now(tmp_path: Path) -> None:
    wrong = Keyring("wrong", {"WALLET-DPK": RootKey(bytes(16), 1)}, test=True)

    async def story(world: World) -> None:
        world.card.stuck_at = DEBIT
        uncertain = await world.debit(key="k")
        world.sam.remove()
        await world.until(lambda: not world.counter.presence.sams.readers)
        world.citizen.remove()
        world.other.insert(world.wallet)
        known = await world.debit(reader="other", key="k")
        assert (known.id, known.state) == (uncertain.id, State.COMPLETED)

    run(tmp_path, story, wrong)
