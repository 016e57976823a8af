"""Keys and life cycle of a card, and answers that are not the card's."""

from __future__ import annotations

import pytest

from cardio.apdu.command import Command, select_name
from cardio.apdu.globalplatform import CardState, Scope
from cardio.crypto.globalplatform.session import SecurityLevel
from cardio.errors import (
    AccessDenied,
    CardBlocked,
    CardContentRefused,
    CardKeysDoubtful,
    KeyCheckFailed,
    SecureChannelBroken,
)
from cardio.personalize.globalplatform.cap import CapFile
from cardio.personalize.globalplatform.opening import select_security_domain
from cardio.virtual.globalplatform_channel import Options
from tests.globalplatform.caps import PACKAGE, components
from tests.globalplatform.channels import (
    C_MAC,
    FULL,
    INSTANCE,
    R_MAC,
    SCP03,
    WITH_ANSWERS,
    aes_keys,
    bench,
    get_data,
    installed,
)


@pytest.fixture
def cap() -> CapFile:
    return CapFile.of(components())


# ---- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [16, 24, 32])
def test_keys_of_all_lengths_are_put_and_open_the_next_channel(size: int) -> None:
    counter = bench()
    counter.manager().put_keys(aes_keys(size, 0x30))
    assert counter.card.channel.key_sets[0x30].keys == aes_keys(size, 0x30)
    counter.open(FULL, aes_keys(size, 0x30))
    assert [key.size for key in counter.manager().key_information()] == [size] * 3


def test_a_key_set_takes_the_place_of_another() -> None:
    counter = bench()
    counter.manager().put_keys(aes_keys(16, 0x30))
    counter.manager().put_keys(aes_keys(32, 0x31), replaced=0x30)
    assert list(counter.card.channel.key_sets) == [0x31]
    counter.manager().put_keys(aes_keys(16, 0x32))
    counter.manager().delete_keys(0x31)
    assert list(counter.card.channel.key_sets) == [0x32]


def test_a_key_that_was_changed_on_the_way_is_refused_by_the_card() -> None:
    counter = bench()
    manager = counter.manager(SecurityLevel.NONE)
    counter.wire.change = lambda command: command[:20] + bytes([command[20] ^ 1]) + command[21:]
    with pytest.raises(KeyCheckFailed):
        manager.put_keys(aes_keys(16))
    assert list(counter.card.channel.key_sets) == [0xFF]


def test_check_values_that_the_card_answers_wrongly_are_told() -> None:
    counter = bench()
    manager = counter.manager(C_MAC)
    counter.wire.alter = lambda answer: bytes([answer[0], answer[1] ^ 1, *answer[2:]])
    with pytest.raises(CardKeysDoubtful) as told:
        manager.put_keys(aes_keys(16))
    assert not any(key.hex() in str(told.value).lower() for key in aes_keys(16).values())


# ---- life cycle ------------------------------------------------------------------------------------------------------


def test_a_secured_card_wants_macs(cap: CapFile) -> None:
    counter = bench()
    plain = counter.manager(SecurityLevel.NONE)
    plain.load(cap)
    plain.set_card_state(CardState.INITIALIZED)
    plain.set_card_state(CardState.SECURED)
    with pytest.raises(AccessDenied):
        plain.delete(PACKAGE)
    counter.manager(C_MAC).delete(PACKAGE)


def test_a_locked_card_is_unlocked_and_does_nothing_else(cap: CapFile) -> None:
    counter, manager = installed()
    for state in (CardState.INITIALIZED, CardState.SECURED, CardState.CARD_LOCKED):
        manager.set_card_state(state)
    counter.reconnect()
    assert counter.connection.send(select_name(INSTANCE)).sw == 0x6A81
    assert select_security_domain(counter.connection) == bytes.fromhex("A000000151000000")
    manager = counter.manager()
    with pytest.raises(CardContentRefused):
        manager.delete(PACKAGE, related=True)
    manager.set_card_state(CardState.SECURED)
    assert counter.connection.send(select_name(INSTANCE)).ok


def test_a_terminated_card_tells_its_data_and_nothing_else(cap: CapFile) -> None:
    counter, manager = installed()
    manager.set_card_state(CardState.TERMINATED)
    counter.reconnect()
    assert counter.connection.send(get_data(0x0066)).ok
    assert counter.connection.send(select_name(INSTANCE)).sw == 0x6A81
    assert counter.connection.send(Command("INITIALIZE UPDATE", 0x80, 0x50, data=bytes(8), le=0)).sw == 0x6A81
    with pytest.raises(CardBlocked):
        manager.registry(Scope.APPLICATIONS)


# ---- forged answers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("options", "level"), [(WITH_ANSWERS, C_MAC | R_MAC), (SCP03, C_MAC | R_MAC), (SCP03, FULL)])
def test_a_forged_answer_ends_the_channel(cap: CapFile, options: Options, level: SecurityLevel) -> None:
    counter, manager = installed(options, level)
    counter.wire.alter = lambda answer: bytes([answer[0] ^ 1, *answer[1:]])
    with pytest.raises(SecureChannelBroken):
        manager.registry(Scope.APPLICATIONS)
    counter.wire.alter = lambda answer: answer
    sent = len(counter.wire.commands)
    with pytest.raises(SecureChannelBroken, match="over"):
        manager.registry(Scope.APPLICATIONS)
    assert len(counter.wire.commands) == sent


def test_a_command_that_is_changed_on_the_way_ends_the_channel_at_the_card(cap: CapFile) -> None:
    counter, manager = installed()
    counter.wire.change = lambda command: command[:-2] + bytes([command[-2] ^ 1]) + command[-1:]
    with pytest.raises(AccessDenied):
        manager.registry(Scope.APPLICATIONS)
    counter.wire.change = lambda command: command
    with pytest.raises(AccessDenied):
        manager.registry(Scope.APPLICATIONS)


def test_a_secure_connection_counts_with_the_connection_underneath(cap: CapFile) -> None:
    counter, manager = installed()
    manager.registry(Scope.APPLICATIONS)
    assert counter.connection.counts["LOAD"] == 2
    assert counter.connection.counts["GET STATUS"] == 1
