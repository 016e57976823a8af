"""What stands on a voucher, row by row, in one description that every form of it is made from (OPS §4.12).

A row names its label; the forms in `receipts` put the Chinese or English text of it and lay it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import category

from cardio.errors import Money
from cardio.files.codecs import yuan
from cardio.ledger.bill import Bill, BillDetails, MutualAid, check_bill
from cardio.ledger.model import Armed, Settlement, State, Tender, Transaction
from cardio.purse.operation import Operation, PurseKind
from cardio.security.keys import Mac2

TEXTS: dict[str, tuple[str, str]] = {
    "debit": ("电子钱包消费凭证", "WALLET PURCHASE"),
    "cash": ("电子存折取现凭证", "CASH WITHDRAWAL"),
    "composite": ("电子钱包复合消费凭证", "COMPOSITE PURCHASE"),
    "load": ("充值凭证", "LOAD"),
    "unload": ("圈提凭证", "UNLOAD"),
    "overdraft": ("透支限额修改凭证", "OVERDRAFT LIMIT"),
    "grey_lock": ("灰锁凭证", "GREY LOCK"),
    "grey_debit": ("解扣凭证", "DEBIT FOR UNLOCK"),
    "settle": ("医疗结算凭证", "MEDICAL SETTLEMENT"),
    "reference": ("业务单号", "Reference"),
    "operator": ("操作员", "Operator"),
    "card": ("卡号", "Card"),
    "terminal": ("终端编号", "Terminal"),
    "sequence": ("终端交易序号", "Terminal seq."),
    "counter": ("卡交易序号", "Card counter"),
    "time": ("交易时间", "Time"),
    "amount": ("消费金额", "Amount"),
    "on_card": ("卡内账户扣款", "Debited on card"),
    "loaded": ("充值金额", "Loaded"),
    "unloaded": ("圈提金额", "Unloaded"),
    "limit": ("新透支限额", "New limit"),
    "locked": ("锁定余额", "Balance locked"),
    "before": ("交易前余额", "Balance before"),
    "after": ("交易后余额", "Balance after"),
    "tac": ("交易认证码TAC", "TAC"),
    "gtac": ("灰锁认证码GTAC", "GTAC"),
    "id": ("交易编号", "Transaction"),
    "total": ("费用总额", "Bill total"),
    "fund": ("基金支付", "Paid by funds"),
    "account": ("个人账户支付", "Personal account"),
    "self_pay": ("个人自付", "Self-paid"),
    "hospital": ("医院负担", "Borne by hospital"),
    "mutual_aid": ("家庭共济支付", "Family account"),
    "mutual_aid_inside": ("其中家庭共济", "of it family account"),
    "details": ("费用明细", "How it came about"),
    "own_cost": ("全自费", "Own cost"),
    "over_limit": ("超限价自费", "Over price limit"),
    "advance_self_pay": ("先行自付", "Advance self-pay"),
    "in_scope": ("符合政策范围", "In scope"),
    "deductible": ("起付线", "Deductible"),
    "person": ("个人负担总额", "Person's part"),
    "fund_share": ("基金", "Fund"),
    "centre_balance": ("中心账户余额", "Balance at centre"),
    "centre_settlement": ("中心结算号", "Centre's number"),
    "message": ("报文号", "Centre's message"),
    "unbalanced": ("明细与合计不符，请核对", "DETAILS AND SUM DIFFER, CHECK"),
    "wallet": ("电子钱包支付", "Paid by wallet"),
    "due": ("应收现金", "Due in cash"),
    "medical": ("医疗账户", "Medical account"),
    "recovered": ("（事后确认）", "(confirmed afterwards)"),
    "not_genuine": ("卡片校验异常，请报告主管", "PROOF WRONG, CALL SUPERVISOR"),
    "unchecked": ("MAC2未校验", "MAC2 not checked"),
}

_COMMANDING = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_ONLINE_AMOUNTS = {Operation.LOAD: "loaded", Operation.UNLOAD: "unloaded", Operation.OVERDRAFT: "limit"}


@dataclass(frozen=True)
class Title:
    """What the voucher is."""

    name: str


@dataclass(frozen=True)
class Reprint:
    """That it is not the first: the mark is the same in both languages."""

    count: int

    @property
    def text(self) -> str:
        """The mark."""
        return f"重印 REPRINT {self.count}"


@dataclass(frozen=True)
class Rule:
    """A line across the paper, with the heading of what follows if it has one."""

    name: str | None = None


@dataclass(frozen=True)
class Entry:
    """A label and its value.

    Attributes:
        name: Name of the label.
        value: Text.
        fen: The amount, if it is one.
    """

    name: str
    value: str
    fen: int | None = None


@dataclass(frozen=True)
class Remark:
    """A sentence."""

    name: str


Row = Title | Reprint | Rule | Entry | Remark
Voucher = tuple[Row, ...]


def voucher_of(subject: Transaction | Settlement, reprint: int = 0) -> Voucher | None:
    """The voucher of a transaction, or one for a whole settlement; None where the card's proof is missing.

    Args:
        subject: What it is about.
        reprint: Which copy it is, as `Ledger.note_reprint` counts them; 0 for the first.
    """
    if subject.state.money is not Money.MOVED:
        return None
    rows = _transaction(subject) if isinstance(subject, Transaction) else _settlement(subject)
    return (*([Reprint(reprint)] if reprint else []), *rows)


def label(name: str, language: str) -> str:
    """A label in `zh` or `en`."""
    return TEXTS[name][0 if language == "zh" else 1]


def _transaction(transaction: Transaction) -> Iterator[Row]:
    title = transaction.operation.value
    if transaction.operation is Operation.PURCHASE:
        title = "debit" if transaction.purse is PurseKind.WALLET else "settle"
    yield Title(title)
    yield from _head(transaction)
    yield from _purchase(transaction)


def _settlement(settlement: Settlement) -> Iterator[Row]:
    bill = settlement.bill
    yield Title("settle")
    yield from _head(settlement)
    yield _amount("total", bill.total_fen)
    yield _amount("fund", bill.fund_fen)
    yield _amount("account", bill.account_fen)
    if bill.mutual_aid is not None:
        yield _amount("mutual_aid_inside" if bill.mutual_aid is MutualAid.INSIDE else "mutual_aid", bill.mutual_aid_fen)
    yield _amount("self_pay", bill.self_pay_fen)
    if bill.hospital_fen:
        yield _amount("hospital", bill.hospital_fen)
    yield from _bill_details(bill, settlement.details)
    for leg in settlement.legs:
        if leg.state.money is Money.MOVED:
            yield Rule("medical" if leg.purse is PurseKind.MEDICAL else "wallet")
            yield from _purchase(leg)
    yield Rule()
    if settlement.tender is Tender.WALLET:
        yield _amount("wallet", bill.self_pay_fen - settlement.due_fen)
    yield _amount("due", settlement.due_fen)


def _bill_details(bill: Bill, details: BillDetails | None) -> Iterator[Row]:
    if details is None:
        return
    yield Rule("details")
    for name in ("own_cost", "over_limit", "advance_self_pay", "in_scope", "deductible", "person"):
        fen = getattr(details, f"{name}_fen")
        if fen is not None:
            yield _amount(name, fen)
    for share in details.funds:
        yield Entry("fund_share", f"{_printable(share.fund)} {yuan(share.amount_fen)}", share.amount_fen)
    if details.balance_fen is not None:
        yield _amount("centre_balance", details.balance_fen)
    for name in ("centre_settlement", "message"):
        if number := getattr(details, name):
            yield Entry(name, _printable(number))
    if not all(check.holds for check in check_bill(bill, details)):
        yield Remark("unbalanced")


def _head(subject: Transaction | Settlement) -> Iterator[Row]:
    yield Entry("id", subject.id)
    yield Entry("reference", _printable(subject.reference))
    if subject.operator:
        yield Entry("operator", _printable(subject.operator))


def _purchase(transaction: Transaction) -> Iterator[Row]:
    armed, outcome = transaction.armed, transaction.outcome
    if armed is None:
        return
    yield Entry("card", armed.card.masked)
    yield Entry("terminal", armed.terminal_number)
    if not transaction.operation.online:
        yield Entry("sequence", f"{armed.terminal_sequence:08d}")
    yield Entry("counter", f"{armed.card_counter:05d}")
    yield Entry("time", _card_time(armed.card_time))
    if transaction.operation is Operation.GREY_LOCK:
        yield _amount("locked", armed.balance_before)
        yield Entry("gtac", outcome.tac or "-")
    else:
        yield from _amounts(transaction, armed)
    if outcome.recovered:
        yield Remark("recovered")
    if transaction.state is State.NOT_GENUINE:
        yield Remark("not_genuine")
    elif outcome.mac2 is Mac2.UNCHECKED:
        yield Remark("unchecked")


def _amounts(transaction: Transaction, armed: Armed) -> Iterator[Row]:
    outcome = transaction.outcome
    name = _ONLINE_AMOUNTS.get(transaction.operation, "amount" if transaction.purse is PurseKind.WALLET else "on_card")
    yield _amount(name, transaction.amount_fen)
    yield _amount("before", armed.balance_before)
    if outcome.balance_after is not None:
        yield _amount("after", outcome.balance_after)
    yield Entry("tac", outcome.tac or "-")


def _amount(name: str, fen: int) -> Entry:
    return Entry(name, yuan(fen), fen)


def _card_time(digits: str) -> str:
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]} {digits[8:10]}:{digits[10:12]}:{digits[12:]}"


def _printable(text: str) -> str:
    """A caller's text without what a printer or page would obey: control and format characters, line ends."""
    return "".join("?" if category(character) in _COMMANDING else character for character in text)
