"""What cards tell about themselves: published answers of real cards."""

from __future__ import annotations

import pytest

from cardio.apdu.globalplatform import Privilege
from cardio.crypto.globalplatform.scp02 import Scp02Options
from cardio.errors import CardDataInvalid
from cardio.personalize.globalplatform.card_data import CardData, KeyInformation, parse_key_information
from cardio.personalize.globalplatform.registry import RegistryEntry, parse_registry

# martinpaljak/GlobalPlatformPro: library/src/test/java/pro/javacard/gp/TestParseTags.java, testOther
OLD_CARD = (
    "664C734A06072A864886FC6B01600C060A2A864886FC6B02020101630906072A864886FC6B03640B06092A864886FC6B040215650B0609"
    "2B8510864864020103660C060A2B060104012A026E0102"
)
NEW_CARD = (
    "6657735506072A864886FC6B01600B06092A864886FC6B020202630906072A864886FC6B03640B06092A864886FC6B040370640B06092A"
    "864886FC6B048000650A06082A864886FC6B0504660C060A2B060104012A026E0103"
)


def test_card_data_tell_the_protocols() -> None:
    assert CardData.decode(bytes.fromhex(OLD_CARD)).protocols == ((0x02, 0x15),)
    assert CardData.decode(bytes.fromhex(OLD_CARD)).scp02 == Scp02Options(0x15)
    assert CardData.decode(bytes.fromhex(NEW_CARD)).protocols == ((0x03, 0x70), (0x80, 0x00))
    assert CardData.decode(bytes.fromhex(NEW_CARD)).scp02 is None


def test_keys_are_told_without_values() -> None:
    # martinpaljak/GlobalPlatformPro: library/src/test/java/pro/javacard/gp/TestGPKeyInfo.java
    data = "E020C00401018820C00402018820C00403018820C0060170A180A003C00401718010"
    keys = parse_key_information(bytes.fromhex(data))
    assert keys[0] == KeyInformation(identifier=1, version=1, type=0x88, size=32)
    assert [(key.identifier, key.version, key.type) for key in keys[3:]] == [(1, 0x70, 0xA1), (1, 0x71, 0x80)]


def test_keys_in_the_extended_form_are_told_alike() -> None:
    # The same file, testExtendedKeyTypeTemplateWithZeroLengths
    data = (
        "E081B0C00A0120FF80001001000100C00A0220FF80001001000100C00A0320FF80001001000100C00A0101FF80001001000100C00A0201"
        "FF80001001000100C00A0301FF80001001000100C00A0102FF88001001000100C00E0202FF880010FF10000101000100C00A0302FF8800"
        "1001000100C00A0103FF88001001000100C00E0203FF880010FF10000101000100C00A0303FF88001001000100C00A1403FF8500100100"
        "0100C00A1503FF88001001000100"
    )
    keys = parse_key_information(bytes.fromhex(data))
    assert len(keys) == 14
    assert keys[0] == KeyInformation(identifier=1, version=0x20, type=0x80, size=16)
    assert keys[6] == KeyInformation(identifier=1, version=0x02, type=0x88, size=16)


def test_the_registry_of_a_real_card() -> None:
    # kaoh/globalplatform: globalplatform/src/scp03Test.c get_status_enc_mac, applications
    data = (
        "E33E4F10A0000005591010FFFFFFFF89000010009F70013FC50380C000C407A0000001515350CE020100CC10A0000005591010FFFFFFFF"
        "8900000100EA028000E3394F10A0000000871002FF01FF4189000001009F70020700C503000000C40CA000000095000000004E0001CE02"
        "0100CC05A000000151EA028000E3304F09A000000559101000019F70020700C503000000C407A0000001515350CE020100CC08A0000001"
        "51000000EA028000E3304F09A000000559101000029F70020700C503000000C407A0000001515350CE020100CC08A000000151000000EA"
        "028000"
    )
    entries = parse_registry(bytes.fromhex(data))
    assert [entry.state for entry in entries] == [0x3F, 0x07, 0x07, 0x07]
    assert entries[0].privileges == (
        Privilege.SECURITY_DOMAIN | Privilege.TRUSTED_PATH | Privilege.AUTHORIZED_MANAGEMENT
    )
    assert entries[0].security_domain == bytes.fromhex("A0000005591010FFFFFFFF8900000100")
    assert (entries[1].load_file, entries[1].version) == (bytes.fromhex("A000000095000000004E0001"), (1, 0))


def test_the_registry_of_an_old_card() -> None:
    # kaoh/globalplatform: globalplatform/src/scp02Test.c get_status_mac_only, load files
    data = (
        "E30D4F07A00000000353509F700101E30B4F05A0000000049F700101E30B4F05325041592E9F700101E30B4F05F0000711809F700101"
        "E30C4F06A000000421209F700101E30D4F07D0D1D2D3D4D5019F700101"
    )
    entries = parse_registry(bytes.fromhex(data))
    assert len(entries) == 6
    assert entries[5] == RegistryEntry(bytes.fromhex("D0D1D2D3D4D501"), 0x01)


def test_privileges_take_one_byte_where_that_is_enough() -> None:
    assert Privilege.CARD_RESET.encode() == b"\x04"
    # martinpaljak/GlobalPlatformPro: TestParseTags.java, testPrivileges
    coded = bytes.fromhex("80C000")
    assert Privilege.decode(coded).encode() == coded
    assert Privilege.decode(coded) == (
        Privilege.SECURITY_DOMAIN | Privilege.TRUSTED_PATH | Privilege.AUTHORIZED_MANAGEMENT
    )
    assert Privilege.decode(bytes.fromhex("9EFE80")).encode().hex() == "9efe80"


@pytest.mark.parametrize("data", ["E10100", "E3059F70010700", "E3034F0100", "E30B4F05A0000000049F700107C500"])
def test_a_registry_of_another_form_is_refused(data: str) -> None:
    with pytest.raises(CardDataInvalid):
        parse_registry(bytes.fromhex(data))


@pytest.mark.parametrize("data", ["", "6600", "7300"])
def test_card_data_of_another_form_are_refused(data: str) -> None:
    with pytest.raises(CardDataInvalid):
        CardData.decode(bytes.fromhex(data))


@pytest.mark.parametrize("data", ["", "E003C10100", "E004C0020101"])
def test_key_information_of_another_form_is_refused(data: str) -> None:
    with pytest.raises(CardDataInvalid):
        parse_key_information(bytes.fromhex(data))
