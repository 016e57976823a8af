"""Times of a counter's work on cards in real PC/SC readers, beside a straightforward program's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

from cardio.apdu.connection import CardConnection
from cardio.applications.social_security import SocialSecurityApplication
from cardio.engine.engine import Engine
from cardio.engine.requests import DebitRequest
from cardio.files.reading import FileReader
from cardio.files.social_security.environment import EF06_HOLDER, HolderData
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import State
from cardio.products.catalogue import Catalogue
from cardio.readers.owner import SamOwner
from cardio.security.keys import PurchaseKeys
from cardio.security.psam import Psam
from cardio.transport.pcsc import PcscDriver
from cardio.virtual.sams import TERMINAL_NUMBER
from tests.bench import program
from tests.bench.clock import in_turn
from tests.bench.keys import WALLET_PURCHASE, wallet_keyring
from tests.bench.machine import journal_folder
from tests.bench.rows import Effort, Row, Subject, timed
from tests.bench.slots import Slots
from tests.counter import request

WARM_UP = 20
"""Purchases until the journal has compared enough logs with derived keys, and the PSAM has been read."""


def subject(slots: Slots) -> Subject:
    """The subject."""
    return Subject(
        "Times at a counter",
        "The holder's data of a social security card 2.0, and one fen from a wallet, in PC/SC readers with virtual "
        "cards, from connecting until the reader is free again; beside it a program with pyscard that reads item by "
        "item and keeps nothing. cardio's purchase holds the synced writes of its journal, which the program lacks: "
        "that is the price of knowing what became of a torn debit. A real card takes about 100 ms for its part of a "
        "purchase and 10 ms for each item that is read, so the customer notices the number of commands, and not "
        "these times.",
        lambda effort: _rows(slots, effort),
    )


def _rows(slots: Slots, effort: Effort) -> Iterator[Row]:
    rounds = effort.some // 4
    taken = in_turn(rounds, lambda: _holder(slots.social_security), lambda: _program_holder(slots.social_security))
    yield timed("holder's data through pcscd, peer: a pyscard program", "ms", *taken)
    with ExitStack() as stack:
        owner = SamOwner(slots.sams[0], PcscDriver(), virtual=True)
        stack.callback(owner.stop)
        sam = program.PcscCard(slots.sams[1])
        stack.callback(sam.close)
        ours = _purchase(slots.wallets[0], Psam(owner), stack)
        theirs = _program_purchase(slots.wallets[1], program.PsamKeys(sam, program.CITIZEN_SAM))
        taken = in_turn(rounds, ours, theirs, warm_up=WARM_UP)
        yield timed("wallet purchase with a PSAM, peer: a pyscard program", "ms", *taken)
    with ExitStack() as stack:
        ours = _purchase(slots.wallets[0], wallet_keyring(), stack)
        theirs = _program_purchase(slots.wallets[1], program.SoftwareKeys(WALLET_PURCHASE, TERMINAL_NUMBER.hex()))
        taken = in_turn(rounds, ours, theirs, warm_up=WARM_UP)
        yield timed("wallet purchase with keys in software, peer: a pyscard program", "ms", *taken)


def _holder(reader: str) -> None:
    channel = PcscDriver().connect(reader)
    try:
        card = CardConnection(channel)
        SocialSecurityApplication.select(card).issuer()
        FileReader(card).read_items(EF06_HOLDER, HolderData)
    finally:
        channel.close()


def _program_holder(reader: str) -> None:
    card = program.PcscCard(reader)
    program.read_holder(card)
    card.close()


def _purchase(reader: str, keys: PurchaseKeys, stack: ExitStack) -> Callable[[], None]:
    """A purchase through the engine, with a journal that lasts as long as `stack`."""
    ledger = Ledger(stack.enter_context(journal_folder()) / "journal.db")
    stack.callback(ledger.close)
    engine, driver = Engine(ledger, Catalogue.load(), keys), PcscDriver()

    def purchase() -> None:
        begun = engine.begin_debit(DebitRequest(request(), 1, "bench"))
        channel = driver.connect(reader)
        try:
            done = engine.debit(begun, channel)
        finally:
            channel.close()
        if done.state is not State.COMPLETED:
            raise RuntimeError(f"the purchase ended {done.state}")

    return purchase


def _program_purchase(reader: str, keys: program.Keys) -> Callable[[], None]:
    def purchase() -> None:
        card = program.PcscCard(reader)
        program.debit(card, keys, 1)
        card.close()

    return purchase
