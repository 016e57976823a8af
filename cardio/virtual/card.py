"""A virtual card: powers up, answers APDUs as strictly as a chip, and can be torn out at any moment.

Users test their own software with it; every test of this project stands on it. A card lives in an embedded reader
(`cardio.transport.embedded`) or, through vpcd, in a real PC/SC reader (`cardio.virtual.vpcd`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cardio.apdu.command import MASTER_FILE
from cardio.files.declaration import PIN, Structure
from cardio.transport.channel import CardProtocol
from cardio.virtual.filesystem import Directory, ElementaryFile
from cardio.virtual.received import Received, Status

OK = b"\x90\x00"
ENDS_PURCHASE = frozenset({(0x00, 0xA4), (0x00, 0x20)})
"""SELECT of anything and VERIFY end an open purchase, pure reads do not (EW PC-7)."""


class Moment(StrEnum):
    """Moments of a card's life at which a test can act: tear the card, kill a process, swap it."""

    COMMAND = "command"
    BEFORE_COMMIT = "before-commit"
    AFTER_COMMIT = "after-commit"
    ANSWER = "answer"


Hook = Callable[[Moment, Received], None]
"""Called at every moment with the running command; raising `CardRemoved` tears the card out there."""


@dataclass
class CardPin:
    """A PIN with its try counter.

    Attributes:
        value: Packed digits as VERIFY carries them; empty means that no PIN is set.
        max_tries: Tries after a success.
        tries_left: Tries left now.
    """

    value: bytes
    max_tries: int = 6
    tries_left: int = 6


class VirtualCard:
    """One card.

    Args:
        atr: Answer to reset.
        master_file: Root of its file system.
        protocol: T=0 makes it announce answers by 61xx and 6Cxx, as contact cards do (SSC §5).
        pin: The holder's PIN.

    Attributes:
        hook: Called at every `Moment`.
        random: Source of random bytes, replaceable for vectors.
    """

    def __init__(
        self,
        atr: bytes,
        master_file: Directory,
        protocol: CardProtocol,
        pin: CardPin | None = None,
    ) -> None:
        self.atr = atr
        self.master_file = master_file
        self.protocol = protocol
        self.pin = pin
        self.hook: Hook | None = None
        self.random: Callable[[int], bytes] = secrets.token_bytes
        self._running = Received(0, 0, 0, 0, b"", 0)
        self._power_up()

    # ---- power -----------------------------------------------------------------------------------------------

    def power_on(self) -> None:
        """Reset: nothing presented, the master file selected."""
        self._power_up()

    def power_off(self) -> None:
        """Everything volatile is gone."""
        self._power_up()

    def _power_up(self) -> None:
        self._rights: frozenset[str] = frozenset()
        self._pending = b""
        self._file: ElementaryFile | None = None
        self._enter(self.master_file)

    def _enter(self, directory: Directory) -> None:
        self.current = directory
        self._file = None
        for every in self.master_file.walk():
            if every.function is not None:
                every.function.reset()

    # ---- commands --------------------------------------------------------------------------------------------

    def transmit(self, command: bytes) -> bytes:
        """Execute one command APDU and return data ‖ SW1 SW2.

        Raises:
            CardRemoved: A hook tore the card out.
        """
        try:
            received = Received.parse(command)
        except Status as status:
            return status.sw.to_bytes(2, "big")
        self._running = received
        self.reach(Moment.COMMAND)
        answer = self._answer(received)
        self.reach(Moment.ANSWER)
        return answer

    def commit(self, change: Callable[[], None]) -> None:
        """Make a change to persistent memory: wholly or not at all, whatever a hook does around it."""
        self.reach(Moment.BEFORE_COMMIT)
        change()
        self.reach(Moment.AFTER_COMMIT)

    def reach(self, moment: Moment) -> None:
        """Let the hook act."""
        if self.hook is not None:
            self.hook(moment, self._running)

    def _answer(self, command: Received) -> bytes:
        try:
            if command.instruction == (0x00, 0xC0):
                return self._get_response(command)
            self._pending = b""
            data = self._execute(command)
        except Status as status:
            return status.sw.to_bytes(2, "big")
        return self._deliver(command, data)

    def _deliver(self, command: Received, data: bytes) -> bytes:
        """Answer lengths as ISO 7816-3 §12.2 demands."""
        if not data:
            return OK
        if self.protocol is CardProtocol.T0:
            if command.data:
                self._pending = data
                return bytes([0x61, len(data) & 0xFF])
            # P3 = 00 stands for 256: a card without so many bytes names the right length.
            return data + OK if command.le == len(data) else bytes([0x6C, len(data) & 0xFF])
        if command.le and command.le < len(data):
            return bytes([0x6C, len(data) & 0xFF])
        return data + OK

    def _get_response(self, command: Received) -> bytes:
        pending = self._pending
        if not pending:
            raise Status(0x6985)
        if command.le != len(pending):
            return bytes([0x6C, len(pending) & 0xFF])
        self._pending = b""
        return pending + OK

    def _execute(self, command: Received) -> bytes:
        function = self.current.function
        if function is not None and command.instruction in ENDS_PURCHASE:
            function.reset()
        if function is not None:
            answer = function.execute(command)
            if answer is not None:
                return answer
        handlers = {
            0xA4: self._select,
            0xB0: self._read_binary,
            0xB2: self._read_record,
            0x20: self._verify,
            0x84: self._get_challenge,
        }
        if command.cla != 0x00:
            raise Status(0x6E00 if command.cla not in {0x80, 0x84, 0x04, 0xB0} else 0x6D00)
        handler = handlers.get(command.ins)
        if handler is None:
            raise Status(0x6D00)
        return handler(command)

    # ---- files -----------------------------------------------------------------------------------------------

    def _select(self, command: Received) -> bytes:
        if command.p1 == 0x04:
            found = next((d for d in self.master_file.walk() if d.name == command.data), None)
            if not command.data or found is None:
                raise Status(0x6A82)
            self._enter(found)
            return found.fci()
        if command.p1 not in {0x00, 0x02}:
            raise Status(0x6A86)
        if command.data:
            command.need(2)
        identifier = int.from_bytes(command.data, "big") if command.data else MASTER_FILE
        return self._select_identifier(identifier, files_only=command.p1 == 0x02)

    def _select_identifier(self, identifier: int, *, files_only: bool) -> bytes:
        if not files_only:
            for directory in self._reachable():
                if directory.identifier == identifier:
                    self._enter(directory)
                    return directory.fci()
        for file in self.current.files:
            if file.declaration.identifier == identifier:
                self._file = file
                return b""
        raise Status(0x6A82)

    def _reachable(self) -> list[Directory]:
        """Directories that a file identifier can name: the master file, children, siblings (SSC §2)."""
        found = [self.master_file, *self.current.directories]
        if self.current.parent is not None:
            found += [self.current.parent, *self.current.parent.directories]
        return found

    def _addressed(self, sfi: int) -> ElementaryFile:
        if sfi:
            self._file = self.current.file(sfi)
        if self._file is None:
            raise Status(0x6986)
        return self._file

    def _readable(self, file: ElementaryFile) -> None:
        if not file.declaration.read.allows(self.rights()):
            raise Status(0x6982)

    def rights(self) -> frozenset[str]:
        """Rights that the terminal has earned; a card without a PIN grants the right of the PIN."""
        if self.pin is None or not self.pin.value:
            return self._rights | {PIN}
        return self._rights

    def _read_binary(self, command: Received) -> bytes:
        by_sfi = bool(command.p1 & 0x80)
        file = self._addressed(command.p1 & 0x1F if by_sfi else 0)
        offset = command.p2 if by_sfi else command.p1 << 8 | command.p2
        if file.declaration.structure is not Structure.TRANSPARENT:
            raise Status(0x6981)
        self._readable(file)
        if offset >= len(file.data):
            raise Status(0x6B00)
        rest = file.data[offset:]
        # A shorter Le reads a part; only a longer one is wrong.
        return rest[: command.le] if 0 < command.le < len(rest) else rest

    def _read_record(self, command: Received) -> bytes:
        file = self._addressed(command.p2 >> 3)
        if file.declaration.structure is Structure.TRANSPARENT:
            raise Status(0x6981)
        self._readable(file)
        return b"".join(file.find(command.p1, command.p2 & 0x07))

    # ---- security --------------------------------------------------------------------------------------------

    def _verify(self, command: Received) -> bytes:
        pin = self.pin
        if pin is None or not pin.value:
            return b""
        if not pin.tries_left:
            raise Status(0x6983)
        if not command.data:
            if PIN in self._rights:
                return b""
            raise Status(0x63C0 | pin.tries_left)
        if not 2 <= len(command.data) <= 8:
            raise Status(0x6700)
        right = command.data == pin.value
        left = pin.max_tries if right else pin.tries_left - 1

        def count() -> None:
            pin.tries_left = left

        self.commit(count)
        self._rights = self._rights | {PIN} if right else self._rights - {PIN}
        if not right:
            raise Status(0x63C0 | left)
        return b""

    def _get_challenge(self, command: Received) -> bytes:
        if command.le not in {4, 8, 16}:
            raise Status(0x6700)
        return self.random(command.le)
