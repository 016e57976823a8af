"""The whole audit: every transaction is rebuilt from the chain alone, and any change by hand is noticed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest

from cardio.engine.requests import DebitRequest
from cardio.errors import JournalBroken, Money, StorageUnavailable
from cardio.ledger.audit import Audit, audit
from cardio.ledger.bill import Bill
from cardio.ledger.chain import StoredRow, append, verify
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import Resolution, State, Tender
from cardio.ledger.read_only import read_only
from cardio.ledger.rebuild import compare, rebuild
from cardio.virtual.card import Moment
from tests.counter import TestCounter, request, tear
from tests.ledger.conftest import altered

BILL = Bill(total_fen=12000, fund_fen=7000, account_fen=3000, self_pay_fen=2000)
PERSONS = ("Li Lei", "Han Meimei")
DEFAULTS = {"evidence": "[]", "recovered": 0, "records": "[]", "card_random": ""}
"""What a row has before anything is known."""


def work(counter: TestCounter) -> None:
    """One transaction of every end, readings, a reprint, and destroyed data."""
    done = counter.debit(100)
    counter.debit(20000)
    counter.settle(counter.settle(counter.begin_settlement(BILL, Tender.WALLET), counter.social), counter.citizen)
    for moment in (Moment.BEFORE_COMMIT, Moment.AFTER_COMMIT):
        tear(counter.wallet_card, moment)
        assert counter.debit(300).state is State.UNCERTAIN
        counter.recover(counter.wallet_card)
    counter.ledger.cancel(counter.engine.begin_debit(DebitRequest(request(), 1, "cancelled")).id)
    counter.ledger.cancel_settlement(counter.begin_settlement(BILL, Tender.CASH).id)
    counter.ledger.reversals.order(request(), done.id, 10, "Li Lei", "one too many")
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    resolved = counter.debit(7)
    counter.ledger.resolve(resolved.id, Resolution(Money.MOVED, PERSONS, "seen elsewhere"))
    for purpose in ("settlement", "look-up"):
        counter.ledger.privacy.note_access("till", purpose, ["holder"])
    counter.ledger.note_reprint(done.id)
    counter.ledger.privacy.forget_transaction(done.id)
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    assert counter.debit(5).state is State.UNCERTAIN


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed journal after all that."""
    counter = TestCounter(tmp_path_factory.mktemp("worked"))
    work(counter)
    counter.close()
    return counter.journal


@pytest.fixture
def journal(worked: Path, tmp_path: Path) -> Path:
    """A copy of it, with its keys."""
    for file in (worked, worked.with_name("journal.db.keys")):
        shutil.copy(file, tmp_path)
    return tmp_path / worked.name


def audited(path: Path) -> Audit:
    with read_only(path) as db:
        return audit(db)


def test_a_journal_is_whole_after_every_kind_of_end(worked: Path) -> None:
    found = audited(worked)
    assert (found.transactions, found.settlements, found.vouchers, found.accesses, found.destroyed) == (9, 2, 6, 2, 1)
    with read_only(worked) as db:
        newest = db.execute("SELECT seq, hash FROM journal ORDER BY seq DESC").fetchone()
    assert (found.rows, found.head) == (newest["seq"], newest["hash"].hex())


def test_the_chain_alone_tells_every_column_of_the_tables(worked: Path) -> None:
    """What it does not tell is about health, or made from the rest."""
    untold = {
        "transaction": ("SELECT * FROM transactions", {"answer", "notes"}),
        "settlement": ("SELECT * FROM settlements", {"answer", "settlement_class", "bill_details"}),
    }
    with read_only(worked) as db:
        for kind, (query, names) in untold.items():
            rows = {row["id"]: dict(row) for row in db.execute(query)}
            found = {one.id: one.columns for one in rebuild(db, kind)}
            assert found.keys() == rows.keys()
            for identifier, row in rows.items():
                missing = {name: value for name, value in row.items() if name not in found[identifier]}
                assert {name for name, value in missing.items() if value != DEFAULTS.get(name)} <= names


def test_it_works_beside_a_daemon_that_has_the_journal_open(journal: Path) -> None:
    ledger = Ledger(journal)
    before = audited(journal)
    ledger.privacy.note_access("till", "while it is read", [])
    assert audited(journal).rows == before.rows + 1
    ledger.close()


CHANGES = {
    "amount": "UPDATE transactions SET amounts = '[1]' WHERE state = 'completed'",
    "balance": "UPDATE transactions SET balance_after = balance_after + 1",
    "TAC": "UPDATE transactions SET tac = '00000000' WHERE tac IS NOT NULL",
    "state": "UPDATE transactions SET state = 'not_debited' WHERE state = 'uncertain'",
    "reference": "UPDATE transactions SET reference = 'another sale'",
    "operator": "UPDATE settlements SET operator = 'somebody'",
    "bill": "UPDATE settlements SET total_fen = 1",
    "counter of the card": "UPDATE transactions SET card_counter = card_counter + 1",
    "resolution": "UPDATE transactions SET resolution = replace(resolution, 'Li Lei', 'Wang') WHERE resolution NOTNULL",
    "answer": "UPDATE transactions SET answer = replace(answer, 'completed', 'declined') WHERE answer NOTNULL",
    "answer's TAC": "UPDATE transactions SET answer = replace(answer, tac, '00000000') WHERE tac NOTNULL",
    "transaction put in": "INSERT INTO transactions (id, state, purse, amounts, client, reference, created_at)"
    " VALUES ('00000000', 'completed', 'wallet', '[1]', 'till', 'sale', '2026-01-01T00:00:00+08:00')",
    "transaction taken away": "DELETE FROM transactions WHERE state = 'declined'",
    "open question taken away": "DELETE FROM pending_cards",
    "voucher": """UPDATE vouchers SET document = replace(document, '"amount_fen":100', '"amount_fen":900')""",
    "voucher's signature": "UPDATE vouchers SET signature = zeroblob(64)",
    "voucher of another": "UPDATE vouchers SET (document, signature) ="
    " (SELECT document, signature FROM vouchers v WHERE v.subject <> vouchers.subject)",
    "voucher taken away": "DELETE FROM vouchers WHERE seq = (SELECT min(seq) FROM vouchers)",
    "reading": "UPDATE access_log SET client = 'nobody'",
    "time of a reading": "UPDATE access_log SET time = '2020-01-01T00:00:00+08:00'",
    "reading taken away": "DELETE FROM access_log WHERE purpose = 'settlement'",
    "reading put in": "INSERT INTO access_log SELECT 1, time, client, operator, purpose, fields, card_key, salt"
    " FROM access_log LIMIT 1",
    "data key taken away": "UPDATE persons SET data_key = NULL",
    "chain": "UPDATE journal SET payload = replace(payload, '100', '900') WHERE kind = 'transaction.accepted'",
    "row taken away": "DELETE FROM journal WHERE kind = 'person.read'",
    "public key": "UPDATE journal SET payload = replace(payload, 'a', 'b') WHERE kind = 'journal.key'",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_was_changed_by_hand_is_noticed(journal: Path, change: str) -> None:
    altered(journal, change)
    with pytest.raises(JournalBroken):
        audited(journal)


def test_a_chain_that_was_made_anew_does_not_fit_its_vouchers(journal: Path) -> None:
    """Whoever has the database alone can hash all of it again, and make the tables fit, but he cannot sign."""
    altered(
        journal,
        "UPDATE transactions SET reference = 'other', answer = json_set(answer, '$.reference', 'other')",
        "UPDATE settlements SET reference = 'other', answer = json_set(answer, '$.reference', 'other')",
    )
    connection = sqlite3.connect(journal, isolation_level=None)
    connection.row_factory = sqlite3.Row
    rows = [StoredRow(*row) for row in connection.execute("SELECT * FROM journal ORDER BY seq")]
    connection.execute("DELETE FROM journal")
    for row in rows:
        payload = json.loads(row.payload)
        if "reference" in payload:
            payload["reference"] = "other"
        append(connection, datetime.fromisoformat(row.time), row.kind, row.subject, payload)
    connection.close()
    with read_only(journal) as db:
        assert verify(db) == len(rows)
        assert len(list(compare(db, "settlements", 1))) == 2
    with pytest.raises(JournalBroken, match="voucher"):
        audited(journal)


def test_a_damaged_page_is_noticed(journal: Path) -> None:
    with journal.open("r+b") as file:
        file.seek(3 * 4096 + 1)
        file.write(b"\xff" * 64)
    with pytest.raises((JournalBroken, StorageUnavailable)):
        audited(journal)


def test_what_is_not_there_or_no_journal_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        audited(tmp_path / "none.db")
    (tmp_path / "text").write_text("no database" * 1000)
    with pytest.raises(StorageUnavailable):
        audited(tmp_path / "text")


def test_a_journal_of_a_newer_schema_is_not_judged(journal: Path) -> None:
    altered(journal, "PRAGMA user_version = 99")
    with pytest.raises(JournalBroken, match="newer"):
        audited(journal)


def test_one_of_an_older_schema_is_to_be_migrated_first(journal: Path) -> None:
    altered(journal, "PRAGMA user_version = 2")
    with pytest.raises(StorageUnavailable, match="older"):
        audited(journal)


def test_nothing_is_changed_by_looking(journal: Path) -> None:
    before = journal.read_bytes()
    audited(journal)
    assert journal.read_bytes() == before
