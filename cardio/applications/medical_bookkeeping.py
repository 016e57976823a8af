"""What a settlement leaves on the card beside the purse: off-line totals and special cases (SSC §4.5, §7.3, §7.4).

Neither is money, and both are made of several commands, so a card can be torn in the middle. Whoever writes off-line
totals keeps the values before and after in a journal first: with them a repeat knows what the card already has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice

from cardio.apdu.connection import CardConnection
from cardio.applications.authority import Authority, KeyNaming
from cardio.applications.pin import PinPresenter
from cardio.applications.social_security import SocialSecurityApplication
from cardio.errors import CardDataInvalid, OfflineSettlementLimit, OfflineSettlementNotAllowed
from cardio.files.codecs import unwritten
from cardio.files.declaration import ApplicationDeclaration, any_of
from cardio.files.reading import FileReader
from cardio.files.social_security.medical import (
    DF04,
    EF06_OFFLINE_SETTLEMENT,
    EF15_SPECIAL_SETTLEMENT,
    OfflineSettlement,
    SpecialSettlementRecord,
)
from cardio.files.writing import append_record, update_item
from cardio.purse.medical import MedicalPurse
from cardio.security.authentication import AuthenticationKeys

MAX_TOTAL_FEN = 99_999_999
"""Item 92 has eight digits (SSC §4.5)."""
MAX_COUNT = 99
"""Item 93 has two digits (SSC §4.5)."""
NUMBER_SIZE = 2
"""Bytes of the transaction number in EF15 (SSC §4.5)."""
STARTING_DAY_KEY = "DSK"
"""Key of UPDATE STARTING DAY (SSC §5.4, §6.2)."""


@dataclass(frozen=True)
class OfflineTotals:
    """Settlements of an on-line card since it last settled on line (EF06, SSC §7.3).

    Attributes:
        total_fen: Item 92, fen.
        count: Item 93.
    """

    total_fen: int = 0
    count: int = 0

    def plus(self, amount_fen: int) -> OfflineTotals:
        """The totals with one settlement more.

        Raises:
            OfflineSettlementLimit: They do not fit their items.
        """
        more = OfflineTotals(self.total_fen + amount_fen, self.count + 1)
        if more.total_fen > MAX_TOTAL_FEN or more.count > MAX_COUNT:
            raise OfflineSettlementLimit(f"{more.count} settlements of {more.total_fen} fen do not fit the card")
        return more


class MedicalBookkeeping:
    """The bookkeeping files of the selected DF04 of a card whose PIN has been presented.

    Args:
        card: The card.
        reader: Reads its files.
        authority: Earns the keys that the files demand; each is authenticated once.
    """

    def __init__(self, card: CardConnection, reader: FileReader, authority: Authority) -> None:
        self._card = card
        self._reader = reader
        self._authority = authority

    @classmethod
    def open(
        cls,
        card: CardConnection,
        environment: SocialSecurityApplication,
        root: ApplicationDeclaration,
        naming: KeyNaming,
        keys: AuthenticationKeys | None,
    ) -> MedicalBookkeeping:
        """The files of a DF04 that was opened with `MedicalApplication.open`; asks nothing of the card.

        Args:
            card: The card.
            environment: Its social security environment.
            root: Declaration of the environment.
            naming: How the product names its keys.
            keys: Source of authentication keys; None if the terminal has none.
        """
        pin = PinPresenter(card, None, caller_pin=False)
        pin.presented = True
        files, authority = environment.open_files(root, naming, pin, keys)
        files.selected(DF04.label)
        return cls(card, environment.reader, authority)

    # ---- temporary off-line settlement: EF06 -------------------------------------------------------------------

    def offline_totals(self) -> OfflineTotals:
        """Items 92 and 93; needs RK1DF04.

        Raises:
            CardDataInvalid: They hold no numbers.
            FileNotFound: The card has no EF06.
            SamError: The terminal does not have the key.
            AuthenticationFailed: The card refuses the key.
        """
        return _totals(self._read_offline())

    def check_allowed(self) -> OfflineTotals:
        """The totals of a card that may settle while the line is down; raises also as `offline_totals` does.

        Raises:
            OfflineSettlementNotAllowed: Item 90 is not 1.
        """
        found = self._read_offline()
        if not found.allowed:
            raise OfflineSettlementNotAllowed
        return _totals(found)

    def write_offline_totals(self, totals: OfflineTotals) -> None:
        """Write 92, then 93; needs RK1DF04 and UK2DF04.

        Item 90 is written too, as the card has it: SSC §7.3 names all three.

        Raises:
            AccessDenied: The card does not let the terminal write.
            CardError: It refuses.
        """
        found = replace(self._read_offline(), total_fen=totals.total_fen, count=totals.count)
        self._authority.earn(EF06_OFFLINE_SETTLEMENT.update)
        for item in replace(found, unknown=()).encode():
            update_item(self._card, EF06_OFFLINE_SETTLEMENT, item)

    def _read_offline(self) -> OfflineSettlement:
        self._authority.earn(EF06_OFFLINE_SETTLEMENT.read)
        return self._reader.read_items(EF06_OFFLINE_SETTLEMENT, OfflineSettlement)

    # ---- special settlements: EF15 -----------------------------------------------------------------------------

    def record_special(self, record: SpecialSettlementRecord) -> None:
        """Append a record unless the card has one of that transaction already; needs UK2DF04.

        Raises:
            FileNotFound: The card has no EF15.
            CardError: The card refuses.
        """
        file, encoded = EF15_SPECIAL_SETTLEMENT, record.encode()
        self._authority.earn(file.read)
        if any(_same_transaction(found, encoded) for found in islice(self._reader.read_records(file), file.records)):
            return
        self._authority.earn(file.update)
        append_record(self._card, file, encoded)


def set_starting_day(authority: Authority, purse: MedicalPurse, day: str) -> None:
    """Set the first day of the payment year; authenticates DSK first (SSC §5.4).

    Args:
        authority: Over the selected DF04.
        purse: Its account.
        day: `mmdd`.

    Raises:
        ValueError: Not a day of a year.
        SamError: The terminal does not have DSK.
        AuthenticationFailed: The card refuses the key.
    """
    authority.earn(any_of(STARTING_DAY_KEY))
    purse.update_starting_day(day)


def _same_transaction(found: bytes, record: bytes) -> bool:
    """Whether two records of EF15 have one number; a blank record has none, though its bytes may look like 0."""
    return found[:NUMBER_SIZE] == record[:NUMBER_SIZE] and not unwritten(found[NUMBER_SIZE:])


def _totals(found: OfflineSettlement) -> OfflineTotals:
    """Unwritten items count as nothing."""
    if unreadable := {"total_fen", "count"}.intersection(found.malformed()):
        raise CardDataInvalid(f"EF06: {', '.join(sorted(unreadable))} hold no number")
    return OfflineTotals(found.total_fen or 0, found.count or 0)
