"""Signed vouchers: for every fen that moved there is one, it is never rewritten, and a copied database makes none."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cardio.errors import JournalBroken, Money, StorageUnavailable, TransactionUnknown
from cardio.ledger.bill import Bill
from cardio.ledger.chain import canonical
from cardio.ledger.ledger import Ledger
from cardio.ledger.model import Resolution, State, Tender, Transaction
from cardio.ledger.receipts.canonical import fingerprint
from cardio.ledger.signed_vouchers import SignedVoucher
from cardio.ledger.voucher import voucher_of
from cardio.virtual.card import Moment
from tests.counter import TestCounter, tear
from tests.engine.conftest import BY_NAME

BILL = Bill(total_fen=12000, fund_fen=7000, account_fen=3000, self_pay_fen=2000)
MOVING = ("purchase", "cash", "ride", "settlement", "load", "unload", "overdraft", "account-load", "refuel")


def voucher(counter: TestCounter, identifier: str) -> SignedVoucher:
    found = counter.ledger.voucher(identifier)
    assert found is not None
    return found


def uncertain(counter: TestCounter, amount: int = 300) -> Transaction:
    tear(counter.wallet_card, Moment.AFTER_COMMIT)
    found = counter.debit(amount)
    assert found.state is State.UNCERTAIN
    return found


def test_a_voucher_holds_the_proof_of_the_card_and_its_place_in_the_chain(counter: TestCounter) -> None:
    done = counter.debit(1234)
    content = voucher(counter, done.id).content
    told = content["transaction"]
    assert (told["tac"], told["mac2"], told["state"], told["money"]) == (done.outcome.tac, "ok", "completed", "moved")
    assert (told["amount_fen"], told["terminal_number"], told["key_source"]) == (1234, "999999000001", "psam:sam")
    assert content["software"].startswith("cardio ")
    place = content["journal"]
    row = counter.ledger._database.read(
        lambda db: db.execute("SELECT kind, subject, hash FROM journal WHERE seq = ?", (place["seq"],)).fetchone()
    )
    assert tuple(row) == ("transaction.completed", done.id, bytes.fromhex(place["head"]))


def test_its_signature_holds_for_whoever_has_the_public_key_and_no_byte_can_be_changed(counter: TestCounter) -> None:
    signed = voucher(counter, counter.debit(100).id)
    public = Ed25519PublicKey.from_public_bytes(counter.ledger.public_key)
    public.verify(signed.signature, signed.document)
    assert signed.signed_by(counter.ledger.public_key)
    assert signed.content["key"] == counter.ledger.public_key.hex()
    larger = signed.document.replace(b'"amount_fen":100', b'"amount_fen":900')
    changed = SignedVoucher(larger, signed.signature, signed.key)
    assert changed.document != signed.document
    assert not changed.signed_by(counter.ledger.public_key)
    with pytest.raises(InvalidSignature):
        public.verify(changed.signature, changed.document)
    assert canonical(signed.content).encode() == signed.document


def test_a_settlement_has_a_voucher_beside_those_of_its_legs(counter: TestCounter) -> None:
    settlement = counter.settle(counter.begin_settlement(BILL, Tender.WALLET), counter.social)
    assert counter.ledger.voucher(settlement.id) is None, "the wallet is still to pay"
    settlement = counter.settle(settlement, counter.citizen)
    told = voucher(counter, settlement.id).content["settlement"]
    assert [leg["tac"] for leg in told["legs"]] == [leg.outcome.tac for leg in settlement.legs]
    for leg in settlement.legs:
        assert voucher(counter, leg.id).content["transaction"] in told["legs"]


def test_a_voucher_tells_nothing_about_anybodys_health(counter: TestCounter) -> None:
    begun = counter.begin_settlement(BILL, Tender.CASH, settlement_class="1")
    settlement = counter.settle(begun, counter.social)
    assert settlement.state is State.COMPLETED
    for identifier in (settlement.id, settlement.legs[0].id):
        assert b"class" not in voucher(counter, identifier).document


@pytest.mark.parametrize("name", MOVING)
def test_every_operation_that_moves_money_has_one(name: str, tmp_path: Path) -> None:
    scenario = BY_NAME[f"{name}-3des-psam"]
    world = scenario.world(tmp_path)
    world.start()
    done = scenario.ask(world, world.outside.card, "k")
    assert done.money is Money.MOVED
    found = world.ledger.voucher(done.id)
    assert found is not None
    assert found.signed_by(world.ledger.public_key)
    world.stop()


def test_the_receipt_that_is_printed_has_the_hash_that_was_signed(counter: TestCounter) -> None:
    done = counter.debit(100)
    printed = voucher_of(done)
    assert printed is not None
    assert voucher(counter, done.id).content["receipt_sha256"] == fingerprint(printed)


def test_what_moved_nothing_has_none(counter: TestCounter) -> None:
    declined = counter.debit(20000)
    tear(counter.wallet_card, Moment.BEFORE_COMMIT)
    torn = counter.debit(300)
    for found in (declined, torn):
        assert counter.ledger.voucher(found.id) is None
    counter.recover()
    assert counter.ledger.transaction(torn.id).state is State.NOT_DEBITED
    assert counter.ledger.voucher(torn.id) is None
    with pytest.raises(TransactionUnknown):
        counter.ledger.voucher("none")


def test_a_recovered_debit_has_one(counter: TestCounter) -> None:
    torn = uncertain(counter)
    assert counter.ledger.voucher(torn.id) is None
    counter.recover(counter.wallet_card)
    assert voucher(counter, torn.id).content["transaction"]["recovered"] is True


@pytest.mark.parametrize(("money", "expected"), [(Money.MOVED, True), (Money.NONE, False), (Money.UNKNOWN, False)])
def test_of_a_resolved_debit_two_persons_say_whether_it_has_one(
    counter: TestCounter, money: Money, expected: bool
) -> None:
    torn = uncertain(counter)
    counter.ledger.resolve(torn.id, Resolution(money, ("one", "other"), "the card was read elsewhere"))
    found = counter.ledger.voucher(torn.id)
    assert (found is not None) is expected
    if found is not None:
        assert found.content["transaction"]["resolution"]["persons"] == ["one", "other"]


@pytest.mark.parametrize("statement", ["UPDATE vouchers SET document = '{}'", "DELETE FROM vouchers"])
def test_a_voucher_is_never_rewritten(counter: TestCounter, statement: str) -> None:
    before = voucher(counter, (done := counter.debit(100)).id)
    with pytest.raises(StorageUnavailable, match="vouchers are never"):
        counter.ledger._database.write(lambda db: db.execute(statement))
    assert voucher(counter, done.id) == before


def test_without_its_voucher_a_state_is_not_final(counter: TestCounter) -> None:
    """One database transaction for both: here the voucher cannot be written, so the state is not either."""
    counter.ledger._database.write(lambda db: db.execute("ALTER TABLE vouchers RENAME TO elsewhere"))
    found = counter.debit(100)
    assert (found.state, found.outcome.error) == (State.UNCERTAIN, StorageUnavailable.code)
    assert counter.ledger.transaction(found.id).state is State.ARMED
    counter.ledger._database.write(lambda db: db.execute("ALTER TABLE elsewhere RENAME TO vouchers"))
    counter.restart()
    counter.recover(counter.wallet_card)
    assert voucher(counter, found.id).content["transaction"]["state"] == "completed"


def test_a_debit_has_as_many_synced_commits_as_without_vouchers(counter: TestCounter) -> None:
    commits: list[str] = []
    counter.ledger._database.read(lambda db: db.set_trace_callback(commits.append))
    counter.debit(100)
    counter.ledger._database.read(lambda db: db.set_trace_callback(None))
    assert commits.count("COMMIT") == 3, "accepted, armed, completed"


# ---- the terminal's keys -------------------------------------------------------------------------------------


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A journal that nobody works with."""
    folder = tmp_path / "closed"
    folder.mkdir()
    counter = TestCounter(folder)
    counter.debit(100)
    counter.close()
    return counter.journal


def keys_of(path: Path) -> Path:
    return path.with_name(path.name + ".keys")


def test_the_keys_are_not_in_the_database_and_only_their_owner_can_read_them(closed: Path) -> None:
    assert keys_of(closed).stat().st_mode & 0o777 == 0o600
    content = closed.read_bytes()
    secret = json.loads(keys_of(closed).read_text())
    for name in ("signing", "wrapping", "lookup"):
        assert bytes.fromhex(secret[name]) not in content
        assert secret[name].encode() not in content


def test_a_copied_database_signs_nothing(closed: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    shutil.copy(closed, copy)
    with pytest.raises(JournalBroken, match="keys of the journal are missing"):
        Ledger(copy)
    Ledger(tmp_path / "other.db").close()
    shutil.copy(keys_of(tmp_path / "other.db"), keys_of(copy))
    with pytest.raises(JournalBroken, match="keys of another journal"):
        Ledger(copy)
    shutil.copy(keys_of(closed), keys_of(copy))
    Ledger(copy).close()


@pytest.mark.parametrize("mode", [0o644, 0o660])
def test_keys_that_others_may_read_are_refused(closed: Path, mode: int) -> None:
    keys_of(closed).chmod(mode)
    with pytest.raises(JournalBroken, match="0600"):
        Ledger(closed)


@pytest.mark.parametrize("content", ["", "{}", '{"format": "cardio-device-keys-1"}', '{"format": "other"}', "[]"])
def test_a_file_that_holds_no_keys_is_refused_and_left_alone(closed: Path, content: str) -> None:
    keys_of(closed).write_text(content)
    with pytest.raises(JournalBroken):
        Ledger(closed)
    assert keys_of(closed).read_text() == content


def test_the_chain_names_the_public_key_once(closed: Path) -> None:
    for _ in range(2):
        ledger = Ledger(closed)
        public = ledger.public_key
        ledger.close()
    with sqlite3.connect(closed) as reader:
        rows = reader.execute("SELECT seq, payload FROM journal WHERE kind = 'journal.key'").fetchall()
    reader.close()
    assert rows == [(1, canonical({"algorithm": "Ed25519", "public": public.hex()}))]
