"""Groups that a social security card answers."""

from __future__ import annotations

from functools import partial

from cardio.apdu.connection import CardConnection
from cardio.applications.answers import Answer, Question
from cardio.applications.card_files import CardFiles, Standing
from cardio.applications.pin import PinPresenter
from cardio.errors import CardioError, FileNotFound, OperationUnsupported
from cardio.files.declaration import ApplicationDeclaration
from cardio.files.reading import FileReader
from cardio.products.detection import SocialSecurityFound
from cardio.products.group_reading import (
    Content,
    GroupReading,
    Step,
    file_document,
    product_document,
    prove,
    reasons_document,
    run_steps,
)
from cardio.products.groups import FLAT, QUESTIONS, Group
from cardio.products.model import MedicalPart
from cardio.purse.medical import MedicalPurse
from cardio.security.authentication import AuthenticationKeys
from cardio.security.keys import Family

ACCOUNT_GROUPS = frozenset({Group.MEDICAL, Group.MEDICAL_LOG})
"""Groups of the medical account, which not every product uses."""
ANSWERED = frozenset({Standing.KNOWN, Standing.ABSENT, Standing.UNKNOWN})
"""Standings that are answers; the others are failures."""


class SocialSecurityReading:
    """Reads groups of a selected social security environment.

    Args:
        card: The card.
        found: The environment and its product.
        pin: Presents the PIN.
        keys: Source of authentication keys; None if the terminal has none.
        masked: Whether personal values are masked.
    """

    def __init__(
        self,
        card: CardConnection,
        found: SocialSecurityFound,
        pin: PinPresenter,
        keys: AuthenticationKeys | None,
        *,
        masked: bool,
    ) -> None:
        self._card = card
        self._found = found
        self._pin = pin
        self._keys = keys
        self._masked = masked
        part = found.part
        self._files, self._authority = found.application.open_files(part.environment, part.naming(), pin, keys)
        self._genuine: Content | None = None

    def authenticate(self) -> None:
        """Have the card prove itself, where its product has the key and the terminal can check.

        Raises:
            CardNotGenuine: It cannot.
        """
        if self._found.part.authenticity:
            self._genuine = prove(None if self._keys is None else self._authority.check_genuine)

    def read(self, wanted: set[Group]) -> dict[Group, GroupReading]:
        """The groups of `wanted` that a social security card can answer."""
        readable = wanted if self._found.product.medical is not None else wanted - ACCOUNT_GROUPS
        asked = [question for group in QUESTIONS for question in QUESTIONS[group] if group in readable]
        self._files.prefetch(
            place for question in asked for place in question.wanted(self._files) if question.limit is None
        )
        steps: dict[Group, Step] = {Group.CARD: self._card_group}
        steps |= {group: partial(self._answers, group) for group in QUESTIONS}
        steps |= {Group.MEDICAL: self._medical, Group.MEDICAL_LOG: self._medical_log, Group.FILES: self._all_files}
        return run_steps(steps, wanted)

    def _card_group(self) -> GroupReading:
        issuer = self._found.application.issuer().show(masked=self._masked)
        content = {**product_document(self._found.product), **issuer}
        content["reasons"] = reasons_document(self._found.reasons)
        if self._genuine is not None:
            content["authenticity"] = self._genuine
        return GroupReading(content)

    def _answers(self, group: Group) -> GroupReading:
        answers = {question: question.ask(self._files) for question in QUESTIONS[group]}
        if group in FLAT:
            return self._flat(*next(iter(answers.items())))
        errors = [answer.error for answer in answers.values() if answer.error is not None]
        if errors and not any(answer.standing in ANSWERED for answer in answers.values()):
            return GroupReading(error=errors[0])
        content = {
            question.name: answer.show(many=question.many, masked=self._masked) for question, answer in answers.items()
        }
        left = next((error for error in errors if error is self._files.left), None)
        return GroupReading(content, left)

    def _flat(self, question: Question, answer: Answer) -> GroupReading:
        shown = [record.show(masked=self._masked) for record in answer.facts]
        if question.many:
            return GroupReading(shown if shown or answer.error is None else None, answer.error)
        if shown or answer.error is None:
            return GroupReading(shown[0] if shown else {}, answer.error)
        return GroupReading(error=answer.error)

    # ---- medical account -------------------------------------------------------------------------------------

    def _medical(self) -> GroupReading:
        part = self._medical_part()
        basic = self._answers(Group.MEDICAL)
        if basic.content is None:
            return basic
        try:
            amounts = self._amounts(part)
        except CardioError as error:
            return GroupReading(basic.content, basic.error or error)
        facts = basic.content if isinstance(basic.content, dict) else {}
        return GroupReading({**facts, **amounts}, basic.error)

    def _amounts(self, part: MedicalPart) -> Content:
        """The account on the card, GET BALANCE; it needs the PIN (SSC §5.4)."""
        self._pin.present()
        self._files.select("DF04")
        application = self._found.application
        purse = MedicalPurse(self._card, part.rules(Family.LDT), application.factors())
        balance, self_paid, pool = purse.balance(), purse.yearly_self_paid(), purse.yearly_pool()
        return {
            "balance_fen": balance,
            "yearly_self_paid_fen": self_paid.amount_fen,
            "yearly_pool_fen": pool.amount_fen,
            "payment_year": self_paid.year,
        }

    def _medical_log(self) -> GroupReading:
        self._medical_part()
        return self._answers(Group.MEDICAL_LOG)

    def _medical_part(self) -> MedicalPart:
        part = self._found.product.medical
        if part is None:
            raise OperationUnsupported(f"{self._found.product.id} has no medical account")
        return part

    # ---- files -----------------------------------------------------------------------------------------------

    def _all_files(self) -> GroupReading:
        content = self._files_of(self._files, self._found.part.environment)
        for beside in self._found.part.beside_environment:
            # Another environment on the card, such as the certificates of version 3.0 (SSC §2.4).
            files = CardFiles(self._card, FileReader(self._card), beside, self._authority, selected="")
            try:
                files.select(beside.label)
            except FileNotFound:
                continue
            content |= self._files_of(files, beside)
            self._files.selected("")
        return GroupReading(content, self._files.left)

    def _files_of(self, files: CardFiles, root: ApplicationDeclaration) -> Content:
        content: Content = {}
        for application in root.walk():
            for file in application.files:
                reading = files.read(application.label, file.label)
                content[f"{application.label}/{file.label}"] = file_document(file, reading, masked=self._masked)
        return content
