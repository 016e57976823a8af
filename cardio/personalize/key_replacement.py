"""New keys for a card in use: those of one directory, its master last (PERS §1.4).

What is written under the old master can be written again, so an interrupted replacement is done anew. Only when it is
not known whether the master itself was replaced, the card is asked as in `cardio.personalize.resuming`: what it answers
is known from then on, and what it does not answer may have cost a try.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cardio.apdu.connection import CardConnection
from cardio.errors import (
    CardioError,
    CardRejected,
    CardUnsupported,
    InputInvalid,
    KeyRejected,
    MasterUnanswered,
    TransportKeyWrong,
)
from cardio.files.key_file import KeyKind
from cardio.personalize.attempts import Attempt, CardState, JobHead
from cardio.personalize.binding import Reference, key_of_no_card, references
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
from cardio.products.catalogue import Catalogue
from cardio.products.detection import find_social_security, find_wallet
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
            there = ", ".join(one.label for one in self._layout.master_file.walk() if one.master is not None)
            raise InputInvalid(f"{product.id} has no directory {directory}; it has {there}") from None
        keys = [key for key in self._directory.keys if key.kind is not KeyKind.PIN]
        unknown = (names or frozenset()) - {key.name for key in keys}
        if unknown or self._directory.master is None:
            there = ", ".join(dict.fromkeys(key.name for key in keys))
            missing = ", ".join(sorted(unknown)) or "to protect a replacement"
            raise InputInvalid(f"{directory} has no key {missing}; it has {there or 'none'}")
        self._master = self._directory.master
        self._last = f"{directory}/{self._master.name}"
        self._keys = [key for key in keys if names is None or key.name in names]
        self._staying = [key for key in keys if key not in self._keys]
        self._before, self._after = before, after

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the keys that are replaced, the master last."""
        return tuple(dict.fromkeys(record.name for record in (*self._keys, self._master)))

    def job(self, operators: tuple[str, ...] = ()) -> JobHead:
        """The job of all cards that get these keys, named after product, directory and check values.

        Args:
            operators: Who runs it.

        Raises:
            SamKeyMissing: One of the sources lacks a key.
            InputInvalid: The new keys are those that the cards have.
        """
        before, after = (
            [source.kcv(key_of_no_card(self._product, name)).hex() for name in self.names]
            for source in (self._before, self._after)
        )
        if before == after:
            raise InputInvalid(f"{self._after.name} has the keys that the cards have: none is new")
        told = f"{self._directory.label} {' '.join(self.names)} {' '.join(after)}"
        digest = hashlib.sha256(told.encode()).digest()
        name = f"{RECORD}-{self._product.id}-{self._directory.label}-{digest[:4].hex()}"
        made_with = hashlib.sha256(f"{self._layout.model_dump_json()} {' '.join(before)}".encode()).digest()
        source = KeyChange(self._before, self._after).name
        return JobHead(name, self._product.id, 0, digest, source, operators, made_with)

    def replace(self, channel: Channel, register: Register, job: str, *, try_again: bool = False) -> Attempt:
        """Replace the keys of one card, or go on with a card that was interrupted.

        Args:
            channel: The powered card.
            register: Where every key is written down before it is sent.
            job: Name of the job, which the register knows: that of `job`, or one of the caller's.
            try_again: Whether a card that was rejected is tried once more, or a master presented that was not answered.

        Raises:
            CardUnsupported: It is no card of the product; no key was tried.
            SamKeyMissing: One of the sources lacks a key; no key was tried.
            KeyRejected: Two of the directory's keys would be the same; no key was tried.
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
        attempt = self._attempt(connection, reference, register, job, try_again=try_again)
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
        self._after.refuse_equal(reference(name) for name in self.names)
        new = {self._after.kcv(reference(name)): name for name in self.names}
        for record in self._staying:
            name = new.get(self._before.kcv(reference(record.name)))
            if name is not None:
                raise KeyRejected(f"{self._after.name}: {name} is the key that the card has as {record.name}")

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

    def _attempt(
        self, card: CardConnection, reference: Reference, register: Register, job: str, *, try_again: bool
    ) -> Attempt:
        # While it was made it was known by what a blank card tells, which others may tell, too.
        made_as = identity_of(card)
        factor = reference(self._master.name).factors[-1].hex().upper()
        identity, record = f"{made_as} {factor}", f"{RECORD} {self._directory.label} {factor}"
        known = register.newest(identity)
        for one in (register.newest(made_as), known):
            if one is not None and not one.state.final and (one.job, one.record) != (job, record):
                raise InputInvalid(f"this card is open in job {one.job}, row {one.record}")
        if known is not None and not known.state.final:
            return known
        if known is not None and (known.job, known.record, known.state) == (job, record, CardState.FINISHED):
            raise InputInvalid(f"the card has these keys already: attempt {known.id}")
        if known is not None and known.state is CardState.REJECTED:
            if not try_again:
                raise CardRejected(f"attempt {known.id}: {known.reason}")
            if known.record == record:
                if self._last in known.keys and known.job != job:
                    raise CardRejected(f"attempt {known.id}: it may have the master of job {known.job}")
                return register.begin_again(known, job, record, card.channel.reader)
        return register.begin(job, record, identity, card.channel.reader)

    def _reference(self, card: CardConnection) -> Reference:
        """The card's own keys, by what it says of itself.

        Raises:
            CardUnsupported: It is no card of the product, whose keys would cost it a try.
        """
        files: dict[Place, Sequence[bytes]] = {}
        region, only = None, Catalogue([self._product])
        if self._product.wallet is not None:
            wallet = find_wallet(card, only)
            if wallet is None:
                raise CardUnsupported(f"it has no wallet of {self._product.id}")
            files[WALLET_LABEL, wallet.part.public_file.label] = [wallet.raw]
        if self._product.social_security is not None:
            social = find_social_security(card, only)
            if social is None:
                raise CardUnsupported(f"it has no social security environment of {self._product.id}")
            region = social.application.identity().region
        return references(self._product, CardData(record=RECORD, region=region), files, card.atr)

    def _driver(self, card: CardConnection, keys: IssuingKeys) -> CosDriver:
        return cos_driver(self._layout.cos)(card, keys)
