import unittest

from rows import calls

TOKEN = "0x00000000000000000000000000000000000000aa"


class Calls(unittest.TestCase):
    def test_calls_of_one_method_are_one_row_and_creations_are_none(self):
        methods = ["0xa9059cbb", "0xa9059cbb", "0x", "0x60806040"]
        rows = list(calls([TOKEN, TOKEN, TOKEN, None], methods.__getitem__))
        expected = [
            {"contract": TOKEN, "method": "0x", "calls": 1},
            {"contract": TOKEN, "method": "0xa9059cbb", "calls": 2},
        ]
        self.assertEqual(rows, expected)


if __name__ == "__main__":
    unittest.main()
