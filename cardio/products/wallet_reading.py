"""Groups that a wallet answers: card, balance, log, trips, files."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import cast

from cardio.apdu.command import Command
from cardio.apdu.connection import CardConnection
from cardio.apdu.status import INTERNAL_AUTHENTICATION
from cardio.applications.card_files import FileReading
from cardio.applications.medical_records import LOG_RECORDS
from cardio.applications.pin import PinPresenter
from cardio.errors import AccessDenied, CardioError, FileNotFound, OperationUnsupported
from cardio.files.declaration import FileDeclaration, Structure
from cardio.files.reading import FileReader
from cardio.files.record import FixedRecord, ItemRecord, Record
from cardio.products.detection import WalletFound
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
from cardio.products.groups import Group
from cardio.security.authentication import AuthenticityCodes
from cardio.security.keys import Family
from cardio.transport.channel import Disclosure

MANAGEMENT = "management"
GET_AUTHENTICITY_CODE = Command(
    "GET AUTHENTICITY CODE",
    0x80,
    0xCA,
    le=9,
    outcomes=INTERNAL_AUTHENTICATION,
    disclosure=Disclosure.ALL,
)
"""The code has 9 bytes (EW §1.3)."""


class WalletReading:
    """Reads groups of a selected wallet.

    Args:
        card: The card.
        found: The wallet and its product.
        pin: Presents the PIN; some cities want it for the log.
        keys: Key source of the terminal; one that knows authenticity codes checks them.
        masked: Whether personal values are masked.
    """

    def __init__(
        self,
        card: CardConnection,
        found: WalletFound,
        pin: PinPresenter,
        keys: object,
        *,
        masked: bool,
    ) -> None:
        self._card_connection = card
        self._codes = keys if isinstance(keys, AuthenticityCodes) else None
        self._genuine: Content | None = None
        self._found = found
        self._pin = pin
        self._masked = masked
        self._reader = FileReader(card)
        self._part = found.part

    def authenticate(self) -> None:
        """Have the card show its authenticity code, where its product has one and the terminal can check (EW §1.3).

        Raises:
            CardNotGenuine: It has none, or a wrong one.
        """
        if self._part.authenticity_code:
            self._genuine = prove(None if self._codes is None else partial(self._check_code, self._codes))

    def _check_code(self, codes: AuthenticityCodes) -> None:
        code = self._card_connection.call(GET_AUTHENTICITY_CODE)
        codes.check_authenticity_code(self._part.sam.application(Family.PBOC), code)

    def read(self, wanted: set[Group]) -> dict[Group, GroupReading]:
        """The groups of `wanted` that this wallet can answer."""
        steps: dict[Group, Step] = {Group.CARD: self._card, Group.WALLET: self._wallet}
        holder, trips = self._part.file_of_kind("holder"), self._part.file_of_kind("trips")
        if holder is not None:
            steps[Group.HOLDER] = lambda: self._single(holder)
        steps[Group.WALLET_LOG] = lambda: self._log(self._part.log_file)
        if trips is not None:
            steps[Group.TRIPS] = lambda: self._log(trips)
        steps[Group.FILES] = self._all_files
        return run_steps(steps, wanted)

    def _card(self) -> GroupReading:
        content = {**product_document(self._found.product), **self._public()}
        content["reasons"] = reasons_document(self._found.reasons)
        if self._genuine is not None:
            content["authenticity"] = self._genuine
        management = self._part.file_of_kind(MANAGEMENT)
        if management is not None:
            reading = self._read(management)
            if reading.record is not None:
                content[MANAGEMENT] = reading.record.show(masked=self._masked)
        return GroupReading(content)

    def _public(self) -> Content:
        return self._found.application.public.show(masked=self._masked)

    def _wallet(self) -> GroupReading:
        public = self._found.application.public
        content: Content = {"balance_fen": self._found.application.purse.balance()}
        if public.starts is not None:
            content["starts"] = str(public.starts)
        if public.ends is not None:
            content["ends"] = str(public.ends)
        content["max_amount_fen"] = self._part.max_amount_fen
        return GroupReading(content)

    def _single(self, file: FileDeclaration) -> GroupReading:
        reading = self._read(file)
        if isinstance(reading.error, FileNotFound):
            return GroupReading(error=OperationUnsupported("not on this card"))
        shown = None if reading.record is None else reading.record.show(masked=self._masked)
        return GroupReading(shown, reading.error)

    def _log(self, file: FileDeclaration) -> GroupReading:
        reading = self._read(file, LOG_RECORDS)
        shown = [record.show(masked=self._masked) for record in reading.records]
        return GroupReading(shown if shown or reading.error is None else None, reading.error)

    def _all_files(self) -> GroupReading:
        content: Content = {}
        for name, file in self._part.declarations.items():
            reading = self._read(file)
            content[name] = file_document(file, reading, masked=self._masked)
        return GroupReading(content)

    # ---- reading ---------------------------------------------------------------------------------------------

    def _read(self, file: FileDeclaration, limit: int | None = None) -> FileReading:
        """One file; the PIN is presented where the card asks for it, whatever the declaration says (EW §2.1)."""
        if file is self._part.public_file:
            return FileReading((cast("Record", self._found.application.public),))
        reading = self._attempt(file, limit)
        if not isinstance(reading.error, AccessDenied):
            return reading
        try:
            self._pin.present()
        except CardioError as error:
            return FileReading(error=error)
        return self._attempt(file, limit)

    def _attempt(self, file: FileDeclaration, limit: int | None) -> FileReading:
        records: list[Record] = []
        try:
            for raw in islice(self._raw_records(file), limit):
                layout = file.layout(raw)
                if issubclass(layout, FixedRecord):
                    records.append(layout.decode(raw))
                elif issubclass(layout, ItemRecord):
                    records.append(layout.decode_concatenated(raw))
        except CardioError as error:
            return FileReading(tuple(records), error=error)
        return FileReading(tuple(records))

    def _raw_records(self, file: FileDeclaration) -> Iterator[bytes]:
        if file.structure is Structure.TRANSPARENT:
            yield self._reader.read_binary(file)
        else:
            # Unwritten records of a log say nothing.
            yield from (raw for raw in self._reader.read_records(file) if raw.strip(b"\xff") and raw.strip(b"\x00"))
