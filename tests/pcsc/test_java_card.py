"""A JavaCard is personalized through a real pcscd, under both transmission protocols."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardio.apdu.command import select_name
from cardio.apdu.connection import CardConnection
from cardio.apdu.globalplatform import CardState, Scope
from cardio.crypto.globalplatform.keys import StaticKeys, default_test_keys
from cardio.crypto.globalplatform.session import SecurityLevel
from cardio.personalize.attempts import CardState as MadeState
from cardio.personalize.globalplatform.cap import CapFile
from cardio.personalize.globalplatform.commands import Installation
from cardio.personalize.globalplatform.dgi import Dgi
from cardio.personalize.globalplatform.layout import Protocol
from cardio.personalize.globalplatform.manager import CardManager
from cardio.personalize.globalplatform.opening import open_channel, select_security_domain
from cardio.transport.channel import CardProtocol
from cardio.transport.pcsc import PcscDriver
from cardio.virtual.globalplatform import JavaCard
from cardio.virtual.globalplatform_channel import Options
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.vpcd import VpcdLink
from tests.counter import eventually
from tests.globalplatform.caps import APPLET, PACKAGE, components
from tests.globalplatform.channels import C_DEC, FULL, INSTANCE, SCP02, SCP03, aes_keys, des_keys, get_data
from tests.personalize.java_cards import JavaWorkshop
from tests.personalize.workshop import JOB

pytestmark = pytest.mark.pcsc


@pytest.mark.parametrize("protocol", list(CardProtocol))
@pytest.mark.parametrize(
    ("options", "level", "keys"), [(SCP02, C_DEC, des_keys(0x21)), (SCP03, FULL, aes_keys(32, 0x31))]
)
def test_a_java_card_is_personalized_through_pcscd(
    pcscd: PrivatePcscd, options: Options, level: SecurityLevel, keys: StaticKeys, protocol: CardProtocol
) -> None:
    card = JavaCard(options, protocol=protocol)
    driver, reader = PcscDriver(), pcscd.readers[0]
    with VpcdLink(card, port=pcscd.port(0)):
        eventually(lambda: driver.readers()[reader].present)
        channel = driver.connect(reader)
        try:
            assert channel.protocol is protocol
            connection = CardConnection(channel)
            select_security_domain(connection)
            manager = CardManager(open_channel(connection, default_test_keys(keys.type), level))
            manager.load(CapFile.of(components()))
            manager.install(Installation(PACKAGE, APPLET, INSTANCE))
            manager.personalize(INSTANCE, [Dgi(0x0101, b"name"), Dgi(0x0102, bytes(600))])
            assert [entry.aid for entry in manager.registry(Scope.APPLICATIONS)] == [INSTANCE]
            manager.put_keys(keys)
            manager.set_card_state(CardState.INITIALIZED)
            connection.call(select_name(INSTANCE))
            assert connection.call(get_data(0x0101)) == b"name"
        finally:
            channel.close()
    assert list(card.channel.key_sets) == [keys.version]
    assert card.registry.state is CardState.INITIALIZED


@pytest.mark.parametrize("protocol", list(CardProtocol))
@pytest.mark.parametrize(("options", "channel_protocol"), [(SCP02, Protocol.SCP02), (SCP03, Protocol.SCP03)])
def test_a_job_makes_a_java_card_through_pcscd(
    pcscd: PrivatePcscd, tmp_path: Path, options: Options, channel_protocol: Protocol, protocol: CardProtocol
) -> None:
    workshop = JavaWorkshop(tmp_path, channel_protocol)
    card = JavaCard(options, protocol=protocol, serial=0x1234)
    driver, reader = PcscDriver(), pcscd.readers[0]
    with VpcdLink(card, port=pcscd.port(0)), workshop.register(tmp_path) as register:
        eventually(lambda: driver.readers()[reader].present)
        channel = driver.connect(reader)
        try:
            made = workshop.maker.personalize(channel, workshop.rows[0], register, JOB)
        finally:
            channel.close()
    assert made.state is MadeState.FINISHED
    assert made.identity == f"{card.atr.hex().upper()} CPLC:{'00' * 12}000012340000"
    assert list(card.channel.key_sets) == [workshop.layout.own.version]
    assert card.registry.state is CardState.SECURED
