-- The journal as evidence: signed vouchers, personal data whose keys can be destroyed, and who read it (OPS §4.5, §4.8).
-- Card numbers of earlier transactions are moved into `persons` by cardio/ledger/migration.py, which has the keys.

-- What the institution can check: canonical JSON and its detached signature, made together with the final state.
CREATE TABLE vouchers (
    subject   TEXT PRIMARY KEY,
    seq       INTEGER NOT NULL REFERENCES journal (seq),
    document  TEXT NOT NULL,
    signature BLOB NOT NULL,
    key       BLOB NOT NULL
) STRICT;
CREATE INDEX vouchers_by_seq ON vouchers (seq);

CREATE TRIGGER vouchers_are_never_rewritten BEFORE UPDATE ON vouchers
BEGIN SELECT RAISE(ABORT, 'vouchers are never rewritten'); END;
CREATE TRIGGER vouchers_are_never_deleted BEFORE DELETE ON vouchers
BEGIN SELECT RAISE(ABORT, 'vouchers are never deleted'); END;

-- Personal data of a transaction under a data key of its own, which is wrapped by a key outside of this file. Without
-- the data key nobody can read it any more.
CREATE TABLE persons (
    "transaction" TEXT PRIMARY KEY REFERENCES transactions (id),
    content       BLOB NOT NULL,
    data_key      BLOB,
    destroyed_at  TEXT
) STRICT;
CREATE INDEX known_persons ON persons ("transaction") WHERE data_key IS NOT NULL;

-- Who read personal data of which card, and why. Each row has its fingerprint in the chain, so that it can be deleted
-- after its time without breaking it; the salt keeps the fingerprint from telling what was deleted.
CREATE TABLE access_log (
    seq      INTEGER PRIMARY KEY REFERENCES journal (seq),
    time     TEXT NOT NULL,
    client   TEXT NOT NULL,
    operator TEXT,
    purpose  TEXT NOT NULL,
    fields   TEXT NOT NULL,
    card_key TEXT,
    salt     BLOB NOT NULL
) STRICT;
CREATE INDEX access_log_by_time ON access_log (time);

CREATE TRIGGER access_log_is_never_rewritten BEFORE UPDATE ON access_log
BEGIN SELECT RAISE(ABORT, 'the access log is never rewritten'); END;
