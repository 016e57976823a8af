"""Vouchers as text, 40 columns, in Chinese and English (OPS §4.12)."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import east_asian_width

from cardio.files.codecs import yuan
from cardio.ledger.model import Settlement, State, Tender, Transaction
from cardio.purse.operation import Operation, PurseKind
from cardio.security.keys import Mac2

WIDTH = 40

TEXTS: dict[str, tuple[str, str]] = {
    "debit": ("电子钱包消费凭证", "WALLET PURCHASE"),
    "cash": ("电子存折取现凭证", "CASH WITHDRAWAL"),
    "composite": ("电子钱包复合消费凭证", "COMPOSITE PURCHASE"),
    "load": ("充值凭证", "LOAD"),
    "unload": ("圈提凭证", "UNLOAD"),
    "overdraft": ("透支限额修改凭证", "OVERDRAFT LIMIT"),
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
    "before": ("交易前余额", "Balance before"),
    "after": ("交易后余额", "Balance after"),
    "tac": ("交易认证码TAC", "TAC"),
    "id": ("交易编号", "Transaction"),
    "total": ("费用总额", "Bill total"),
    "fund": ("基金支付", "Paid by funds"),
    "account": ("个人账户支付", "Personal account"),
    "self_pay": ("个人自付", "Self-paid"),
    "wallet": ("电子钱包支付", "Paid by wallet"),
    "due": ("应收现金", "Due in cash"),
    "medical": ("医疗账户", "Medical account"),
    "recovered": ("（事后确认）", "(confirmed afterwards)"),
    "not_genuine": ("卡片校验异常，请报告主管", "CARD PROOF WRONG, CALL SUPERVISOR"),
    "unchecked": ("MAC2未校验", "MAC2 not checked"),
}

_ONLINE_AMOUNTS = {Operation.LOAD: "loaded", Operation.UNLOAD: "unloaded", Operation.OVERDRAFT: "limit"}


def transaction_voucher(transaction: Transaction, language: str) -> str:
    """Voucher of one completed operation in `zh` or `en`."""
    title = transaction.operation.value
    if transaction.operation is Operation.PURCHASE:
        title = "debit" if transaction.purse is PurseKind.WALLET else "settle"
    lines = [_title(title, language)]
    lines += _head(transaction.id, transaction.reference, transaction.operator, language)
    lines += _purchase(transaction, language)
    return "\n".join(lines)


def settlement_voucher(settlement: Settlement, language: str) -> str:
    """One voucher for a whole settlement in `zh` or `en`."""
    bill = settlement.bill
    lines = [_title("settle", language)]
    lines += _head(settlement.id, settlement.reference, settlement.operator, language)
    for label, fen in (
        ("total", bill.total_fen),
        ("fund", bill.fund_fen),
        ("account", bill.account_fen),
        ("self_pay", bill.self_pay_fen),
    ):
        lines.append(_pair(label, yuan(fen), language))
    for leg in settlement.legs:
        if leg.state in {State.COMPLETED, State.NOT_GENUINE}:
            title = "medical" if leg.purse is PurseKind.MEDICAL else "wallet"
            head = f"-- {_text(title, language)} "
            lines.append(head + "-" * (WIDTH - _columns(head)))
            lines += _purchase(leg, language)
    lines.append("-" * WIDTH)
    if settlement.tender is Tender.WALLET:
        lines.append(_pair("wallet", yuan(bill.self_pay_fen - settlement.due_fen), language))
    lines.append(_pair("due", yuan(settlement.due_fen), language))
    return "\n".join(lines)


def _head(identifier: str, reference: str, operator: str | None, language: str) -> Iterator[str]:
    yield "=" * WIDTH
    yield _text("id", language)
    yield identifier.rjust(WIDTH)
    yield _pair("reference", reference, language)
    if operator:
        yield _pair("operator", operator, language)


def _purchase(transaction: Transaction, language: str) -> Iterator[str]:
    armed, outcome = transaction.armed, transaction.outcome
    if armed is None:
        return
    yield _pair("card", armed.card.masked, language)
    yield _pair("terminal", armed.terminal_number, language)
    if not transaction.operation.online:
        yield _pair("sequence", f"{armed.terminal_sequence:08d}", language)
    yield _pair("counter", f"{armed.card_counter:05d}", language)
    yield _pair("time", _card_time(armed.card_time), language)
    label = _ONLINE_AMOUNTS.get(transaction.operation, "amount" if transaction.purse is PurseKind.WALLET else "on_card")
    yield _pair(label, yuan(transaction.amount_fen), language)
    yield _pair("before", yuan(armed.balance_before), language)
    if outcome.balance_after is not None:
        yield _pair("after", yuan(outcome.balance_after), language)
    yield _pair("tac", outcome.tac or "-", language)
    if outcome.recovered:
        yield _text("recovered", language)
    if transaction.state is State.NOT_GENUINE:
        yield _text("not_genuine", language)
    elif outcome.mac2 is Mac2.UNCHECKED:
        yield _text("unchecked", language)


def _card_time(digits: str) -> str:
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]} {digits[8:10]}:{digits[10:12]}:{digits[12:]}"


def _title(name: str, language: str) -> str:
    text = _text(name, language)
    return " " * ((WIDTH - _columns(text)) // 2) + text


def _text(name: str, language: str) -> str:
    return TEXTS[name][0 if language == "zh" else 1]


def _pair(name: str, value: str, language: str) -> str:
    label = _text(name, language)
    return label + " " * max(1, WIDTH - _columns(label) - _columns(value)) + value


def _columns(text: str) -> int:
    """Printed columns: Chinese characters take two."""
    return sum(2 if east_asian_width(character) in {"W", "F"} else 1 for character in text)
