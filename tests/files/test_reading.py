"""READ RECORD for items and logs, over a scripted card."""

import pytest

from cardio.apdu.connection import CardConnection
from cardio.errors import AccessDenied, CardDataInvalid, CardUnexpected, FileNotFound
from cardio.files.reading import BY_NUMBER, read_items, read_log, read_record
from cardio.files.social_security.environment import EF06_HOLDER, HolderData
from cardio.files.social_security.medical import EF05_MEDICAL, MedicalData
from cardio.files.wallet.log import EF18_LOG, WalletLogRecord
from cardio.transport.channel import CardProtocol, Disclosure
from tests.apdu.script import ScriptedChannel

HOLDER = HolderData.VECTORS[0]
MEDICAL = MedicalData.VECTORS[0]
ALL_MEDICAL = "00B2012D00"
LOG = WalletLogRecord.VECTORS[0]


def card(*script: tuple[str, str]) -> tuple[CardConnection, ScriptedChannel]:
    channel = ScriptedChannel(*script, protocol=CardProtocol.T1)
    return CardConnection(channel), channel


def test_all_items_come_in_one_command() -> None:
    connection, channel = card(("00B2013500", HOLDER + "9000"))
    holder = read_items(connection, EF06_HOLDER, HolderData)
    assert holder == HolderData.decode_concatenated(bytes.fromhex(HOLDER))
    assert channel.finished
    assert connection.counts.total() == 1


def test_bytes_of_personal_files_are_closed_to_recordings() -> None:
    connection, channel = card(("00B2013500", HOLDER + "9000"))
    read_items(connection, EF06_HOLDER, HolderData)
    assert channel.disclosures == [Disclosure.HEADER]
    assert read_record(EF18_LOG, 1, BY_NUMBER).disclosure is Disclosure.ALL


@pytest.mark.parametrize("refusal", ["6A86", "6981", "6D00", "6700"])
def test_a_card_that_refuses_is_read_record_by_record(refusal: str) -> None:
    connection, channel = card(
        (ALL_MEDICAL, refusal),
        ("00B2012C00", "8108 3331303030303030 9000"),
        ("00B2022C00", "8403999900 9000"),
        ("00B2032C00", "8F0132 9000"),
        ("00B2042C00", "6A83"),
    )
    assert read_items(connection, EF05_MEDICAL, MedicalData) == MedicalData.decode_concatenated(bytes.fromhex(MEDICAL))
    assert channel.finished


@pytest.mark.parametrize(("sw", "error"), [("6982", AccessDenied), ("6A82", FileNotFound)])
def test_a_file_that_is_closed_or_missing_is_asked_once(sw: str, error: type[Exception]) -> None:
    connection, channel = card((ALL_MEDICAL, sw))
    with pytest.raises(error):
        read_items(connection, EF05_MEDICAL, MedicalData)
    assert channel.finished


def test_items_that_overrun_the_answer_are_invalid() -> None:
    connection, _ = card((ALL_MEDICAL, "8F0232 9000"))
    with pytest.raises(CardDataInvalid):
        read_items(connection, EF05_MEDICAL, MedicalData)


def test_a_log_is_read_newest_first_until_there_are_no_more() -> None:
    older = "0010" + LOG[4:]
    connection, channel = card(("00B201C417", LOG + "9000"), ("00B202C417", older + "9000"), ("00B203C417", "6A83"))
    assert [record.number for record in read_log(connection, EF18_LOG, WalletLogRecord)] == [0x11, 0x10]
    assert channel.finished


def test_a_log_is_read_no_further_than_it_is_wanted() -> None:
    connection, channel = card(("00B201C417", LOG + "9000"))
    assert next(read_log(connection, EF18_LOG, WalletLogRecord)).number == 0x11
    assert channel.finished


def test_a_log_ends_after_its_last_possible_record() -> None:
    connection, channel = card(*((f"00B2{number:02X}C417", LOG + "9000") for number in range(1, 255)))
    assert sum(1 for _ in read_log(connection, EF18_LOG, WalletLogRecord)) == 254
    assert channel.finished


@pytest.mark.parametrize(("sw", "error"), [("6982", AccessDenied), ("6F00", CardUnexpected)])
def test_a_log_that_cannot_be_read_says_why(sw: str, error: type[Exception]) -> None:
    connection, _ = card(("00B201C417", sw))
    with pytest.raises(error):
        list(read_log(connection, EF18_LOG, WalletLogRecord))
