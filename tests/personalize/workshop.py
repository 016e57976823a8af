"""A bureau in a test: blank virtual cards of one product, rows of an example job, and the register."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path

from cardio.personalize.attempts import Attempt, JobHead
from cardio.personalize.card_data import CardData
from cardio.personalize.example_job import example_job
from cardio.personalize.layout import Layout, load_layout
from cardio.personalize.personalizer import Personalizer, Prepared
from cardio.personalize.register import Register
from cardio.products.catalogue import Catalogue
from cardio.products.model import Product
from cardio.transport.channel import Channel
from cardio.transport.embedded import EmbeddedCard, EmbeddedReader
from cardio.virtual.blank import BlankSecurity
from cardio.virtual.blank_products import blank_card_for
from cardio.virtual.card import VirtualCard
from cardio.virtual.fmcos_keys import FmcosKey
from cardio.virtual.issuing_keys import issuing_test_keys

LAYOUTS = Path(__file__).parents[2] / "examples" / "layouts"
PIN = "123456"
JOB = "job-1"
CATALOGUE = Catalogue.load()
PRODUCTS = tuple(product.id for product in CATALOGUE)


class Workshop:
    """Makes cards of one product.

    Args:
        product: Its id.
        layout: Name of an example layout; derived from the product without.
        rows: Rows of the job.

    Attributes:
        maker: Makes the cards.
        data: Rows of the job.
        head: The job as the register keeps it.
    """

    def __init__(self, product: str, layout: str | None = None, rows: int = 2) -> None:
        self.product: Product = CATALOGUE[product]
        given: Layout | None = load_layout(LAYOUTS / f"{layout}.toml") if layout else None
        self.maker = Personalizer(self.product, issuing_test_keys(self.product), given)
        self.data: list[CardData] = example_job(self.product, self.maker.layout, rows)[1]
        self.head = JobHead(JOB, product, rows, bytes(32), self.maker.keys.name, ("Li", "Wang"))

    @property
    def layout(self) -> Layout:
        """The layout that its cards are made by."""
        assert isinstance(self.maker.layout, Layout)
        return self.maker.layout

    def __str__(self) -> str:
        return self.maker.layout.id

    @cached_property
    def rows(self) -> list[Prepared]:
        """The rows, checked; their PIN is 123456."""
        return [self.maker.prepare(row, PIN) for row in self.data]

    def register(self, folder: Path) -> AbstractContextManager[Register]:
        """The register in a folder, with the job begun; closed afterwards."""
        return opened_register(folder, self.head)

    def blank(self, number: int = 1) -> VirtualCard:
        """A blank card with a serial number."""
        return blank_card_for(self.product, number)

    def make(
        self, card: EmbeddedCard, register: Register, row: int = 0, *, try_again: bool = False, job: str = JOB
    ) -> Attempt:
        """Present a card once, and make it for a row."""
        with powered(card) as channel:
            return self.maker.personalize(channel, self.rows[row], register, job, try_again=try_again)


@contextmanager
def opened_register(folder: Path, head: JobHead) -> Iterator[Register]:
    """The register in a folder, with a job begun; closed afterwards, as every commit is on disk already."""
    register = Register(folder / "register.db")
    try:
        register.open_job(head)
        yield register
    finally:
        register.close()


@contextmanager
def powered(card: EmbeddedCard) -> Iterator[Channel]:
    """A card in an embedded reader, powered for a while."""
    channel = EmbeddedReader("desk", card).connect()
    try:
        yield channel
    finally:
        channel.close()


def key_records(card: VirtualCard) -> dict[tuple[str, int, int], FmcosKey]:
    """All keys on a blank card or one that was made of it, by directory, type and identifier."""
    assert isinstance(card.security, BlankSecurity)
    files = card.security.key_files.items()
    return {(label, key.kind, key.id): key for label, file in files for key in file.keys}


def tries(card: VirtualCard) -> dict[tuple[str, int, int], int]:
    """Tries that are left of every key."""
    return {place: key.tries_left for place, key in key_records(card).items()}
