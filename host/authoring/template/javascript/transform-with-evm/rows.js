// The rows of a block, from plain values: tests run this without a host.

/** One row a called contract. `recipients` and `gas` have one entry a transaction; gas is a `BigInt`. */
export function costs(recipients, gas) {
  const sums = new Map();
  recipients.forEach((contract, position) => {
    // A transaction without a recipient creates a contract.
    if (contract === undefined) return;
    const { calls, gasUsed } = sums.get(contract) ?? { calls: 0, gasUsed: 0n };
    sums.set(contract, { calls: calls + 1, gasUsed: gasUsed + gas[position] });
  });
  return [...sums.keys()].sort().map((contract) => ({ contract, ...sums.get(contract) }));
}
