-- Money operations beside purchases, what hosts must be told, and what shows that a journal is behind its cards.

ALTER TABLE transactions ADD COLUMN operation TEXT NOT NULL DEFAULT 'purchase';
ALTER TABLE transactions ADD COLUMN card_random TEXT NOT NULL DEFAULT '';
ALTER TABLE transactions ADD COLUMN balance_expected INTEGER;
ALTER TABLE transactions ADD COLUMN records TEXT NOT NULL DEFAULT '[]';
ALTER TABLE transactions ADD COLUMN resolution TEXT;

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
