"""A card that answers commands: GET RESPONSE, wrong lengths and counting, over a bare channel."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from cardio.apdu.command import GET_RESPONSE, MAX_SHORT_ANSWER, Command, Response
from cardio.errors import CardDataInvalid, LinkCorrupt
from cardio.transport.channel import CardProtocol, Channel

MAX_ANSWER = 65536
ANSWER_LOST = frozenset(range(0x64, 0x70)) - {0x6C}
"""First bytes of status words by which GET RESPONSE itself fails."""


class CardConnection:
    """Sends commands to one card and completes their answers.

    Attributes:
        channel: The channel underneath.
        counts: Commands sent so far by name, without the repeats of T=0 (61xx, 6Cxx), for budgets and `--stats`.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.counts: Counter[str] = Counter()

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self.channel.atr

    def send(self, command: Command) -> Response:
        """Send a command and return the complete answer, whatever its status word.

        Raises:
            ReaderError: The answer was lost; whether the card executed the command is unknown.
            CardDataInvalid: The card announces answers without end.
        """
        self.counts[command.name] += 1
        response = self._transmit(command)
        if response.sw >> 8 == 0x6C and command.repeatable:
            response = self._transmit(command.with_le(response.sw & 0xFF or MAX_SHORT_ANSWER))
        if response.sw >> 8 == 0x61:
            response = self._fetch(command, response)
        return response

    def call(self, command: Command) -> bytes:
        """Send a command and return its answer data.

        Raises:
            CardioError: The error that the command's table gives for a status word other than 9000.
            ReaderError: As in `send`.
        """
        response = self.send(command)
        if not response.ok:
            raise command.outcomes.error(response.sw, command.name)
        return response.data

    def _fetch(self, command: Command, response: Response) -> Response:
        data = response.data
        while response.sw >> 8 == 0x61:
            fetch = replace(
                GET_RESPONSE,
                le=response.sw & 0xFF or MAX_SHORT_ANSWER,
                disclosure=command.disclosure,
            )
            response = self._transmit(fetch)
            if response.sw >> 8 == 0x6C:
                response = self._transmit(fetch.with_le(response.sw & 0xFF or MAX_SHORT_ANSWER))
            if response.sw >> 8 in ANSWER_LOST:
                # The command itself was done: its own status word can't be an error any more.
                raise LinkCorrupt(f"{command.name}: the announced answer was refused with {response.sw:04X}")
            data += response.data
            if len(data) > MAX_ANSWER or (response.sw >> 8 == 0x61 and not response.data):
                raise CardDataInvalid(f"{command.name}: the card announces an endless answer")
        return Response(data, response.sw)

    def _transmit(self, command: Command) -> Response:
        raw = command.encode(self.channel.protocol)
        return Response.decode(self.channel.transmit(raw, command.disclosure))

    @property
    def contact(self) -> bool:
        """Whether the card speaks T=0, the protocol of contact cards."""
        return self.channel.protocol is CardProtocol.T0
