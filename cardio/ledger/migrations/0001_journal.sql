-- The journal: what was asked, what was sent, what was proven (OPS §4.5).

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

-- Append-only hash chain: hash = SHA-256(previous ‖ canonical JSON of the row). No personal data.
CREATE TABLE journal (
    seq      INTEGER PRIMARY KEY,
    time     TEXT NOT NULL,
    kind     TEXT NOT NULL,
    subject  TEXT NOT NULL,
    payload  TEXT NOT NULL,
    previous BLOB NOT NULL,
    hash     BLOB NOT NULL
) STRICT;

CREATE TRIGGER journal_is_append_only_update BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_is_append_only_delete BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

-- Idempotency keys; they never expire (OPS §4.4).
CREATE TABLE requests (
    client      TEXT NOT NULL,
    key         TEXT NOT NULL,
    operation   TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    subject     TEXT NOT NULL,
    PRIMARY KEY (client, key)
) STRICT;

CREATE TABLE settlements (
    id           TEXT PRIMARY KEY,
    state        TEXT NOT NULL,
    client       TEXT NOT NULL,
    reference    TEXT NOT NULL,
    operator     TEXT,
    total_fen    INTEGER NOT NULL,
    fund_fen     INTEGER NOT NULL,
    account_fen  INTEGER NOT NULL,
    self_pay_fen INTEGER NOT NULL,
    tender       TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    finished_at  TEXT,
    answer       TEXT
) STRICT;

CREATE TABLE transactions (
    id                TEXT PRIMARY KEY,
    state             TEXT NOT NULL,
    purse             TEXT NOT NULL,
    amounts           TEXT NOT NULL,
    client            TEXT NOT NULL,
    reference         TEXT NOT NULL,
    operator          TEXT,
    settlement        TEXT REFERENCES settlements (id),
    created_at        TEXT NOT NULL,
    finished_at       TEXT,
    reader            TEXT,
    product           TEXT,
    application       TEXT,
    card_key          TEXT,
    card_masked       TEXT,
    card_number       TEXT,
    terminal_number   TEXT,
    terminal_sequence INTEGER,
    key_source        TEXT,
    key_index         INTEGER,
    key_version       INTEGER,
    algorithm_id      INTEGER,
    card_counter      INTEGER,
    card_time         TEXT,
    mac1_sha256       TEXT,
    balance_before    INTEGER,
    balance_after     INTEGER,
    tac               TEXT,
    mac2              TEXT,
    evidence          TEXT NOT NULL DEFAULT '[]',
    recovered         INTEGER NOT NULL DEFAULT 0,
    error             TEXT,
    answer            TEXT
) STRICT;

-- One transaction for each purse of a settlement.
CREATE UNIQUE INDEX leg ON transactions (settlement, purse) WHERE settlement IS NOT NULL;

-- Open questions, by card: any number of cards, until evidence or two persons end them.
CREATE TABLE pending_cards (
    card_key      TEXT NOT NULL,
    "transaction" TEXT NOT NULL REFERENCES transactions (id),
    PRIMARY KEY (card_key, "transaction")
) STRICT;

-- Records for the settlement centre, written together with the state they report (OPS §5.2).
CREATE TABLE outbox (
    id              INTEGER PRIMARY KEY,
    "transaction"   TEXT NOT NULL REFERENCES transactions (id),
    record          TEXT NOT NULL,
    created_at      TEXT NOT NULL,
    acknowledged_at TEXT
) STRICT;
