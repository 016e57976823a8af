-- The register of personalized cards: jobs, attempts to make a card, the keys that were written, and the chain over all.

CREATE TABLE jobs (
    id         TEXT PRIMARY KEY,
    product    TEXT NOT NULL,
    cards      INTEGER NOT NULL,
    digest     BLOB NOT NULL,
    made_with  BLOB NOT NULL,
    keys       TEXT NOT NULL,
    operators  TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

-- One card in the hand: a row of a job is made with the first attempt that finishes.
CREATE TABLE attempts (
    id          INTEGER PRIMARY KEY,
    job         TEXT NOT NULL REFERENCES jobs (id),
    record      TEXT NOT NULL,
    identity    TEXT NOT NULL,
    reader      TEXT NOT NULL,
    state       TEXT NOT NULL,
    reason      TEXT,
    started_at  TEXT NOT NULL,
    finished_at TEXT
) STRICT;
CREATE INDEX attempts_by_record ON attempts (job, record);
CREATE INDEX attempts_by_identity ON attempts (identity);
-- No row is made twice; no row and no card is worked on twice at a time.
CREATE UNIQUE INDEX made_rows ON attempts (job, record) WHERE state <> 'rejected';
CREATE UNIQUE INDEX open_cards ON attempts (identity) WHERE finished_at IS NULL;

CREATE TABLE key_writes (
    attempt   INTEGER NOT NULL REFERENCES attempts (id),
    name      TEXT NOT NULL,
    kcv       TEXT,
    confirmed INTEGER NOT NULL,
    PRIMARY KEY (attempt, name)
) STRICT;

-- Master keys that were presented to a card, until something is written after them.
CREATE TABLE presentations (
    attempt    INTEGER NOT NULL REFERENCES attempts (id),
    kcv        TEXT NOT NULL,
    unanswered INTEGER NOT NULL,
    refused    INTEGER NOT NULL,
    PRIMARY KEY (attempt, kcv)
) STRICT;

CREATE TABLE journal (
    seq      INTEGER PRIMARY KEY,
    time     TEXT NOT NULL,
    kind     TEXT NOT NULL,
    subject  TEXT NOT NULL,
    payload  TEXT NOT NULL,
    previous BLOB NOT NULL,
    hash     BLOB NOT NULL
) STRICT;

CREATE TRIGGER journal_is_never_rewritten BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is never rewritten'); END;
CREATE TRIGGER journal_is_never_deleted BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is never deleted'); END;
