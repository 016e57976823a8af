"""Content that a finished card gets under its update keys can be written again, item by item (PERS §1.8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardio.errors import CardDiffers, CardRemoved
from cardio.files.key_file import KeyKind
from cardio.personalize.attempts import CardState
from cardio.personalize.layout import FileLayout, KeyRecord, Layout, Written
from cardio.personalize.personalizer import Personalizer
from cardio.virtual.card import VirtualCard
from cardio.virtual.faults import Fault, FaultPlan
from tests.personalize.workshop import JOB, PIN, Workshop, powered

WALLET = Workshop("citizen-wallet", "citizen-wallet")
SOCIAL = Workshop("ssc-2.0")
SFI, UPDATE_STATE, UPDATE_KEY = 0x1B, 0x08, "WALLET-DUK"
WRITING = ("00DC", "00E2", "04DC", "04E2")
SAME = (bytes(4), bytes(4), b"\x01" * 4)
"""The first two are alike: how many of them are there cannot be told from one."""
TAGGED = (bytes.fromhex("0103AABBCC"), bytes.fromhex("0203DDEEFF"))
FILES = {
    "variable": (0x2C, 0x0040, TAGGED),
    "fixed": (0x2A, 0x0804, SAME),
    "fixed, full": (0x2A, 0x0304, SAME),
    "cyclic": (0x2E, 0x0404, SAME),
    "cyclic, full": (0x2E, 0x0304, SAME),
}
FILE = pytest.mark.parametrize("file", FILES)
MAC = pytest.mark.parametrize("mac", [0x00, 0x80], ids=["plain", "mac"])


def wallet_with(kind: int, size: int, content: tuple[bytes, ...]) -> Layout:
    """A wallet with one more file, which is written under an update key of its own."""
    (wallet,) = WALLET.layout.master_file.directories
    key = KeyRecord(name=UPDATE_KEY, kind=KeyKind.EXTERNAL, id=1, state=UPDATE_STATE)
    file = FileLayout(
        label="EF1B", identifier=SFI, kind=kind, size=size, read=0xF0, update=UPDATE_STATE * 0x11,
        written=Written.AFTERWARDS, key=UPDATE_KEY, content=content,
    )  # fmt: skip
    wallet = wallet.model_copy(update={"keys": (*wallet.keys, key), "files": (*wallet.files, file)})
    root = WALLET.layout.master_file.model_copy(update={"directories": (wallet,)})
    return WALLET.layout.model_copy(update={"master_file": root})


def records(card: VirtualCard, directory: int = 0x3F01, sfi: int = SFI) -> list[bytes]:
    (found,) = [one for one in card.master_file.walk() if one.identifier == directory]
    return found.file(sfi).records


@FILE
@MAC
@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
def test_records_are_there_once_wherever_their_writing_was_interrupted(
    tmp_path: Path, file: str, mac: int, fault: Fault
) -> None:
    kind, size, content = FILES[file]
    maker = Personalizer(WALLET.product, WALLET.maker.keys, wallet_with(kind | mac, size, content))
    row = maker.prepare(WALLET.data[0], PIN)
    at_once = 1  # the directory file's record is appended before
    for n in range(at_once + 1, at_once + 1 + len(content)):
        card = WALLET.blank()
        card.faults = plan = FaultPlan(fault, n, only=WRITING)
        with WALLET.register(tmp_path / str(n)) as register:
            with powered(card) as channel, pytest.raises(CardRemoved):
                maker.personalize(channel, row, register, JOB)
            assert plan.fired
            with powered(card) as channel:
                assert maker.personalize(channel, row, register, JOB).state is CardState.FINISHED
        assert records(card) == list(content)


@pytest.mark.parametrize("file", ["variable", "fixed"])
@MAC
def test_a_card_that_does_not_know_the_next_number_is_told_to_append(tmp_path: Path, file: str, mac: int) -> None:
    kind, size, content = FILES[file]
    maker = Personalizer(WALLET.product, WALLET.maker.keys, wallet_with(kind | mac, size, content))
    card = WALLET.blank()
    # What one refuses, the next does not see.
    card.faults = refusals = [FaultPlan(Fault.REFUSED, only=("00DC", "04DC"), status=0x6A83) for _ in content]
    with WALLET.register(tmp_path) as register, powered(card) as channel:
        made = maker.personalize(channel, maker.prepare(WALLET.data[0], PIN), register, JOB)
    assert made.state is CardState.FINISHED
    assert all(refusal.fired for refusal in refusals)
    assert records(card) == list(content)


def test_protected_records_of_a_social_security_card_are_there_once(tmp_path: Path) -> None:
    card, maker = SOCIAL.blank(), Personalizer(SOCIAL.product, SOCIAL.maker.keys, protected(SOCIAL.layout))
    row = maker.prepare(SOCIAL.data[0], PIN)
    card.faults = plan = FaultPlan(Fault.CUT_AFTER, 2, only=("04DC", "04E2"))
    with SOCIAL.register(tmp_path) as register:
        with powered(card) as channel, pytest.raises(CardRemoved):
            maker.personalize(channel, row, register, JOB)
        assert plan.fired
        with powered(card) as channel:
            assert maker.personalize(channel, row, register, JOB).state is CardState.FINISHED
    assert records(card, 0xDDF1, 0x06) == list(row.content.files["SSSE", "EF06"])


def protected(layout: Layout) -> Layout:
    """The layout with a MAC on every line of the holder's data."""
    environment = layout.directory("SSSE")
    files = tuple(
        file.model_copy(update={"kind": file.kind | 0x80}) if file.label == "EF06" else file
        for file in environment.files
    )
    changed = environment.model_copy(update={"files": files})
    below = tuple(changed if one.label == "SSSE" else one for one in layout.master_file.directories)
    return layout.model_copy(update={"master_file": layout.master_file.model_copy(update={"directories": below})})


@pytest.mark.parametrize("file", ["variable", "fixed"])
def test_a_record_behind_the_last_is_found(tmp_path: Path, file: str) -> None:
    kind, size, content = FILES[file]
    maker = Personalizer(WALLET.product, WALLET.maker.keys, wallet_with(kind, size, content))
    row, card = maker.prepare(WALLET.data[0], PIN), WALLET.blank()
    with WALLET.register(tmp_path) as register, powered(card) as channel:
        maker.personalize(channel, row, register, JOB)
        records(card).append(content[-1])
        found = {one.file: one.problem for one in maker.read_back(channel, row) if one.differs}
    assert found == {"ADF1/EF1B": f"more than {len(content)} records"}


def test_a_card_with_a_record_too_many_is_not_finished(tmp_path: Path) -> None:
    kind, size, content = FILES["variable"]
    maker = Personalizer(WALLET.product, WALLET.maker.keys, wallet_with(kind, size, content))
    card = WALLET.blank()

    def spoil() -> None:
        records(card).append(content[-1])

    # Behind the last record, before anything is read back.
    card.faults = FaultPlan(Fault.CUT_AFTER, 2, only="00DC", action=spoil)
    with WALLET.register(tmp_path) as register, powered(card) as channel:
        with pytest.raises(CardDiffers):
            maker.personalize(channel, maker.prepare(WALLET.data[0], PIN), register, JOB)
        (attempt,) = register.attempts()
    assert attempt.state is CardState.REJECTED
