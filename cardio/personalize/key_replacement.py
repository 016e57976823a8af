"""New keys for a card in use: those of one directory, its master last (PERS §1.4).

What is written under the old master can be written again, so an interrupted replacement is done anew. Only when it is
not known whether the master itself was replaced, the card is asked: the new one first, the old one then, once each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cardio.apdu.connection import CardConnection
from cardio.applications.social_security import SocialSecurityApplication
from cardio.applications.wallet import select_wallet
from cardio.errors import CardioError, InputInvalid, TransportKeyWrong
from cardio.files.key_file import KeyKind
from cardio.personalize.attempts import Attempt, CardState
from cardio.personalize.binding import Reference, references
from cardio.personalize.card_data import CardData
from cardio.personalize.cos.driver import CosDriver, cos_driver
from cardio.personalize.derived.card import layout_of
from cardio.personalize.derived.wallet import WALLET_LABEL
from cardio.personalize.identity import identity_of
from cardio.personalize.layout import DirectoryLayout, KeyRecord, Layout
from cardio.personalize.personalizer import INTERRUPTIONS
from cardio.personalize.register import Register
from cardio.personalize.steps import Place
from cardio.products.model import Product
from cardio.security.issuing import IssuingKeys
from cardio.security.key_change import KeyChange
from cardio.transport.channel import Channel

RECORD = "keys"
"""Row of the register's jobs that replace keys: one a card."""


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
        self._keys = [key for key in keys if names is None or key.name in names]
        self._before, self._after = before, after

    def replace(self, channel: Channel, register: Register, job: str) -> Attempt:
        """Replace the keys of one card, or go on with a card that was interrupted.

        Args:
            channel: The powered card.
            register: Where every key is written down before it is sent.
            job: Name of the job, which the register knows.

        Raises:
            TransportKeyWrong: The card's master is another; one try was spent.
            ReaderError: The card is gone; it is gone on with when it comes back.
            CardioError: The card refused a key; it is registered as rejected, with the reason.
        """
        for source in (self._before, self._after):
            source.refuse_real(channel)
        card = CardConnection(channel)
        reference = self._reference(card)
        attempt = self._attempt(card, register, job)
        try:
            for name, record in self._remaining(card, reference, attempt):
                register.writing_key(attempt.id, name, self._after.kcv(reference(record.name)).hex().upper())
                self._write(card, reference, record)
        except INTERRUPTIONS as error:
            register.interrupted(attempt.id, error.describe())
            raise
        except CardioError as error:
            register.move(attempt.id, CardState.REJECTED, reason=error.describe())
            raise
        register.move(attempt.id, CardState.FINISHED)
        return register.attempt(attempt.id)

    # ---- parts -----------------------------------------------------------------------------------------------

    def _remaining(
        self, card: CardConnection, reference: Reference, attempt: Attempt
    ) -> Iterator[tuple[str, KeyRecord]]:
        """The records that are still to be written, the master last; each is to be written before the next is asked."""
        directory = self._directory
        master = _master(directory)
        last = f"{directory.label}/{master.name}"
        old, new = self._driver(card, self._before), self._driver(card, self._after)
        if last in attempt.keys:
            new.select(directory)
            try:
                new.authenticate_master(reference(master.name))
            except TransportKeyWrong:
                old.select(directory)
                old.authenticate_master(reference(master.name))
                yield last, master
            return
        old.select(directory)
        old.authenticate_master(reference(master.name))
        for record in self._keys:
            yield f"{directory.label}/{record.name}{'+' if record.companion else ''}", record
        yield last, master

    def _write(self, card: CardConnection, reference: Reference, record: KeyRecord) -> None:
        """The new key's value comes from the new source, and is protected by the old source's master."""
        key, master = reference(record.name), reference(_master(self._directory).name)
        self._driver(card, KeyChange(self._before, self._after)).replace_key(record, record, key, master)

    def _attempt(self, card: CardConnection, register: Register, job: str) -> Attempt:
        identity = identity_of(card)
        known = register.newest(identity)
        if known is not None and not known.state.final:
            if known.job != job:
                raise InputInvalid(f"this card is open in job {known.job}")
            return known
        return register.begin(job, f"{RECORD} {identity}", identity, card.channel.reader)

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


def _master(directory: DirectoryLayout) -> KeyRecord:
    if directory.master is None:
        raise InputInvalid(f"{directory.label} has no master key")
    return directory.master
