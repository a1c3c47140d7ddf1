-- Which contracts use the gas, at any depth of calls? What a call uses itself is its gas without that of the calls it makes.
WITH inner_calls AS (
    SELECT block_hash, transaction_index, parent_index AS frame_index, sum(gas_used) AS gas
    FROM traces
    WHERE parent_index IS NOT NULL
    GROUP BY ALL
)
SELECT
    to_address AS contract,
    count(*) AS calls,
    max(depth) AS deepest,
    sum(gas_used::HUGEINT - coalesce(gas, 0)) AS own_gas
FROM traces
LEFT JOIN inner_calls USING (block_hash, transaction_index, frame_index)
WHERE call_type <> 'SELFDESTRUCT' AND to_address IS NOT NULL
GROUP BY contract
ORDER BY own_gas DESC, contract
LIMIT 10;
