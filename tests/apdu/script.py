"""A channel that expects commands in order and answers as written."""

from cardio.transport.channel import CardProtocol, Disclosure


class ScriptedChannel:
    """Expected command in hex -> answer in hex, one after the other; a command out of order fails the test."""

    reader = "script"
    virtual = True
    atr = bytes.fromhex("3B00")

    def __init__(self, *script: tuple[str, str], protocol: CardProtocol = CardProtocol.T0) -> None:
        self.protocol = protocol
        self.disclosures: list[Disclosure] = []
        self._script = list(script)

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        assert self._script, f"unexpected {command.hex()}"
        expected, answer = self._script.pop(0)
        assert command == bytes.fromhex(expected)
        self.disclosures.append(disclosure)
        return bytes.fromhex(answer)

    def close(self) -> None:
        """Nothing to give up."""

    @property
    def finished(self) -> bool:
        return not self._script
