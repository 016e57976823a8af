"""Vouchers on paper: every form holds the same rows, fits its paper, and obeys nobody who wrote into it."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args
from unicodedata import east_asian_width

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio.errors import ReceiptFontMissing, TransactionUnknown
from cardio.ledger.bill import Bill
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import Settlement, State, Tender, Transaction
from cardio.ledger.receipts import fonts
from cardio.ledger.receipts.canonical import document, fingerprint
from cardio.ledger.receipts.forms import MEDIA_TYPES, Form, Paper, PrinterSettings, receipt
from cardio.ledger.receipts.text import text, wrapped
from cardio.ledger.voucher import TEXTS, Entry, Remark, Reprint, Row, Rule, Title, Voucher, label, voucher_of
from cardio.purse.operation import Operation, PurseKind
from cardio.security.keys import Mac2
from tests.counter import TestCounter

BILL = Bill(total_fen=12000, fund_fen=7000, account_fen=3000, self_pay_fen=2000)
AMOUNTS = ("120.00", "70.00", "30.00", "20.00", "500.00", "470.00", "100.00", "80.00", "0.00")
LANGUAGES = ("zh", "en")
NASTY = "<script>&\"'\x1b@\x1dV\x00\n\u202e\u2028𠮷😀业务"


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Settlement:
    """A settlement with both legs."""
    counter = TestCounter(tmp_path_factory.mktemp("settled"))
    settlement = counter.begin_settlement(BILL, Tender.WALLET)
    settlement = counter.settle(settlement, counter.social)
    settlement = counter.settle(settlement, counter.citizen)
    counter.close()
    return settlement


@pytest.fixture(scope="module")
def voucher(settled: Settlement) -> Voucher:
    found = voucher_of(settled)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def debited(settled: Settlement) -> Transaction:
    return settled.legs[1]


def on_screen(line: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in line)


def printed(form: Form, voucher: Voucher, language: str = "zh", printer: PrinterSettings | None = None) -> bytes:
    return receipt(voucher, form, language, printer)


def lines_of(raw: bytes) -> list[bytes]:
    """Lines of an ESC/POS receipt without its commands."""
    plain = re.sub(rb"\x1d\(k(?s:(..).*?)(?=\x1d|\n)", b"", raw)
    plain = re.sub(rb"\x1b@|\x1c&|\x1b[Ea].|\x1bd.|\x1dVB.", b"", plain)
    return plain.split(b"\n")


# ---- rows ----------------------------------------------------------------------------------------------------


def test_a_voucher_stands_only_where_the_card_has_given_its_proof(settled: Settlement, debited: Transaction) -> None:
    for state in State:
        expected = state in {State.COMPLETED, State.NOT_GENUINE}
        assert (voucher_of(replace(debited, state=state)) is not None) is expected
        assert (voucher_of(replace(settled, state=state)) is not None) is expected


def test_a_voucher_holds_no_more_of_the_card_than_its_last_digits(debited: Transaction) -> None:
    assert debited.armed is not None
    everything = json.dumps(document(voucher_of(debited) or ()), ensure_ascii=False)
    assert debited.armed.card.masked in everything
    assert "8600000000000123" not in everything
    assert debited.armed.card.key not in everything


def test_every_label_has_both_languages_and_no_paper_is_too_narrow_for_it() -> None:
    for name in TEXTS:
        for language in LANGUAGES:
            assert 0 < on_screen(label(name, language)) <= Paper.MM58.columns, name


# ---- text ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("paper", Paper)
def test_no_line_is_wider_than_the_paper_and_amounts_end_at_its_edge(
    voucher: Voucher, paper: Paper, language: str
) -> None:
    lines = text(voucher, language, paper.columns).split("\n")
    assert max(map(on_screen, lines)) == paper.columns
    for row in voucher:
        if isinstance(row, Entry) and row.fen is not None:
            (line,) = {line for line in lines if line.startswith(label(row.name, language)) and row.value in line}
            assert line.endswith(f" {row.value}")
            assert on_screen(line) == paper.columns


def test_the_text_of_a_settlement_is_this(voucher: Voucher, settled: Settlement) -> None:
    medical, wallet = settled.legs
    assert medical.armed is not None
    assert wallet.armed is not None
    time = "2026-01-02 03:04:05"
    shown = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", time, text(voucher, "zh", 32))
    assert (
        shown
        == f"""\
          医疗结算凭证
================================
交易编号
{settled.id[:32]}
                            {settled.id[32:]}
业务单号                    bill
费用总额                 ¥120.00
基金支付                  ¥70.00
个人账户支付              ¥30.00
个人自付                  ¥20.00
-- 医疗账户 --------------------
卡号                    ****0126
终端编号            999999000001
终端交易序号            00000001
卡交易序号                 00000
交易时间     {time}
卡内账户扣款              ¥30.00
交易前余额               ¥500.00
交易后余额               ¥470.00
交易认证码TAC           {medical.outcome.tac}
-- 电子钱包支付 ----------------
卡号                    ****0123
终端编号            999999000001
终端交易序号            00000001
卡交易序号                 00000
交易时间     {time}
消费金额                  ¥20.00
交易前余额               ¥100.00
交易后余额                ¥80.00
交易认证码TAC           {wallet.outcome.tac}
--------------------------------
电子钱包支付              ¥20.00
应收现金                   ¥0.00"""
    )


ANY_ROW = st.one_of(
    st.builds(Title, st.sampled_from(sorted(TEXTS))),
    st.builds(Rule, st.none() | st.sampled_from(sorted(TEXTS))),
    st.builds(Entry, st.sampled_from(sorted(TEXTS)), st.text(max_size=120)),
    st.builds(Remark, st.sampled_from(sorted(TEXTS))),
    st.builds(Reprint, st.integers(1, 9999)),
)


@given(st.lists(ANY_ROW, max_size=12), st.sampled_from(Paper), st.sampled_from(LANGUAGES))
def test_whatever_the_rows_say_they_fit_the_paper(rows: list[Row], paper: Paper, language: str) -> None:
    assert all(on_screen(line) <= paper.columns for line in text(tuple(rows), language, paper.columns).split("\n"))


@given(st.text(), st.integers(2, 40))
def test_wrapping_loses_nothing(words: str, width: int) -> None:
    pieces = list(wrapped(words, width, on_screen))
    assert "".join(pieces) == words
    assert all(on_screen(piece) <= width for piece in pieces)


@pytest.mark.parametrize("form", [Form.JSON, Form.TEXT, Form.ESCPOS, Form.HTML, Form.PDF])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_went_wrong_with_a_sale_stands_on_every_form_of_it(
    debited: Transaction, tmp_path: Path, form: Form, language: str
) -> None:
    outcome = replace(debited.outcome, recovered=True)
    found = voucher_of(replace(debited, state=State.NOT_GENUINE, outcome=outcome))
    assert found is not None
    raw = printed(form, found, language, PrinterSettings(Paper.MM58))
    if form is Form.PDF:
        file = tmp_path / "voucher.pdf"
        file.write_bytes(raw)
        shown = poppler("pdftotext", file, "-")
    else:
        shown = raw.decode("gb18030" if form is Form.ESCPOS else "utf-8")
    assert label("recovered", language) in shown
    assert label("not_genuine", language) in shown


def test_sales_without_a_check_say_so_and_other_operations_name_their_amounts(debited: Transaction) -> None:
    def names(**changes: object) -> set[str | None]:
        found = voucher_of(replace(debited, **changes)) or ()  # type: ignore[arg-type]
        return {row.name for row in found if not isinstance(row, Reprint)}

    assert "unchecked" in names(outcome=replace(debited.outcome, mac2=Mac2.UNCHECKED))
    assert {"load", "loaded", "counter"} <= names(operation=Operation.LOAD)
    assert "sequence" not in names(operation=Operation.LOAD)
    assert {"overdraft", "limit"} <= names(operation=Operation.OVERDRAFT)
    assert {"grey_lock", "locked", "gtac"} <= names(operation=Operation.GREY_LOCK)
    assert "amount" not in names(operation=Operation.GREY_LOCK)
    assert {"settle", "on_card"} <= names(purse=PurseKind.MEDICAL)


# ---- what callers write --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nasty(debited: Transaction) -> Voucher:
    """A sale whose reference is an attack on printers and pages."""
    found = voucher_of(replace(debited, reference=NASTY, operator=NASTY))
    assert found is not None
    return found


def test_a_reference_cannot_command_a_printer(nasty: Voucher) -> None:
    raw = printed(Form.ESCPOS, nasty)
    assert raw.count(b"\x1b@") == 1
    assert raw.count(b"\x1dV") == 1
    assert b"\x00" not in raw.replace(b"\x1bE\x00", b"")
    assert "<script>&\"'?@?V????𠮷😀业务" in b"".join(lines_of(raw)).decode("gb18030")


def test_a_reference_cannot_become_part_of_a_page(nasty: Voucher) -> None:
    page = printed(Form.HTML, nasty).decode()
    assert "<script" not in page
    assert "&lt;script&gt;&amp;&quot;&#x27;" in page


def test_a_reference_cannot_make_lines_of_its_own(nasty: Voucher) -> None:
    shown = text(nasty, "zh", 48)
    assert len(shown.splitlines()) == len(shown.split("\n"))


# ---- JSON ----------------------------------------------------------------------------------------------------


def test_json_is_canonical_and_holds_amounts_in_fen_and_both_languages(voucher: Voucher) -> None:
    raw = printed(Form.JSON, voucher).decode()
    found = json.loads(raw)
    assert raw == json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    total = next(row for row in found["rows"] if row.get("name") == "total")
    assert total == {
        "kind": "entry",
        "name": "total",
        "zh": "费用总额",
        "en": "Bill total",
        "value": "¥120.00",
        "amount_fen": 12000,
    }
    assert found["reprint"] == 0
    assert found["sha256"] == fingerprint(voucher)


def test_the_hash_is_that_of_the_first_print_but_not_of_another_voucher(settled: Settlement, voucher: Voucher) -> None:
    again = voucher_of(settled, reprint=3)
    assert again is not None
    assert fingerprint(again) == fingerprint(voucher)
    assert document(again)["reprint"] == 3
    other = voucher_of(replace(settled, reference="another"))
    assert other is not None
    assert fingerprint(other) != fingerprint(voucher)


# ---- ESC/POS -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("paper", Paper)
def test_a_printer_gets_gb18030_lines_of_its_paper(voucher: Voucher, paper: Paper, language: str) -> None:
    raw = printed(Form.ESCPOS, voucher, language, PrinterSettings(paper))
    assert raw.startswith(b"\x1b@\x1c&")
    assert raw.endswith(b"\x1dVB\x03")
    lines = lines_of(raw)
    assert all(len(line) <= paper.columns for line in lines)
    everything = b"\n".join(lines).decode("gb18030")
    assert label("settle", language) in everything
    assert all(f"￥{amount}\n" in everything for amount in AMOUNTS)
    everything.encode("gbk")  # nothing that an older printer has not


def test_a_printer_without_a_cutter_only_feeds(voucher: Voucher) -> None:
    raw = printed(Form.ESCPOS, voucher, printer=PrinterSettings(cut=False))
    assert raw.endswith(b"\x1bd\x04")
    assert b"\x1dV" not in raw


def test_a_qr_code_holds_id_and_hash(voucher: Voucher, settled: Settlement) -> None:
    without = printed(Form.ESCPOS, voucher)
    assert b"\x1d(k" not in without
    raw = printed(Form.ESCPOS, voucher, printer=PrinterSettings(qr=True))
    data = f"{settled.id}:{fingerprint(voucher)}".encode()
    stored = b"\x1d(k" + bytes([len(data) + 3, 0]) + b"1P0" + data
    for command in (b"\x1d(k\x04\x001A2\x00", b"\x1d(k\x03\x001C\x04", b"\x1d(k\x03\x001E1", stored):
        assert command in raw
    assert raw.index(stored) < raw.index(b"\x1d(k\x03\x001Q0")


# ---- HTML ----------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Collects what a page shows and what it would load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.shown: list[str] = []
        self.open: list[str] = []
        self.loads: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [name for name, _ in attrs if name in {"src", "href"}]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"style", "title"} and data.strip():
            self.shown.append(data)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_whole_by_itself_and_shows_every_row(voucher: Voucher, language: str) -> None:
    page = Page(printed(Form.HTML, voucher, language).decode())
    assert page.open == []
    assert page.loads == []
    expected = []
    for row in voucher:
        assert isinstance(row, get_args(Row))
        if not isinstance(row, Reprint) and row.name is not None:
            expected.append(label(row.name, language))
        if isinstance(row, Entry):
            expected.append(row.value)
    assert page.shown == expected


# ---- PDF -----------------------------------------------------------------------------------------------------


def poppler(program: str, *arguments: str | Path) -> str:
    """Output of a tool of poppler-utils, which `make test` installs."""
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("paper", Paper)
def test_a_pdf_has_its_text_its_font_and_the_size_of_the_paper(
    voucher: Voucher, tmp_path: Path, paper: Paper, language: str
) -> None:
    file = tmp_path / "voucher.pdf"
    file.write_bytes(printed(Form.PDF, voucher, language, PrinterSettings(paper)))
    shown = poppler("pdftotext", "-layout", file, "-")
    assert label("settle", language) in shown
    assert all(f"¥{amount}" in shown for amount in AMOUNTS)
    embedded = [line.split() for line in poppler("pdffonts", file).splitlines()[2:]]
    assert embedded
    assert all(columns[-5] == "yes" for columns in embedded)
    width = re.search(r"Page size: +([\d.]+) x", poppler("pdfinfo", file))
    assert width is not None
    assert float(width[1]) == pytest.approx(paper / 25.4 * 72, abs=0.1)


def test_the_same_voucher_makes_the_same_pdf(voucher: Voucher) -> None:
    assert printed(Form.PDF, voucher) == printed(Form.PDF, voucher)


def test_no_text_of_a_pdf_leaves_the_page(nasty: Voucher, tmp_path: Path) -> None:
    file = tmp_path / "voucher.pdf"
    file.write_bytes(printed(Form.PDF, nasty, "zh", PrinterSettings(Paper.MM58)))
    boxes = re.findall(r'xMin="([-\d.]+)".* xMax="([-\d.]+)"', poppler("pdftotext", "-bbox", file, "-"))
    assert len(boxes) > 10
    assert all(float(left) >= 0 and float(right) <= 58 / 25.4 * 72 for left, right in boxes)


def test_without_a_font_there_is_no_pdf_and_the_error_says_what_to_install(
    voucher: Voucher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fonts, "KNOWN", (tmp_path / "none.ttf",))
    with pytest.raises(ReceiptFontMissing, match="fonts-wqy-zenhei"):
        printed(Form.PDF, voucher)


@pytest.mark.parametrize("content", [None, b"no font"])
def test_a_configured_font_that_is_none_is_told(voucher: Voucher, tmp_path: Path, content: bytes | None) -> None:
    font = tmp_path / "font.ttf"
    if content is not None:
        font.write_bytes(content)
    with pytest.raises(ReceiptFontMissing, match=r"font\.ttf"):
        printed(Form.PDF, voucher, printer=PrinterSettings(font=font))


# ---- reprints ------------------------------------------------------------------------------------------------


def test_a_reprint_is_marked_in_every_form(settled: Settlement, tmp_path: Path) -> None:
    again = voucher_of(settled, reprint=2)
    assert again is not None
    mark = "重印 REPRINT 2"
    for language in LANGUAGES:
        assert mark in printed(Form.TEXT, again, language).decode()
        assert mark in printed(Form.HTML, again, language).decode()
        assert mark in printed(Form.ESCPOS, again, language).decode("gb18030")
        file = tmp_path / f"{language}.pdf"
        file.write_bytes(printed(Form.PDF, again, language))
        assert mark in poppler("pdftotext", file, "-")


def test_reprints_are_counted_over_restarts_and_stand_in_the_chain(counter: TestCounter) -> None:
    first, second = counter.debit(100), counter.debit(200)
    assert counter.ledger.note_reprint(first.id) == 1
    assert counter.ledger.note_reprint(first.id) == 2
    assert counter.ledger.note_reprint(second.id) == 1
    answer = counter.ledger.transaction(first.id).answer
    counter.restart()
    assert counter.ledger.note_reprint(first.id) == 3
    assert counter.ledger.transaction(first.id).answer == answer
    query = "SELECT subject, payload FROM journal WHERE kind = 'voucher.reprinted' ORDER BY seq"
    rows = counter.ledger._database.read(lambda db: [tuple(row) for row in db.execute(query)])
    assert rows == [
        (first.id, '{"reprint":1}'),
        (first.id, '{"reprint":2}'),
        (second.id, '{"reprint":1}'),
        (first.id, '{"reprint":3}'),
    ]


def test_a_settlement_is_reprinted_as_a_whole(counter: TestCounter) -> None:
    settlement = counter.settle(counter.begin_settlement(BILL, Tender.CASH), counter.social)
    assert counter.ledger.note_reprint(settlement.id) == 1


def test_what_was_never_sold_is_not_reprinted(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "journal.db")
    with pytest.raises(TransactionUnknown):
        ledger.note_reprint("none")
    assert ledger.verify_chain() == 1
    ledger.close()


def test_every_form_has_a_media_type() -> None:
    assert set(MEDIA_TYPES) == set(Form)
