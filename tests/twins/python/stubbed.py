"""The rule for `componentize-py --stub-wasi`: it touches nothing but the contract."""

import by_sender
from wit_world import exports


class Rule(exports.Rule):
    def describe(self):
        return by_sender.describe()

    def refine(self, specimen):
        return by_sender.refine(specimen)
