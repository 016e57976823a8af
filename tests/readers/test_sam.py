"""PSAMs that are found, lost and found again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cardio.errors import SamAbsent, TestKeysRefused
from cardio.readers.key_chain import KeyChain
from cardio.readers.sam import SamBench, SamFound, find_sam
from cardio.security.keyring import Keyring
from cardio.transport.embedded import EmbeddedDriver, EmbeddedReader
from cardio.virtual.cards import citizen_card, psam
from tests.counter import eventually

TERMINAL, OTHER = "999999000001", "999999000002"


class Bench:
    """Two readers, one with a PSAM."""

    def __init__(self) -> None:
        self.card = psam()
        self.sam = EmbeddedReader("sam", self.card)
        self.citizen = EmbeddedReader("citizen", citizen_card())
        self.driver = EmbeddedDriver([self.citizen, self.sam])
        self.chain = KeyChain()
        self.sams = SamBench(self.driver, self.chain)

    def find(self, name: str | None = None) -> SamFound:
        found = find_sam(self.driver, name)
        self.sams.adopt(found, self.driver.readers()[found.reader])
        return found

    def update(self) -> list[SamFound]:
        return self.sams.update(self.driver.readers())

    def terminal(self) -> str:
        with self.chain.hold() as session:
            return session.terminal_number().hex()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.sams.stop()


def test_a_psam_is_found_among_other_cards_and_serves(bench: Bench) -> None:
    assert bench.find() == SamFound("sam", TERMINAL, virtual=True)
    assert (bench.sams.readers, bench.terminal()) == (("sam",), TERMINAL)
    assert bench.sams.states == {"sam": "ready"}
    assert bench.sams.found["sam"].terminal_number == TERMINAL


def test_only_readers_of_the_given_name_are_looked_at(bench: Bench) -> None:
    with pytest.raises(SamAbsent, match="nowhere"):
        find_sam(bench.driver, "nowhere")


def test_nothing_changes_for_a_psam_when_other_cards_come_and_go(bench: Bench) -> None:
    bench.find()
    bench.citizen.remove()
    assert bench.update() == []
    assert bench.terminal() == TERMINAL


def test_a_psam_that_was_taken_out_is_out_of_service_at_once(bench: Bench) -> None:
    found = bench.find()
    bench.sam.remove()
    assert bench.update() == [found]
    assert (bench.sams.readers, bench.chain.sources) == ((), ())


def test_another_psam_in_the_same_reader_is_not_taken_for_the_first(bench: Bench) -> None:
    bench.find()
    assert bench.terminal() == TERMINAL
    bench.sam.remove()
    bench.sam.insert(psam(terminal=bytes.fromhex(OTHER)))
    assert len(bench.update()) == 1
    # The thread of the first one lets go of the reader by itself.
    eventually(lambda: bench.sam.idle)
    bench.find()
    assert bench.terminal() == OTHER


def test_a_reader_that_another_program_holds_is_named(bench: Bench) -> None:
    channel = bench.sam.connect()
    with pytest.raises(SamAbsent, match="another program holds the card in sam"):
        bench.find()
    channel.close()


@pytest.mark.parametrize("name", ["sam", "sam 01 00"])
def test_a_psam_is_found_again_when_its_reader_was_plugged_in_anew_under_any_name(bench: Bench, name: str) -> None:
    bench.find()
    assert bench.terminal() == TERMINAL
    reader = bench.driver.unplug("sam")
    assert len(bench.update()) == 1
    reader.name = name
    bench.driver.plug(reader)
    assert bench.find().reader == name
    assert bench.terminal() == TERMINAL


def test_several_psams_serve_side_by_side(bench: Bench) -> None:
    bench.find()
    bench.driver.plug(EmbeddedReader("second", psam(terminal=bytes.fromhex(OTHER))))
    bench.find("second")
    with bench.chain.hold() as one, bench.chain.hold() as two:
        assert {one.terminal_number().hex(), two.terminal_number().hex()} == {TERMINAL, OTHER}


def test_a_virtual_psam_does_not_serve_beside_real_keys(bench: Bench) -> None:
    bench.sams = SamBench(bench.driver, KeyChain(Keyring("real", {}, test=False)))
    with pytest.raises(TestKeysRefused):
        bench.find()
    assert bench.sams.readers == ()
