"""The computed example of PERS §2.7, whole: SCP02 with C-MAC, with C-DEC, and SCP03 with everything."""

from __future__ import annotations

import pytest

from cardio.apdu.connection import CardConnection
from cardio.apdu.globalplatform import Scope
from cardio.crypto.globalplatform.keys import KeyType, StaticKeys, default_test_keys
from cardio.crypto.globalplatform.scp02 import Scp02Keys
from cardio.crypto.globalplatform.scp03 import Scp03Keys, card_challenge
from cardio.crypto.globalplatform.session import SecurityLevel
from cardio.personalize.globalplatform.manager import CardManager
from cardio.personalize.globalplatform.opening import ChannelChoices, open_channel
from cardio.transport.channel import CardProtocol
from cardio.virtual.globalplatform import JavaCard
from tests.apdu.script import ScriptedChannel
from tests.globalplatform.channels import C_DEC, C_MAC, FULL, HOST_CHALLENGE, SCP02, SCP03
from tests.virtual.wire import fixed

ENC, MAC, DEK = (
    bytes.fromhex(key)
    for key in (
        "CE90AE6D70320BCEABD7C1C575C247E4",
        "4FB2E39692FC72219DD6398961CF7F61",
        "9B5388171BEA613AB144C9FF9A47159E",
    )
)
INITIALIZE = "8050{version}0008010203040506070800"
SCP02_ANSWER = "00009999000012345678FF020001A1A2A3A4A5A64E20129EE15D55C8"
SCP02_CHECKS = "01682F19899E9A05CDC6"
PUT_KEY_PLAIN = (
    "84D800814B0180105AA6221D106FDC8974A8531768F7C04C03682F19801065860D2267BB5C6B985C653FFAF3076103899E9A8010"
    "D47A2F2CBA6DD6E79AF6DD8FE22EF9330305CDC689F328848BCB296400"
)
PUT_KEY_ENCRYPTED = (
    "84D80081503853C984526F1F023A31B30126FE5DDF24B51EAEB58A44AD9F046BD8282BD131D6F672609610528CC76A5179DF63B7"
    "F1F0E8D68F637D11B0F567D51FC5EB9978C28AAB8D9F0C0FA1B975B379ADB5F08200"
)
EXCHANGES = {
    C_MAC: (
        ("84820100107943B2D3D16CA4358DAFF2AE49D5119F", "9000"),
        ("84F240020A4F000E86DAF7CED7EC9900", "6A88"),
        (
            PUT_KEY_PLAIN,
            f"{SCP02_CHECKS}9000",
        ),
    ),
    C_DEC: (
        ("84820300107943B2D3D16CA43519942203C2600B0F", "9000"),
        ("84F2400210CDA18B342F9D6AB01BA8FB9EECBA480700", "6A88"),
        (
            PUT_KEY_ENCRYPTED,
            f"{SCP02_CHECKS}9000",
        ),
    ),
}
SCP03_ANSWER = "0000999900001234567830037086C8BD65FA1044EE6FC51322827B8771000001"
REGISTRY = "E3134F08A0000001510000009F700107C5039EFE80"
SEALED_REGISTRY = "FEC3306449C2052A0EA329FAEE30C7023C2B77C92EF0551E4C64CA54B82DC0C0DCB2E9FC4DE3CFDF"
SCP03_AUTHENTICATE = "8482330010413C192ED53487212C27C7714EBABEB8"
SCP03_GET_STATUS = "84F240021866F93C0DED39323F73E2B88D9713CEC3914E507A517DE51000"
SCP03_PUT_KEY = (
    "84D8008158A16CF30A6C4D7A38268AB0784224586B379CB0F73D18853FC435FDFD8822C70CE25B1E03ECD4EF01A366E3EA4512C54C28"
    "2678A02E099DCFDC249B864150425D96F9CA7885A3CF1C5DA2DDA63A143573DC1B92680814541D00"
)
DIVERSIFICATION = bytes.fromhex("00009999000012345678")


def new_keys(key_type: KeyType, version: int) -> StaticKeys:
    return StaticKeys(ENC, MAC, DEK, type=key_type, version=version)


def terminal(channel: ScriptedChannel, level: SecurityLevel, key_type: KeyType, version: int) -> CardManager:
    choices = ChannelChoices(version, random=fixed(HOST_CHALLENGE))
    return CardManager(open_channel(CardConnection(channel), default_test_keys(key_type), level, choices))


def test_session_keys_of_scp02() -> None:
    keys = Scp02Keys.derive(default_test_keys(KeyType.TRIPLE_DES), 1, SCP02)
    assert [key.hex().upper() for key in (keys.enc, keys.c_mac, keys.dek, keys.r_mac)] == [
        "25C9794A1205FF244F5FA0378D2F8D59",
        "9BED98891580C3B245FE9EC58BFA8D2A",
        "0E51FDF196141F227A57BD154012FD39",
        "8EB6CF25BA4DECD820BF4E9FA616C50A",
    ]


def test_session_keys_and_challenge_of_scp03() -> None:
    static = default_test_keys(KeyType.AES)
    challenge = card_challenge(static, 1, bytes.fromhex("A000000151000000"))
    assert challenge.hex().upper() == "86C8BD65FA1044EE"
    keys = Scp03Keys.derive(static, HOST_CHALLENGE + challenge)
    assert [key.hex().upper() for key in (keys.enc, keys.mac, keys.r_mac)] == [
        "FD4458F327254A470F539C15AA819F0D",
        "1C7F0E197F7260F8672B6F436BE8782B",
        "34411F08237122307D41C68FA049E05C",
    ]


def test_check_values_of_the_new_keys() -> None:
    assert [value.hex().upper() for value in new_keys(KeyType.TRIPLE_DES, 1).check_values()] == [
        "682F19",
        "899E9A",
        "05CDC6",
    ]
    assert [value.hex().upper() for value in new_keys(KeyType.AES, 1).check_values()] == ["1BC1EA", "14736E", "83E7F0"]


@pytest.mark.parametrize("level", [C_MAC, C_DEC])
def test_the_terminal_sends_the_example_of_scp02(level: SecurityLevel) -> None:
    script = [(INITIALIZE.format(version="FF"), f"{SCP02_ANSWER}9000"), *EXCHANGES[level]]
    channel = ScriptedChannel(*script, protocol=CardProtocol.T1)
    manager = terminal(channel, level, KeyType.TRIPLE_DES, 0xFF)
    assert manager.registry(Scope.APPLICATIONS) == ()
    manager.put_keys(new_keys(KeyType.TRIPLE_DES, 0x01))
    assert channel.finished


def test_the_terminal_sends_the_example_of_scp03() -> None:
    channel = ScriptedChannel(
        (INITIALIZE.format(version="30"), f"{SCP03_ANSWER}9000"),
        (SCP03_AUTHENTICATE, "9000"),
        (SCP03_GET_STATUS, f"{SEALED_REGISTRY}9000"),
        (SCP03_PUT_KEY, "6A80"),  # the example has no answer
        protocol=CardProtocol.T1,
    )
    manager = terminal(channel, FULL, KeyType.AES, 0x30)
    (entry,) = manager.registry(Scope.APPLICATIONS)
    assert (entry.aid.hex().upper(), entry.state) == ("A000000151000000", 0x07)
    with pytest.raises(Exception, match=r"gp\.content-refused"):
        manager.put_keys(new_keys(KeyType.AES, 0x31))
    assert channel.finished


@pytest.mark.parametrize("level", [C_MAC, C_DEC])
def test_the_card_answers_the_example_of_scp02(level: SecurityLevel) -> None:
    card = JavaCard(SCP02, diversification_data=DIVERSIFICATION)
    card.channel.key_sets[0xFF].sequence = 1
    card.random = fixed(bytes.fromhex("A1A2A3A4A5A6"))
    script = [(INITIALIZE.format(version="FF"), f"{SCP02_ANSWER}9000"), *EXCHANGES[level]]
    for command, answer in script:
        assert card.transmit(bytes.fromhex(command)).hex().upper() == answer
    assert list(card.channel.key_sets) == [0x01]
    assert card.channel.key_sets[0x01].keys.values() == (ENC, MAC, DEK)


def test_the_card_answers_the_example_of_scp03() -> None:
    card = JavaCard(SCP03, keys=default_test_keys(KeyType.AES, 0x30), diversification_data=DIVERSIFICATION)
    card.channel.key_sets[0x30].sequence = 1
    assert card.transmit(bytes.fromhex(INITIALIZE.format(version="30"))).hex().upper() == f"{SCP03_ANSWER}9000"
    assert card.transmit(bytes.fromhex(SCP03_AUTHENTICATE)).hex() == "9000"
    # The example's registry has the security domain among the applications; here it is not there.
    assert card.transmit(bytes.fromhex(SCP03_GET_STATUS)).hex().upper() == "6A88"
    assert card.transmit(bytes.fromhex(SCP03_PUT_KEY)).hex().endswith("9000")
    assert card.channel.key_sets[0x31].keys.values() == (ENC, MAC, DEK)


def test_the_card_seals_the_example_of_scp03() -> None:
    card = JavaCard(SCP03, keys=default_test_keys(KeyType.AES, 0x30), diversification_data=DIVERSIFICATION)
    card.channel.key_sets[0x30].sequence = 1
    card.transmit(bytes.fromhex(INITIALIZE.format(version="30")))
    card.transmit(bytes.fromhex(SCP03_AUTHENTICATE))
    session = card.channel.session
    command = bytes.fromhex(SCP03_GET_STATUS)
    assert session.unprotect(command[:4], command[5:-1]) == (bytes.fromhex("80F24002"), bytes.fromhex("4F00"))
    assert session.seal(bytes.fromhex(REGISTRY), 0x9000).hex().upper() == SEALED_REGISTRY
