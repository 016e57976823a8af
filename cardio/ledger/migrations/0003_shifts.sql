-- Shifts, batches, and what becomes of a purchase that is given back.

-- One open shift for each operator and lane (T-02).
CREATE TABLE shifts (
    id          TEXT PRIMARY KEY,
    operator    TEXT NOT NULL,
    lane        TEXT NOT NULL,
    terminals   TEXT NOT NULL,
    software    TEXT NOT NULL,
    opened_at   TEXT NOT NULL,
    opened_head TEXT NOT NULL,
    closed_at   TEXT,
    closed_by   TEXT,
    closed_head TEXT
) STRICT;
CREATE UNIQUE INDEX open_shifts ON shifts (operator, lane) WHERE closed_at IS NULL;

ALTER TABLE transactions ADD COLUMN shift TEXT REFERENCES shifts (id);
ALTER TABLE settlements ADD COLUMN shift TEXT REFERENCES shifts (id);
CREATE INDEX transactions_by_shift ON transactions (shift) WHERE shift IS NOT NULL;

-- Records that go to the settlement centre together; a closed batch never changes (OPS §5.2).
CREATE TABLE batches (
    number        INTEGER PRIMARY KEY,
    shift         TEXT REFERENCES shifts (id),
    closed_at     TEXT NOT NULL,
    first_row     INTEGER,
    last_row      INTEGER,
    header        TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash          TEXT NOT NULL
) STRICT;
CREATE TRIGGER a_closed_batch_never_changes BEFORE UPDATE ON batches
BEGIN SELECT RAISE(ABORT, 'a closed batch never changes'); END;
CREATE TRIGGER a_closed_batch_is_never_deleted BEFORE DELETE ON batches
BEGIN SELECT RAISE(ABORT, 'a closed batch is never deleted'); END;
ALTER TABLE outbox ADD COLUMN batch INTEGER REFERENCES batches (number);
CREATE INDEX outbox_by_batch ON outbox (batch);
-- What is in a closed batch stays there, as it is; what the centre acknowledges of it is noted.
CREATE TRIGGER a_record_in_a_batch_never_changes BEFORE UPDATE OF id, "transaction", record, created_at, batch ON outbox
WHEN OLD.batch IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a record in a batch never changes'); END;
CREATE TRIGGER a_record_is_never_deleted BEFORE DELETE ON outbox
BEGIN SELECT RAISE(ABORT, 'a record is never deleted'); END;

-- A card has no way back, so money returns by a load or by the centre (T-14); both are linked to the purchase.
ALTER TABLE transactions ADD COLUMN reverses TEXT REFERENCES transactions (id);
CREATE INDEX reversing_loads ON transactions (reverses) WHERE reverses IS NOT NULL;
CREATE TABLE refund_orders (
    id         TEXT PRIMARY KEY,
    purchase   TEXT NOT NULL REFERENCES transactions (id),
    amount_fen INTEGER NOT NULL,
    client     TEXT NOT NULL,
    operator   TEXT,
    reason     TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX refund_orders_by_purchase ON refund_orders (purchase);
-- The cash of a bill is paid out once.
ALTER TABLE settlements ADD COLUMN reversed_at TEXT;

-- Lists at the counter: of a day, and of a sale.
CREATE INDEX transactions_by_reference ON transactions (reference);
CREATE INDEX transactions_by_time ON transactions (created_at, id);
CREATE INDEX settlements_by_time ON settlements (created_at, id);

-- Open questions are few, and counted at every look at the counter.
CREATE INDEX uncertain_transactions ON transactions (state) WHERE state = 'uncertain';
