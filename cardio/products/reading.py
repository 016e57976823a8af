"""What the presented card holds, group by group.

A group that cannot be read says why; the others still come. Absent data are missing from a group, which is not the
same as a group that was refused or is not on the card.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, TypeVar

from cardio.apdu.connection import CardConnection
from cardio.applications.medical import MedicalApplication
from cardio.applications.pin import verify_pin
from cardio.errors import AccessDenied, CardioError, CardUnsupported, OperationUnsupported, PinError
from cardio.files.masking import Mask
from cardio.files.reading import read_log
from cardio.files.record import Record
from cardio.files.social_security.medical import EF08_MEDICAL_LOG, MedicalLogRecord
from cardio.files.wallet.log import EF18_LOG, WalletLogRecord
from cardio.products.catalogue import Catalogue
from cardio.products.detection import (
    SocialSecurityFound,
    WalletFound,
    check_caller_pin,
    find_social_security,
    find_wallet,
)
from cardio.products.model import Product
from cardio.security.keys import Family

LOG_RECORDS = 10
"""Log records that a read returns, newest first."""


class Group(StrEnum):
    """Groups of data that can be asked for (design §5)."""

    CARD = "card"
    HOLDER = "holder"
    INSURANCE = "insurance"
    MEDICAL = "medical"
    EMPLOYMENT = "employment"
    WALLET = "wallet"
    WALLET_LOG = "wallet_log"
    MEDICAL_LOG = "medical_log"


PERSONAL_GROUPS = frozenset({Group.HOLDER, Group.INSURANCE, Group.EMPLOYMENT})
"""Groups whose reading is noted in the access log."""

Content = dict[str, Any]
F = TypeVar("F")


@dataclass(frozen=True)
class GroupReading:
    """One group: its content, or the error that kept it from being read."""

    content: Content | list[Content] | None = None
    error: CardioError | None = None


class CardReading:
    """Reads groups of one presented card.

    Args:
        card: The card.
        catalogue: Known products.
        pin: PIN handed over by the caller; None leaves it to the PIN pad.
        masked: Whether personal values are masked (OPS §4.8).
    """

    def __init__(
        self,
        card: CardConnection,
        catalogue: Catalogue,
        *,
        pin: str | None = None,
        masked: bool = True,
    ) -> None:
        self._card = card
        self._catalogue = catalogue
        self._pin = pin
        self._masked = masked
        self._social: SocialSecurityFound | None = None
        self._wallet: WalletFound | None = None
        self._medical: MedicalApplication | None = None
        self._pin_failed: PinError | None = None

    def read(self, groups: Iterable[Group]) -> dict[Group, GroupReading]:
        """Read groups in the order that costs the fewest commands.

        Raises:
            CardUnsupported: No known application is on the card.
            ReaderError: The card left before any application was found.
        """
        wanted = set(groups)
        readings: dict[Group, GroupReading] = {}
        self._social = find_social_security(self._card, self._catalogue)
        if self._social is not None:
            steps: dict[Group, Callable[[], Content | list[Content]]] = {
                Group.CARD: self._issuer,
                Group.HOLDER: self._holder,
                Group.MEDICAL: self._medical_account,
                Group.MEDICAL_LOG: self._medical_log,
            }
            self._run(steps, wanted, readings)
        if self._social is None or wanted & {Group.CARD, Group.WALLET, Group.WALLET_LOG}:
            self._read_wallet(wanted, readings)
        for group in wanted - readings.keys():
            readings[group] = GroupReading(error=OperationUnsupported("not on this card"))
        return {group: readings[group] for group in Group if group in wanted}

    def _read_wallet(self, wanted: set[Group], readings: dict[Group, GroupReading]) -> None:
        try:
            self._wallet = find_wallet(self._card, self._catalogue)
        except CardioError as error:
            if self._social is None:
                raise
            for group in wanted & {Group.WALLET, Group.WALLET_LOG}:
                readings[group] = GroupReading(error=error)
            return
        if self._wallet is None:
            if self._social is None:
                raise CardUnsupported("no known application is on the card")
            return
        self._run(
            {
                Group.CARD: lambda: self._wallet_card(readings.get(Group.CARD)),
                Group.WALLET: self._purse,
                Group.WALLET_LOG: self._wallet_log,
            },
            wanted,
            readings,
        )

    @staticmethod
    def _run(
        steps: dict[Group, Callable[[], Content | list[Content]]],
        wanted: set[Group],
        readings: dict[Group, GroupReading],
    ) -> None:
        for group, step in steps.items():
            if group in wanted:
                try:
                    readings[group] = GroupReading(step())
                except CardioError as error:
                    readings[group] = GroupReading(error=error)

    # ---- social security -------------------------------------------------------------------------------------

    def _issuer(self) -> Content:
        found = _present(self._social)
        content = self._show(found.application.issuer())
        return {"product": found.product.id, "title": _title(found), **content}

    def _holder(self) -> Content:
        holder = _present(self._social).application.holder()
        content = self._show(holder)
        for part in ("name_bytes", "name_extension_bytes"):
            content.pop(part, None)
        if holder.name:
            name = Mask.NAME.apply(holder.name) if self._masked else holder.name
            content = {"name": name, **content}
        return content

    def _open_medical(self) -> MedicalApplication:
        if self._medical is None:
            found = _present(self._social)
            part = found.product.medical
            if part is None:
                raise OperationUnsupported(f"{found.product.id} has no medical account")
            rules = part.rules(Family.LDT)
            with self._pin_asked_once(found.product):
                self._medical = MedicalApplication.open(self._card, found.application, rules, self._pin)
        return self._medical

    @contextmanager
    def _pin_asked_once(self, product: Product) -> Iterator[None]:
        """A PIN that failed for one group is not presented again for the next: each time would spend a try."""
        if self._pin_failed is not None:
            raise self._pin_failed
        try:
            check_caller_pin(self._card, product, self._pin)
            yield
        except PinError as error:
            self._pin_failed = error
            raise

    def _medical_account(self) -> Content:
        medical = self._open_medical()
        self_paid, pool = medical.purse.yearly_self_paid(), medical.purse.yearly_pool()
        return {
            **self._show(medical.data),
            "balance_fen": medical.purse.balance(),
            "yearly_self_paid_fen": self_paid.amount_fen,
            "yearly_pool_fen": pool.amount_fen,
            "payment_year": self_paid.year,
        }

    def _medical_log(self) -> list[Content]:
        self._open_medical()
        records = read_log(self._card, EF08_MEDICAL_LOG, MedicalLogRecord)
        return [self._show(record) for record in islice(records, LOG_RECORDS)]

    # ---- wallet ----------------------------------------------------------------------------------------------

    def _wallet_card(self, social: GroupReading | None) -> Content:
        found = _present(self._wallet)
        content = {
            "product": found.product.id,
            "title": _title(found),
            **self._show(found.application.public),
        }
        if social is not None and isinstance(social.content, dict):
            return {**social.content, "wallet": content}
        return content

    def _purse(self) -> Content:
        return {"balance_fen": _present(self._wallet).application.purse.balance()}

    def _wallet_log(self) -> list[Content]:
        try:
            return self._read_wallet_log()
        except AccessDenied:
            # Some cities leave the log open, others ask for the PIN (EW §2.1).
            with self._pin_asked_once(_present(self._wallet).product):
                verify_pin(self._card, self._pin)
            return self._read_wallet_log()

    def _read_wallet_log(self) -> list[Content]:
        records = read_log(self._card, EF18_LOG, WalletLogRecord)
        return [self._show(record) for record in islice(records, LOG_RECORDS)]

    def _show(self, record: Record) -> Content:
        """Fields by name, as JSON values; codes with their texts."""
        return record.show(masked=self._masked)


def _title(found: SocialSecurityFound | WalletFound) -> Content:
    return {"zh": found.product.title.zh, "en": found.product.title.en}


def _present(found: F | None) -> F:
    if found is None:
        raise RuntimeError("the application was not selected")
    return found
