"""Faults of virtual cards as a program sees them that talks to pcscd."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cardio.errors import CardAbsent, CardRemoved, LinkCorrupt
from cardio.transport.channel import Channel
from cardio.transport.pcsc import PcscDriver
from cardio.virtual.cards import citizen_card
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.vpcd import VpcdLink
from tests.counter import eventually
from tests.virtual.wire import SELECT_WALLET, VERIFY_WRONG

pytestmark = pytest.mark.pcsc


def connected(driver: PcscDriver, reader: str) -> Channel:
    """A channel as soon as pcscd has seen the card."""
    found: list[Channel] = []

    def connect() -> bool:
        try:
            found.append(driver.connect(reader))
        except (CardAbsent, CardRemoved):
            return False
        return True

    eventually(connect)
    return found[0]


@pytest.fixture
def driver() -> Iterator[PcscDriver]:
    driver = PcscDriver()
    yield driver
    driver.release()


def exchange(channel: Channel, command: str) -> str:
    return channel.transmit(bytes.fromhex(command)).hex().upper()


def test_a_cut_card_is_gone_and_its_write_is_whole(pcscd: PrivatePcscd, driver: PcscDriver) -> None:
    card = citizen_card()
    with VpcdLink(card, port=pcscd.port(0)) as link:
        channel = connected(driver, pcscd.readers[0])
        plan = card.faults = FaultPlan(Fault.CUT_AFTER_COMMIT, 2)
        assert exchange(channel, VERIFY_WRONG) == "63C5"
        with pytest.raises(CardRemoved):
            exchange(channel, VERIFY_WRONG)
        channel.close()
        assert (plan.fired, link.inserted, link.failure) == (True, False, None)
        link.insert()
        channel = connected(driver, pcscd.readers[0])
        assert exchange(channel, VERIFY_WRONG) == "63C3"
        channel.close()


def test_another_card_in_between(pcscd: PrivatePcscd, driver: PcscDriver) -> None:
    card, other = citizen_card(), citizen_card(serial="00008600000000000124")
    with VpcdLink(card, port=pcscd.port(0)) as link:
        channel = connected(driver, pcscd.readers[0])
        card.faults = FaultPlan(Fault.CUT_AFTER, action=link.remove)
        with pytest.raises(CardRemoved):
            exchange(channel, SELECT_WALLET)
        channel.close()
    with VpcdLink(other, port=pcscd.port(0)):
        channel = connected(driver, pcscd.readers[0])
        assert "00008600000000000124" in exchange(channel, SELECT_WALLET)
        channel.close()


@pytest.mark.parametrize(("fault", "left"), [(Fault.MUTE, "63C5"), (Fault.LATE, "63C4")])
def test_a_mute_card_stays_in_its_reader(pcscd: PrivatePcscd, driver: PcscDriver, fault: Fault, left: str) -> None:
    card = citizen_card()
    with VpcdLink(card, port=pcscd.port(0)) as link:
        channel = connected(driver, pcscd.readers[0])
        card.faults = FaultPlan(fault)
        with pytest.raises(LinkCorrupt):
            exchange(channel, VERIFY_WRONG)
        assert exchange(channel, VERIFY_WRONG) == left
        assert link.inserted
        channel.close()
