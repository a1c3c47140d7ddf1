"""The rows of a block, from plain values: tests run this without a host."""


def costs(recipients, gas):
    """One row a called contract. `recipients` and `gas` have one entry a transaction."""
    sums = {}
    for contract, used in zip(recipients, gas, strict=True):
        # A transaction without a recipient creates a contract.
        if contract is not None:
            calls, sum_of_gas = sums.get(contract, (0, 0))
            sums[contract] = calls + 1, sum_of_gas + used
    for contract in sorted(sums):
        calls, sum_of_gas = sums[contract]
        yield {"contract": contract, "calls": calls, "gasUsed": sum_of_gas}
