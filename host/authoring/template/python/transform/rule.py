"""The methods that a block's transactions call: one row a contract and method, with how often it was called."""

from rows import calls
from sdk import contract

# The first bytes of a call's input, which select its method.
SELECTOR_BYTES = 4


class Rule(contract.Rule):
    def refine(self, specimen):
        def method(position):
            return contract.hexadecimal(specimen.input(position, 0, SELECTOR_BYTES))

        recipients = [
            contract.address(transaction.to) if transaction.to else None
            for transaction in contract.pages(specimen.transactions)
        ]
        rows = contract.Rows("my-rule.ndjson", specimen)
        for row in calls(recipients, method):
            rows.row(**row)
        return rows.finish()
