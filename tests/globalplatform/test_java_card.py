"""The virtual JavaCard is as strict as a real one: byte by byte, without the terminal's code where that matters."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardio.apdu.command import Command, Response, select_name
from cardio.apdu.globalplatform import LOCKED, CardState
from cardio.crypto.globalplatform.keys import KeyType, default_test_keys
from cardio.crypto.globalplatform.scp02 import COUNTER_LIMIT
from cardio.crypto.globalplatform.scp03 import Scp03Options, Scp03Session
from cardio.crypto.globalplatform.session import SecurityLevel
from cardio.errors import AuthenticationBlocked
from cardio.personalize.globalplatform.channel import SecureConnection
from cardio.transport.channel import CardProtocol
from cardio.virtual.globalplatform import JavaCard
from cardio.virtual.globalplatform_channel import MAX_FAILURES, Options
from tests.globalplatform.caps import LOAD_FILE
from tests.globalplatform.channels import (
    HOST_CHALLENGE,
    INSTANCE,
    SCP02,
    SCP03,
    WITH_ANSWERS,
    Bench,
    bench,
    des_keys,
    installed,
)

INITIALIZE = "80500000080102030405060708" + "00"
WRONG = "84820100" + "10" + "00" * 16
INSTALL_FOR_LOAD = "80E602000C" + "07D0D1D2D3D4D501" + "00000000"
INSTALL = "80E60C001E" + "07D0D1D2D3D4D50108D0D1D2D3D4D5010105D0D1D2D3D9" + "0100" + "02C900" + "00"
FOR_DATA = "80E620000B" + "0000" + "05D0D1D2D3D9" + "000000"


def send(card: JavaCard, command: str) -> str:
    return card.transmit(bytes.fromhex(command)).hex().upper()


def said(connection: SecureConnection, command: str) -> str:
    """Status word of a command, sent through a channel as it is."""
    raw = bytes.fromhex(command)
    data = raw[5 : 5 + raw[4]] if len(raw) > 5 else b""
    return f"{answered(connection, raw, data).sw:04X}"


def answered(connection: SecureConnection, raw: bytes, data: bytes) -> Response:
    return connection.send(Command("COMMAND", raw[0], raw[1], raw[2], raw[3], data, 0))


def load(block: bytes, number: int, p1: int = 0x00) -> str:
    return bytes([0x80, 0xE8, p1, number, len(block), *block]).hex()


@pytest.fixture
def counter() -> Bench:
    return bench()


@pytest.fixture
def connection(counter: Bench) -> SecureConnection:
    return counter.open()


def loaded(connection: SecureConnection) -> None:
    assert said(connection, INSTALL_FOR_LOAD) == "9000"
    assert said(connection, load(LOAD_FILE[:240], 0)) == "9000"
    assert said(connection, load(LOAD_FILE[240:], 1, 0x80)) == "9000"


# ---- authentication --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [SCP02, SCP03])
def test_the_tenth_failed_authentication_locks_the_card_for_ever(options: Options) -> None:
    card = JavaCard(options)
    for number in range(MAX_FAILURES):
        assert send(card, INITIALIZE).endswith("9000")
        assert send(card, WRONG) == "6982"
        assert card.channel.failures == number + 1
        card.power_off()
        card.power_on()
    assert send(card, INITIALIZE) == "6983"
    assert send(card, WRONG) == "6983"
    with pytest.raises(AuthenticationBlocked):
        Bench(card).open()


def test_a_wrong_cryptogram_under_a_right_mac_is_6300_and_counts(counter: Bench) -> None:
    answer = bytes.fromhex(send(counter.card, INITIALIZE))
    session = Scp03Session(default_test_keys(KeyType.AES), HOST_CHALLENGE, answer[13:21], SCP03)
    assert session.card_cryptogram == answer[21:29]
    header, data = session.protect(bytes.fromhex("80820100"), bytes(8))
    assert send(counter.card, (header + b"\x10" + data).hex()) == "6300"
    assert counter.card.channel.failures == 1


def test_a_right_authentication_gives_the_tries_back(counter: Bench) -> None:
    for _ in range(MAX_FAILURES - 1):
        send(counter.card, INITIALIZE)
        send(counter.card, WRONG)
    counter.open()
    assert counter.card.channel.failures == 0


@pytest.mark.parametrize("options", [SCP02, SCP03])
def test_the_sequence_counter_moves_with_a_right_authentication_only(options: Options) -> None:
    counter = bench(options)
    (key_set,) = counter.card.channel.key_sets.values()
    send(counter.card, INITIALIZE)
    assert key_set.sequence == 0
    send(counter.card, WRONG)
    assert key_set.sequence == 0
    counter.open()
    assert key_set.sequence == 1
    counter.open()
    assert key_set.sequence == 2


def test_a_counter_at_its_end_opens_no_channel() -> None:
    card = JavaCard(SCP02)
    card.channel.key_sets[0xFF].sequence = COUNTER_LIMIT
    assert send(card, INITIALIZE) == "6985"


def test_the_same_counter_gives_the_same_pseudo_random_challenge() -> None:
    for options in (WITH_ANSWERS, SCP03):
        card = JavaCard(options)
        assert send(card, INITIALIZE) == send(card, INITIALIZE)
        Bench(card).open()
    card = JavaCard(Scp03Options(0x60))
    assert send(card, INITIALIZE) != send(card, INITIALIZE)


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("805031000801020304050607080" + "0", "6A88"),  # no such version
        ("80500001080102030405060708" + "00", "6A86"),
        ("8050000007010203040506" + "07" + "00", "6700"),
        ("8482010010" + "00" * 16, "6985"),  # no INITIALIZE UPDATE before
        ("84E40000084F06D0D1D2D3D4D5", "6982"),  # protected, outside a channel
        ("80E40000084F06D0D1D2D3D4D5", "6982"),  # no channel
        ("80F24002024F0000", "6982"),
        ("80CA9F7F00", "9000"),
        ("80CA123400", "6A88"),
        ("80FE000000", "6D00"),
        ("00A40000023F00", "6A86"),
        ("00A4040006D0D1D2D3D4D5", "6A82"),
        ("00A4040000010000" + "00" * 255, "6700"),  # extended length
        ("90F2400200", "6E00"),
    ],
)
def test_commands_outside_a_channel(counter: Bench, command: str, status: str) -> None:
    assert send(counter.card, command)[-4:] == status


def test_levels_that_do_not_exist_are_refused_before_a_try_is_counted(counter: Bench) -> None:
    send(counter.card, INITIALIZE)
    assert send(counter.card, "84820200" + WRONG[8:]) == "6A86"
    assert counter.card.channel.failures == 0
    # The challenge is used up all the same.
    assert send(counter.card, WRONG) == "6985"


def test_selecting_resetting_and_authenticating_anew_end_a_channel(counter: Bench) -> None:
    for end in ("00A4040000", INITIALIZE):
        counter.open(SecurityLevel.NONE)
        assert send(counter.card, end).endswith("9000")
        assert send(counter.card, "80F28002024F0000") == "6982"
    counter.open(SecurityLevel.NONE)
    counter.card.power_off()
    assert send(counter.card, "80F28002024F0000") == "6982"


def test_an_unprotected_command_ends_a_channel_that_protects(counter: Bench, connection: SecureConnection) -> None:
    assert send(counter.card, "80F28002024F0000") == "6982"
    assert said(connection, "80F28002024F00") == "6982"


# ---- loading ---------------------------------------------------------------------------------------------------------


def test_blocks_come_in_order_or_the_load_is_over(connection: SecureConnection) -> None:
    assert said(connection, load(LOAD_FILE[:240], 0)) == "6985"  # nothing announced
    assert said(connection, INSTALL_FOR_LOAD) == "9000"
    assert said(connection, load(LOAD_FILE[:240], 1)) == "6A86"
    assert said(connection, load(LOAD_FILE[:240], 0)) == "6985"


def test_another_command_ends_the_load(connection: SecureConnection) -> None:
    assert said(connection, INSTALL_FOR_LOAD) == "9000"
    assert said(connection, "80F28002024F00") == "9000"
    assert said(connection, load(LOAD_FILE[:240], 0)) == "6985"


@pytest.mark.parametrize(
    "load_file",
    [
        b"\x00" * 100,
        LOAD_FILE[:200],
        b"\xe2\x02\x4f\x00" + LOAD_FILE[:200],
        LOAD_FILE[:6] + b"\x12" + LOAD_FILE[7:],
        LOAD_FILE[:7] + b"\xde\xad" + LOAD_FILE[9:],
        LOAD_FILE[:18] + b"\xd9" + LOAD_FILE[19:],  # another AID than announced
        LOAD_FILE[:4] + LOAD_FILE[24:] + LOAD_FILE[4:24],  # the header last
    ],
)
def test_what_is_no_load_file_is_refused(connection: SecureConnection, load_file: bytes) -> None:
    assert said(connection, INSTALL_FOR_LOAD) == "9000"
    assert said(connection, load(load_file[:240], 0)) == "9000"
    assert said(connection, load(load_file[240:], 1, 0x80)) == "6A80"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("80E602000B07D0D1D2D3D4D501000000", "6A80"),  # a field is missing
        ("80E602000D07D0D1D2D3D4D5010000000000", "6A80"),  # one too many
        ("80E602000904D0D1D2D300000000", "6A80"),  # an AID of 4 bytes
        ("80E602010C07D0D1D2D3D4D50100000000", "6A86"),
        ("80E610000C07D0D1D2D3D4D50100000000", "6A86"),  # extradition is not built
        ("80E60200", "6A80"),
    ],
)
def test_announcements_of_other_forms_are_refused(connection: SecureConnection, command: str, status: str) -> None:
    assert said(connection, command) == status


def test_installing_needs_the_parameters_c9(connection: SecureConnection) -> None:
    loaded(connection)
    assert said(connection, INSTALL.replace("1E07", "1C07", 1).replace("02C90000", "0000")) == "6A80"
    assert said(connection, INSTALL) == "9000"
    assert said(connection, INSTALL) == "6A80"


# ---- personal data ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("blocks", "statuses"),
    [
        (["80E2880005 0101020A0B"], ["9000"]),
        (["80E2080005 0101020A0B", "80E2880105 0102020A0B"], ["9000", "9000"]),
        (["80E2080005 0101020A0B", "80E2880205 0102020A0B"], ["9000", "6A86"]),  # a block is missing
        (["80E2880105 0101020A0B"], ["6A86"]),
        (["80E2880004 0101020A"], ["6A80"]),  # the last block ends within a grouping
        (["80E2080004 0101020A", "80E2880101 0B"], ["9000", "9000"]),
        (["80E2900005 0101020A0B"], ["6A86"]),  # BER-TLV is not what this applet takes
        (["80E2E80005 0101020A0B"], ["6A80"]),  # encrypted, no whole block
        (["80E2880005 0101020A0B", "80E2880105 0101020A0B"], ["9000", "6985"]),  # it was the last one
    ],
)
def test_blocks_of_personal_data(connection: SecureConnection, blocks: list[str], statuses: list[str]) -> None:
    loaded(connection)
    assert said(connection, INSTALL) == "9000"
    assert said(connection, blocks[0].replace(" ", "")) == "6985"  # nobody was named
    assert said(connection, FOR_DATA) == "9000"
    assert [said(connection, block.replace(" ", "")) for block in blocks] == statuses


def test_deleting_an_application_ends_its_personalization(connection: SecureConnection) -> None:
    loaded(connection)
    said(connection, INSTALL)
    said(connection, FOR_DATA)
    assert said(connection, "80E40000074F05D0D1D2D3D9") == "9000"
    assert said(connection, "80E28800050101020A0B") == "6985"


# ---- keys, registry, life cycle --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("80D8000101" + "31", "6A86"),  # one key only
        ("80D80081", "6A80"),
        ("80D80081013" + "1", "6A80"),
        ("80D80081" + "17" + "31" + "801000000000000000000000000000000000" + "03" + "8CA64D", "9484"),
        ("80D80081" + "18" + "31" + "881110" + "00" * 16 + "03000000", "9485"),
        ("80D80081" + "18" + "31" + "881120" + "00" * 16 + "03000000", "6A80"),  # longer than its value
    ],
)
def test_keys_of_other_forms_are_refused(counter: Bench, command: str, status: str) -> None:
    connection = counter.open()
    assert said(connection, command) == status
    assert list(counter.card.channel.key_sets) == [0xFF]


def test_a_key_without_its_length_inside_is_taken(counter: Bench) -> None:
    # PERS §2.5: 88 10 without an inner length is allowed where the key fills its blocks
    connection = counter.open()
    value = bytes(range(16))
    key = b"\x88\x10" + connection.session.encrypt_key(value) + b"\x03" + KeyType.AES.check_value(value)
    data = b"\x31" + key * 3
    assert said(connection, (bytes.fromhex("80D80081") + bytes([len(data)]) + data).hex()) == "9000"
    assert counter.card.channel.key_sets[0x31].keys.enc == value


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("80F28001024F00", "6A86"),
        ("80F27002024F00", "6A86"),
        ("80F28002025C00", "6A80"),
        ("80F28002044F005C01", "6A80"),
        ("80F28002074F005C034F9F70", "9000"),
        ("80F28003024F00", "6A88"),  # nothing more to tell
        ("80F08003", "6A80"),
        ("80F06080", "6A86"),
        ("80E40100074F05D0D1D2D3D9", "6A86"),
        ("80E4000003D00101", "6A80"),  # a single key is not deleted
    ],
)
def test_other_parameters_are_refused(connection: SecureConnection, command: str, status: str) -> None:
    assert said(connection, command) == status


def test_life_cycles_go_forward_only(counter: Bench, connection: SecureConnection) -> None:
    steps = [("0F", "6985"), ("07", "9000"), ("01", "6985"), ("7F", "6985"), ("0F", "9000"), ("07", "6985")]
    assert [said(connection, f"80F080{state}") for state, _ in steps] == [status for _, status in steps]
    assert counter.card.registry.state is CardState.SECURED


def test_an_application_is_selected_by_the_beginning_of_its_name(counter: Bench) -> None:
    connection = counter.open()
    loaded(connection)
    said(connection, INSTALL)
    assert send(counter.card, "00A4040005D0D1D2D3D9").startswith("6F")
    assert send(counter.card, "00A4040003D0D1D2").startswith("6F")
    assert counter.card.selected is not None
    assert send(counter.card, "80F28002024F0000") == "6D00"  # the application has no such command
    assert send(counter.card, "00A4040000") == "6F108408A000000151000000A5049F6501FF9000"
    assert counter.card.selected is None


def test_under_t0_a_command_with_another_length_is_not_executed_twice() -> None:
    card = JavaCard(WITH_ANSWERS, protocol=CardProtocol.T0)
    assert Bench(card).open(SecurityLevel.R_MAC).call(Command("GET DATA", 0x80, 0xCA, 0x00, 0x66, le=0))[:1] == b"\x66"
    assert send(card, "80CA006600")[:2] == "6C"
    assert send(card, "80CA00E000")[:2] == "6C"  # another one is its own


def test_keys_must_fit_the_protocol() -> None:
    with pytest.raises(ValueError, match="AES"):
        JavaCard(SCP03, keys=des_keys())
    with pytest.raises(ValueError, match="8 bytes"):
        JavaCard(SCP02, challenge=16)


# ---- whatever comes --------------------------------------------------------------------------------------------------

INSTRUCTIONS = st.sampled_from([0x50, 0x82, 0xA4, 0xC0, 0xCA, 0xD8, 0xE2, 0xE4, 0xE6, 0xE8, 0xF0, 0xF2])
CLASSES = st.sampled_from([0x00, 0x80, 0x84])
HEADERS = st.tuples(CLASSES, INSTRUCTIONS, st.integers(0, 255), st.integers(0, 255)).map(bytes)


@given(commands=st.lists(st.one_of(st.binary(max_size=40), st.builds(bytes.__add__, HEADERS, st.binary(max_size=60)))))
@settings(max_examples=200, deadline=None)
def test_the_card_answers_whatever_comes_with_a_status_word(commands: list[bytes]) -> None:
    card = JavaCard(SCP02)
    for command in commands:
        assert len(card.transmit(command)) >= 2


@given(commands=st.lists(st.tuples(HEADERS, st.binary(max_size=80)), max_size=12))
@settings(max_examples=200, deadline=None)
def test_the_card_answers_whatever_comes_through_a_channel_with_a_status_word(
    commands: list[tuple[bytes, bytes]],
) -> None:
    connection = bench().open()
    for header, data in commands:
        session = connection.session
        header, data = session.protect(header, data)
        answer = connection.channel.transmit(header + bytes([len(data)]) + data + b"\x00")
        assert len(answer) >= 2


@pytest.mark.parametrize(
    "command",
    [
        "80E6020001",  # a field's length without the field
        "80E60200018100",
        "80F2400201" + "4F",
        "80D800810231" + "88",
        "80D80081163188100000000000000000000000000000000000" + "00" * 3,
        "80D80081173188100000000000000000000000000000000002" + "00" * 4,
    ],
)
def test_commands_that_are_cut_short_are_refused(connection: SecureConnection, command: str) -> None:
    raw = bytes.fromhex(command)
    assert answered(connection, raw, raw[5:]).sw == 0x6A80


def test_an_applet_table_that_is_cut_short_is_refused(connection: SecureConnection) -> None:
    place = LOAD_FILE.index(bytes.fromhex("03000c01"))
    broken = LOAD_FILE[: place + 3] + b"\x02" + LOAD_FILE[place + 4 :]
    assert said(connection, INSTALL_FOR_LOAD) == "9000"
    assert said(connection, load(broken[:240], 0)) == "9000"
    assert said(connection, load(broken[240:], 1, 0x80)) == "6A80"


def test_an_application_that_was_locked_since_it_was_selected_does_nothing() -> None:
    counter, _ = installed()
    counter.connection.call(select_name(INSTANCE))
    counter.card.registry.applications[INSTANCE].state |= LOCKED
    assert send(counter.card, "80CA010100") == "6985"
