"""Managing a card: every command against the virtual JavaCard, and a whole installation as another program sent it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cardio.apdu.command import select_name
from cardio.apdu.connection import CardConnection
from cardio.apdu.globalplatform import ApplicationState, CardState, Privilege, Scope
from cardio.crypto.globalplatform.keys import KeyType, StaticKeys, default_test_keys
from cardio.crypto.globalplatform.scp03 import Scp03Options
from cardio.crypto.globalplatform.session import SecurityLevel
from cardio.errors import (
    CardContentRefused,
    CardContentUnknown,
    CardDataInvalid,
    CardFull,
    CardioError,
    InputInvalid,
)
from cardio.personalize.globalplatform.cap import CapFile
from cardio.personalize.globalplatform.commands import Installation, MemoryLimits
from cardio.personalize.globalplatform.dgi import Dgi, DgiProtection
from cardio.personalize.globalplatform.manager import CardManager
from cardio.personalize.globalplatform.opening import ChannelChoices, open_channel, select_security_domain
from cardio.transport.channel import CardProtocol
from cardio.virtual.globalplatform import JavaCard
from cardio.virtual.globalplatform_applet import PersonalizableApplet
from cardio.virtual.globalplatform_channel import Options
from tests.apdu.script import ScriptedChannel
from tests.globalplatform.caps import APPLET, PACKAGE, components
from tests.globalplatform.channels import (
    C_DEC,
    C_MAC,
    FULL,
    INSTANCE,
    R_MAC,
    SCP02,
    SCP03,
    WITH_ANSWERS,
    Bench,
    aes_keys,
    bench,
    des_keys,
    get_data,
    installed,
)
from tests.virtual.wire import fixed

KINDS = pytest.mark.parametrize(
    ("options", "level"), [(SCP02, C_MAC), (SCP02, C_DEC), (WITH_ANSWERS, C_DEC | R_MAC), (SCP03, C_MAC), (SCP03, FULL)]
)


@pytest.fixture
def cap() -> CapFile:
    return CapFile.of(components())


def own_keys(options: Options, version: int = 0x21) -> StaticKeys:
    return aes_keys(16, version) if isinstance(options, Scp03Options) else des_keys(version)


# ---- a whole personalization (PERS §2.5) -----------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", list(CardProtocol))
@KINDS
def test_a_personalization_run(cap: CapFile, options: Options, level: SecurityLevel, protocol: CardProtocol) -> None:
    card = JavaCard(options, protocol=protocol)
    counter = Bench(card)
    select_security_domain(counter.connection)
    manager = counter.manager(level)
    assert manager.registry(Scope.LOAD_FILES) == ()
    manager.load(cap, limits=MemoryLimits(code=0x160, non_volatile=2000))
    manager.install(Installation(PACKAGE, APPLET, INSTANCE, Privilege.CARD_RESET, b"\x2a"))
    key = bytes(range(32))
    manager.personalize(
        INSTANCE,
        [Dgi(0x0101, b"name"), Dgi(0x8113, key, DgiProtection.ENCRYPTED), Dgi(0x0102, b"x" * 3, DgiProtection.PADDED)],
    )
    manager.put_keys(own_keys(options))
    manager.set_card_state(CardState.INITIALIZED)
    manager.set_card_state(CardState.SECURED)

    applet = card.registry.applications[INSTANCE].applet
    assert isinstance(applet, PersonalizableApplet)
    assert applet.parameters == b"\x2a"
    assert applet.groupings[0x0101] == b"name"
    assert applet.groupings[0x8113] == key
    assert applet.groupings[0x0102].rstrip(b"\x00") == b"xxx\x80"
    assert list(card.channel.key_sets) == [0x21]
    assert card.channel.key_sets[0x21].keys.values() == own_keys(options).values()
    assert card.registry.state is CardState.SECURED

    counter.reconnect()
    counter.connection.call(select_name(INSTANCE))
    assert counter.connection.call(get_data(0x0101)) == b"name"
    assert counter.connection.send(get_data(0x8113)).sw == 0x6982
    assert counter.connection.send(get_data(0x0103)).sw == 0x6A88


def test_the_registry_tells_what_was_made(cap: CapFile) -> None:
    _, manager = installed()
    (domain,) = manager.registry(Scope.ISSUER_SECURITY_DOMAIN)
    assert (domain.state, domain.privileges) == (CardState.OP_READY, Privilege(0x9EFE80))
    (load_file,) = manager.registry(Scope.LOAD_FILES)
    assert (load_file.aid, load_file.version, load_file.modules) == (PACKAGE, (1, 0), ())
    (load_file,) = manager.registry(Scope.LOAD_FILES_AND_MODULES)
    assert load_file.modules == (APPLET,)
    (application,) = manager.registry(Scope.APPLICATIONS, INSTANCE[:5])
    assert (application.aid, application.state) == (INSTANCE, ApplicationState.SELECTABLE)
    assert application.load_file == PACKAGE
    assert manager.registry(Scope.APPLICATIONS, b"\xa0") == ()


@pytest.mark.parametrize("protocol", list(CardProtocol))
@KINDS
def test_a_registry_that_is_longer_than_an_answer_is_read_to_its_end(
    cap: CapFile, options: Options, level: SecurityLevel, protocol: CardProtocol
) -> None:
    counter = Bench(JavaCard(options, protocol=protocol))
    manager = counter.manager(level)
    manager.load(cap)
    instances = [INSTANCE + bytes([number]) for number in range(20)]
    for instance in instances:
        manager.install(Installation(PACKAGE, APPLET, instance))
    assert [entry.aid for entry in manager.registry(Scope.APPLICATIONS)] == instances
    assert len(counter.wire.sent(0xF2)) > 2


def test_a_registry_without_end_is_given_up() -> None:
    counter = bench()
    manager = counter.manager(SecurityLevel.NONE)
    entry = bytes.fromhex("E30B4F05A0000000019F700107")
    counter.wire.alter = lambda answer: entry + b"\x63\x10" if answer == b"\x6a\x88" else answer
    with pytest.raises(CardDataInvalid, match="no end"):
        manager.registry(Scope.APPLICATIONS)
    assert len(counter.wire.sent(0xF2)) == 256


# ---- an installation that is published -------------------------------------------------------------------------------

# kaoh/globalplatform: globalplatform/src/scp02Test.c install_mac_enc
INSTALLATION = (
    (
        "8050000008EBAA9E53C696281B00",
        "000074746E6E6E626262010206A15086BBEE58F467149061DA4B6EAE9000",
    ),
    ("848203001005814C116071EB67D8BA9D9879454564", "9000"),
    ("84E4008018BC146FA0403BE4BAD3BC089E4ABD8674DA7EFEA21047B85800", "6A88"),
    ("84E4008018C2748C1669FAFC0E20C5253680388A4A49C9A6038D77B45700", "009000"),
    (
        "84E60200280839B761AA201C218FD6607C56803CFD2D098CBAA9946976EEFAE3F210038EB4965D6E04EDEF801700",
        "009000",
    ),
    (
        (
            "84E80000F8562EFDC9F22082A5184831F1DA6A0F495C5DF0FD71E8014A2B94EA81069FB630346197CDF1C3BD9CDBDD9513BFE6FE79"
            "92730FCF2089019D1374DA1021BD74E2085B806B8DA57431FF008406E1C695F2E27E0C2A554E01047B9B36F4058CFC1C2FB8D0A45B"
            "01C626DF5CB2509436283BE22B9E7750B3B7F36E29E3C97C69533B35C2DBEF13904D06E96BEBB6FA38D3E7EB7EB9170F3004824F5A"
            "32278AE7CBC3E591BA0C79B090FBD8038B60AC5F83E4E250B32AD5B92768E775AA974A4FAFC81356FA333D5AB4FAF1A0056E08420A"
            "F95D18CA0DF726BA560C5C340CCA81A1BEA294AAFE3AED250EF6865AA2D3F11D058FDFE5EE7622AE19"
        ),
        "009000",
    ),
    (
        (
            "84E88001787FFE538F755D612CEE738FA68E177E8E146E66EF2A840387F7086C1CA8659C9F985585E11001A12D4940CB3EF200DFEC"
            "9EC7FB59CADED4A7F82EDA5BE808552A3CD3B65D41F9F61A23E6FDA2C1BF2493F4929950FA62030FF023B34398247A2E01BBF949E8"
            "19B5EEA117DC6E0D91D40D85ABDE0BC2A76D8600"
        ),
        "9000",
    ),
    (
        (
            "84E60C00300839B761AA201C21EDAE7D003F76B62164B363AF56A2C7FE12AEF9FDC790DFC8FFE6B0346E9BF02674684247652F109A"
            "00"
        ),
        "9000",
    ),
)


def test_an_installation_is_sent_as_another_program_sent_it(cap: CapFile) -> None:
    channel = ScriptedChannel(*INSTALLATION, protocol=CardProtocol.T1)
    choices = ChannelChoices(random=fixed(bytes.fromhex("EBAA9E53C696281B")))
    keys = default_test_keys(KeyType.TRIPLE_DES)
    manager = CardManager(open_channel(CardConnection(channel), keys, C_DEC, choices))
    with pytest.raises(CardContentUnknown):
        manager.delete(APPLET, related=True)
    manager.delete(PACKAGE, related=True)
    limits = MemoryLimits(code=0x160, non_volatile=2000)
    manager.load(cap, security_domain=bytes.fromhex("A000000003000000"), limits=limits, descriptor=True)
    limits = MemoryLimits(non_volatile=2000)
    manager.install(Installation(PACKAGE, APPLET, APPLET, Privilege.CVM_MANAGEMENT, b"\x00", limits))
    assert channel.finished


def test_memory_sizes_take_two_bytes_up_to_32767_and_then_four() -> None:
    assert MemoryLimits(0x7FFF, 1, 0x8000).encode().hex().upper() == "EF0EC6027FFFC7020001C80400008000"
    # osmocom/pysim: tests/unittests/test_globalplatform.py Install_param_Test, both sizes without its UICC parameters
    assert MemoryLimits(volatile=256, non_volatile=256).encode().hex().upper() == "EF08C7020100C8020100"
    assert MemoryLimits().encode() == b""


# ---- refusals --------------------------------------------------------------------------------------------------------


def unknown_module(manager: CardManager) -> None:
    manager.install(Installation(PACKAGE, APPLET[:-1] + b"\x09", INSTANCE + b"\x01"))


REFUSALS: dict[str, tuple[Callable[[CardManager], None], type[CardioError]]] = {
    "load file that is there": (lambda manager: manager.load(CapFile.of(components())), CardContentRefused),
    "instance that is there": (
        lambda manager: manager.install(Installation(PACKAGE, APPLET, INSTANCE)),
        CardContentRefused,
    ),
    "instance with the AID of its load file": (
        lambda manager: manager.install(Installation(PACKAGE, APPLET, PACKAGE)),
        CardContentRefused,
    ),
    "unknown load file": (
        lambda manager: manager.install(Installation(PACKAGE + b"\x01", APPLET, INSTANCE + b"\x01")),
        CardContentUnknown,
    ),
    "unknown module": (unknown_module, CardContentUnknown),
    "unknown security domain": (
        lambda manager: manager.load(CapFile.of(components()), security_domain=INSTANCE),
        CardContentUnknown,
    ),
    "unknown AID": (lambda manager: manager.delete(INSTANCE + b"\x01"), CardContentUnknown),
    "load file in use": (lambda manager: manager.delete(PACKAGE), CardContentRefused),
    "issuer security domain": (
        lambda manager: manager.delete(bytes.fromhex("A000000151000000")),
        CardContentRefused,
    ),
    "data for an unknown application": (
        lambda manager: manager.personalize(INSTANCE + b"\x01", [Dgi(1, b"")]),
        CardContentUnknown,
    ),
    "unknown key set": (lambda manager: manager.delete_keys(0x44), CardContentUnknown),
    "single key": (lambda manager: manager.delete_keys(0xFF, 1), CardContentRefused),
    "only key set": (lambda manager: manager.delete_keys(0xFF), CardContentRefused),
    "key set that is not there": (lambda manager: manager.put_keys(aes_keys(16), replaced=0x44), CardContentUnknown),
    "version of no key set": (lambda manager: manager.put_keys(aes_keys(16, 0x80)), CardContentRefused),
    "key of another algorithm": (lambda manager: manager.put_keys(des_keys()), CardContentRefused),
    "state that is too far": (lambda manager: manager.set_card_state(CardState.SECURED), CardContentRefused),
    "unknown application": (lambda manager: manager.lock_application(INSTANCE + b"\x01"), CardContentUnknown),
    "application that is not locked": (lambda manager: manager.unlock_application(INSTANCE), CardContentRefused),
}


@pytest.mark.parametrize("level", [C_MAC, FULL])
@pytest.mark.parametrize(("attempt", "error"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refusal_has_its_error_and_changes_nothing(
    cap: CapFile, attempt: Callable[[CardManager], None], error: type[CardioError], level: SecurityLevel
) -> None:
    counter, manager = installed(level=level)
    registry, channel = counter.card.registry, counter.card.channel
    before = dict(registry.load_files), dict(registry.applications), registry.state, dict(channel.key_sets)
    with pytest.raises(error):
        attempt(manager)
    assert (dict(registry.load_files), dict(registry.applications), registry.state, dict(channel.key_sets)) == before
    # The channel goes on all the same.
    assert len(manager.registry(Scope.APPLICATIONS)) == 1


def test_a_load_file_goes_with_its_applications_if_that_is_wanted(cap: CapFile) -> None:
    counter, manager = installed()
    manager.delete(PACKAGE, related=True)
    assert not counter.card.registry.load_files
    assert not counter.card.registry.applications
    manager.load(cap)


def test_a_card_without_room_says_so(cap: CapFile) -> None:
    counter = Bench(JavaCard(SCP03, memory=200))
    with pytest.raises(CardFull):
        counter.manager().load(cap)
    assert not counter.card.registry.load_files


def test_what_does_not_fit_is_not_begun() -> None:
    counter = bench()
    manager = counter.manager()
    long = components() | {"Method": b"\x07\xff\x00" + bytes(0xFF00)}
    with pytest.raises(InputInvalid, match="load file"):
        manager.load(CapFile.of(long))
    with pytest.raises(InputInvalid, match="0 blocks"):
        manager.personalize(INSTANCE, [])
    assert not counter.wire.sent(0xE6)


# ---- personal data ---------------------------------------------------------------------------------------------------


@KINDS
def test_long_groupings_go_on_in_the_next_command(cap: CapFile, options: Options, level: SecurityLevel) -> None:
    counter, manager = installed(options, level)
    long = bytes(range(256)) * 5
    manager.personalize(INSTANCE, [Dgi(0x0201, b"short"), Dgi(0x0202, long), Dgi(0x0203, b"last")])
    applet = counter.card.registry.applications[INSTANCE].applet
    assert isinstance(applet, PersonalizableApplet)
    assert applet.groupings == {0x0201: b"short", 0x0202: long, 0x0203: b"last"}


def test_a_locked_application_takes_no_data_and_is_not_selected(cap: CapFile) -> None:
    counter, manager = installed()
    manager.lock_application(INSTANCE)
    (entry,) = manager.registry(Scope.APPLICATIONS)
    assert entry.locked
    with pytest.raises(CardContentRefused):
        manager.personalize(INSTANCE, [Dgi(1, b"")])
    assert counter.connection.send(select_name(INSTANCE)).sw == 0x6A82
    counter.manager().unlock_application(INSTANCE)
    assert counter.connection.send(select_name(INSTANCE)).ok
