"""What a caller is told about a transaction or a settlement: one JSON document, voucher included.

The document of a final state is frozen in the journal, so that the same key gets the same bytes for ever. Its `notes`,
which are not about money, are as they were then; how far they are now is told by the transaction itself, made anew.
"""

from __future__ import annotations

from dataclasses import asdict

from cardio.ledger.bill import check_bill
from cardio.ledger.model import CardNote, Document, NoteKind, Settlement, State, Transaction
from cardio.ledger.receipts.text import text
from cardio.ledger.voucher import voucher_of
from cardio.purse.operation import Operation, PurseKind

ACTIONS = {
    State.UNCERTAIN: "present_same_card",
    State.ARMED: "present_same_card",
    State.AWAITING_CARD: "present_card",
    State.NOT_GENUINE: "call_supervisor",
    State.NOT_DEBITED: "new_sale",
    State.DECLINED: "other_tender",
}


def transaction_document(transaction: Transaction) -> Document:
    """A transaction as the API and `--json` show it; amounts in fen."""
    return {**transaction_facts(transaction), "voucher": _voucher_texts(transaction)}


def transaction_facts(transaction: Transaction) -> Document:
    """The document without its voucher, which nobody reads in a record for the centre."""
    armed, outcome = transaction.armed, transaction.outcome
    document: Document = {
        "id": transaction.id,
        "state": transaction.state.value,
        "money": transaction.money.value,
        "action": ACTIONS.get(transaction.state),
        "purse": transaction.purse.value,
        "operation": transaction.operation.value,
        "amount_fen": transaction.amount_fen,
        "reference": transaction.reference,
        "operator": transaction.operator,
        "settlement": transaction.settlement,
        "shift": transaction.shift,
        "created_at": transaction.created_at.isoformat(),
        "finished_at": transaction.finished_at.isoformat() if transaction.finished_at else None,
        "error": outcome.error,
        "tac": outcome.tac,
        "mac2": outcome.mac2.value if outcome.mac2 else None,
        "balance_after_fen": outcome.balance_after,
        "recovered": outcome.recovered,
        "evidence": [
            {"kind": found.kind, "debited": found.debited, "detail": found.detail} for found in outcome.evidence
        ],
    }
    if outcome.resolution is not None:
        document["resolution"] = {
            "money": outcome.resolution.money.value,
            "persons": list(outcome.resolution.persons),
            "reason": outcome.resolution.reason,
        }
    if transaction.purse is PurseKind.MEDICAL and transaction.operation is Operation.PURCHASE:
        account, self_pay, pool = transaction.amounts
        document["medical"] = {
            "account_fen": account,
            "self_pay_fen": self_pay,
            "pool_fen": pool,
        }
    if transaction.grey_lock is not None:
        document["grey_lock"] = transaction.grey_lock
    if transaction.reverses is not None:
        document["reverses"] = transaction.reverses
    if transaction.notes:
        document["notes"] = [_note_document(note) for note in transaction.notes]
    if armed is not None:
        document.update(
            {
                "card": armed.card.masked,
                "product": armed.product,
                "reader": armed.reader,
                "terminal_number": armed.terminal_number,
                "terminal_sequence": armed.terminal_sequence,
                "card_counter": armed.card_counter,
                "card_time": armed.card_time,
                "key_source": armed.key_source,
                "balance_before_fen": armed.balance_before,
                "records": [{"sfi": sfi, "record": record, "data": data} for sfi, record, data in armed.records],
            }
        )
    return document


def _voucher_texts(subject: Transaction | Settlement) -> dict[str, str] | None:
    voucher = voucher_of(subject)
    return None if voucher is None else {language: text(voucher, language) for language in ("zh", "en")}


def _note_document(note: CardNote) -> Document:
    first, second = note.target
    if note.kind is NoteKind.SPECIAL:
        values: Document = {"number": first, "settlement_class": str(second)}
    else:
        values = {"total_fen": first, "count": second}
    state = "outstanding" if note.state.owed else note.state.value
    return {"kind": note.kind.value, "state": state, "error": note.error, **values}


def settlement_document(settlement: Settlement) -> Document:
    """A settlement with its legs; amounts in fen."""
    return {
        "id": settlement.id,
        "state": settlement.state.value,
        "money": settlement_money(settlement),
        "action": ACTIONS.get(settlement.state),
        "reference": settlement.reference,
        "operator": settlement.operator,
        "bill": {
            "total_fen": settlement.bill.total_fen,
            "fund_fen": settlement.bill.fund_fen,
            "account_fen": settlement.bill.account_fen,
            "self_pay_fen": settlement.bill.self_pay_fen,
            "hospital_fen": settlement.bill.hospital_fen,
            "mutual_aid_fen": settlement.bill.mutual_aid_fen,
            "mutual_aid": settlement.bill.mutual_aid,
        },
        "bill_details": asdict(settlement.details) if settlement.details else None,
        "bill_checks": [
            {"identity": check.identity, "holds": check.holds, "difference_fen": check.difference_fen}
            for check in check_bill(settlement.bill, settlement.details)
        ],
        "tender": settlement.tender.value,
        "settlement_class": settlement.settlement_class,
        "temporary_offline": settlement.temporary_offline,
        "shift": settlement.shift,
        "due_fen": settlement.due_fen,
        "created_at": settlement.created_at.isoformat(),
        "finished_at": settlement.finished_at.isoformat() if settlement.finished_at else None,
        "legs": [{**transaction_facts(leg), "voucher": None} for leg in settlement.legs],
        "voucher": _voucher_texts(settlement),
    }


def settlement_money(settlement: Settlement) -> str:
    """Unknown if any leg is unknown, moved if any leg moved, else none."""
    states = [leg.money.value for leg in settlement.legs]
    return next((money for money in ("unknown", "moved") if money in states), "none")
