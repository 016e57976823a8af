"""Makes cards of one product: a person and a blank card in, a finished card out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from cardio.apdu.connection import CardConnection
from cardio.errors import (
    CardChanged,
    CardDiffers,
    CardioError,
    CardRejected,
    InputInvalid,
    JobInvalid,
    LayoutInvalid,
    MasterUnanswered,
    ReaderError,
    SamError,
    SecureChannelBroken,
    StoreError,
    TransportKeyWrong,
)
from cardio.personalize.attempts import Attempt, CardState, Presented
from cardio.personalize.binding import missing_files
from cardio.personalize.card_data import CardData, content_of
from cardio.personalize.derived.card import layout_of
from cardio.personalize.identity import identity_of, refuse_known
from cardio.personalize.layouts import CardLayout
from cardio.personalize.planning import planner_for
from cardio.personalize.register import Register
from cardio.personalize.steps import CardContent, CardPlan, Finding, Step
from cardio.products.catalogue import Catalogue
from cardio.products.model import Product
from cardio.security.issuing import IssuingKeys
from cardio.transport.channel import Channel

INTERRUPTIONS = (MasterUnanswered, ReaderError, SamError, SecureChannelBroken, StoreError)
"""Errors that say nothing about the card: it is gone on with when it comes back."""
CHIP = "CPLC:"
"""Before what a chip's production data tell, behind ATR and UID."""


def _nobody_watches(step: Step) -> None:
    """For cards that nobody watches."""


@dataclass(frozen=True)
class Prepared:
    """One card with all that it will hold, checked before any card is touched.

    Attributes:
        data: Its row.
        pin: The holder's PIN; None for a card without.
        content: Its files.
    """

    data: CardData
    pin: str | None = field(repr=False)
    content: CardContent


class Personalizer:
    """Makes cards of one product; may be used from several threads.

    Args:
        product: What the cards are.
        keys: The issuer's keys.
        layout: How the cards are laid out; derived from the product where it is left out.
        catalogue: Products that no card may be already; the installed ones where it is left out.

    Attributes:
        made_with: SHA-256 over layout and check values of the keys, 32 bytes, once a row was prepared.

    Raises:
        LayoutInvalid: The layout is another product's, or cannot be used.
        LoadFileInvalid: A CAP file of it cannot be used.
        SamKeyMissing: The source of keys cannot make cards of this kind.
    """

    def __init__(
        self,
        product: Product,
        keys: IssuingKeys,
        layout: CardLayout | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        self.product = product
        self.keys = keys
        self.layout: CardLayout
        self.left_out: tuple[str, ...]
        self.layout, self.left_out = (layout, ()) if layout is not None else layout_of(product)
        if self.layout.product != product.id:
            raise LayoutInvalid(f"layout {self.layout.id} is for product {self.layout.product}, not {product.id}")
        self.made_with = b""
        self._planner = planner_for(product, self.layout, keys)
        self._catalogue = Catalogue.load() if catalogue is None else catalogue

    @property
    def needs_pin(self) -> bool:
        """Whether the cards have a PIN."""
        return self.layout.needs_pin

    def identity(self, card: CardConnection) -> str:
        """What a card is known by in the register: ATR, UID and chip, as far as it tells them.

        Cards that share one ATR and tell nothing else cannot be told apart: of such only one may be unfinished at a
        time.
        """
        chip = self._planner.chip(card)
        return identity_of(card) + (f" {CHIP}{chip}" if chip else "")

    def prepare(self, data: CardData, pin: str | None) -> Prepared:
        """Check a row whole, without any card.

        Raises:
            JobInvalid: A field is missing, wrong, or does not fit; every such field is named.
            PinLength: The PIN does not have 4 to 12 digits.
            SamKeyMissing: The source of keys lacks one; looked at with the first row.
            KeyRejected: Two of the cards' keys are the same; looked at with the first row.
        """
        if self.needs_pin and pin is None:
            raise JobInvalid("the cards of this product have a PIN")
        content = content_of(self.product, self.layout, data, pin if self.needs_pin else None)
        missing = missing_files(self.product, content.files)
        if missing:
            raise JobInvalid("; ".join(missing))
        if not self.made_with:
            self.made_with = self._planner.fingerprint(data, content)
        return Prepared(data, pin if self.needs_pin else None, content)

    def plan(self, card: CardConnection, prepared: Prepared) -> CardPlan:
        """The plan of one powered card; nothing is sent to it.

        Raises:
            CardDataInvalid: Its ATR does not hold what its keys are made from.
            TestKeysRefused: The card is real and the keys are test keys.
            LayoutInvalid: The content does not fit the layout.
        """
        self.keys.refuse_real(card.channel)
        return self._planner.plan(card, prepared.data, prepared.content, prepared.pin)

    def personalize(
        self,
        channel: Channel,
        prepared: Prepared,
        register: Register,
        job: str,
        *,
        try_again: bool = False,
        watch: Callable[[Step], None] = _nobody_watches,
    ) -> Attempt:
        """Make a card, or go on with one that was interrupted.

        Args:
            channel: The powered card.
            prepared: What it will hold; of a card that was begun, that of the same row.
            register: Where everything is written down before it is done.
            job: The job, which the register knows.
            try_again: Whether a card that was rejected is tried once more, or a key presented that was not answered.
            watch: Told every step before it is done.

        Returns:
            The finished attempt.

        Raises:
            CardNotBlank: The card holds an application already; it was not touched.
            CardChanged: It lacks what was written to the card that was begun; it was not touched.
            CardRejected: It was rejected before, and `try_again` is false, or it was closed for another row.
            InputInvalid: It was begun for another row, or the row is made already or worked on.
            TransportKeyWrong: Its master is another; one try was spent, and it is not tried again.
            MasterUnanswered: A master was presented too often without an answer; only `try_again` presents it again.
            CardKeysDiffer: A JavaCard has other keys; no try was spent.
            ReaderError: The card is gone or the reader failed; it is gone on with when it comes back.
            CardDiffers: What was read back is not what was written.
            CardioError: The card refused a step; it is registered as rejected, with the reason.
        """
        card = CardConnection(channel)
        plan = self.plan(card, prepared)
        attempt = self._attempt(card, plan, prepared.data.record, register, job, try_again=try_again)
        step: Step | None = None
        try:
            presented = _forgiven(attempt.presented) if try_again else attempt.presented
            for step in plan.remaining(attempt.keys, presented, closed=attempt.state is CardState.CLOSED):
                watch(step)
                self._do(step, attempt, register)
            if attempt.state is not CardState.CLOSED:
                register.move(attempt.id, CardState.CLOSED)
            self._check(plan)
        except INTERRUPTIONS as error:
            register.interrupted(attempt.id, _reason(error, step))
            raise
        except CardioError as error:
            register.move(attempt.id, CardState.REJECTED, reason=_reason(error, step))
            raise
        register.move(attempt.id, CardState.FINISHED)
        return register.attempt(attempt.id)

    def read_back(self, channel: Channel, prepared: Prepared) -> list[Finding]:
        """Read a finished card and compare it, file by file."""
        return list(self.plan(CardConnection(channel), prepared).findings())

    # ---- parts -----------------------------------------------------------------------------------------------

    def _attempt(
        self, card: CardConnection, plan: CardPlan, record: str, register: Register, job: str, *, try_again: bool
    ) -> Attempt:
        identity = self.identity(card)
        known = register.newest(identity)
        if known is not None and not known.state.final:
            if (known.job, known.record) != (job, record):
                raise InputInvalid(f"this card was begun for row {known.record} of job {known.job}")
            plan.check_same(known.keys)
            return known
        if known is not None and known.state is CardState.REJECTED and _same(plan, known):
            if not try_again:
                raise CardRejected(f"attempt {known.id}: {known.reason}")
            if plan.last_key in known.keys and (known.job, known.record) != (job, record):
                # It cannot be erased any more, and has the keys and the PIN of that row.
                raise CardRejected(f"attempt {known.id}: it was closed for row {known.record} of job {known.job}")
            return register.begin_again(known, job, record, card.channel.reader)
        refuse_known(card, self._catalogue)
        plan.check_blank()
        return register.begin(job, record, identity, card.channel.reader)

    @staticmethod
    def _do(step: Step, attempt: Attempt, register: Register) -> None:
        presents = step.presents
        if presents is not None:
            register.presenting(attempt.id, presents.name, presents.kcv)
        if step.erases is not None and attempt.keys:
            register.erasing(attempt.id, step.erases)
        if step.key is not None:
            register.writing_key(attempt.id, step.key, None if step.kcv is None else step.kcv().hex().upper())
        if step.life_cycle is not None:
            register.move(attempt.id, CardState.KEY_CONFIRMED, life_cycle=step.life_cycle)
        try:
            step.act()
        except TransportKeyWrong:
            if presents is None:
                raise
            register.refused(attempt.id, presents.name, presents.kcv)
            if not presents.asks:
                raise

    @staticmethod
    def _check(plan: CardPlan) -> None:
        plan.prove()
        wrong = [f"{found.file}: {found.problem}" for found in plan.findings() if found.differs]
        if wrong:
            raise CardDiffers("; ".join(wrong))


def _forgiven(presented: Mapping[str, Presented]) -> dict[str, Presented]:
    """As if no answer were missing: somebody who was told wants it so."""
    return {kcv: replace(one, unanswered=0) for kcv, one in presented.items()}


def _same(plan: CardPlan, known: Attempt) -> bool:
    """Whether a card can be the one of an attempt: others of its make may look the same from outside."""
    try:
        plan.check_same(known.keys)
    except CardChanged:
        return False
    return True


def _reason(error: CardioError, step: Step | None) -> str:
    where = "" if step is None else f"{step.phase} {step.place}: {step.en}: "
    return where + error.describe()
