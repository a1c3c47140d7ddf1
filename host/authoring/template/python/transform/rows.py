"""The rows of a block, from plain values: tests run this without a host."""


def calls(recipients, method):
    """One row a contract and method. `recipients` has one entry a transaction; `method` gives the selector at a position."""
    counts = {}
    for position, contract in enumerate(recipients):
        # A transaction without a recipient creates a contract.
        if contract is None:
            continue
        call = contract, method(position)
        counts[call] = counts.get(call, 0) + 1
    for contract, selector in sorted(counts):
        yield {"contract": contract, "method": selector, "calls": counts[contract, selector]}
