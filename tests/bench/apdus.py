"""One APDU, the holder's data and a wallet purchase, against pyscard through pcscd."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from smartcard import scard
from smartcard.System import readers as pyscard_readers

from cardio.apdu.command import select_file, select_name
from cardio.apdu.connection import CardConnection
from cardio.applications.social_security import SocialSecurityApplication
from cardio.engine.engine import Engine
from cardio.engine.requests import DebitRequest
from cardio.files.reading import FileReader
from cardio.files.social_security.environment import EF06_HOLDER, SSSE_NAME, HolderData
from cardio.files.wallet.applications import WALLET
from cardio.ledger.ledger import Ledger
from cardio.products.catalogue import Catalogue
from cardio.readers.owner import SamOwner
from cardio.security.psam import Psam
from cardio.transport.channel import Channel, ChannelAround, Disclosure
from cardio.transport.embedded import EmbeddedReader
from cardio.transport.pcsc import PcscDriver
from cardio.virtual.cards import citizen_card, psam, social_security_card
from cardio.virtual.pcscd import PrivatePcscd
from cardio.virtual.vpcd import VpcdLink
from tests.bench.rows import Row, interleaved, micro, milli
from tests.counter import request

BALANCE = bytes.fromhex("805C000204")
RICH = 50_000_000
SOFTWARE_BOUND = 15.0


def rows(pcscd: PrivatePcscd, rounds: int) -> Iterator[Row]:
    """All rows that need a pcscd with three slots."""
    wallet, social, sam = citizen_card(balance_fen=RICH), social_security_card(), psam()
    ports = [pcscd.port(slot) for slot in range(3)]
    with VpcdLink(wallet, port=ports[0]), VpcdLink(social, port=ports[1]), VpcdLink(sam, port=ports[2]):
        names = _filled(pcscd)
        yield from _one_apdu(names[0], rounds)
        yield from _holder(names[1], rounds // 10)
        yield from _purchase(names[0], names[2], rounds // 10)
    yield from _in_process(rounds)


def _filled(pcscd: PrivatePcscd) -> list[str]:
    """Names of the three readers, once pcscd has seen their cards."""
    names = pcscd.readers[:3]
    driver = PcscDriver()
    states = driver.readers()
    while not all(states[name].present for name in names):
        states = driver.wait(states, 1.0)
    return names


def _one_apdu(reader: str, rounds: int) -> Iterator[Row]:
    """Each way for itself, because a card is held exclusively; the rounds are cut into turns."""
    ours: list[float] = []
    raw: list[float] = []
    pyscard: list[float] = []
    for _ in range(10):
        ours += _ours(reader, rounds // 10)
        raw += _raw(reader, rounds // 10)
        pyscard += _with_pyscard(reader, rounds // 10)
    above = micro(ours) - micro(raw)
    yield Row("software time of one APDU above SCardTransmit", above, "µs", None, SOFTWARE_BOUND)
    yield Row("one APDU through pcscd, against SCardTransmit", micro(ours), "µs", micro(raw))
    yield Row("one APDU through pcscd, against pyscard's CardConnection", micro(ours), "µs", micro(pyscard))


def _ours(reader: str, rounds: int) -> list[float]:
    channel = PcscDriver().connect(reader)
    CardConnection(channel).call(select_name(WALLET.name))
    taken = interleaved(rounds, lambda: channel.transmit(BALANCE))[0]
    channel.close()
    return taken


def _raw(reader: str, rounds: int) -> list[float]:
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
    _, card, protocol = scard.SCardConnect(
        context, reader, scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
    )

    def transmit(command: bytes) -> None:
        scard.SCardTransmit(card, protocol, list(command))

    transmit(select_name(WALLET.name).encode())
    taken = interleaved(rounds, lambda: transmit(BALANCE))[0]
    scard.SCardDisconnect(card, scard.SCARD_RESET_CARD)
    scard.SCardReleaseContext(context)
    return taken


def _with_pyscard(reader: str, rounds: int) -> list[float]:
    connection = _pyscard(reader)
    connection.transmit(list(select_name(WALLET.name).encode()))
    command = list(BALANCE)
    taken = interleaved(rounds, lambda: connection.transmit(command))[0]
    connection.disconnect()
    return taken


def _pyscard(reader: str) -> Any:
    connection = next(one for one in pyscard_readers() if str(one) == reader).createConnection()
    connection.connect()
    return connection


def _in_process(rounds: int) -> Iterator[Row]:
    channel = EmbeddedReader("bench", citizen_card()).connect()
    card = CardConnection(channel)
    command = select_file(0x3F00)
    card.call(select_name(WALLET.name))
    ours, bare = interleaved(rounds, lambda: card.call(command), lambda: channel.transmit(command.encode()))
    yield Row("one APDU in process, against the bare channel", micro(ours), "µs", micro(bare))


class Counting(ChannelAround):
    """A channel that counts."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self.count = 0

    def transmit(self, command: bytes, disclosure: Disclosure = Disclosure.HEADER) -> bytes:
        """One more."""
        self.count += 1
        return super().transmit(command, disclosure)


def _holder(reader: str, rounds: int) -> Iterator[Row]:
    """Holder's data: from the selection to decoded values, with the reader connected anew each time."""
    counts: list[int] = []

    def ours() -> None:
        channel = Counting(PcscDriver().connect(reader))
        card = CardConnection(channel)
        SocialSecurityApplication.select(card).issuer()
        FileReader(card).read_items(EF06_HOLDER, HolderData)
        counts.append(channel.count)
        channel.close()

    script_counts: list[int] = []

    def script() -> None:
        send, count, close = _script(reader)
        send(f"00A404000F{SSSE_NAME.hex()}")
        for tag in (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07):
            send(f"00B2{tag:02X}2C00")
        for tag in (0x08, 0x09, 0x4E, 0x0A, 0x0B, 0x0C, 0x0D):
            send(f"00B2{tag:02X}3000")
        script_counts.append(count())
        close()

    mine, theirs = interleaved(rounds, ours, script)
    yield Row("holder's data, time against a pyscard script", milli(mine), "ms", milli(theirs))
    yield Row("holder's data, exchanges with T=0's repeats against the script's", counts[0], "APDUs", script_counts[0])


def _script(reader: str) -> tuple[Callable[[str], bytes], Callable[[], int], Callable[[], None]]:
    """What a straightforward program does: send, and ask again for 61xx and 6Cxx."""
    connection = _pyscard(reader)
    sent = 0

    def transmit(command: list[int]) -> tuple[list[int], int, int]:
        nonlocal sent
        sent += 1
        data, sw1, sw2 = connection.transmit(command)
        return data, sw1, sw2

    def send(command: str) -> bytes:
        apdu = list(bytes.fromhex(command))
        data, sw1, sw2 = transmit(apdu)
        if sw1 == 0x6C:
            data, sw1, sw2 = transmit([*apdu[:4], sw2])
        if sw1 == 0x61:
            data, sw1, sw2 = transmit([0x00, 0xC0, 0x00, 0x00, sw2])
        return bytes(data)

    return send, lambda: sent, connection.disconnect


def _purchase(reader: str, sam: str, rounds: int) -> Iterator[Row]:
    """A purchase with journal and evidence, against a script that keeps none."""
    driver = PcscDriver()
    owner = SamOwner(sam, driver, virtual=True)
    counts: list[int] = []
    with tempfile.TemporaryDirectory(prefix="cardio-bench-") as folder:
        ledger = Ledger(Path(folder) / "journal.db")
        products = Catalogue([one for one in Catalogue.load() if one.id == "citizen-wallet"])
        engine = Engine(ledger, products, Psam(owner))

        def ours() -> None:
            channel = Counting(driver.connect(reader))
            begun = engine.begin_debit(DebitRequest(request(), 1, "bench"))
            engine.debit(begun, channel)
            counts.append(channel.count)
            channel.close()

        mine = interleaved(rounds, ours)[0]
        ledger.close()
    owner.stop()
    script_counts: list[int] = []
    theirs = interleaved(rounds, lambda: script_counts.append(_script_purchase(reader, sam)))[0]
    yield Row("wallet purchase with journal, time against a pyscard script without", milli(mine), "ms", milli(theirs))
    yield Row("wallet purchase, card exchanges against the script's", counts[-1], "APDUs", script_counts[-1])


def _script_purchase(reader: str, sam: str) -> int:
    send, count, close = _script(reader)
    sam_send, _, sam_close = _script(sam)
    send(f"00A4040009{WALLET.name.hex()}00")
    public = send("00B095001E")
    send("805C000204")
    terminal = sam_send("00B0960006").hex()
    sam_send("00A40000021001")
    index = sam_send("00B0970001").hex()
    opened = send(f"805001020B{index}00000001{terminal}0F")
    stamp = "20260701120000"
    order = opened[11:15] + opened[4:6] + bytes.fromhex(f"0000000106{stamp}") + opened[9:11] + public[12:20]
    answer = sam_send(f"80700000{len(order):02X}{order.hex()}")
    debited = send(f"805401000F{answer[:4].hex()}{stamp}{answer[4:8].hex()}08")
    sam_send(f"8072000004{debited[4:8].hex()}")
    sent = count()
    close()
    sam_close()
    return sent
