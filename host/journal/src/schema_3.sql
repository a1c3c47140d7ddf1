-- Version 3: what transactions cost, transactions that prove nothing, and final proofs that are looked at again.

-- Wei that a mined transaction cost, decimal text; NULL where it is not known.
ALTER TABLE proof_transaction ADD COLUMN paid TEXT;
CREATE INDEX proof_transaction_signed ON proof_transaction (signed_ms);

CREATE INDEX item_final ON item (state_ms) WHERE state = 'final';

-- Transactions of the operator that are no proofs, stored before they are first sent. 'gap' uses up a nonce that later ones wait for,
-- 'finalize' ends a session.
CREATE TABLE side_transaction (
    hash            BLOB PRIMARY KEY CHECK (length(hash) = 32),
    purpose         TEXT NOT NULL,
    -- The session that it is about, for a purpose that has one.
    chain           INTEGER,
    height          INTEGER,
    nonce           INTEGER NOT NULL,
    raw             BLOB NOT NULL,
    max_fee         TEXT NOT NULL,
    priority_fee    TEXT NOT NULL,
    signed_ms       INTEGER NOT NULL,
    -- 1 while the nonce may still be used up by this transaction.
    open            INTEGER NOT NULL DEFAULT 1 CHECK (open IN (0, 1)),
    -- 1 for the one that was mined, of those with one nonce.
    mined           INTEGER NOT NULL DEFAULT 0 CHECK (mined IN (0, 1)),
    paid            TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX side_transaction_nonce ON side_transaction (nonce);
CREATE INDEX side_transaction_signed ON side_transaction (signed_ms);

-- Results in a row that differed from what other operators proved, by rule.
CREATE TABLE comparison (
    rule            BLOB PRIMARY KEY CHECK (length(rule) = 32),
    differences     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Sessions that are finalized once they are past their deadline.
CREATE TABLE result_session (
    chain           INTEGER NOT NULL,
    height          INTEGER NOT NULL,
    -- The block of the proof chain from which on it is asked for.
    due_block       INTEGER NOT NULL,
    -- NULL until it ended: 'finalized' by us, 'ended' by others, 'unknown' to the contract.
    outcome         TEXT,
    PRIMARY KEY (chain, height)
) STRICT, WITHOUT ROWID;

CREATE INDEX result_session_due ON result_session (due_block) WHERE outcome IS NULL;

CREATE VIEW sessions AS SELECT chain, height, due_block, coalesce(outcome, 'waits') AS outcome FROM result_session;
