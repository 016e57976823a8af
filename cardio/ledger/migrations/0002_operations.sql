-- Money operations beside purchases, what hosts must be told, and what shows that a journal is behind its cards.

ALTER TABLE transactions ADD COLUMN operation TEXT NOT NULL DEFAULT 'purchase';
ALTER TABLE transactions ADD COLUMN card_random TEXT NOT NULL DEFAULT '';
ALTER TABLE transactions ADD COLUMN balance_expected INTEGER;
ALTER TABLE transactions ADD COLUMN records TEXT NOT NULL DEFAULT '[]';
ALTER TABLE transactions ADD COLUMN resolution TEXT;
-- The grey lock that a debit for unlock charges (EW §3.5).
ALTER TABLE transactions ADD COLUMN grey_lock TEXT REFERENCES transactions (id);

-- All earlier transactions were purchases, whose first amount leaves the card.
UPDATE transactions SET balance_expected = balance_before - json_extract(amounts, '$[0]')
WHERE balance_before IS NOT NULL;

-- How on-line operations ended, for the host that authorized them; written together with the final state.
CREATE TABLE host_notices (
    "transaction"   TEXT PRIMARY KEY REFERENCES transactions (id),
    kind            TEXT NOT NULL,
    proof           TEXT,
    created_at      TEXT NOT NULL,
    delivered_at    TEXT
) STRICT;

-- Newest sequence that each application of each PSAM gave for an armed debit: `terminal number/selector`.
CREATE TABLE sam_counters (
    name     TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL
) STRICT;

-- The card's counters are looked up by card for every charge.
CREATE INDEX transactions_by_card ON transactions (card_key, card_counter);

-- Locks are few among all transactions, and every one is looked for until it is charged.
CREATE INDEX grey_locks ON transactions (created_at) WHERE operation = 'grey_lock';
CREATE INDEX grey_debits ON transactions (grey_lock) WHERE grey_lock IS NOT NULL;

-- What settlements write to their cards beside the purse (SSC §7.3, §7.4): planned when armed, owed once completed.
ALTER TABLE settlements ADD COLUMN settlement_class TEXT;
ALTER TABLE settlements ADD COLUMN temporary_offline INTEGER NOT NULL DEFAULT 0;
ALTER TABLE transactions ADD COLUMN notes TEXT NOT NULL DEFAULT '[]';
CREATE TABLE card_notes (
    "transaction" TEXT NOT NULL REFERENCES transactions (id),
    kind          TEXT NOT NULL,
    before        TEXT NOT NULL,
    target        TEXT NOT NULL,
    state         TEXT NOT NULL,
    error         TEXT,
    created_at    TEXT NOT NULL,
    ended_at      TEXT,
    PRIMARY KEY ("transaction", kind)
) STRICT;
CREATE INDEX owed_notes ON card_notes ("transaction") WHERE ended_at IS NULL;

-- How often the voucher of a transaction or settlement was printed again; each time is a row of the chain, too.
CREATE TABLE reprints (
    subject TEXT PRIMARY KEY,
    count   INTEGER NOT NULL
) STRICT;
