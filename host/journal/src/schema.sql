-- The journal, version 1. Hashes are blobs of 32 bytes, times are milliseconds since 1970, amounts above 2^63 are decimal text.
-- People should ask the views at the end: `sqlite3 -readonly journal.sqlite 'select * from items where state = "quarantined"'`.

-- What this journal is about. One row: a journal never serves two proof chains, because nonces belong to one.
CREATE TABLE binding (
    only            INTEGER PRIMARY KEY CHECK (only = 1),
    proof_chain     INTEGER NOT NULL,
    announcer       BLOB NOT NULL CHECK (length(announcer) = 20),
    operator        BLOB CHECK (length(operator) = 20)
) STRICT;

-- The newest blocks that scanning has passed. The highest is the cursor; the others find the common ancestor after a reorganisation.
CREATE TABLE checkpoint (
    number          INTEGER PRIMARY KEY,
    hash            BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- One specimen for one rule.
CREATE TABLE item (
    id              INTEGER PRIMARY KEY,
    chain           INTEGER NOT NULL,
    height          INTEGER NOT NULL,
    block_hash      BLOB NOT NULL CHECK (length(block_hash) = 32),
    specimen_hash   BLOB NOT NULL CHECK (length(specimen_hash) = 32),
    rule            BLOB NOT NULL CHECK (length(rule) = 32),
    rule_name       TEXT NOT NULL,
    proves          INTEGER NOT NULL CHECK (proves IN (0, 1)),
    announced_in    INTEGER NOT NULL,
    announced_ms    INTEGER NOT NULL,
    state           TEXT NOT NULL,
    state_ms        INTEGER NOT NULL,
    reason          TEXT,
    specimen_cid    TEXT,
    specimen_bytes  INTEGER,
    mined_block     INTEGER,
    mined_tx        BLOB CHECK (length(mined_tx) = 32),
    -- Failures since the state was entered, the last one's words, and when to try again.
    attempts        INTEGER NOT NULL DEFAULT 0,
    last_error      TEXT,
    due_ms          INTEGER NOT NULL DEFAULT 0,
    UNIQUE (chain, specimen_hash, rule)
) STRICT;

CREATE INDEX item_state ON item (state, id);
-- Results of rules that are not proved stay 'pinned' for ever, and looking for work must not walk over them.
CREATE INDEX item_to_prove ON item (id) WHERE state = 'pinned' AND proves = 1;
CREATE INDEX item_announced_in ON item (announced_in);

-- What a rule produced; the bytes are in the content store.
CREATE TABLE artifact (
    item            INTEGER NOT NULL REFERENCES item,
    position        INTEGER NOT NULL,
    name            TEXT NOT NULL,
    media_type      TEXT NOT NULL,
    sha256          BLOB NOT NULL CHECK (length(sha256) = 32),
    bytes           INTEGER NOT NULL,
    cid             TEXT NOT NULL,
    PRIMARY KEY (item, position)
) STRICT, WITHOUT ROWID;

-- Every transaction ever signed, stored before it is first sent. Several with one nonce are one proof with rising fees.
CREATE TABLE proof_transaction (
    hash            BLOB PRIMARY KEY CHECK (length(hash) = 32),
    item            INTEGER NOT NULL REFERENCES item,
    nonce           INTEGER NOT NULL,
    raw             BLOB NOT NULL,
    max_fee         TEXT NOT NULL,
    priority_fee    TEXT NOT NULL,
    signed_ms       INTEGER NOT NULL,
    -- 1 while the nonce may still be used up by this transaction.
    open            INTEGER NOT NULL DEFAULT 1 CHECK (open IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX proof_transaction_item ON proof_transaction (item);
CREATE INDEX proof_transaction_nonce ON proof_transaction (nonce);

CREATE VIEW items AS SELECT
    id, chain, height, state, rule_name AS rule, attempts, reason, last_error,
    datetime(state_ms / 1000, 'unixepoch') AS since,
    CASE WHEN due_ms > 0 THEN datetime(due_ms / 1000, 'unixepoch') END AS due,
    '0x' || lower(hex(specimen_hash)) AS specimen_hash,
    '0x' || lower(hex(block_hash)) AS block_hash,
    specimen_cid,
    chain || '_' || height || '_' || lower(hex(block_hash)) || '_' || lower(hex(specimen_hash)) AS key
FROM item;

CREATE VIEW backlog AS SELECT state, count(*) AS items, datetime(min(state_ms) / 1000, 'unixepoch') AS oldest
FROM item
WHERE state NOT IN ('final', 'refused', 'skipped', 'withdrawn', 'pinned') OR (state = 'pinned' AND proves = 1) GROUP BY state;

CREATE VIEW proofs AS SELECT
    item, item.height, item.state, nonce, '0x' || lower(hex(proof_transaction.hash)) AS transaction_hash, max_fee, priority_fee,
    datetime(signed_ms / 1000, 'unixepoch') AS signed, mined_block, proof_transaction.hash IS mined_tx AS mined
FROM proof_transaction JOIN item ON item.id = item ORDER BY nonce, signed_ms;
