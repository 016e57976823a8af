"""Where every card and every row is after a run: in the readers' trays, in the register, in the result file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from cardio.apdu.connection import CardConnection
from cardio.personalize.attempts import Attempt, CardState
from cardio.personalize.register import Register
from cardio.products.catalogue import Catalogue
from cardio.products.groups import Group
from cardio.products.reading import CardReading
from cardio.transport.embedded import EmbeddedReader
from tests.bureau.feeder import FedCard
from tests.bureau.run import READERS, Run

CATALOGUE = Catalogue.load()


@dataclass(frozen=True)
class Account:
    """What was counted.

    Attributes:
        cards: Finished cards, each for another row.
        interrupted: Of these, cards that a killed program had begun.
        unreported: Of these, cards whose result a killed program had not written any more.
        chain: Rows of the register's hash chain.
        failures: What does not agree.
        outside: Share of the time of making cards that was not spent in them, 0 to 1.
    """

    cards: int
    interrupted: int
    unreported: int
    chain: int
    failures: list[str]
    outside: float

    def told(self, made: Run) -> str:
        """The figures in one line."""
        return (
            f"{self.cards} cards in {made.seconds:.0f} s, {self.cards / made.seconds:.2f} cards/s, "
            f"killed {len(made.begun)} times, {self.interrupted} cards interrupted and finished, "
            f"{self.unreported} without a result line, chain {self.chain} rows verified"
        )


def account(made: Run) -> Account:
    """Compare rows, register, results and the cards themselves.

    Raises:
        JournalBroken: The register's chain does not hold.
    """
    register = Register(made.register)
    try:
        chain, attempts = register.verify(), register.attempts()
    finally:
        register.close()
    failures = [
        f"attempt {one.id}: {one.state}: {one.reason}" for one in attempts if one.state is not CardState.FINISHED
    ]
    failures += _twice("rows", Counter(one.record for one in attempts))
    failures += _twice("cards", Counter(one.identity for one in attempts))
    failures += [f"row {record} was not made" for record in made.rows.keys() - {one.record for one in attempts}]
    cards = {card.atr.hex().upper(): card for card in made.out}
    failures += [
        f"row {one.record}: {problem}" for one in attempts for problem in [_wrong(made, one, cards)] if problem
    ]
    unreported = {one.record for one in attempts} - made.finished
    if len(unreported) > len(made.begun) * (READERS - 1):
        failures.append(f"{len(unreported)} finished cards are not in the result file")
    begun = set().union(*made.begun)
    if not all(made.begun):
        failures.append("a kill interrupted no card")
    seconds = {one["atr"]: one["seconds"] for one in made.results if one["state"] == "finished"}
    at_once = seconds.keys() & cards.keys() - begun
    inside = sum(cards[atr].seconds for atr in at_once)
    return Account(
        cards=sum(one.state is CardState.FINISHED for one in attempts),
        interrupted=len(begun),
        unreported=len(unreported),
        chain=chain,
        failures=failures,
        outside=1 - inside / sum(seconds[atr] for atr in at_once),
    )


def _twice(what: str, counts: Counter[str]) -> list[str]:
    return [f"{what}: {name} {count} times" for name, count in counts.items() if count > 1]


def _wrong(made: Run, attempt: Attempt, cards: dict[str, FedCard]) -> str:
    """Why a card does not hold the number of its row; empty if it does."""
    found = cards.get(attempt.identity.split()[0])
    if found is None:
        return "no such card came out of a reader"
    channel = EmbeddedReader("tray", found.card).connect()
    try:
        reading = CardReading(CardConnection(channel), CATALOGUE, masked=False).read([Group.CARD])[Group.CARD]
    finally:
        channel.close()
    content = reading.content
    number = content.get("card_number") or content.get("serial") if isinstance(content, dict) else None
    return "" if number == made.rows[attempt.record].identity else f"the card holds {number}"
