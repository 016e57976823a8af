"""Cards that are only a script: exactly these commands, exactly these answers, and nothing of the virtual cards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from cardio.apdu.connection import CardConnection
from cardio.crypto.ciphers import Algorithm
from cardio.purse.purse import CounterRule, PurseRules
from cardio.purse.wallet import PurseFile, WalletPurse
from cardio.security.keys import Family, SamApplication
from cardio.transport.channel import CardProtocol, Disclosure
from tests.virtual.vectors import Exchange

T = TypeVar("T")

WALLET_SAM = SamApplication(Family.PBOC, bytes.fromhex("1001"), 0x17, levels=1)
MEDICAL_SAM = SamApplication(Family.LDT, bytes.fromhex("DF01"), 0x1C, levels=2)
SELECT_MASTER_FILE = Exchange("00A40000023F0000", "9000")
SELECT_WALLET_SAM = Exchange("00A4000002100100", "9000")
CARD_FACTOR = bytes.fromhex("4170001234567890")
"""Of the card of most vectors."""
_PSAM_INSTRUCTIONS = ("8070", "8072")


class ScriptedChannel:
    """A channel that answers a script.

    Args:
        script: Exchanges in order, commands as T=1 carries them.
        protocol: Under T=0 the script is rewritten: no Le with data, 61xx, GET RESPONSE.
        lost: Error raised instead of an answer when the script is over.

    Attributes:
        sent: Commands that came, in hex.
    """

    reader = "script"
    atr = bytes.fromhex("3B00")
    virtual = True

    def __init__(
        self,
        script: Iterable[Exchange],
        protocol: CardProtocol = CardProtocol.T1,
        lost: Exception | None = None,
    ) -> None:
        self.protocol = protocol
        self.sent: list[str] = []
        self._lost = lost
        rewrite = _contact if protocol is CardProtocol.T0 else _as_it_is
        self._script = [step for exchange in script for step in rewrite(exchange)]

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        """Answer the next command of the script."""
        sent = command.hex().upper()
        self.sent.append(sent)
        if len(self.sent) > len(self._script):
            assert self._lost is not None, f"one command too many: {sent}"
            raise self._lost
        expected = self._script[len(self.sent) - 1]
        assert sent == expected.command, f"command {len(self.sent)} differs"
        return bytes.fromhex(expected.answer)

    def close(self) -> None:
        """Nothing to give up."""

    def assert_finished(self) -> None:
        """Every exchange of the script took place."""
        assert len(self.sent) == len(self._script)


def scripted(*script: Exchange, protocol: CardProtocol = CardProtocol.T1) -> tuple[CardConnection, ScriptedChannel]:
    """A connection to a script, and the script."""
    channel = ScriptedChannel(script, protocol)
    return CardConnection(channel), channel


class ScriptedSlot:
    """A SAM slot over a script.

    Attributes:
        name: Name of the reader.
        virtual: What the slot says of its SAM.
        channel: The script; replace it to put another SAM in.
    """

    name = "sam slot"
    virtual = True

    def __init__(self, *script: Exchange, protocol: CardProtocol = CardProtocol.T1) -> None:
        self.channel = ScriptedChannel(script, protocol)

    def run(self, job: Callable[[CardConnection], T]) -> T:
        """Run the job at once."""
        return job(CardConnection(self.channel))


def card_script(entry: dict[str, Any]) -> list[Exchange]:
    """What goes to the card in a vector, in order."""
    return [exchange for exchange in _exchanges(entry) if not exchange.command.startswith(_PSAM_INSTRUCTIONS)]


def psam_script(entry: dict[str, Any]) -> list[Exchange]:
    """What goes to the PSAM in a vector, in order."""
    return [exchange for exchange in _exchanges(entry) if exchange.command.startswith(_PSAM_INSTRUCTIONS)]


def _exchanges(entry: dict[str, Any]) -> list[Exchange]:
    return [Exchange(apdu["command"], apdu["response"]) for apdu in entry["apdus"]]


def wallet_over(
    *script: Exchange,
    proof_number: CounterRule = CounterRule.AFTER,
    file: PurseFile = PurseFile.PURSE,
    grey_lock: bool = True,
) -> WalletPurse:
    """A wallet of the vectors' card over a script."""
    connection, _ = scripted(*script)
    found = replace(rules(WALLET_SAM, proof_number), grey_lock=grey_lock)
    return WalletPurse(connection, found, (CARD_FACTOR,), file)


def rules(
    sam: SamApplication,
    proof_number: CounterRule = CounterRule.AFTER,
    algorithm: Algorithm = Algorithm.TRIPLE_DES,
) -> PurseRules:
    """Rules of a purse whose numbers do not matter."""
    return PurseRules(
        algorithm=algorithm,
        proof_number=proof_number,
        log_number=CounterRule.AFTER,
        sam=sam,
        max_amount_fen=100000,
        confirmed=True,
    )


def _as_it_is(exchange: Exchange) -> list[Exchange]:
    return [exchange]


def _contact(exchange: Exchange) -> list[Exchange]:
    """An exchange as T=0 carries it (ISO 7816-3 §12.2.4)."""
    raw = bytes.fromhex(exchange.command)
    if len(raw) == 4:
        return [Exchange(exchange.command + "00", exchange.answer)]
    if len(raw) == 5 or len(raw) == 5 + raw[4]:
        return [exchange]
    short = Exchange(raw[:-1].hex().upper(), exchange.answer)
    size = len(exchange.answer) // 2 - 2
    if not size:
        return [short]
    return [
        Exchange(short.command, f"61{size:02X}"),
        Exchange(f"00C00000{size:02X}", exchange.answer),
    ]
