"""PC/SC through a real pcscd and real vpcd readers."""

import contextlib
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from cardio.errors import (
    CardAbsent,
    CardioError,
    CardMute,
    CardRemoved,
    CardReset,
    CardUnpowered,
    CardUnsupported,
    LinkCorrupt,
    ReaderBusy,
    ReaderServiceStopped,
    ReaderUnavailable,
)
from cardio.transport import pcsc
from cardio.transport.channel import CardProtocol, Channel, ReaderDriver, SlotState
from cardio.transport.pcsc import PcscChannel, PcscDriver
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.vpcd import VpcdLink

pytestmark = pytest.mark.pcsc

COMMAND = bytes.fromhex("00B0950004")
PRESENT_PIN = bytes.fromhex("0020000003123456")
NOTICED_WITHIN = 3.0


class EchoCard:
    """Answers each command with itself and 9000; `hook` may do mischief before the answer."""

    def __init__(self, mark: int = 0, protocol_byte: str = "") -> None:
        self.atr = bytes.fromhex(protocol_byte or "3B021450")
        self.mark = mark
        self.received: list[bytes] = []
        self.powered = False
        self._pin_presented = False
        self.hook: Callable[[], bytes | None] = lambda: None

    def power_on(self) -> None:
        self.powered = True

    def power_off(self) -> None:
        self.powered = False
        self._pin_presented = False

    def knows_pin(self) -> bool:
        return self._pin_presented

    def transmit(self, command: bytes) -> bytes:
        self.received.append(command)
        self._pin_presented |= command == PRESENT_PIN
        answer = self.hook()
        return command + bytes([self.mark]) + b"\x90\x00" if answer is None else answer


@pytest.fixture
def driver(pcscd: PrivatePcscd) -> Iterator[PcscDriver]:
    driver = PcscDriver()
    yield driver
    driver.release()


@pytest.fixture
def card() -> EchoCard:
    return EchoCard()


@pytest.fixture
def link(pcscd: PrivatePcscd, driver: PcscDriver, card: EchoCard) -> Iterator[VpcdLink]:
    """The card in slot 0, noticed by pcscd; the slot is empty again for pcscd afterwards."""
    with VpcdLink(card, pcscd.host, pcscd.port(0)) as link:
        await_presence(driver, pcscd.readers[0], present=True)
        yield link
    await_presence(driver, pcscd.readers[0], present=False)


@pytest.fixture
def reader(pcscd: PrivatePcscd, link: VpcdLink) -> str:
    return pcscd.readers[0]


@pytest.fixture
def channel(driver: PcscDriver, reader: str) -> Iterator[PcscChannel]:
    with contextlib.closing(driver.connect(reader)) as channel:
        yield channel


def await_presence(driver: PcscDriver, reader: str, *, present: bool) -> SlotState:
    deadline = time.monotonic() + NOTICED_WITHIN
    states = driver.readers()
    while states[reader].present is not present:
        assert time.monotonic() < deadline, f"{reader} stays {states[reader]}"
        states = driver.wait(states, 0.5)
    return states[reader]


def raw_of(error: pytest.ExceptionInfo[CardioError]) -> str:
    assert error.value.source is not None
    assert (error.value.source.layer, error.value.source.command) == ("pcsc", "SCardTransmit")
    return error.value.source.raw


# ---- readers and slots ---------------------------------------------------------------------------


def test_lists_the_readers_of_pcscd(pcscd: PrivatePcscd, driver: PcscDriver) -> None:
    listed: ReaderDriver = driver
    names = list(listed.readers())
    assert names[:5] == pcscd.readers
    assert len(set(names)) == 6  # vpcd comes in pairs


def test_wait_sees_insertion_and_removal(pcscd: PrivatePcscd, driver: PcscDriver, card: EchoCard) -> None:
    reader = pcscd.readers[2]
    before = driver.readers()
    with VpcdLink(card, pcscd.host, pcscd.port(2)):
        inserted = driver.wait(before, NOTICED_WITHIN)
        assert inserted[reader].present
        assert inserted[reader].events == before[reader].events + 1
    removed = driver.wait(inserted, NOTICED_WITHIN)
    assert removed[reader] == SlotState(False, before[reader].events + 2)
    assert {n for n in removed if removed[n] != before[n]} == {reader}


def test_wait_is_woken_while_it_blocks(pcscd: PrivatePcscd, driver: PcscDriver, card: EchoCard) -> None:
    known = driver.readers()
    link = VpcdLink(card, pcscd.host, pcscd.port(1))
    timer = threading.Timer(1.2, link.insert)
    timer.start()
    began = time.monotonic()
    assert driver.wait(known, 10)[pcscd.readers[1]].present
    assert 1.0 < time.monotonic() - began < 2.5
    timer.join()
    link.remove()
    await_presence(driver, pcscd.readers[1], present=False)


def test_wait_gives_up_in_time(driver: PcscDriver) -> None:
    known = driver.readers()
    began = time.monotonic()
    assert driver.wait(known, 0.3) == known
    assert 0.25 < time.monotonic() - began < 1.0


def test_another_presentation_has_another_number(pcscd: PrivatePcscd, driver: PcscDriver, link: VpcdLink) -> None:
    first = await_presence(driver, pcscd.readers[0], present=True)
    link.remove()
    link.insert()  # at once: the slot still stays empty long enough to be seen empty
    deadline = time.monotonic() + NOTICED_WITHIN
    while (again := driver.readers()[pcscd.readers[0]]) == first or not again.present:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert again.events == first.events + 2


# ---- exchange ------------------------------------------------------------------------------------


def test_bytes_go_both_ways(card: EchoCard, channel: PcscChannel) -> None:
    typed: Channel = channel
    everything = bytes.fromhex("00D6950000") + bytes(range(250))
    card.mark = 0xA5
    assert typed.transmit(everything) == everything + b"\xa5\x90\x00"
    assert card.received == [everything]


def test_extended_lengths_pass(card: EchoCard, channel: PcscChannel) -> None:
    command = bytes.fromhex("00D69500 00 0400") + bytes(1024) + bytes(2)
    card.hook = lambda: bytes(2000) + b"\x90\x00"
    assert channel.transmit(command) == bytes(2000) + b"\x90\x00"
    assert card.received == [command]


def test_channel_describes_its_card(card: EchoCard, channel: PcscChannel, reader: str) -> None:
    assert channel.reader == reader
    assert channel.atr == card.atr
    assert channel.protocol is CardProtocol.T0
    assert channel.virtual


def test_a_card_may_speak_t1(pcscd: PrivatePcscd, driver: PcscDriver) -> None:
    card = EchoCard(protocol_byte="3B80800101")
    with VpcdLink(card, pcscd.host, pcscd.port(3)):
        await_presence(driver, pcscd.readers[3], present=True)
        with contextlib.closing(driver.connect(pcscd.readers[3])) as channel:
            assert channel.protocol is CardProtocol.T1
            assert channel.transmit(COMMAND) == COMMAND + b"\x00\x90\x00"
    await_presence(driver, pcscd.readers[3], present=False)


def test_close_makes_the_card_forget_its_pin(card: EchoCard, driver: PcscDriver, reader: str) -> None:
    channel = driver.connect(reader)
    channel.transmit(PRESENT_PIN)
    assert card.knows_pin()
    channel.close()
    channel.close()
    assert not card.knows_pin()
    with pytest.raises(ReaderUnavailable, match="closed"):
        channel.transmit(COMMAND)
    with contextlib.closing(driver.connect(reader)) as again:
        again.transmit(COMMAND)
        assert not card.knows_pin()


def test_time_of_an_apdu(channel: PcscChannel) -> None:
    times = []
    for _ in range(300):
        began = time.perf_counter()
        channel.transmit(COMMAND)
        times.append((time.perf_counter() - began) * 1000)
    print(f"\nAPDU through pcscd: median {statistics.median(times):.3f} ms, max {max(times):.3f}")


def test_five_readers_at_once(pcscd: PrivatePcscd, driver: PcscDriver) -> None:
    cards = [EchoCard(mark=slot) for slot in range(5)]

    def work(slot: int) -> list[bytes]:
        reader = pcscd.readers[slot]
        await_presence(driver, reader, present=True)
        with contextlib.closing(driver.connect(reader)) as channel:
            return [channel.transmit(COMMAND) for _ in range(100)]

    with contextlib.ExitStack() as stack:
        for slot, card in enumerate(cards):
            stack.enter_context(VpcdLink(card, pcscd.host, pcscd.port(slot)))
        with ThreadPoolExecutor(5) as threads:
            answers = list(threads.map(work, range(5)))
    for slot in range(5):
        assert answers[slot] == [COMMAND + bytes([slot]) + b"\x90\x00"] * 100
        assert len(cards[slot].received) == 100
        await_presence(driver, pcscd.readers[slot], present=False)


# ---- what goes wrong -----------------------------------------------------------------------------


def test_pulled_between_commands(link: VpcdLink, card: EchoCard, channel: PcscChannel, driver: PcscDriver) -> None:
    link.remove()
    with pytest.raises(CardRemoved) as at_once:
        channel.transmit(COMMAND)
    # pcscd may have looked at the slot in between; the answer to the operator is the same.
    assert raw_of(at_once) in {"80100016", "00000000", "80100069"}
    await_presence(driver, channel.reader, present=False)
    with pytest.raises(CardRemoved) as later:
        channel.transmit(COMMAND)
    assert raw_of(later) == "80100069"
    assert card.received == []


def test_pulled_during_a_command(link: VpcdLink, card: EchoCard, channel: PcscChannel) -> None:
    def pull() -> None:
        link.remove()

    card.hook = pull
    with pytest.raises(CardRemoved) as error:
        channel.transmit(COMMAND)
    assert raw_of(error) in {"80100016", "00000000"}
    assert card.received == [COMMAND]
    assert link.failure is None


def test_pulled_by_another_hand_during_a_command(link: VpcdLink, card: EchoCard, channel: PcscChannel) -> None:
    in_command = threading.Event()

    def work_long() -> None:
        in_command.set()
        time.sleep(0.3)

    def pull() -> None:
        in_command.wait()
        link.remove()

    card.hook = work_long
    hand = threading.Thread(target=pull)
    hand.start()
    with pytest.raises(CardRemoved):
        channel.transmit(COMMAND)
    hand.join()


def test_old_channel_does_not_reach_the_next_card(
    pcscd: PrivatePcscd, driver: PcscDriver, link: VpcdLink, channel: PcscChannel
) -> None:
    link.remove()
    other = EchoCard(mark=1)
    with VpcdLink(other, pcscd.host, pcscd.port(0)):
        await_presence(driver, channel.reader, present=True)
        with pytest.raises(CardRemoved):
            channel.transmit(COMMAND)
        assert other.received == []
        channel.close()
        with contextlib.closing(driver.connect(channel.reader)) as anew:
            assert anew.transmit(COMMAND) == COMMAND + b"\x01\x90\x00"


def test_answer_without_status_word(card: EchoCard, channel: PcscChannel) -> None:
    card.hook = lambda: b"\x90"
    with pytest.raises(LinkCorrupt) as error:
        channel.transmit(COMMAND)
    assert raw_of(error) == "00000000"
    card.hook = lambda: None
    assert channel.transmit(COMMAND) == COMMAND + b"\x00\x90\x00"


@pytest.mark.parametrize("same_thread", [True, False])
def test_exclusive_use(driver: PcscDriver, channel: PcscChannel, reader: str, same_thread: bool) -> None:
    second = PcscDriver()
    if same_thread:
        with pytest.raises(ReaderBusy) as error:
            second.connect(reader)
    else:
        with ThreadPoolExecutor(1) as thread, pytest.raises(ReaderBusy) as error:
            thread.submit(driver.connect, reader).result()
    assert error.value.source is not None
    assert error.value.source.raw == "8010000B"
    channel.close()
    second.connect(reader).close()
    second.release()


def test_no_card(pcscd: PrivatePcscd, driver: PcscDriver) -> None:
    with pytest.raises(CardAbsent) as error:
        driver.connect(pcscd.readers[4])
    assert error.value.source is not None
    assert error.value.source.raw == "8010000C"


def test_unknown_reader(driver: PcscDriver) -> None:
    with pytest.raises(ReaderUnavailable) as error:
        driver.connect("No Such Reader 00 00")
    assert error.value.source is not None
    assert error.value.source.raw == "80100009"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0x80100069, CardRemoved),
        (0x80100066, CardMute),
        (0x80100067, CardUnpowered),
        (0x80100068, CardReset),
        (0x8010000B, ReaderBusy),
        (0x8010000C, CardAbsent),
        (0x80100017, ReaderUnavailable),
        (0x80100009, ReaderUnavailable),
        (0x8010002E, ReaderUnavailable),
        (0x8010001D, ReaderServiceStopped),
        (0x8010001E, ReaderServiceStopped),
        (0x80100013, ReaderServiceStopped),
        (0x8010002F, LinkCorrupt),
        (0x80100065, CardUnsupported),
        (0x8010000F, CardUnsupported),
        (0x80100001, ReaderUnavailable),
    ],
)
@pytest.mark.parametrize("signed", [False, True])
def test_every_result_has_its_error(code: int, kind: type[CardioError], signed: bool) -> None:
    result = code - (1 << 32) if signed else code
    with pytest.raises(CardioError) as error:
        pcsc._check(result, "SCardTransmit", "reader")
    assert type(error.value) is kind
    assert raw_of(error) == f"{code:08X}"


def test_unknown_results_keep_their_number() -> None:
    with pytest.raises(ReaderUnavailable, match=r"PC/SC error 80100014"):
        pcsc._check(0x80100014, "SCardConnect", "reader")


# ---- pcscd comes and goes ------------------------------------------------------------------------


@pytest.fixture
def running(pcscd: PrivatePcscd) -> Iterator[PrivatePcscd]:
    """pcscd for tests that stop it: it runs again afterwards."""
    yield pcscd
    pcscd.resume()


def test_driver_survives_a_restart(running: PrivatePcscd, driver: PcscDriver) -> None:
    before = driver.readers()
    running.restart()
    assert list(driver.readers()) == list(before)
    running.restart()
    with pytest.raises(CardAbsent):
        driver.connect(running.readers[0])
    running.restart()
    # The numbers of presentations began anew, so that a waiting caller must learn of it.
    with pytest.raises(ReaderServiceStopped):
        driver.wait(before, 0.1)
    assert list(driver.wait({}, 0.1)) == list(before)


def test_cards_work_after_a_restart(running: PrivatePcscd, driver: PcscDriver) -> None:
    card = EchoCard()
    for _ in range(2):
        with VpcdLink(card, running.host, running.port(0)):
            await_presence(driver, running.readers[0], present=True)
            with contextlib.closing(driver.connect(running.readers[0])) as channel:
                assert channel.transmit(COMMAND) == COMMAND + b"\x00\x90\x00"
                running.restart()
                with pytest.raises(ReaderServiceStopped) as error:
                    channel.transmit(COMMAND)
                assert raw_of(error) == "8010001D"
        assert not card.powered


def test_service_stopped(running: PrivatePcscd, driver: PcscDriver) -> None:
    driver.readers()
    running.halt()
    for call in (
        driver.readers,
        lambda: driver.wait({}, 5),
        lambda: driver.connect(running.readers[0]),
        PcscDriver().readers,
    ):
        with pytest.raises(ReaderServiceStopped):
            call()
    running.resume()
    assert len(driver.readers()) == 6


def test_service_stops_during_a_wait(running: PrivatePcscd, driver: PcscDriver) -> None:
    known = driver.readers()
    timer = threading.Timer(0.3, running.halt)
    timer.start()
    began = time.monotonic()
    with pytest.raises(ReaderServiceStopped):
        driver.wait(known, 10)
    assert time.monotonic() - began < 2
    timer.join()


def test_service_dies_during_a_command(
    running: PrivatePcscd, driver: PcscDriver, reader: str, channel: PcscChannel, card: EchoCard
) -> None:
    def kill() -> None:
        running.halt()

    card.hook = kill
    with pytest.raises(ReaderServiceStopped) as error:
        channel.transmit(COMMAND)
    assert raw_of(error) == "80100013"
    assert card.received == [COMMAND]
    running.resume()
    assert not driver.readers()[reader].present


def test_contexts_are_freed_with_their_threads(driver: PcscDriver) -> None:
    # pcscd serves at most 200 contexts; a leak of one per thread would stop us well before 300.
    for _ in range(300):
        thread = threading.Thread(target=driver.readers)
        thread.start()
        thread.join()
    assert len(driver.readers()) == 6
