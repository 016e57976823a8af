"""Files of a social security card: selected once, opened with as little as possible, read once."""

from __future__ import annotations

import pytest

from cardio.apdu.connection import CardConnection
from cardio.applications.card_files import CardFiles, Standing
from cardio.applications.social_security import SocialSecurityApplication
from cardio.errors import (
    AuthenticationBlocked,
    AuthenticationFailed,
    CardNotGenuine,
    CardRemoved,
    FileNotFound,
    PinRequired,
    PinWrong,
    SamAbsent,
    SamKeyMissing,
    TestKeysRefused,
)
from cardio.files.social_security.employment import EmploymentRecord
from cardio.files.social_security.insurance import PensionInsurance
from cardio.files.social_security.medical import OfflineSettlement
from cardio.products.catalogue import Catalogue
from cardio.security.authentication import AuthenticationKeys
from cardio.security.keyring import Keyring
from cardio.security.psam import Psam
from cardio.transport.embedded import EmbeddedChannel
from cardio.virtual.building import find_directory, find_file
from cardio.virtual.card import Moment, VirtualCard
from cardio.virtual.ldt_security import LdtSecurity
from cardio.virtual.pin_pad import VirtualPinPad
from cardio.virtual.products import example_card
from cardio.virtual.received import Received
from tests.applications.presenting import authority_of, keyring, open_files, present
from tests.security.slots import EmbeddedSlot

PIN = "123456"
PENSION = ("DF03", "EF07")


@pytest.fixture
def card() -> VirtualCard:
    return example_card(Catalogue.load()["ssc-2.0"])


def opened(
    virtual: VirtualCard,
    *,
    pin: str | None = None,
    keys: AuthenticationKeys | None = None,
    pad: VirtualPinPad | None = None,
) -> tuple[CardFiles, CardConnection]:
    connection = present(virtual, pad)
    files = open_files(connection, SocialSecurityApplication.select(connection), pin=pin, keys=keys)
    connection.counts.clear()
    return files, connection


def tries_of(card: VirtualCard, name: str) -> int:
    assert isinstance(card.security, LdtSecurity)
    return next(key.tries_left for keys in card.security.keys.values() for key in keys if key.name == name)


# ---- only what is needed -----------------------------------------------------------------------------------------


def test_a_file_behind_a_key_costs_a_select_two_for_the_key_and_one_to_read(card: VirtualCard) -> None:
    files, connection = opened(card, keys=keyring())
    assert isinstance(files.read(*PENSION).record, PensionInsurance)
    assert connection.counts == {
        "SELECT": 1,
        "GET CHALLENGE": 1,
        "EXTERNAL AUTHENTICATION": 1,
        "READ RECORD": 1,
    }


def test_a_second_file_of_the_same_directory_and_key_costs_one_command(card: VirtualCard) -> None:
    files, connection = opened(card, keys=keyring())
    files.read("DF03", "EF07")
    connection.counts.clear()
    assert files.read("DF03", "EF15").standing is Standing.KNOWN
    assert connection.counts == {"READ RECORD": 1}


def test_a_file_is_read_once(card: VirtualCard) -> None:
    files, connection = opened(card, keys=keyring())
    first = files.read(*PENSION)
    before = connection.counts.total()
    assert files.read(*PENSION) is first
    assert connection.counts.total() == before


def test_a_pin_is_presented_once_for_all_directories(card: VirtualCard) -> None:
    files, connection = opened(card, pin=PIN)
    for place in (("DF01", "EF05"), PENSION, ("DF02", "EF06"), ("DF04", "EF08")):
        assert files.read(*place).standing is Standing.KNOWN, place
    assert connection.counts["VERIFY"] == 2  # the state is asked first, so that no try is spent silently
    assert connection.counts["EXTERNAL AUTHENTICATION"] == 0


def test_a_pin_that_was_handed_over_is_used_before_a_key_and_a_key_before_the_pad(card: VirtualCard) -> None:
    files, connection = opened(card, pin=PIN, keys=keyring())
    files.read(*PENSION)
    assert connection.counts["EXTERNAL AUTHENTICATION"] == 0
    pad = VirtualPinPad(PIN)
    files, connection = opened(card, keys=keyring(), pad=pad)
    files.read(*PENSION)
    assert (connection.counts["VERIFY"], pad.entries) == (0, 0)


def test_the_pad_is_asked_where_the_terminal_has_no_key(card: VirtualCard) -> None:
    pad = VirtualPinPad(PIN)
    files, _ = opened(card, pad=pad)
    assert files.read(*PENSION).standing is Standing.KNOWN
    assert files.read("DF02", "EF06").standing is Standing.KNOWN
    assert pad.entries == 1


def test_the_psams_keys_do_as_well(card: VirtualCard) -> None:
    slot = EmbeddedSlot()
    files, connection = opened(card, keys=Psam(slot))
    assert files.read(*PENSION).standing is Standing.KNOWN
    assert connection.counts["EXTERNAL AUTHENTICATION"] == 1
    assert slot.counts["CIPHER DATA"] == 1


def test_key_rights_end_with_the_directory(card: VirtualCard) -> None:
    files, connection = opened(card, keys=keyring())
    for place in (("DF03", "EF07"), ("DF01", "EF05"), ("DF03", "EF15")):
        assert files.read(*place).standing is Standing.KNOWN
    assert connection.counts["EXTERNAL AUTHENTICATION"] == 3


def test_files_are_fetched_directory_by_directory(card: VirtualCard) -> None:
    files, connection = opened(card, keys=keyring())
    files.prefetch([("DF03", "EF07"), ("DF01", "EF05"), ("DF03", "EF15"), ("DF01", "EF06"), ("DF09", "EF01")])
    assert connection.counts["SELECT"] == connection.counts["EXTERNAL AUTHENTICATION"] == 2
    assert connection.counts["READ RECORD"] == 4


# ---- what opens which file ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pin", "keys", "error"),
    [(PIN, None, SamAbsent), (None, keyring(), PinRequired), (PIN, keyring(), None)],
    ids=["PIN only", "key only", "both"],
)
def test_pin_and_key_are_both_needed_for_the_off_line_settlement(
    card: VirtualCard, pin: str | None, keys: AuthenticationKeys | None, error: type[Exception] | None
) -> None:
    files, _ = opened(card, pin=pin, keys=keys)
    reading = files.read("DF04", "EF06")
    if error is None:
        assert isinstance(reading.record, OfflineSettlement)
    else:
        assert isinstance(reading.error, error)
        assert reading.standing is Standing.REFUSED


def test_a_file_that_needs_the_pin_says_so_where_nobody_has_it(card: VirtualCard) -> None:
    files, connection = opened(card)
    reading = files.read(*PENSION)
    assert isinstance(reading.error, PinRequired)
    assert reading.standing is Standing.REFUSED
    assert connection.counts["READ RECORD"] == 0


def test_a_wrong_pin_is_an_answer_and_no_key_opens_the_file_instead(card: VirtualCard) -> None:
    files, connection = opened(card, pin="000000", keys=keyring())
    for place in (PENSION, ("DF01", "EF05")):
        assert isinstance(files.read(*place).error, PinWrong)
    assert connection.counts["EXTERNAL AUTHENTICATION"] == 0
    assert card.pin is not None
    assert card.pin.tries_left == 5


def test_a_key_that_the_card_refuses_spends_one_try_and_no_second(card: VirtualCard) -> None:
    files, connection = opened(card, keys=keyring(wrong=True))
    for label in ("EF07", "EF15", "EF16"):
        error = files.read("DF03", label).error
        assert isinstance(error, (AuthenticationFailed, PinRequired))
    assert connection.counts["EXTERNAL AUTHENTICATION"] == 1
    assert tries_of(card, "RK1DF03") == 2


def test_a_blocked_key_says_so(card: VirtualCard) -> None:
    assert isinstance(card.security, LdtSecurity)
    for keys in card.security.keys.values():
        for key in keys:
            key.tries_left = 0
    files, _ = opened(card, keys=keyring())
    assert isinstance(files.read("SSSE", "EF07").error, AuthenticationBlocked)


def test_test_keys_never_meet_a_real_card(card: VirtualCard) -> None:
    connection = present(card)
    assert isinstance(connection.channel, EmbeddedChannel)
    environment = SocialSecurityApplication.select(connection)
    files = open_files(connection, environment, keys=keyring())
    environment.issuer()
    connection.channel.virtual = False
    assert isinstance(files.read("SSSE", "EF07").error, TestKeysRefused)
    assert connection.counts["EXTERNAL AUTHENTICATION"] == 0


def test_a_keyring_without_the_key_says_so(card: VirtualCard) -> None:
    files, _ = opened(card, keys=Keyring("empty", {}, test=True))
    assert isinstance(files.read("SSSE", "EF07").error, SamKeyMissing)


# ---- standings ---------------------------------------------------------------------------------------------------


def test_a_file_that_the_version_has_not_is_unknown_and_costs_nothing(card: VirtualCard) -> None:
    files, connection = opened(card, keys=keyring())
    assert files.read("DF03", "EF0C").standing is Standing.UNKNOWN
    assert connection.counts.total() == 0


def test_a_file_that_the_card_has_not_is_unknown(card: VirtualCard) -> None:
    directory = find_directory(card, "DF03")
    directory.files.remove(find_file(directory, "EF07"))
    files, _ = opened(card, keys=keyring())
    reading = files.read(*PENSION)
    assert isinstance(reading.error, FileNotFound)
    assert reading.standing is Standing.UNKNOWN


def test_a_directory_that_the_card_has_not_is_looked_for_once(card: VirtualCard) -> None:
    directory = find_directory(card, "DF07")
    assert directory.parent is not None
    directory.parent.directories.remove(directory)
    files, connection = opened(card, keys=keyring())
    assert files.read("DF07", "EF05").standing is Standing.UNKNOWN
    selects = connection.counts["SELECT"]
    assert files.read("DF07", "EF06").standing is Standing.UNKNOWN
    assert connection.counts["SELECT"] == selects


def test_a_file_without_a_value_is_absent(card: VirtualCard) -> None:
    file = find_file(find_directory(card, "DF03"), "EF07")
    file.records = PensionInsurance.empty().encode()
    files, _ = opened(card, keys=keyring())
    assert files.read(*PENSION).standing is Standing.ABSENT


def test_a_file_with_senseless_values_is_unreadable(card: VirtualCard) -> None:
    file = find_file(find_directory(card, "DF03"), "EF07")
    file.records = [bytes.fromhex("730420261399")]
    files, _ = opened(card, keys=keyring())
    assert files.read(*PENSION).standing is Standing.UNREADABLE


def test_a_card_that_leaves_is_asked_nothing_more(card: VirtualCard) -> None:
    files, connection = opened(card, keys=keyring())
    files.read(*PENSION)

    def tear(moment: Moment, command: Received) -> None:
        raise CardRemoved("torn by the test")

    card.hook = tear
    connection.counts.clear()
    for place in (("DF03", "EF15"), ("DF01", "EF05"), ("DF04", "EF05")):
        reading = files.read(*place)
        assert isinstance(reading.error, CardRemoved)
        assert reading.standing is Standing.UNREADABLE
    assert connection.counts.total() == 1
    assert files.read(*PENSION).standing is Standing.KNOWN


def test_a_log_gives_what_came_before_the_card_left(card: VirtualCard) -> None:
    log = find_file(find_directory(card, "DF02"), "EF07")
    log.records = log.records * 3
    files, _ = opened(card, keys=keyring())
    seen = 0

    def tear(moment: Moment, command: Received) -> None:
        nonlocal seen
        seen += moment is Moment.COMMAND and command.ins == 0xB2
        if seen == 3:
            raise CardRemoved("torn by the test")

    card.hook = tear
    reading = files.read("DF02", "EF07")
    assert len(reading.records) == 2
    assert all(isinstance(record, EmploymentRecord) for record in reading.records)
    assert isinstance(reading.error, CardRemoved)


# ---- authenticity ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["keyring", "psam"])
def test_a_genuine_card_proves_itself_with_one_command(card: VirtualCard, source: str) -> None:
    slot = EmbeddedSlot()
    keys: AuthenticationKeys = keyring() if source == "keyring" else Psam(slot)
    connection = present(card)
    environment = SocialSecurityApplication.select(connection)
    authority = authority_of(connection, environment, keys)
    connection.counts.clear()
    slot.counts.clear()
    authority.check_genuine()
    assert connection.counts == {"INTERNAL AUTHENTICATION": 1}
    if source == "psam":
        assert slot.counts["DELIVERY SESSION KEY"] == slot.counts["CIPHER DATA"] == 1


def test_a_card_without_the_issuers_key_is_not_genuine(card: VirtualCard) -> None:
    connection = present(card)
    environment = SocialSecurityApplication.select(connection)
    with pytest.raises(CardNotGenuine):
        authority_of(connection, environment, keyring(wrong=True)).check_genuine()


def test_a_card_that_refuses_to_prove_itself_is_not_genuine(card: VirtualCard) -> None:
    assert isinstance(card.security, LdtSecurity)
    card.security.keys["SSSE"] = [key for key in card.security.keys["SSSE"] if key.name != "IRK"]
    connection = present(card)
    environment = SocialSecurityApplication.select(connection)
    with pytest.raises(CardNotGenuine):
        authority_of(connection, environment, keyring()).check_genuine()
