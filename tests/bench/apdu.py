"""One APDU: how long the software takes, beside pyscard's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from smartcard import scard
from smartcard.CardConnection import CardConnection as PyscardConnection
from smartcard.System import readers as pyscard_readers

from cardio.apdu.command import Command, select_name
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import PURSE
from cardio.files.wallet.applications import WALLET_NAME
from cardio.transport.channel import Disclosure
from cardio.transport.embedded import EmbeddedReader
from cardio.transport.pcsc import PcscDriver
from cardio.virtual.card import VirtualCard
from cardio.virtual.cards import citizen_card
from tests.bench.clock import in_turn
from tests.bench.rows import Effort, Row, Subject, timed
from tests.bench.slots import Slots

SELECT = select_name(WALLET_NAME)
BALANCE = Command("GET BALANCE", 0x80, 0x5C, 0x00, 0x02, le=4, outcomes=PURSE, disclosure=Disclosure.ALL)
TURNS = 3
"""So that each way meets each of the three equal cards: no reader of pcscd is quite like the other."""
ABOVE_TRANSMIT = 15.0
"""µs (design §6)."""

Ask = Callable[[], object]


def subject(slots: Slots) -> Subject:
    """The subject."""
    return Subject(
        "One APDU",
        "GET BALANCE to three equal wallets, asked in turn: by cardio from the command to the checked answer, by "
        "pyscard's `CardConnection`, and by `SCardTransmit` with lists made beforehand. In process the card is a "
        "Python object, and what is left is software. A real card takes 7 ms and more for this command, so the "
        "software is not what a counter waits for.",
        lambda effort: _rows(slots.wallets, effort),
    )


def _rows(readers: tuple[str, ...], effort: Effort) -> Iterator[Row]:
    ours, raw, pyscard = _through_pcscd(readers, effort.many)
    above, above_pyscard = ([taken - bare for taken, bare in zip(way, raw, strict=True)] for way in (ours, pyscard))
    yield timed("one APDU above SCardTransmit, peer: pyscard", "µs", above, above_pyscard, bound=ABOVE_TRANSMIT)
    yield timed("one APDU through pcscd, peer: SCardTransmit", "µs", ours, raw)
    yield timed("one APDU through pcscd, peer: pyscard", "µs", ours, pyscard)
    ours, bare, pyscard = _in_process(effort.many)
    yield timed("one APDU in process, peer: the card called directly", "µs", ours, bare)
    yield timed("one APDU in process, peer: pyscard", "µs", ours, pyscard)


def _through_pcscd(readers: tuple[str, ...], rounds: int) -> list[list[float]]:
    """Seconds of cardio, of the bare call, and of pyscard."""
    whole: list[list[float]] = [[], [], []]
    for turn in range(TURNS):
        with ExitStack() as stack:
            ways = [way(readers[(place + turn) % TURNS], stack) for place, way in enumerate((_cardio, _bare, _pyscard))]
            for known, taken in zip(whole, in_turn(rounds // TURNS, *ways), strict=True):
                known += taken
    return whole


def _cardio(reader: str, stack: ExitStack) -> Ask:
    channel = PcscDriver().connect(reader)
    stack.callback(channel.close)
    card = CardConnection(channel)
    card.call(SELECT)
    return lambda: card.call(BALANCE)


def _bare(reader: str, stack: ExitStack) -> Ask:
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
    stack.callback(scard.SCardReleaseContext, context)
    protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
    _, card, protocol = scard.SCardConnect(context, reader, scard.SCARD_SHARE_EXCLUSIVE, protocols)
    stack.callback(scard.SCardDisconnect, card, scard.SCARD_RESET_CARD)
    header = scard.SCARD_PCI_T0 if protocol == scard.SCARD_PROTOCOL_T0 else scard.SCARD_PCI_T1
    scard.SCardTransmit(card, header, list(SELECT.encode()))
    balance = list(BALANCE.encode())
    return lambda: scard.SCardTransmit(card, header, balance)


def _pyscard(reader: str, stack: ExitStack) -> Ask:
    connection = next(one for one in pyscard_readers() if str(one) == reader).createConnection()
    connection.connect()
    stack.callback(connection.release)
    stack.callback(connection.disconnect)
    connection.transmit(list(SELECT.encode()))
    balance = list(BALANCE.encode())
    return lambda: connection.transmit(balance)


class InProcess(PyscardConnection):  # type: ignore[misc]
    """pyscard's connection to a card in this process."""

    def __init__(self, card: VirtualCard) -> None:
        super().__init__(None)
        self._card = card

    def doTransmit(self, command: list[int], protocol: Any) -> tuple[list[int], int, int]:  # noqa: N802
        answer = list(self._card.transmit(bytes(command)))
        return answer[:-2], answer[-2], answer[-1]


def _in_process(rounds: int) -> list[list[float]]:
    """Seconds of cardio, of the card called directly, and of pyscard."""
    cards = [citizen_card() for _ in range(TURNS)]
    channel = EmbeddedReader("bench", cards[0]).connect()
    connection, pyscard, bare = CardConnection(channel), InProcess(cards[2]), cards[1]
    for card in cards[1:]:
        card.power_on()
    connection.call(SELECT)
    select, balance = list(SELECT.encode()), BALANCE.encode()
    bare.transmit(bytes(select))
    pyscard.transmit(select)
    asked = list(balance)
    ways = (lambda: connection.call(BALANCE), lambda: bare.transmit(balance), lambda: pyscard.transmit(asked))
    return in_turn(rounds, *ways)
