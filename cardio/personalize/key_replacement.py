"""New keys for a card in use: those of one directory, its master last (PERS §1.4).

What is written under the old master can be written again, so an interrupted replacement is done anew. Only when it is
not known whether the master itself was replaced, the card is asked as in `cardio.personalize.resuming`: what it answers
is known from then on, and what it does not answer may have cost a try.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cardio.apdu.connection import CardConnection
from cardio.applications.social_security import SocialSecurityApplication
from cardio.applications.wallet import select_wallet
from cardio.errors import CardioError, CardRejected, InputInvalid, MasterUnanswered, TransportKeyWrong
from cardio.files.key_file import KeyKind
from cardio.personalize.attempts import Attempt, CardState
from cardio.personalize.binding import Reference, references
from cardio.personalize.card_data import CardData
from cardio.personalize.cos.driver import CosDriver, cos_driver
from cardio.personalize.derived.card import layout_of
from cardio.personalize.derived.wallet import WALLET_LABEL
from cardio.personalize.identity import identity_of
from cardio.personalize.layout import KeyRecord, Layout
from cardio.personalize.personalizer import INTERRUPTIONS
from cardio.personalize.register import Register
from cardio.personalize.resuming import MOST_UNANSWERED, NOTHING
from cardio.personalize.steps import Place
from cardio.products.model import Product
from cardio.security.issuing import IssuingKeys
from cardio.security.key_change import KeyChange
from cardio.transport.channel import Channel

RECORD = "keys"
"""Rows of the register's jobs that replace keys begin so: one for a directory of a card."""


@dataclass(frozen=True)
class _Card:
    """One powered card and what is known of it."""

    connection: CardConnection
    reference: Reference
    register: Register
    attempt: Attempt


class KeyReplacement:
    """Replaces the keys of cards of one product.

    Args:
        product: What the cards are.
        directory: Label of the directory whose keys are replaced, such as `ADF1`, `DF04`, `MF`.
        before: Source of the keys that the cards have.
        after: Source of the keys that they get, under the same names.
        layout: How the cards are laid out; derived from the product where it is left out.
        names: Keys to replace besides the master; all of the directory where it is left out.

    Raises:
        InputInvalid: There is no such directory or key.
    """

    def __init__(
        self,
        product: Product,
        directory: str,
        before: IssuingKeys,
        after: IssuingKeys,
        layout: Layout | None = None,
        names: frozenset[str] | None = None,
    ) -> None:
        self._product = product
        self._layout = layout or layout_of(product)[0]
        try:
            self._directory = self._layout.directory(directory)
        except KeyError:
            raise InputInvalid(f"{product.id} has no directory {directory}") from None
        keys = [key for key in self._directory.keys if key.kind is not KeyKind.PIN]
        unknown = (names or frozenset()) - {key.name for key in keys}
        if unknown or self._directory.master is None:
            raise InputInvalid(f"{directory} has no key {', '.join(sorted(unknown)) or 'to protect a replacement'}")
        self._master = self._directory.master
        self._last = f"{directory}/{self._master.name}"
        self._keys = [key for key in keys if names is None or key.name in names]
        self._before, self._after = before, after

    def replace(self, channel: Channel, register: Register, job: str, *, try_again: bool = False) -> Attempt:
        """Replace the keys of one card, or go on with a card that was interrupted.

        Args:
            channel: The powered card.
            register: Where every key is written down before it is sent.
            job: Name of the job, which the register knows.
            try_again: Whether a card that was rejected is tried once more, or a master presented that was not answered.

        Raises:
            SamKeyMissing: One of the sources lacks a key; no key was tried.
            KeyRejected: Two of the new keys are the same; no key was tried.
            CardRejected: It was rejected before, and `try_again` is false, or it may have the master of another job.
            InputInvalid: It is open in another job or for another directory, or its keys are replaced already.
            TransportKeyWrong: The card's master is another; one try was spent. So it is when a card that confirmed its
                new master does not have it.
            MasterUnanswered: A master was presented too often without an answer; only `try_again` presents it again.
            ReaderError: The card is gone; it is gone on with when it comes back.
            CardioError: The card refused a key; it is registered as rejected, with the reason.
        """
        for source in (self._before, self._after):
            source.refuse_real(channel)
        connection = CardConnection(channel)
        reference = self._reference(connection)
        self._check_keys(reference)
        attempt = self._attempt(connection, register, job, try_again=try_again)
        try:
            self._renew(_Card(connection, reference, register, attempt), forgiving=try_again)
        except INTERRUPTIONS as error:
            register.interrupted(attempt.id, error.describe())
            raise
        except CardioError as error:
            register.move(attempt.id, CardState.REJECTED, reason=error.describe())
            raise
        register.move(attempt.id, CardState.FINISHED)
        return register.attempt(attempt.id)

    # ---- parts -----------------------------------------------------------------------------------------------

    def _check_keys(self, reference: Reference) -> None:
        """All keys are there and differ, before the first of them is tried: a card has no way back in the middle."""
        self._before.kcv(reference(self._master.name))
        self._after.refuse_equal(reference(record.name) for record in (*self._keys, self._master))

    def _renew(self, card: _Card, *, forgiving: bool) -> None:
        if self._ask(card, forgiving=forgiving) is self._after:
            return
        if self._last not in card.attempt.keys:
            for record in self._keys:
                self._write(card, f"{self._directory.label}/{record.name}{'+' if record.companion else ''}", record)
        self._write(card, self._last, self._master)
        self._present(card, self._after)

    def _ask(self, card: _Card, *, forgiving: bool) -> IssuingKeys:
        """Whose master the card has; it has been presented then."""
        sources = [self._after, self._before] if self._last in card.attempt.keys else [self._before]
        known = [(source, card.attempt.presented.get(self._master_kcv(card, source), NOTHING)) for source in sources]
        possible = [one for one in known if not one[1].refused] or known
        possible.sort(key=lambda one: one[1].unanswered)
        source, presented = possible[0]
        # Of two, the last is certain to be the one once the other was refused.
        certain = len(possible) < len(known)
        if presented.unanswered >= MOST_UNANSWERED and not certain and not forgiving:
            raise MasterUnanswered(f"{self._last}: {presented.unanswered} presentations without an answer")
        if len(possible) > 1:
            try:
                self._present(card, source)
            except TransportKeyWrong:
                source, _ = possible[1]
            else:
                return source
        self._present(card, source)
        return source

    def _present(self, card: _Card, source: IssuingKeys) -> None:
        """Present a source's master, which the register knows before: without an answer it may have cost a try."""
        name, kcv = self._master.name, self._master_kcv(card, source)
        card.register.presenting(card.attempt.id, name, kcv)
        driver = self._driver(card.connection, source)
        try:
            driver.select(self._directory)
            driver.authenticate_master(card.reference(name))
        except TransportKeyWrong:
            card.register.refused(card.attempt.id, name, kcv)
            raise

    def _write(self, card: _Card, name: str, record: KeyRecord) -> None:
        """The new key's value comes from the new source, and is protected by the old source's master."""
        key, master = card.reference(record.name), card.reference(self._master.name)
        card.register.writing_key(card.attempt.id, name, self._after.kcv(key).hex().upper())
        driver = self._driver(card.connection, KeyChange(self._before, self._after))
        driver.replace_key(record, record, key, master)

    def _master_kcv(self, card: _Card, source: IssuingKeys) -> str:
        return source.kcv(card.reference(self._master.name)).hex().upper()

    def _attempt(self, card: CardConnection, register: Register, job: str, *, try_again: bool) -> Attempt:
        identity = identity_of(card)
        record = f"{RECORD} {self._directory.label} {identity}"
        known = register.newest(identity)
        if known is not None and not known.state.final:
            if (known.job, known.record) != (job, record):
                raise InputInvalid(f"this card is open in job {known.job}, row {known.record}")
            return known
        if known is not None and known.state is CardState.REJECTED:
            if not try_again:
                raise CardRejected(f"attempt {known.id}: {known.reason}")
            if known.record == record:
                if self._last in known.keys and known.job != job:
                    raise CardRejected(f"attempt {known.id}: it may have the master of job {known.job}")
                return register.begin_again(known, job, record, card.channel.reader)
        return register.begin(job, record, identity, card.channel.reader)

    def _reference(self, card: CardConnection) -> Reference:
        """The card's own keys, by what it says of itself."""
        files: dict[Place, Sequence[bytes]] = {}
        region = None
        wallet = self._product.wallet
        if wallet is not None:
            files[WALLET_LABEL, wallet.public_file.label] = [select_wallet(card, wallet.aid)]
        if self._product.social_security is not None:
            region = SocialSecurityApplication.select(card, self._product.social_security.name).identity().region
        return references(self._product, CardData(record=RECORD, region=region), files, card.atr)

    def _driver(self, card: CardConnection, keys: IssuingKeys) -> CosDriver:
        return cos_driver(self._layout.cos)(card, keys)
