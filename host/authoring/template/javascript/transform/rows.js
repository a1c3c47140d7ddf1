// The rows of a block, from plain values: tests run this without a host.

/** One row a contract and method. `recipients` has one entry a transaction; `method` gives the selector at a position. */
export function calls(recipients, method) {
  const counts = new Map();
  recipients.forEach((contract, position) => {
    // A transaction without a recipient creates a contract.
    if (contract === undefined) return;
    const call = `${contract} ${method(position)}`;
    counts.set(call, (counts.get(call) ?? 0) + 1);
  });
  return [...counts.keys()].sort().map((call) => {
    const [contract, method] = call.split(" ");
    return { contract, method, calls: counts.get(call) };
  });
}
