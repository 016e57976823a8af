"""The medical account: mode, balance, log, and the purse for settlements (SSC §7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from cardio.apdu.command import select_file
from cardio.apdu.connection import CardConnection
from cardio.applications.pin import verify_pin
from cardio.applications.social_security import SocialSecurityApplication
from cardio.errors import CardDataInvalid
from cardio.files.reading import FileReader
from cardio.files.social_security.medical import DF04, EF05_MEDICAL, MedicalData
from cardio.purse.medical import MedicalPurse
from cardio.purse.purse import PurseRules


class CardMode(StrEnum):
    """Item 8F: where the personal account lives (SSC §7.3)."""

    ONLINE = "1"
    OFFLINE = "2"


@dataclass(frozen=True)
class MedicalAmounts:
    """What a bill asks of the medical account, in fen.

    Attributes:
        total_fen: Whole treatment.
        fund_fen: Paid by the pooled funds.
        account_fen: Paid from the personal account.
        self_pay_fen: Paid by the patient otherwise.
    """

    total_fen: int
    fund_fen: int
    account_fen: int
    self_pay_fen: int

    def on_card(self, mode: CardMode) -> tuple[int, int, int]:
        """Account, self-paid and pool amount of the card command.

        An off-line card is the purse and gets all three amounts. An on-line card signs a record: account 0, the
        treatment's total in the self-paid field, account + fund in the pool field (SSC §7.3, §7.4).
        """
        if mode is CardMode.OFFLINE:
            return self.account_fen, self.self_pay_fen, self.fund_fen
        return 0, self.total_fen, self.account_fen + self.fund_fen


class MedicalApplication:
    """The selected DF04 of a social security card whose PIN has been presented.

    Attributes:
        data: Medical insurance basic data, EF05.
        purse: The account on the card.
    """

    def __init__(self, data: MedicalData, purse: MedicalPurse) -> None:
        self.data = data
        self.purse = purse

    @classmethod
    def open(
        cls,
        card: CardConnection,
        environment: SocialSecurityApplication,
        rules: PurseRules,
        pin: str | None,
    ) -> MedicalApplication:
        """Present the PIN, select DF04 and read its basic data.

        Args:
            card: The card on which `environment` is selected.
            environment: The social security environment.
            rules: What the product says about the purse; the algorithm is the card's own.
            pin: PIN from the caller, or None for the PIN pad.

        Raises:
            PinError: The PIN is missing, wrong or blocked.
            FileNotFound: The card has no medical application.
        """
        factors = environment.factors()
        rules = replace(rules, algorithm=environment.algorithm())
        verify_pin(card, pin)
        card.call(select_file(DF04.identifier))
        data = FileReader(card).read_items(EF05_MEDICAL, MedicalData)
        return cls(data, MedicalPurse(card, rules, factors))

    @property
    def mode(self) -> CardMode:
        """Where the personal account lives.

        Raises:
            CardDataInvalid: Item 8F is neither 1 nor 2.
        """
        try:
            return CardMode(self.data.mode or "")
        except ValueError as error:
            raise CardDataInvalid("item 8F says neither on-line nor off-line") from error
