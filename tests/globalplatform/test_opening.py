"""Opening a channel: the card proves itself first, and no try is spent on a card with other keys."""

from __future__ import annotations

import pytest

from cardio.apdu.connection import CardConnection
from cardio.crypto.globalplatform.keys import Diversification, KeyType, MasterKeys, StaticKeys, default_test_keys
from cardio.crypto.globalplatform.scp02 import Scp02Options
from cardio.crypto.globalplatform.scp03 import Scp03Options
from cardio.crypto.globalplatform.session import SecurityLevel
from cardio.errors import (
    AuthenticationBlocked,
    CardContentUnknown,
    CardDataInvalid,
    CardKeysDiffer,
    FileNotFound,
    OperationUnsupported,
    SecureChannelRefused,
)
from cardio.personalize.globalplatform.dgi import Dgi
from cardio.personalize.globalplatform.opening import ChannelChoices, open_channel, select_security_domain
from cardio.transport.channel import CardProtocol, Disclosure
from cardio.virtual.globalplatform import JavaCard
from cardio.virtual.globalplatform_channel import MAX_FAILURES, Options
from tests.apdu.script import ScriptedChannel
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
    installed,
)

EXTERNAL_AUTHENTICATE = 0x82
ISD = bytes.fromhex("A000000151000000")
NONE = SecurityLevel.NONE


@pytest.mark.parametrize("protocol", list(CardProtocol))
@pytest.mark.parametrize(
    ("options", "level"),
    [
        *((SCP02, level) for level in (NONE, C_MAC, C_DEC)),
        *((Scp02Options(0x55), level) for level in (NONE, C_MAC, C_DEC)),
        *((WITH_ANSWERS, level) for level in (R_MAC, C_MAC | R_MAC, C_DEC | R_MAC)),
        (Scp02Options(0x16), C_DEC),  # one key, MAC over the unmodified command: 1A but for its implicit initiation
        *((SCP03, level) for level in (NONE, C_MAC, C_DEC, C_MAC | R_MAC, C_DEC | R_MAC, FULL)),
        *((Scp03Options(i), C_DEC) for i in (0x00, 0x10, 0x20, 0x30, 0x60)),
        (Scp03Options(0x20), C_DEC | R_MAC),
        (Scp03Options(0x60), FULL),
    ],
)
def test_every_level_opens_and_carries_commands(options: Options, level: SecurityLevel, protocol: CardProtocol) -> None:
    counter = Bench(JavaCard(options, protocol=protocol))
    assert select_security_domain(counter.connection) == ISD
    manager = counter.manager(level)
    assert [key.identifier for key in manager.key_information()] == [1, 2, 3]
    assert manager.card_data().protocols == ((0x02 if isinstance(options, Scp02Options) else 0x03, options.i),)


@pytest.mark.parametrize("size", [16, 24, 32])
@pytest.mark.parametrize("challenge", [8, 16])
def test_aes_keys_of_all_lengths_in_both_modes(size: int, challenge: int) -> None:
    card = JavaCard(SCP03, keys=aes_keys(size), challenge=challenge)
    connection = Bench(card).open(FULL, choices=ChannelChoices(size=challenge))
    assert connection.session.mac_size == challenge
    assert card.channel.level == FULL


@pytest.mark.parametrize("method", list(Diversification))
def test_cards_of_one_master_key_are_opened_by_their_diversification_data(method: Diversification) -> None:
    key_type = KeyType.AES if method is Diversification.KDF3 else KeyType.TRIPLE_DES
    masters = MasterKeys(aes_keys(16) if key_type is KeyType.AES else des_keys(), method)
    for number in range(3):
        told = bytes(range(number, number + 10))
        options = SCP03 if key_type is KeyType.AES else SCP02
        card = JavaCard(options, keys=masters.for_card(told), diversification_data=told)
        Bench(card).open(C_DEC, masters)
        assert card.channel.level == C_DEC


@pytest.mark.parametrize("options", [SCP02, SCP03])
def test_a_cryptogram_of_ours_is_not_sent_to_a_card_with_other_keys(options: Options) -> None:
    counter = bench(options)
    wrong = des_keys() if options is SCP02 else aes_keys(16)
    for _ in range(2 * MAX_FAILURES):
        with pytest.raises(CardKeysDiffer) as told:
            counter.open(keys=wrong)
    assert not counter.wire.sent(EXTERNAL_AUTHENTICATE)
    assert counter.card.channel.failures == 0
    assert not any(key.hex() in str(told.value).lower() for key in wrong.values())
    counter.open()


@pytest.mark.parametrize(("options", "wrong"), [(SCP02, KeyType.AES), (SCP03, KeyType.TRIPLE_DES)])
def test_keys_of_another_algorithm_are_told_before_anything_is_tried(options: Options, wrong: KeyType) -> None:
    counter = bench(options)
    with pytest.raises(CardKeysDiffer, match=wrong.name):
        counter.open(keys=default_test_keys(wrong))
    assert not counter.wire.sent(EXTERNAL_AUTHENTICATE)


@pytest.mark.parametrize(
    ("options", "level"),
    [
        (SCP02, C_MAC | R_MAC),
        (SCP02, FULL),
        (SCP03, R_MAC),
        (Scp03Options(0x10), C_MAC | R_MAC),
        (Scp03Options(0x30), FULL),
        (SCP03, SecurityLevel.C_DEC),
    ],
)
def test_a_level_that_the_card_has_not_is_not_asked_for(options: Options, level: SecurityLevel) -> None:
    counter = bench(options)
    with pytest.raises(OperationUnsupported, match=f"{level:02X}"):
        counter.open(level)
    assert not counter.wire.sent(EXTERNAL_AUTHENTICATE)


def test_implicit_initiation_is_said_to_be_missing() -> None:
    counter = bench(SCP02)
    with pytest.raises(OperationUnsupported, match="i=1A"):
        counter.open(choices=ChannelChoices(scp02=Scp02Options(0x1A)))
    assert not counter.wire.sent(EXTERNAL_AUTHENTICATE)


def test_a_key_version_can_be_asked_for() -> None:
    counter = Bench(JavaCard(SCP03, keys=aes_keys(16)))
    counter.open(choices=ChannelChoices(version=0x30))
    assert counter.wire.commands[0][2] == 0x30
    with pytest.raises(CardContentUnknown):
        counter.open(choices=ChannelChoices(version=0x31))


def test_every_channel_has_a_host_challenge_of_its_own() -> None:
    counter = bench()
    for _ in range(3):
        counter.open()
    challenges = {command[5:13] for command in counter.wire.sent(0x50)}
    assert len(challenges) == 3


# ---- what a card answers, byte by byte -------------------------------------------------------------------------------


def scripted(answer: str, status: str = "9000") -> CardConnection:
    """A card that answers INITIALIZE UPDATE like this, and must not be sent anything more."""
    command = "80500000080102030405060708" + "00"
    return CardConnection(ScriptedChannel((command, answer + status), protocol=CardProtocol.T1))


FIXED = ChannelChoices(random=lambda size: bytes(range(1, size + 1)))
ANSWERS = {
    "nothing": "",
    "no protocol": "00" * 11,
    "SCP02 of 27 bytes": "00" * 10 + "FF02" + "00" * 15,
    "SCP02 of 29 bytes": "00" * 10 + "FF02" + "00" * 17,
    "SCP03 without counter": "00" * 10 + "FF0370" + "00" * 16,
    "SCP03 with counter": "00" * 10 + "FF0360" + "00" * 19,
    "SCP03 S16 to a short challenge": "00" * 10 + "FF0360" + "00" * 32,
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_an_answer_of_another_length_is_malformed(answer: str) -> None:
    with pytest.raises(CardDataInvalid):
        open_channel(scripted(answer), default_test_keys(KeyType.AES), C_MAC, FIXED)


@pytest.mark.parametrize("protocol", ["01", "11", "81"])
def test_other_protocols_are_named(protocol: str) -> None:
    with pytest.raises(OperationUnsupported, match=f"protocol {protocol}"):
        open_channel(scripted("00" * 10 + "FF" + protocol + "00" * 16), default_test_keys(KeyType.AES), C_MAC, FIXED)


@pytest.mark.parametrize(("status", "error"), [("6983", AuthenticationBlocked), ("6A88", CardContentUnknown)])
def test_a_refused_initialize_update_has_its_error(status: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        open_channel(scripted("", status), default_test_keys(KeyType.AES), C_MAC, FIXED)


@pytest.mark.parametrize("status", ["6300", "63C2", "6982", "6985", "6988"])
def test_a_card_that_refuses_our_proof_is_not_to_be_tried_again(status: str) -> None:
    counter = bench()
    counter.wire.alter = lambda answer: bytes.fromhex(status) if answer == b"\x90\x00" else answer
    with pytest.raises(SecureChannelRefused) as refused:
        counter.open()
    assert refused.value.retry == "never"


def test_one_key_for_all_three_is_taken_from_enc() -> None:
    one = default_test_keys(KeyType.TRIPLE_DES)
    other = StaticKeys(one.enc, bytes(16), bytes(16), type=KeyType.TRIPLE_DES)
    counter = bench(Scp02Options(0x14))
    counter.open(keys=other)
    assert counter.card.channel.level == C_MAC


def test_challenges_have_8_or_16_bytes() -> None:
    with pytest.raises(ValueError, match="8 or 16"):
        ChannelChoices(size=12)


# ---- selecting -------------------------------------------------------------------------------------------------------


def test_a_security_domain_that_does_not_tell_its_name_is_known_by_ours() -> None:
    channel = ScriptedChannel(("00A4040008A00000015100000000", "6F00" + "9000"), protocol=CardProtocol.T1)
    assert select_security_domain(CardConnection(channel), ISD) == ISD
    with pytest.raises(CardDataInvalid, match="AID"):
        select_security_domain(CardConnection(ScriptedChannel(("00A4040000", "6F009000"), protocol=CardProtocol.T1)))


def test_a_security_domain_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(FileNotFound):
        select_security_domain(bench().connection, bytes.fromhex("A000000003000000"))


# ---- what may be written down ----------------------------------------------------------------------------------------


def test_cryptograms_keys_and_personal_data_are_closed_to_recordings() -> None:
    counter, manager = installed(SCP03, C_MAC)
    manager.personalize(INSTANCE, [Dgi(0x0101, b"name")])
    manager.put_keys(aes_keys(16))
    exchanges = zip(counter.wire.commands, counter.wire.disclosures, strict=True)
    closed = {command[1] for command, disclosure in exchanges if disclosure is Disclosure.HEADER}
    assert closed >= {0x50, EXTERNAL_AUTHENTICATE, 0xE2, 0xD8}
    assert 0xF2 not in closed
