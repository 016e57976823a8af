"""Power loss at every place of a personalization: the card holds all of a write or nothing, and the work can go on."""

from __future__ import annotations

from itertools import count

import pytest

from cardio.apdu.globalplatform import CardState, Scope
from cardio.crypto.globalplatform.keys import CardKeySource
from cardio.crypto.globalplatform.session import SecurityLevel
from cardio.errors import CardKeysDiffer, CardMute, CardRemoved, SecureChannelBroken
from cardio.personalize.globalplatform.cap import CapFile
from cardio.personalize.globalplatform.channel import SecureConnection
from cardio.personalize.globalplatform.commands import Installation
from cardio.personalize.globalplatform.dgi import Dgi
from cardio.personalize.globalplatform.manager import CardManager
from cardio.virtual.chip import Moment
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.globalplatform import JavaCard
from cardio.virtual.globalplatform_applet import PersonalizableApplet
from cardio.virtual.globalplatform_channel import Options
from tests.globalplatform.caps import APPLET, PACKAGE, components
from tests.globalplatform.channels import C_DEC, C_MAC, FULL, INSTANCE, SCP02, SCP03, Bench, aes_keys, bench, des_keys

GROUPINGS = [Dgi(0x0101, b"name"), Dgi(0x0102, bytes(300))]


class Work:
    """A personalization that looks what is done already, as one that is taken up again must."""

    def __init__(self, counter: Bench, options: Options, level: SecurityLevel) -> None:
        self._counter = counter
        self._level = level
        self._old = next(iter(counter.card.channel.key_sets.values())).keys
        self.new = aes_keys(16, 0x31) if options is SCP03 else des_keys(0x21)

    def _manager(self) -> CardManager:
        """Through the new keys, or the old ones: the card says which it has, no try is spent on finding out."""
        try:
            return CardManager(self._open(self.new))
        except CardKeysDiffer:
            return CardManager(self._open(self._old))

    def _open(self, keys: CardKeySource) -> SecureConnection:
        return self._counter.open(self._level, keys)

    def run(self) -> None:
        manager = self._manager()
        if not manager.registry(Scope.LOAD_FILES):
            manager.load(CapFile.of(components()))
        if not manager.registry(Scope.APPLICATIONS):
            manager.install(Installation(PACKAGE, APPLET, INSTANCE))
        manager.personalize(INSTANCE, GROUPINGS)
        if self.new.version not in {key.version for key in manager.key_information()}:
            manager.put_keys(self.new)
        (domain,) = manager.registry(Scope.ISSUER_SECURITY_DOMAIN)
        if domain.state == CardState.OP_READY:
            manager.set_card_state(CardState.INITIALIZED)


def finished(card: JavaCard, new_version: int) -> bool:
    applet = card.registry.applications[INSTANCE].applet
    assert isinstance(applet, PersonalizableApplet)
    return (
        list(card.registry.load_files) == [PACKAGE]
        and applet.groupings == {dgi.identifier: dgi.value for dgi in GROUPINGS}
        and list(card.channel.key_sets) == [new_version]
        and card.registry.state is CardState.INITIALIZED
    )


@pytest.mark.parametrize(("options", "level"), [(SCP02, C_DEC), (SCP03, FULL)])
@pytest.mark.parametrize(
    "fault",
    [Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.CUT_BEFORE_COMMIT, Fault.CUT_AFTER_COMMIT, Fault.MUTE, Fault.LATE],
)
def test_a_run_that_is_cut_anywhere_is_finished_by_the_next(
    fault: Fault, options: Options, level: SecurityLevel
) -> None:
    for n in count(1):
        counter = bench(options)
        work = Work(counter, options, level)
        plan = FaultPlan(fault, n)
        counter.card.faults = plan
        try:
            work.run()
        except (CardRemoved, CardMute):
            counter.reconnect()
            work.run()
        assert finished(counter.card, work.new.version)
        assert counter.card.channel.failures == 0
        if not plan.fired:
            break
    assert n > 5


@pytest.mark.parametrize(("moment", "there"), [(Moment.BEFORE_COMMIT, False), (Moment.AFTER_COMMIT, True)])
def test_a_key_set_is_there_wholly_or_not_at_all(moment: Moment, *, there: bool) -> None:
    counter = bench()
    manager = counter.manager()
    fault = Fault.CUT_AFTER_COMMIT if there else Fault.CUT_BEFORE_COMMIT
    counter.card.faults = FaultPlan(fault, only="84D8")
    with pytest.raises(CardRemoved):
        manager.put_keys(aes_keys(32, 0x30))
    assert list(counter.card.channel.key_sets) == ([0x30] if there else [0xFF])


@pytest.mark.parametrize(("fault", "failures"), [(Fault.CUT_BEFORE_COMMIT, 0), (Fault.CUT_AFTER_COMMIT, 1)])
def test_a_failed_try_counts_with_its_write(fault: Fault, failures: int) -> None:
    card = JavaCard(SCP03)
    card.transmit(bytes.fromhex("8050000008010203040506070800"))
    card.faults = FaultPlan(fault)
    with pytest.raises(CardRemoved):
        card.transmit(bytes.fromhex("8482010010" + "00" * 16))
    assert card.channel.failures == failures


def test_a_lost_answer_ends_the_channel_at_the_terminal() -> None:
    counter = bench()
    manager = counter.manager(C_MAC)
    counter.card.faults = FaultPlan(Fault.LATE)
    with pytest.raises(CardMute):
        manager.registry(Scope.APPLICATIONS)
    with pytest.raises(SecureChannelBroken, match="over"):
        manager.registry(Scope.APPLICATIONS)


def test_a_truncated_answer_is_noticed_where_answers_are_protected() -> None:
    counter = bench()
    manager = counter.manager(FULL)
    counter.card.faults = FaultPlan(Fault.TRUNCATED)
    with pytest.raises(SecureChannelBroken):
        manager.registry(Scope.ISSUER_SECURITY_DOMAIN)
