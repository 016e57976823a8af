"""A bureau for JavaCards in a test: blank cards, the example layout with a CAP file, rows of a job, the register."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from cardio.cli.personalize.feeding import blank_for
from cardio.crypto.ciphers import Algorithm
from cardio.crypto.globalplatform.keys import StaticKeys
from cardio.crypto.suites import PbocSuite
from cardio.personalize.attempts import Attempt, JobHead
from cardio.personalize.example_job import example_job
from cardio.personalize.globalplatform.layout import JavaCardLayout, Protocol
from cardio.personalize.layouts import load_card_layout
from cardio.personalize.personalizer import Personalizer
from cardio.personalize.register import Register
from cardio.products.catalogue import Catalogue
from cardio.security.issuing import IssuingKeys
from cardio.virtual.globalplatform import JavaCard
from cardio.virtual.globalplatform_applet import PersonalizableApplet
from cardio.virtual.issuing_keys import issuing_test_keys
from cardio.virtual.roots import test_root
from tests.globalplatform.caps import components, write_cap
from tests.personalize.workshop import JOB, PIN, opened_register, powered

EXAMPLE = Path(__file__).parents[2] / "examples" / "layouts" / "java-card.toml"
SCP02 = {
    'protocol = "scp03"': 'protocol = "scp02"',
    'level = "33"': 'level = "03"',
    'version = "30"': 'version = "20"',
    'diversification = "kdf3"': 'diversification = "emv"',
}
"""What the example becomes for a 3DES card."""
PRODUCT = "citizen-wallet"
OWN_KEYS = "ISD/GP-ENC+GP-MAC+GP-DEK"
WALLET_KEYS = "ADF1/WALLET-DPK+WALLET-DLK+WALLET-DTK"
WALLET = bytes.fromhex("A00000000386980701")


def layout_text(protocol: Protocol) -> str:
    """The example layout for a protocol."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for before, after in SCP02.items() if protocol is Protocol.SCP02 else ():
        assert before in text
        text = text.replace(before, after)
    return text


def write_layout(folder: Path, text: str) -> Path:
    """A layout in a folder, with the CAP file beside it."""
    write_cap(folder / "wallet.cap", components())
    file = folder / "java-card.toml"
    file.write_text(text, encoding="utf-8")
    return file


class JavaWorkshop:
    """Makes JavaCards by the example layout.

    Args:
        folder: Where layout and CAP file are written.
        protocol: Of the secure channel.
        keys: Keys of the issuer; the test keys without.
        changes: Of the layout's text.

    Attributes:
        maker: Makes the cards.
        head: The job as the register keeps it.
        rows: Rows of the job, checked; their PIN is 123456.
    """

    def __init__(
        self,
        folder: Path,
        protocol: Protocol = Protocol.SCP03,
        keys: IssuingKeys | None = None,
        changes: dict[str, str] | None = None,
    ) -> None:
        text = layout_text(protocol)
        for before, after in (changes or {}).items():
            assert before in text
            text = text.replace(before, after)
        product = Catalogue.load()[PRODUCT]
        layout = load_card_layout(write_layout(folder, text))
        assert isinstance(layout, JavaCardLayout)
        self.layout = layout
        self.maker = Personalizer(product, keys or issuing_test_keys(product), layout)
        self.head = JobHead(JOB, PRODUCT, 2, bytes(32), self.maker.keys.name, ("Li", "Wang"))
        self.rows = [self.maker.prepare(row, PIN) for row in example_job(product, layout, 2)[1]]

    def register(self, folder: Path) -> AbstractContextManager[Register]:
        """The register in a folder, with the job begun; closed afterwards."""
        return opened_register(folder, self.head)

    def blank(self, number: int = 1) -> JavaCard:
        """A blank card with a serial number."""
        card = blank_for(self.maker, number)
        assert isinstance(card, JavaCard)
        return card

    def own_keys(self, card: JavaCard) -> StaticKeys:
        """The keys with which a card must leave."""
        source = self.maker.keys.key_set(self.layout.own.reference(self.layout.protocol))
        return source.for_card(card.channel.diversification_data)

    def wallet_key(self, name: str, row: int = 0) -> bytes:
        """A key of the wallet of a row, as the specification diversifies it (PERS §5.2)."""
        serial = self.rows[row].data.wallet_serial
        assert serial is not None
        root = test_root("A", name.removeprefix("WALLET-"))
        return PbocSuite(Algorithm.TRIPLE_DES).diversify(root, [bytes.fromhex(serial[-16:])])

    def make(self, card: JavaCard, register: Register, row: int = 0, *, try_again: bool = False) -> Attempt:
        """Present a card once, and make it for a row."""
        with powered(card) as channel:
            return self.maker.personalize(channel, self.rows[row], register, JOB, try_again=try_again)


def memory(card: JavaCard) -> dict[str, object]:
    """Everything that a card remembers but the counters of its channels."""
    return {
        "state": card.registry.state,
        "load files": dict(card.registry.load_files),
        "applications": {
            aid: (one.load_file, one.privileges, one.state, *applet_memory(one.applet))
            for aid, one in card.registry.applications.items()
        },
        "keys": {version: one.keys.values() for version, one in card.channel.key_sets.items()},
        "failures": card.channel.failures,
    }


def applet_memory(applet: object) -> tuple[bytes, dict[int, bytes]]:
    """Parameters and data groupings of an application."""
    assert isinstance(applet, PersonalizableApplet)
    return applet.parameters, dict(applet.groupings)
