-- Which storage slots do most transactions look up, and how many of them change it?
SELECT
    address,
    slot,
    count(DISTINCT (block_number, transaction_index)) AS transactions,
    count(*) FILTER (changed) AS changes
FROM access_sets
WHERE slot IS NOT NULL AND transaction_index IS NOT NULL
GROUP BY address, slot
ORDER BY transactions DESC, address, slot
LIMIT 10;
