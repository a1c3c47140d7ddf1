-- Version 4: items that wait for a source, and facts about the last start.

-- Sources that could not be reached when the item was looked at last, one a line.
ALTER TABLE item ADD COLUMN awaits TEXT;
-- Thousands may wait, and looking for those whose time has come must not walk over them.
CREATE INDEX item_waiting ON item (due_ms, id) WHERE state = 'waiting';

-- What was so when the daemon started last, by name.
CREATE TABLE fact (
    name            TEXT PRIMARY KEY,
    value           TEXT NOT NULL
) STRICT, WITHOUT ROWID;

DROP VIEW backlog;
CREATE VIEW backlog AS SELECT state, count(*) AS items, datetime(min(state_ms) / 1000, 'unixepoch') AS oldest
FROM item
WHERE state NOT IN ('waiting', 'final', 'refused', 'skipped', 'withdrawn', 'pinned') OR (state = 'pinned' AND proves = 1)
GROUP BY state;

CREATE VIEW waiting AS SELECT
    id, chain, height, attempts AS looks, reason, awaits,
    datetime(state_ms / 1000, 'unixepoch') AS since, datetime(due_ms / 1000, 'unixepoch') AS next_look
FROM item WHERE state = 'waiting';
