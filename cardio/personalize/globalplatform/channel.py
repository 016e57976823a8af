"""A connection whose commands and answers are protected by a secure channel."""

from __future__ import annotations

from dataclasses import replace

from cardio.apdu.command import Command, Response
from cardio.apdu.connection import CardConnection
from cardio.crypto.globalplatform.session import SecurityLevel, Session
from cardio.errors import SecureChannelBroken


class SecureConnection(CardConnection):
    """A `CardConnection` through a secure channel: whoever sends commands through it notices nothing.

    Protection covers whole commands and whole answers; GET RESPONSE goes underneath. SELECT and a reset of the card end
    the channel on the card, so that both belong to the connection underneath.

    Args:
        connection: The connection underneath.
        session: This end of the channel, after EXTERNAL AUTHENTICATE.
        diversification_data: What the card told about itself when the channel was opened, 10 bytes.

    Attributes:
        session: This end of the channel.
        diversification_data: 10 bytes from which its own keys are derived.
    """

    def __init__(self, connection: CardConnection, session: Session, diversification_data: bytes) -> None:
        super().__init__(connection.channel)
        self.counts = connection.counts
        self.session = session
        self.diversification_data = diversification_data
        self._usable = True

    @property
    def capacity(self) -> int:
        """Largest command data in bytes."""
        return self.session.capacity

    def send(self, command: Command) -> Response:
        """Send a command under protection and return the answer without it.

        Raises:
            ReaderError: The answer was lost, and the channel is over.
            SecureChannelBroken: The answer is not the card's, or the channel was over before.
            ValueError: The command is too long; nothing was sent.
        """
        if not self._usable:
            raise SecureChannelBroken("the channel is over")
        protected = self._protect(command)
        # Whatever happens to this exchange, only a checked answer shows that both ends are still in step.
        self._usable = False
        response = super().send(protected)
        data = self.session.open(response.data, response.sw)
        self._usable = True
        return Response(data, response.sw)

    def _protect(self, command: Command) -> Command:
        header = bytes([command.cla, command.ins, command.p1, command.p2])
        header, data = self.session.protect(header, command.data)
        # An answer is longer by its MAC and its padding than the command asks for.
        le = 0 if self.session.level & SecurityLevel.R_MAC else command.le
        # A command with a MAC cannot be sent twice: the card would miss one in between.
        repeatable = command.repeatable and not self.session.level & SecurityLevel.C_MAC
        return replace(command, cla=header[0], data=data, le=le, repeatable=repeatable)
