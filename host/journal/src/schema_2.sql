-- Version 2: what a result rests on, and the class of a refusal's reason.

-- 'execution' or 'receipts', from 'produced' on, for rules that ask for an execution.
ALTER TABLE item ADD COLUMN basis TEXT;
-- 'noState' where the producer exported no state and the rule needs some.
ALTER TABLE item ADD COLUMN reason_class TEXT;

-- For the counts of the status page.
CREATE INDEX item_basis ON item (basis) WHERE basis IS NOT NULL;
CREATE INDEX item_reason_class ON item (reason_class) WHERE reason_class IS NOT NULL;

DROP VIEW items;
CREATE VIEW items AS SELECT
    id, chain, height, state, rule_name AS rule, attempts, reason, last_error,
    datetime(state_ms / 1000, 'unixepoch') AS since,
    CASE WHEN due_ms > 0 THEN datetime(due_ms / 1000, 'unixepoch') END AS due,
    '0x' || lower(hex(specimen_hash)) AS specimen_hash,
    '0x' || lower(hex(block_hash)) AS block_hash,
    specimen_cid,
    chain || '_' || height || '_' || lower(hex(block_hash)) || '_' || lower(hex(specimen_hash)) AS key,
    basis, reason_class
FROM item;
