"""Finds the PSAM among the readers (PERS §4.4)."""

from __future__ import annotations

from dataclasses import dataclass

from cardio.apdu.connection import CardConnection
from cardio.errors import CardError, ReaderError, SamAbsent
from cardio.security.psam import read_terminal_number
from cardio.transport.channel import Channel, ReaderDriver


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
    for reader, state in driver.readers().items():
        if state.present and (name is None or name in reader):
            found = _look(driver, reader)
            if found is not None:
                return found
    raise SamAbsent(f"no PSAM in a reader named {name}" if name else "no PSAM in any reader")


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


def _look(driver: ReaderDriver, reader: str) -> SamFound | None:
    try:
        channel = driver.connect(reader)
    except ReaderError:
        return None
    try:
        return probe_sam(channel)
    except ReaderError:
        return None
    finally:
        channel.close()
