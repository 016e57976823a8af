"""Finished cards are read back: what differs is found, what does not open is told (PERS §5.2, phase 4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardio.apdu.connection import CardConnection
from cardio.errors import AuthenticationFailed, CardRemoved, PinWrong
from cardio.personalize.attempts import CardState
from cardio.personalize.binding import references
from cardio.personalize.cos.driver import cos_driver
from cardio.personalize.layout import DirectoryLayout, FileLayout, Layout, Written
from cardio.personalize.personalizer import Personalizer
from cardio.personalize.steps import CardContent, Finding
from cardio.personalize.verifying import ReadingBack
from cardio.transport.channel import Channel
from cardio.virtual.card import VirtualCard
from cardio.virtual.faults import Fault, FaultPlan
from cardio.virtual.filesystem import ElementaryFile
from tests.personalize.workshop import JOB, PIN, Workshop, key_records, powered, tries
from tests.purse.scripted import ScriptedChannel
from tests.virtual.vectors import Exchange

SOCIAL = Workshop("ssc-2.0")
WALLET = Workshop("citizen-wallet", "citizen-wallet")
CONTENT = bytes(range(256)) * 2 + b"\x01" * 88
"""600 bytes: more than one command carries, and more than an offset beside an SFI reaches."""


def made(workshop: Workshop, folder: Path) -> VirtualCard:
    """A finished card."""
    card = workshop.blank()
    with workshop.register(folder) as register:
        workshop.make(card, register)
    return card


def findings(workshop: Workshop, card: VirtualCard, pin: str | None = PIN) -> dict[str, str]:
    """What reading back finds, by file."""
    with powered(card) as channel:
        return {found.file: found.problem for found in reading_back(workshop, channel, pin).findings()}


def reading_back(workshop: Workshop, channel: Channel, pin: str | None) -> ReadingBack:
    row, maker = workshop.rows[0], workshop.maker
    reference = references(workshop.product, row.data, row.content.files, channel.atr)
    cos = cos_driver(workshop.layout.cos)(CardConnection(channel), maker.keys)
    return ReadingBack(workshop.layout, row.content, reference, cos, pin)


def file_of(card: VirtualCard, directory: int, sfi: int) -> ElementaryFile:
    (found,) = [one for one in card.master_file.walk() if one.identifier == directory]
    return found.file(sfi)


def test_a_card_as_it_was_made_is_the_same_in_every_file(tmp_path: Path) -> None:
    found = findings(SOCIAL, made(SOCIAL, tmp_path))
    assert set(found.values()) == {""}
    assert len(found) > 20


def test_a_changed_record_is_found_by_file_and_number(tmp_path: Path) -> None:
    card = made(SOCIAL, tmp_path)
    holder = file_of(card, 0xDDF1, 0x06)
    holder.records[2] = holder.records[2][:-1] + b"\x5a"
    holder.records[4] = holder.records[4][:-1] + b"\x5a"
    found = findings(SOCIAL, card)
    assert {name: problem for name, problem in found.items() if problem} == {"SSSE/EF06": "record 3, 5"}


def test_a_missing_record_is_found(tmp_path: Path) -> None:
    card = made(SOCIAL, tmp_path)
    file_of(card, 0xDDF1, 0x06).records.pop()
    found = findings(SOCIAL, card)
    assert {name: problem for name, problem in found.items() if problem} == {"SSSE/EF06": "record.not-found"}


def test_files_that_only_the_pin_opens_are_told_where_it_is_not_known(tmp_path: Path) -> None:
    card = made(SOCIAL, tmp_path)
    unread = {name: problem for name, problem in findings(SOCIAL, card, None).items() if problem}
    assert unread
    assert set(unread.values()) <= {"unread: pin.required", "unread: access.denied"}
    assert all(key.tries_left == key.max_tries for key in key_records(card).values())


def test_a_wrong_pin_is_told_for_every_file_and_tried_once(tmp_path: Path) -> None:
    card = made(SOCIAL, tmp_path)
    found = findings(SOCIAL, card, "654321")
    assert list(found.values()).count("unread: pin.wrong") > 1
    assert set(found.values()) == {"", "unread: pin.wrong"}
    spent = {place: key for place, key in key_records(card).items() if key.tries_left != key.max_tries}
    assert [(place[1], key.tries_left) for place, key in spent.items()] == [(0x3A, 5)]


def test_the_pin_is_proved_even_where_no_file_asks_for_it(tmp_path: Path) -> None:
    employer = Workshop("ssc-employer")
    card = made(employer, tmp_path)
    with powered(card) as channel, pytest.raises(PinWrong):
        reading_back(employer, channel, "654321").prove_pin()
    with powered(card) as channel:
        reading_back(employer, channel, PIN).prove_pin()
        reading_back(employer, channel, None).prove_pin()
    assert all(key.tries_left == key.max_tries for key in key_records(card).values())


def test_another_key_on_the_card_ends_the_reading_after_one_try(tmp_path: Path) -> None:
    card = made(SOCIAL, tmp_path)
    for key in key_records(card).values():
        if key.kind == 0x39 and key.id:
            key.value = key.value[::-1]
    before = tries(card)
    with powered(card) as channel, pytest.raises(AuthenticationFailed):
        list(reading_back(SOCIAL, channel, PIN).findings())
    spent = {place: left for place, left in tries(card).items() if left != before[place]}
    assert list(spent.values()) == [2]


@pytest.mark.parametrize("n", [3, 9, 30])
def test_a_card_that_is_pulled_out_while_it_is_read_is_not_called_unread(tmp_path: Path, n: int) -> None:
    card = made(SOCIAL, tmp_path)
    card.faults = FaultPlan(Fault.CUT_AFTER, n)
    with powered(card) as channel, pytest.raises(CardRemoved):
        list(reading_back(SOCIAL, channel, PIN).findings())


def test_a_finding_is_the_same_different_or_unread() -> None:
    same, differs, unread = Finding("A"), Finding("B", "record 1"), Finding("C", "unread: access.denied")
    assert [one.same for one in (same, differs, unread)] == [True, False, False]
    assert [one.differs for one in (same, differs, unread)] == [False, True, False]


# ---- large files -------------------------------------------------------------------------------------------------


def with_large_files(workshop: Workshop) -> Layout:
    """The workshop's layout with a plain large file in the master file, and one under line protection in the wallet."""
    root = workshop.layout.master_file
    plain = FileLayout(label="EF02", identifier=0x0002, kind=0x28, size=600, read=0xF0, update=0xAA,
                       written=Written.AT_ONCE, content=(CONTENT,))  # fmt: skip
    protected = plain.model_copy(update={"label": "EF03", "identifier": 0x0003, "kind": 0xA8, "update": 0xF0})
    (wallet,) = root.directories
    wallet = wallet.model_copy(update={"files": (*wallet.files, protected), "size": wallet.size + 0x300})
    root = root.model_copy(update={"files": (*root.files, plain), "directories": (wallet,)})
    return workshop.layout.model_copy(update={"master_file": root})


@pytest.mark.parametrize("spoiled", [False, True])
def test_files_larger_than_a_command_are_written_and_read_back(tmp_path: Path, spoiled: bool) -> None:
    maker = Personalizer(WALLET.product, WALLET.maker.keys, with_large_files(WALLET))
    card, row = WALLET.blank(), maker.prepare(WALLET.data[0], PIN)
    with WALLET.register(tmp_path) as register, powered(card) as channel:
        assert maker.personalize(channel, row, register, JOB).state is CardState.FINISHED
    for directory in (0x3F00, 0x3F01):
        assert file_of(card, directory, 0x02 if directory == 0x3F00 else 0x03).data == CONTENT
    if spoiled:
        file = file_of(card, 0x3F01, 0x03)
        file.records[0] = file.records[0][:-1] + b"\x5a"
    with powered(card) as channel:
        found = {one.file: one.problem for one in maker.read_back(channel, row) if one.problem}
    assert found == ({"ADF1/EF03": "record 1"} if spoiled else {})


def test_a_card_that_has_no_more_bytes_is_not_asked_without_end() -> None:
    file = FileLayout(label="EF02", identifier=2, kind=0x28, size=600, read=0xF0, update=0xAA, content=(CONTENT,))
    root = DirectoryLayout(label="MF", identifier=0x3F00, file_id=1, files=(file,))
    layout = Layout(id="one-file", product="citizen-wallet", cos="fmcos", master_file=root)
    first = CONTENT[:0xDF].hex().upper() + "9000"
    channel = ScriptedChannel(
        [Exchange("00A40000023F0000", "9000"), Exchange("00B08200DF", first), Exchange("00B000DFDF", "9000")]
    )
    cos = cos_driver("fmcos")(CardConnection(channel), WALLET.maker.keys)
    back = ReadingBack(layout, CardContent({}), lambda _: pytest.fail("no key is needed"), cos, None)
    assert list(back.findings()) == [Finding("MF/EF02", "record 1")]
    channel.assert_finished()
