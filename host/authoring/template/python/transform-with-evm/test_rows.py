import unittest

from rows import costs

TOKEN = "0x00000000000000000000000000000000000000aa"


class Costs(unittest.TestCase):
    def test_gas_of_one_contract_is_summed_and_creations_are_left_out(self):
        rows = list(costs([TOKEN, TOKEN, None], [30_000, 21_000, 50_000]))
        self.assertEqual(rows, [{"contract": TOKEN, "calls": 2, "gasUsed": 51_000}])


if __name__ == "__main__":
    unittest.main()
