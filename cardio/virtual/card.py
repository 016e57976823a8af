"""A virtual card: powers up, answers APDUs as strictly as a chip, and can be torn out at any moment.

Users test their own software with it; every test of this project stands on it. A card lives in an embedded reader
(`cardio.transport.embedded`) or, through vpcd, in a real PC/SC reader (`cardio.virtual.vpcd`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardio.apdu.command import MASTER_FILE
from cardio.transport.channel import CardProtocol
from cardio.virtual.chip import Chip
from cardio.virtual.chip import Hook as Hook
from cardio.virtual.chip import Moment as Moment
from cardio.virtual.file_commands import FileCommands
from cardio.virtual.filesystem import Directory
from cardio.virtual.ldt_security import LdtSecurity
from cardio.virtual.received import Received, Status
from cardio.virtual.security import Security
from cardio.virtual.tries import CardPin as CardPin
from cardio.virtual.tries import Secret

if TYPE_CHECKING:
    from cardio.virtual.recipe import Recipe
    from cardio.virtual.structure import Structure

NEXT_OCCURRENCE = 0x02
"""P2 of SELECT."""
ENDS_PURCHASE = frozenset({(0x00, 0xA4), (0x00, 0x20)})
"""SELECT of anything and VERIFY end an open purchase, pure reads do not (EW PC-7)."""

CLASSES = frozenset({0x00, 0x04, 0x80, 0x84, 0xB0})


class VirtualCard(Chip):
    """One card.

    Args:
        atr: Answer to reset.
        master_file: Root of its file system.
        protocol: T=0 makes it announce answers by 61xx and 6Cxx, as contact cards do (SSC §5).
        pin: The holder's PIN, for a card whose `security` is left out.
        security: Who decides where no directory has a security of its own; default `LdtSecurity(pin=pin)`.
        names_from_master_file: Environments below the master file are found by name only while the master file is
            selected (SSC §2).

    Attributes:
        blocked: Whether CARD BLOCK closed the card for ever.
        structure: Its tree, where that is part of its memory; None on a card that is built with all its files.
        recipe: How it was made, if one of this package's functions made it.
    """

    def __init__(
        self,
        atr: bytes,
        master_file: Directory,
        protocol: CardProtocol,
        pin: Secret | None = None,
        *,
        security: Security | None = None,
        names_from_master_file: bool = False,
    ) -> None:
        if pin is not None and security is not None:
            raise ValueError("the PIN belongs to the security")
        super().__init__(atr, protocol)
        self.master_file = master_file
        self.security = security or LdtSecurity(pin=pin)
        self.names_from_master_file = names_from_master_file
        self.blocked = False
        self.structure: Structure | None = None
        self.recipe: Recipe | None = None
        self._files = FileCommands(self)
        self._power_up()

    # ---- power -----------------------------------------------------------------------------------------------

    def _power_up(self) -> None:
        super()._power_up()
        for security in self._securities():
            security.power_up()
        self._enter(self.master_file)

    def deselect_file(self) -> None:
        """No elementary file is the current one."""
        self._files.make_current(None)

    def _enter(self, directory: Directory) -> None:
        self.current = directory
        self._files.make_current(None)
        for security in self._securities():
            security.entered(directory)
        for every in self.master_file.walk():
            if every.function is not None:
                every.function.reset()

    # ---- security --------------------------------------------------------------------------------------------

    @property
    def pin(self) -> Secret | None:
        """The holder's PIN; of a card with several the one of its main security that has one."""
        return self._pin_holder().pin

    @pin.setter
    def pin(self, pin: Secret | None) -> None:
        self._pin_holder().pin = pin

    def _pin_holder(self) -> Security:
        return next((security for security in self._securities() if security.pin is not None), self.security)

    def security_of(self, directory: Directory) -> Security:
        """Who decides in a directory."""
        return next((above.security for above in directory.path() if above.security is not None), self.security)

    def _securities(self) -> list[Security]:
        found = [self.security]
        found += [d.security for d in self.master_file.walk() if d.security is not None and d.security not in found]
        return found

    def rights(self) -> frozenset[str]:
        """Rights that the terminal has earned in the current directory, by their names in declarations."""
        return self.security_of(self.current).rights(self)

    def block(self) -> None:
        """Close the card for ever: every later command is 6A81."""

        def write() -> None:
            self.blocked = True

        self.commit(write)

    # ---- commands --------------------------------------------------------------------------------------------

    def _admit(self, command: Received) -> None:  # noqa: ARG002 - a blocked card takes none at all
        if self.blocked:
            raise Status(0x6A81)

    @property
    def _mac_size(self) -> int:
        return self._files.mac_size

    def _execute(self, command: Received) -> bytes:
        self._files.mac_size = 0
        security = self.security_of(self.current)
        security.begin(self, command)
        function = self.current.function
        if function is not None:
            if command.instruction in ENDS_PURCHASE:
                function.reset()
            answer = function.execute(command)
            if answer is not None:
                return answer
        answer = security.execute(self, command)
        if answer is not None:
            return answer
        answer = self._files.execute(command)
        if answer is not None:
            return answer
        if command.instruction == (0x00, 0xA4):
            return self._select(command)
        raise Status(0x6D00 if command.cla in CLASSES else 0x6E00)

    # ---- selection -------------------------------------------------------------------------------------------

    def _select(self, command: Received) -> bytes:
        if command.p1 not in {0x00, 0x02, 0x04} or command.p2 not in {0x00, NEXT_OCCURRENCE}:
            raise Status(0x6A86)
        if command.p1 == 0x04:
            named = [d for d in self.master_file.walk() if d.name and d.name == command.data and self._knows_name(d)]
            return self._select_directory(named, command.p2)
        if command.data:
            command.need(2)
        identifier = int.from_bytes(command.data, "big") if command.data else MASTER_FILE
        if command.p1 == 0x00:
            identified = [d for d in self.current.reachable() if d.identifier == identifier]
            if identified:
                return self._select_directory(identified, command.p2)
        for file in self.current.files:
            if file.declaration.identifier == identifier:
                self._files.make_current(file)
                return b""
        raise Status(0x6A82)

    def _knows_name(self, directory: Directory) -> bool:
        environment = directory.parent is self.master_file
        return not (self.names_from_master_file and environment and self.current is not self.master_file)

    def _select_directory(self, found: list[Directory], p2: int) -> bytes:
        """Select the first one found, or the one after the current directory if P2 asks for the next."""
        if p2 == NEXT_OCCURRENCE:
            places = [place for place, directory in enumerate(found) if directory is self.current]
            found = found[places[0] + 1 :] if places else found
        if not found:
            raise Status(0x6A82)
        directory = found[0]
        status = self.security_of(directory).select_status(directory)
        if status not in {0x9000, 0x6A81}:
            raise Status(status)
        self._enter(directory)
        if status != 0x9000:
            raise Status(status, directory.fci())
        return directory.fci()
