"""The chip of a virtual card: power, answers by protocol, persistent writes, faults; what it executes is its card's.

`cardio.virtual.card` has cards with files, `cardio.virtual.globalplatform` cards with applets.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from cardio.transport.channel import CardProtocol
from cardio.virtual.received import Received, Status

if TYPE_CHECKING:
    from cardio.virtual.faults import FaultPlan
    from cardio.virtual.timing import TimingModel

OK = 0x9000
GET_RESPONSE = (0x00, 0xC0)
WARNING_WITH_DATA = 0x63
"""First byte of warnings that come with data under T=0, too: GET STATUS has more (PERS §2.5)."""


class Moment(StrEnum):
    """Moments of a card's life at which a test can act: tear the card, kill a process, swap it."""

    COMMAND = "command"
    BEFORE_COMMIT = "before-commit"
    AFTER_COMMIT = "after-commit"
    ANSWER = "answer"


Hook = Callable[[Moment, Received], None]
"""Called at every moment with the running command; raising `CardRemoved` tears the card out there.

`cardio.virtual.faults` has ready-made faults that count.
"""


class Chip(ABC):
    """One chip.

    Args:
        atr: Answer to reset.
        protocol: T=0 makes it announce answers by 61xx and 6Cxx, as contact cards do (SSC §5).

    Attributes:
        hook: Called at every `Moment`.
        timing: Adds up how long a real card would take; None to do without (`cardio.virtual.timing`).
        random: Source of random bytes, replaceable for vectors.
    """

    def __init__(self, atr: bytes, protocol: CardProtocol) -> None:
        self.atr = atr
        self.protocol = protocol
        self.hook: Hook | None = None
        self.timing: TimingModel | None = None
        self.random: Callable[[int], bytes] = secrets.token_bytes
        self._faults: tuple[FaultPlan, ...] = ()
        self._running = Received(0, 0, 0, 0, b"", 0)
        self._answered = self._running
        self._pending = b""
        self._pending_status = OK

    # ---- what a card does ------------------------------------------------------------------------------------

    @abstractmethod
    def _execute(self, command: Received) -> bytes:
        """Answer data of a command.

        Raises:
            Status: The command fails, or succeeds with a warning.
        """

    @abstractmethod
    def _admit(self, command: Received) -> None:
        """Called before every command.

        Raises:
            Status: The card takes none any more.
        """

    @property
    def _mac_size(self) -> int:
        """Bytes of MAC in the answer, which Le does not count."""
        return 0

    # ---- power -----------------------------------------------------------------------------------------------

    def power_on(self) -> None:
        """Reset: nothing presented, nothing open."""
        self._power_up()

    def power_off(self) -> None:
        """Everything volatile is gone."""
        self._power_up()

    def _power_up(self) -> None:
        self._pending = b""

    # ---- faults ----------------------------------------------------------------------------------------------

    @property
    def faults(self) -> tuple[FaultPlan, ...]:
        """Plans of faults that are on the card; one plan, several, or None are put on in place of them."""
        return self._faults

    @faults.setter
    def faults(self, plans: FaultPlan | Iterable[FaultPlan] | None) -> None:
        if plans is None:
            self._faults = ()
        else:
            self._faults = tuple(plans) if isinstance(plans, Iterable) else (plans,)

    # ---- commands --------------------------------------------------------------------------------------------

    def transmit(self, command: bytes) -> bytes:
        """Execute one command APDU and return data ‖ SW1 SW2.

        Raises:
            CardRemoved: A hook or a fault tore the card out.
            CardMute: A fault keeps the answer back.
        """
        try:
            received = Received.parse(command)
        except Status as status:
            return status.sw.to_bytes(2, "big")
        self._running = received
        if received.instruction != GET_RESPONSE:
            self._answered = received
        answer = self._answer(received)
        for plan in self._faults:
            answer = plan.alter(self._answered, answer)
        if self.timing is not None:
            self.timing.spend(command, answer)
        self.reach(Moment.ANSWER)
        return answer

    def commit(self, change: Callable[[], None]) -> None:
        """Make a change to persistent memory: wholly or not at all, whatever a hook does around it."""
        self.reach(Moment.BEFORE_COMMIT)
        change()
        self.reach(Moment.AFTER_COMMIT)

    def reach(self, moment: Moment) -> None:
        """Let the hook and the faults act."""
        if self.hook is not None:
            self.hook(moment, self._running)
        for plan in self._faults:
            plan.reach(moment, self, self._running)

    def _answer(self, command: Received) -> bytes:
        try:
            self.reach(Moment.COMMAND)
            self._admit(command)
            if command.instruction == GET_RESPONSE:
                return self._get_response(command)
            self._pending = b""
            data, sw = self._execute(command), OK
        except Status as status:
            self._pending = b""
            data, sw = status.data, status.sw
            if sw >> 8 != WARNING_WITH_DATA:
                # T=0 carries data with 9000 only.
                data = b"" if self.protocol is CardProtocol.T0 else data
                return data + sw.to_bytes(2, "big")
        return self._deliver(command, data, sw)

    def _deliver(self, command: Received, data: bytes, sw: int) -> bytes:
        """Answer lengths as ISO 7816-3 §12.2 demands."""
        status = sw.to_bytes(2, "big")
        if not data:
            return status
        if self.protocol is CardProtocol.T0:
            if command.data:
                self._pending, self._pending_status = data, sw
                return bytes([0x61, len(data) & 0xFF])
            # P3 = 00 stands for 256: a card without so many bytes names the right length.
            return data + status if command.le == len(data) else bytes([0x6C, len(data) & 0xFF])
        # Le of a protected read counts the data without their MAC.
        if command.le and command.le < len(data) - self._mac_size:
            return bytes([0x6C, len(data) & 0xFF])
        return data + status

    def _get_response(self, command: Received) -> bytes:
        pending = self._pending
        if not pending:
            raise Status(0x6985)
        if command.le != len(pending):
            return bytes([0x6C, len(pending) & 0xFF])
        self._pending = b""
        return pending + self._pending_status.to_bytes(2, "big")
