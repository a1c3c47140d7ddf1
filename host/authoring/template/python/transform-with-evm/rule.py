"""Costs of the contracts of a block: one row a called contract, with the gas that calls to it used."""

from rows import costs
from sdk import contract


class Rule(contract.Rule):
    def refine(self, specimen):
        with contract.execute(specimen) as execution:
            gas = [receipt.gas_used for receipt in contract.pages(execution.receipts)]
        recipients = [
            contract.address(transaction.to) if transaction.to else None
            for transaction in contract.pages(specimen.transactions)
        ]
        rows = contract.Rows("my-rule.ndjson", specimen)
        for row in costs(recipients, gas):
            rows.row(**row)
        return rows.finish()
