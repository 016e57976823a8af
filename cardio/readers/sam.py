"""Finds the PSAMs among the readers, and keeps them in service as long as they lie there (PERS §4.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cardio.apdu.connection import CardConnection
from cardio.errors import CardError, ReaderBusy, ReaderError, SamAbsent, SamFailed
from cardio.readers.key_chain import KeyChain
from cardio.readers.owner import OwnerState, SamOwner
from cardio.readers.watch import CALL_LIMIT
from cardio.security.psam import Psam, read_terminal_number
from cardio.transport.channel import Channel, ReaderDriver, SlotState


@dataclass(frozen=True)
class SamFound:
    """A PSAM in a reader.

    Attributes:
        reader: Name of the reader.
        terminal_number: 12 digits.
        virtual: Whether it is virtual, so that its keys are test keys.
    """

    reader: str
    terminal_number: str
    virtual: bool


def find_sam(driver: ReaderDriver, name: str | None = None) -> SamFound:
    """The first card that answers with a terminal number from MF/EF16, as only a PSAM does.

    Args:
        driver: The readers.
        name: Only look in readers whose name contains this.

    Raises:
        SamAbsent: There is none.
        ReaderServiceStopped: The reader service does not run.
    """
    held: list[str] = []
    for reader, state in driver.readers().items():
        if state.present and (name is None or name in reader):
            try:
                found = _look(driver, reader)
            except ReaderBusy:
                held.append(reader)
            else:
                if found is not None:
                    return found
    where = f"a reader named {name}" if name else "any reader"
    busy = f"; another program holds the card in {', '.join(held)}" if held else ""
    raise SamAbsent(f"no PSAM in {where}{busy}")


def probe_sam(channel: Channel) -> SamFound | None:
    """Whether a powered card is a PSAM.

    Raises:
        ReaderError: It left.
    """
    try:
        number = read_terminal_number(CardConnection(channel))
    except CardError:
        return None
    return SamFound(channel.reader, number.hex(), channel.virtual)


class SamBench:
    """The PSAMs that serve a counter; for use from one thread.

    A PSAM that was taken out, or whose reader left, goes out of service at once; when it is found again, under
    whatever name, it is a new one.

    Args:
        driver: The readers.
        chain: Keys of the counter, which the PSAMs are part of while they are in service.
        limit: Seconds that one driver call may take.
    """

    def __init__(self, driver: ReaderDriver, chain: KeyChain, *, limit: float = CALL_LIMIT) -> None:
        self._driver = driver
        self._chain = chain
        self._limit = limit
        self._in_service: dict[str, _InService] = {}

    @property
    def readers(self) -> tuple[str, ...]:
        """Readers with a PSAM in service, which are not for card holders."""
        return tuple(sorted(self._in_service))

    @property
    def found(self) -> dict[str, SamFound]:
        """The PSAMs in service, by reader."""
        return {name: one.found for name, one in self._in_service.items()}

    @property
    def states(self) -> dict[str, OwnerState]:
        """What the owner of each PSAM is doing, by reader."""
        return {name: one.owner.state for name, one in self._in_service.items()}

    def adopt(self, found: SamFound, slot: SlotState) -> None:
        """Take a PSAM into service.

        Args:
            found: The PSAM.
            slot: State of its reader when it was found; another state means that it was taken out since.

        Raises:
            TestKeysRefused: It is virtual and the other sources of keys are not, or the other way round.
        """
        owner = SamOwner(found.reader, self._driver, virtual=found.virtual, limit=self._limit)
        psam = Psam(owner)
        try:
            self._chain.add_psam(psam)
        except BaseException:
            owner.stop(0)
            raise
        self._in_service[found.reader] = _InService(found, slot, owner, psam)

    def check(self, reader: str) -> None:
        """Ask a PSAM for its terminal number; waits for what runs on it.

        Raises:
            SamAbsent: There is none in service in this reader.
            SamFailed: It answers with another number.
            ReaderError: It does not answer.
        """
        one = self._in_service.get(reader)
        if one is None:
            raise SamAbsent(reader)
        number = one.owner.run(read_terminal_number).hex()
        if number != one.found.terminal_number:
            raise SamFailed(f"{reader}: terminal number {number}, before {one.found.terminal_number}")

    def update(self, states: Mapping[str, SlotState]) -> list[SamFound]:
        """Take the PSAMs out of service that do not lie where they lay; returns them."""
        gone = [one for name, one in self._in_service.items() if states.get(name) != one.slot]
        for one in gone:
            del self._in_service[one.found.reader]
            self._chain.remove_psam(one.psam)
            one.owner.stop(0)
        return [one.found for one in gone]

    def stop(self) -> None:
        """Finish what runs and release the PSAMs."""
        for one in self._in_service.values():
            one.owner.stop()


@dataclass(frozen=True)
class _InService:
    """A PSAM, its slot at the time it was found, and what serves it."""

    found: SamFound
    slot: SlotState
    owner: SamOwner
    psam: Psam


def _look(driver: ReaderDriver, reader: str) -> SamFound | None:
    """The PSAM in a reader, if there is one.

    Raises:
        ReaderBusy: Another program holds the card.
    """
    try:
        channel = driver.connect(reader)
    except ReaderBusy:
        raise
    except ReaderError:
        return None
    try:
        return probe_sam(channel)
    except ReaderError:
        return None
    finally:
        channel.close()
