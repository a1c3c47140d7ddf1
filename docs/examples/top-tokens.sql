-- Which tokens moved most? Amounts are decimal text, and BIGNUM adds them with every digit; amount_f64 is for charts.
SELECT
    token,
    standard,
    count(*) AS transfers,
    count(DISTINCT from_address) AS senders,
    sum(amount::BIGNUM)::VARCHAR AS amount
FROM token_transfers
GROUP BY token, standard
ORDER BY sum(amount::BIGNUM) DESC, token
LIMIT 10;
