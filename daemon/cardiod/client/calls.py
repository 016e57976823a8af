"""What a till can ask of the daemon, without saying how it is sent; both clients offer these as their methods.

Amounts are integers in fen. `reader` names one of several readers; `wait_s` is how long the daemon waits for a card. A
`pin` is only for card products that let the caller hand it over; otherwise the PIN pad asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from cardio.errors import TransactionUnknown
from cardio.ledger.bill import Bill, BillDetails
from cardiod.api.schemas.requests import DEFAULT_WAIT, NOT_IN_FINGERPRINT
from cardiod.client.exchange import QUICK_S, Document, Sending, Steps
from cardiod.client.persistence import Persistence
from cardiod.client.pin_calls import PinCalls
from cardiod.client.problems import ApiProblem
from cardiod.client.requests import Request, new_request
from cardiod.client.results import Card, Outcome, Reading, Settlement, Transaction


class Calls(PinCalls):
    """The operations.

    Args:
        persistence: How long to ask.
    """

    def __init__(self, persistence: Persistence) -> None:
        self._persistence = persistence

    # ---- what a counter does ---------------------------------------------------------------------------------

    def read(
        self,
        fields: Iterable[str],
        purpose: str,
        *,
        reader: str | None = None,
        wait_s: float = DEFAULT_WAIT,
        pin: str | None = None,
    ) -> Steps[Reading]:
        """Read groups of data from the presented card.

        With a PIN the message is sent once only: a wrong one costs a try each time.

        Args:
            fields: Groups: `card`, `holder`, `insurance`, `medical`, `wallet`, `wallet_log` …
            purpose: Why; the daemon keeps it.
            reader: Name of the reader.
            wait_s: Seconds to wait for a card.
            pin: The holder's PIN.

        Raises:
            ApiProblem: The daemon refused, for example because no card came.
            ServiceUnavailable: No answer in time.
        """
        body = {"fields": list(fields), "purpose": purpose, **_how(reader, wait_s, pin)}
        return Reading((yield from self._post("read", body, wait_s, repeatable=pin is None)))

    def debit(
        self,
        amount_fen: int,
        reference: str,
        *,
        key: str | None = None,
        operator: str | None = None,
        reader: str | None = None,
        wait_s: float = DEFAULT_WAIT,
    ) -> Steps[Transaction]:
        """Debit the wallet that is presented.

        Args:
            amount_fen: 1 to 0x7FFFFFFF fen.
            reference: Your number of the sale, 1 to 64 characters.
            key: Your key of the request; a new one if missing.
            operator: Who sits at the counter.
            reader: Name of the reader.
            wait_s: Seconds to wait for a card.

        Returns:
            The transaction, `completed` or `uncertain`.

        Raises:
            ApiProblem: The daemon refused.
            ServiceUnavailable: Nothing was sent.
            OutcomeUnknown: No answer in time; whether money moved is unknown.
        """
        body = {"purse": "wallet", "amount_fen": amount_fen, "reference": reference, "operator": operator}
        document, request = yield from self._money("debit", body, _how(reader, wait_s), key)
        return Transaction(document, request)

    def load(
        self,
        amount_fen: int,
        reference: str,
        *,
        purse: str = "wallet",
        key: str | None = None,
        operator: str | None = None,
        reader: str | None = None,
        wait_s: float = DEFAULT_WAIT,
        pin: str | None = None,
    ) -> Steps[Transaction]:
        """Load the presented card through the daemon's load host; all else is as of `debit`.

        `purse` is `wallet` or `medical`; both may want the holder's `pin`.
        """
        body = {"purse": purse, "amount_fen": amount_fen, "reference": reference, "operator": operator}
        document, request = yield from self._money("load", body, _how(reader, wait_s, pin), key)
        return Transaction(document, request)

    def settle(
        self,
        bill: Bill,
        tender: str,
        reference: str,
        *,
        key: str | None = None,
        operator: str | None = None,
        details: BillDetails | None = None,
        settlement_class: str | None = None,
        temporary_offline: bool = False,
        reader: str | None = None,
        wallet_reader: str | None = None,
        wait_s: float = DEFAULT_WAIT,
        pin: str | None = None,
    ) -> Steps[Settlement]:
        """Settle a bill: the medical account first, then the self-paid part.

        Args:
            bill: As the centre split it; the parts must add up.
            tender: What the self-paid part is paid with: `wallet`, or `cash`.
            reference: Your number of the bill, 1 to 64 characters.
            key: Your key of the request; a new one if missing.
            operator: Who sits at the counter.
            details: How the centre came to the bill; kept, shown and checked, but not what is charged.
            settlement_class: `1` work injury, `2` maternity, `3` medical aid, `9` other; to be noted on the card.
            temporary_offline: An on-line card settles while the line is down.
            reader: Name of the reader of the social security card.
            wallet_reader: Name of the reader of the wallet, which can be on another card; any if missing.
            wait_s: Seconds to wait for the cards.
            pin: The holder's PIN; after a lost answer it is sent again with the request.

        Returns:
            The settlement: `completed`, `uncertain`, or `awaiting_card` if the wallet is still to be presented.

        Raises:
            ApiProblem: The daemon refused.
            ServiceUnavailable: Nothing was sent.
            OutcomeUnknown: No answer in time; whether money moved is unknown.
        """
        body = {
            "bill": asdict(bill),
            "bill_details": None if details is None else asdict(details),
            "tender": tender,
            "reference": reference,
            "operator": operator,
            "settlement_class": settlement_class,
            "temporary_offline": temporary_offline,
            "wallet_reader": wallet_reader,
        }
        document, request = yield from self._money("settle", body, _how(reader, wait_s, pin), key)
        return Settlement(document, request)

    # ---- what became of it -----------------------------------------------------------------------------------

    def ask_again(
        self,
        asked: Outcome | Request,
        *,
        reader: str | None = None,
        wait_s: float = DEFAULT_WAIT,
        pin: str | None = None,
    ) -> Steps[Outcome]:
        """Go on with a request under its key: after the same card was put back, or with the wallet that is awaited.

        What is uncertain is found out, never charged again. A request of which the daemon never heard, or which it
        refused without using up the key, is carried out now; `find` tells beforehand.

        Args:
            asked: A request, or an outcome that has one.
            reader: Name of the reader.
            wait_s: Seconds to wait for a card.
            pin: The holder's PIN, which a medical account wants again.

        Raises:
            ApiProblem: It ended without what was wanted; `transaction.not-debited`, for example.
            OutcomeUnknown: Nobody has told yet what became of it; `problem` may say why.
            ValueError: The outcome was found by its id alone.
        """
        request = asked.request if isinstance(asked, Outcome) else asked
        if request is None:
            raise ValueError("the request of this outcome is not known; ask again with the request from your books")
        document, _ = yield from self._send(request, _how(reader, wait_s, pin), sent_before=True)
        return _outcome(document, request)

    def find(self, asked: str | Request) -> Steps[Outcome | None]:
        """What became of a key; moves no money.

        Args:
            asked: Key, or the request as it was written down.

        Returns:
            None if the daemon never heard of the key, so that nothing was moved under it.

        Raises:
            ApiProblem: The daemon refused.
            ServiceUnavailable: No answer in time.
        """
        request = asked if isinstance(asked, Request) else None
        key = asked.key if isinstance(asked, Request) else asked
        for kind in ("transactions", "settlements"):
            try:
                found = yield from self.get(kind, {"idempotency_key": key})
            except ApiProblem as problem:
                if problem.code != TransactionUnknown.code:
                    raise
            else:
                (document,) = found[kind]
                return _outcome(document, request)
        return None

    def transaction(self, identifier: str) -> Steps[Transaction]:
        """A transaction as it stands."""
        return Transaction((yield from self.get(f"transactions/{identifier}")))

    def settlement(self, identifier: str) -> Steps[Settlement]:
        """A settlement as it stands."""
        return Settlement((yield from self.get(f"settlements/{identifier}")))

    def cancel(self, asked: Outcome | str) -> Steps[Outcome]:
        """Cancel a transaction or settlement that has not reached a card yet.

        Args:
            asked: What it is about, or the id of a transaction.

        Raises:
            ApiProblem: It has, or it has ended otherwise.
            ServiceUnavailable: No answer in time; it may be cancelled or not.
        """
        document = yield from self._post(f"{_place(asked)}/cancel", {}, 0.0, repeatable=True)
        return _outcome(document, asked.request if isinstance(asked, Outcome) else None)

    def receipt(
        self, asked: Outcome | str, form: str = "text", *, language: str = "zh", width: int = 80
    ) -> Steps[bytes]:
        """The receipt of a transaction or settlement.

        Args:
            asked: What it is about, or the id of a transaction.
            form: `json`, `text`, `html`, `pdf`, or `escpos` for receipt printers.
            language: `zh` or `en`.
            width: Of the paper, 58 or 80 mm.
        """
        params = {"format": form, "lang": language, "width": str(width)}
        sending = Sending("GET", f"{_place(asked)}/receipt", params=params, raw=True)
        return (yield from self._persistence.ask(sending)).content

    # ---- cards, and the rest ---------------------------------------------------------------------------------

    def wait_for_card(
        self, *, reader: str | None = None, purse: str | None = None, wait_s: float = DEFAULT_WAIT
    ) -> Steps[Card]:
        """Wait until a card is presented.

        Args:
            reader: Name of the reader.
            purse: Only a card with this purse: `wallet`, or `medical`.
            wait_s: Seconds to wait.

        Raises:
            ApiProblem: None came.
            ServiceUnavailable: No answer in time.
        """
        body = {"reader": reader, "purse": purse, "wait_s": wait_s}
        return Card((yield from self._post("cards/wait", body, wait_s, repeatable=True)))

    def get(self, path: str, params: dict[str, str] | None = None) -> Steps[Document]:
        """GET any resource below `/v1`.

        Args:
            path: For example `readers`.
            params: Query, for example `{"state": "uncertain"}` of `transactions`.

        Raises:
            ApiProblem: The daemon refused.
            ServiceUnavailable: No answer in time.
        """
        answer = yield from self._persistence.ask(Sending("GET", path, params=params or {}))
        return answer.told()

    def post(self, path: str, body: Document, key: str | None = None) -> Steps[Document]:
        """POST anything below `/v1`; what moves money needs a key, and is sent as `debit` is.

        Without a key it is sent again only if the daemon cannot have got it.

        Raises:
            ApiProblem: The daemon refused.
            ServiceUnavailable: No answer in time; of a request with a key, nothing was sent.
            OutcomeUnknown: A request with a key got no answer in time.
        """
        if key is None:
            return (yield from self._post(path, body, body.get("wait_s", DEFAULT_WAIT), repeatable=False))
        how = {name: body[name] for name in NOT_IN_FINGERPRINT if name in body}
        document, _ = yield from self._money(path, body, how, key)
        return document

    # ---- inside ----------------------------------------------------------------------------------------------

    def _post(self, path: str, body: Document, wait_s: float, *, repeatable: bool) -> Steps[Document]:
        sending = Sending("POST", path, body, timeout_s=wait_s + QUICK_S)
        answer = yield from self._persistence.ask(sending, wait_s=wait_s, repeatable=repeatable)
        return answer.told()

    def _money(self, operation: str, body: Document, how: Document, key: str | None) -> Steps[tuple[Document, Request]]:
        request = new_request(operation, body, key)
        return (yield from self._send(request, how, sent_before=False))

    def _send(self, request: Request, how: Document, *, sent_before: bool) -> Steps[tuple[Document, Request]]:
        """Send a request; `how` is what may be another each time."""
        wait_s = how.get("wait_s", DEFAULT_WAIT)
        sending = Sending(
            "POST",
            request.operation,
            {**request.body, **how},
            key=request.key,
            timeout_s=wait_s + QUICK_S,
            new=None if sent_before else request,
        )
        answer = yield from self._persistence.ask_money(sending, request, wait_s=wait_s, sent_before=sent_before)
        return answer.told(), request


def _how(reader: str | None, wait_s: float, pin: str | None = None) -> Document:
    """How a request is carried out; a body without `pin` suits operations that have none."""
    how: Document = {"reader": reader, "wait_s": wait_s}
    return how if pin is None else {**how, "pin": pin}


def _outcome(document: Document, request: Request | None) -> Outcome:
    """Only settlements have legs."""
    return Settlement(document, request) if "legs" in document else Transaction(document, request)


def _place(asked: Outcome | str) -> str:
    """Where an outcome is below `/v1`."""
    identifier = asked.id if isinstance(asked, Outcome) else asked
    return f"{'settlements' if isinstance(asked, Settlement) else 'transactions'}/{identifier}"
