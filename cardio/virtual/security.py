"""What a card asks before it touches a file, and who executes its security commands.

Two models are built: `LdtSecurity` for social security cards, `FmcosSecurity` for wallets. A directory chooses one when
it is built; what it leaves open, the directory above decides.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from cardio.virtual.filesystem import Directory, ElementaryFile
from cardio.virtual.received import Received, Status
from cardio.virtual.records import RecordRules
from cardio.virtual.tries import Secret

if TYPE_CHECKING:
    from cardio.virtual.card import VirtualCard

OK = 0x9000
MAC_SIZE = 4
Seal = Callable[[bytes], bytes]
"""Makes the answer of a read out of its data: adds a MAC where the read was protected."""


def plain(data: bytes) -> bytes:
    """The seal of an unprotected read."""
    return data


class Security(ABC):
    """Rights, keys and blocks of one part of a card; serves one card.

    Attributes:
        record_rules: How UPDATE RECORD addresses records.
        challenge_sizes: Lengths that GET CHALLENGE gives.
    """

    record_rules: RecordRules
    challenge_sizes: frozenset[int]

    def __init__(self) -> None:
        self._challenge: bytes | None = None

    @property
    @abstractmethod
    def pin(self) -> Secret | None:
        """The holder's PIN; setting None takes it off."""

    @pin.setter
    @abstractmethod
    def pin(self, pin: Secret | None) -> None: ...

    @property
    def appends(self) -> bool:
        """Whether the card has APPEND RECORD for any file."""
        return self.record_rules.append_command

    def rules_for(self, file: ElementaryFile) -> RecordRules:  # noqa: ARG002 - most cards have one system
        """How records of a file are addressed and written."""
        return self.record_rules

    def power_up(self) -> None:
        """Forget all that was earned."""
        self._challenge = None

    @abstractmethod
    def entered(self, directory: Directory) -> None:
        """A directory was selected, of this part of the card or another."""

    @abstractmethod
    def begin(self, card: VirtualCard, command: Received) -> None:
        """Called before every command in a directory of this part.

        Raises:
            Status: The application is blocked.
        """

    @abstractmethod
    def select_status(self, directory: Directory) -> int:
        """Status word of SELECT: 9000; 6A81 to answer it with the FCI all the same; any other refuses it."""

    @abstractmethod
    def execute(self, card: VirtualCard, command: Received) -> bytes | None:
        """Answer data of a security command; None if it is not one of this model's.

        Raises:
            Status: The command fails.
        """

    @abstractmethod
    def rights(self, card: VirtualCard) -> frozenset[str]:
        """Rights earned in the current directory, by their names in declarations."""

    @abstractmethod
    def open_read(self, card: VirtualCard, file: ElementaryFile, command: Received) -> Seal:
        """Let a file be read, and say how to seal the answer.

        Raises:
            Status: 6982 the right is missing; 6882, 6984, 6987, 6988 on secure messaging.
        """

    @abstractmethod
    def open_update(self, card: VirtualCard, file: ElementaryFile, command: Received) -> bytes:
        """Let a file be written, and give the data without their protection.

        Raises:
            Status: 6982 the right is missing; 6984, 6987, 6988 on secure messaging.
        """

    def _get_challenge(self, card: VirtualCard, command: Received) -> bytes:
        if command.parameters != (0, 0):
            raise Status(0x6A86)
        if command.data or command.le not in self.challenge_sizes:
            raise Status(0x6700)
        self._challenge = card.random(command.le)
        return self._challenge
