"""Updating items under update keys and wallet files under line protection (SSC §5.6, EW §2.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from cardio.applications.updating import update_items, update_wallet_file
from cardio.errors import (
    AccessDenied,
    AuthenticationFailed,
    CardDataInvalid,
    CardRemoved,
    InputInvalid,
    MaintenanceKeysMissing,
    MaintenanceRefused,
    PinRequired,
    SamAbsent,
)
from cardio.files.dates import CardDate
from cardio.files.declaration import FileDeclaration
from cardio.files.reading import FileReader
from cardio.files.record import Record
from cardio.files.wallet.holder import EF16_HOLDER_LONG
from cardio.files.wallet.public import EF15_PUBLIC
from cardio.products.maintenance import MaintenanceSources, open_environment, open_wallet
from cardio.security.keyring import Keyring
from cardio.security.maintenance import MaintenanceKey
from cardio.virtual.building import find_directory, find_file
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.filesystem import ElementaryFile
from cardio.virtual.products import example_card
from tests.applications.maintaining import SHIPPED, issuer_keys, listened, sources
from tests.applications.presenting import present


@dataclass
class Update:
    """An update of one file of a social security card.

    Attributes:
        card: The card.
        place: Directory and file.
        sources: Keys.
        sent: What was sent to the card, once it was done.
    """

    card: VirtualCard
    place: tuple[str, str]
    sources: MaintenanceSources
    sent: list[str]

    def __call__(self, **values: Any) -> Record:
        """Do it."""
        connection, self.sent = listened(self.card)
        opened = open_environment(connection, SHIPPED, self.sources)
        directory, label = self.place
        opened.files.select(directory)
        application = opened.found.part.environment.application(directory)
        assert application is not None
        file = application.file(label)
        assert file is not None
        self.sent.clear()
        return update_items(connection, opened.found.application.reader, opened.authority, file, values)

    @property
    def updates(self) -> list[str]:
        """The UPDATE RECORDs that were sent."""
        return [command for command in self.sent if command[2:4] == "DC"]

    @property
    def stored(self) -> ElementaryFile:
        """The file on the card."""
        return find_file(find_directory(self.card, self.place[0]), self.place[1])


def update_of(directory: str, file: str, *, product: str = "ssc-2.0", keys: Keyring | None = None) -> Update:
    return Update(example_card(SHIPPED[product]), (directory, file), sources(keys), [])


# ---- social security cards ---------------------------------------------------------------------------------------


def test_the_personal_status_is_written_as_in_ssc_5_6() -> None:
    update = update_of("DF01", "EF07")
    update.stored.records[:] = [bytes.fromhex("290132")]
    changed = update(status="1")
    assert update.updates == ["00DC293803290131"]
    assert update.stored.records == [bytes.fromhex("290131")]
    assert {name: value for name, _, value in changed.values()} == {"status": "1"}


@pytest.mark.parametrize("product", ["ssc-1.0", "ssc-2.0", "ssc-3.0"])
def test_an_item_is_updated_under_the_key_of_its_file(product: str) -> None:
    update = update_of("SSSE", "EF05", product=product)
    before = list(update.stored.records)
    changed: Any = update(card_class="2")
    assert (changed.card_class, len(update.updates)) == ("2", 1)
    differing = [new for new, old in zip(update.stored.records, before, strict=True) if new != old]
    assert differing == [bytes.fromhex("020132")]


def test_of_several_items_only_those_that_differ_are_written() -> None:
    update = update_of("DF01", "EF06")
    found: Any = update()
    assert update.updates == []
    changed: Any = update(address=found.address, telephone="0571-1", contact=None)
    assert [command[4:6] for command in update.updates] == ["28", "2C"]
    assert (changed.address, changed.telephone, changed.contact) == (found.address, "0571-1", None)


def test_one_of_several_items_of_one_tag_is_written_by_its_number() -> None:
    update = update_of("DF01", "EF15")
    found: Any = update()
    first, second, *others = found.degrees
    assert first != second
    number = [number for number, one in enumerate(update.stored.records, 1) if one[0] == 0x40][1]
    changed: Any = update(degrees=(first, first, *others))
    assert [command[:8] for command in update.updates] == [f"00DC{number:02X}AC"]
    assert changed.degrees == (first, first, *others)


def test_an_item_that_the_card_lacks_is_created() -> None:
    update = update_of("DF01", "EF06")
    update.stored.records[:] = [one for one in update.stored.records if one[0] != 0x28]
    changed: Any = update(telephone="0571-1")
    assert changed.telephone == "0571-1"
    assert update.updates[0].startswith("00DC28")


def test_what_does_not_fit_reaches_no_card_and_is_not_told() -> None:
    update = update_of("DF01", "EF06")
    for values in ({"telephone": "8" * 100}, {"region": 7}, {"nonsense": "1"}):
        with pytest.raises(InputInvalid) as caught:
            update(**values)
        assert "8888" not in str(caught.value)
        assert update.updates == []


def test_a_file_without_items_is_told() -> None:
    with pytest.raises(InputInvalid, match="no items"):
        update_of("SSSE", "EF08")(picture=b"")


def test_without_the_right_key_nothing_is_written() -> None:
    update = update_of("SSSE", "EF05", keys=issuer_keys(wrong=("UKSSSE",)))
    with pytest.raises(AuthenticationFailed):
        update(card_class="2")
    assert update.updates == []
    update.sources = MaintenanceSources()
    with pytest.raises(SamAbsent):
        update(card_class="2")
    with pytest.raises((PinRequired, SamAbsent)):
        Update(update.card, ("DF01", "EF07"), MaintenanceSources(), [])(status="1")


def test_nobody_updates_a_log() -> None:
    with pytest.raises((AccessDenied, InputInvalid)):
        update_of("DF04", "EF08")(number=1)


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_BEFORE_COMMIT, Fault.CUT_AFTER_COMMIT, Fault.CUT_AFTER])
def test_an_update_that_was_cut_is_done_again(fault: Fault, n: int) -> None:
    update = update_of("DF01", "EF06")
    update.card.faults = FaultPlan(fault, n, only="00DC")
    with pytest.raises(CardRemoved):
        update(telephone="0571-1", contact="Li")
    update.card.faults = None
    changed: Any = update(telephone="0571-1", contact="Li")
    assert (changed.telephone, changed.contact) == ("0571-1", "Li")


def test_a_card_that_does_not_keep_what_was_written_is_told() -> None:
    update = update_of("DF01", "EF06")

    class Forgetful(list[bytes]):
        def __setitem__(self, *_: Any) -> None:
            """Say that it is written."""

    update.stored.records = Forgetful(update.stored.records)
    with pytest.raises(CardDataInvalid, match="EF06"):
        update(telephone="0571-1")


# ---- wallets -----------------------------------------------------------------------------------------------------


def wallet_update(
    card: VirtualCard, file: FileDeclaration, keys: MaintenanceSources | None = None, **values: Any
) -> tuple[Any, list[str]]:
    """Update a file of a wallet; what it holds then, and what was sent to write it."""
    connection, sent = listened(card)
    opened = open_wallet(connection, SHIPPED, keys or sources())
    changed = update_wallet_file(opened.commands, FileReader(connection), file, values)
    return changed, [command for command in sent if command[2:4] == "D6"]


def test_public_data_are_written_with_a_mac_and_only_where_they_differ() -> None:
    card = citizen_card(native=True)
    before = find_file(find_directory(card, "ADF1"), "EF15").data
    changed, sent = wallet_update(card, EF15_PUBLIC, ends=CardDate(2040, 12, 31))
    assert changed.ends == CardDate(2040, 12, 31)
    after = find_file(find_directory(card, "ADF1"), "EF15").data
    assert after == before[:25] + b"\x40" + before[26:]
    assert [(command[:10], len(command)) for command in sent] == [("04D6951905", 20)]
    assert wallet_update(card, EF15_PUBLIC)[1] == []


def test_the_holder_of_a_transit_wallet_is_written() -> None:
    card = example_card(SHIPPED["transit-jtt978"])
    changed, sent = wallet_update(card, EF16_HOLDER_LONG, name="王五", identity_number="999999199001010016")
    assert (changed.name, changed.identity_number) == ("王五", "999999199001010016")
    assert len(sent) == 1


def test_a_wrong_mac_is_not_sent_again() -> None:
    card = citizen_card(native=True)
    wrong = sources(issuer_keys(wrong=(MaintenanceKey.LINE,)))
    with pytest.raises(MaintenanceRefused):
        wallet_update(card, EF15_PUBLIC, wrong, ends=CardDate(2040, 12, 31))
    assert wallet_update(card, EF15_PUBLIC, ends=CardDate(2040, 12, 31))[0].ends == CardDate(2040, 12, 31)


def test_a_wallet_file_wants_keys_and_values_that_fit() -> None:
    card = citizen_card(native=True)
    with pytest.raises(MaintenanceKeysMissing):
        wallet_update(card, EF15_PUBLIC, MaintenanceSources(), ends=CardDate(2040, 12, 31))
    for name, value in (("serial", "1" * 21), ("color", "red")):
        with pytest.raises(InputInvalid):
            wallet_update(card, EF15_PUBLIC, None, **{name: value})
    log = find_file(find_directory(card, "ADF1"), "EF18").declaration
    with pytest.raises(InputInvalid, match="no fields"):
        update_wallet_file(
            open_wallet(present(card), SHIPPED, sources()).commands, FileReader(present(citizen_card())), log, {}
        )
