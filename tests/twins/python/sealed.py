"""The rule as ordinary Python: it looks at a clock, rolls dice, looks around and prints, under `wasi = "sealed"`."""

import os
import random
import sys
import time

import by_sender
from wit_world import exports


class Rule(exports.Rule):
    def describe(self):
        return by_sender.describe()

    def refine(self, specimen):
        print("it is", int(time.time()), "and stays so:", time.monotonic() == time.monotonic())
        print("dice:", random.SystemRandom().randrange(1 << 64))
        print("environment:", dict(os.environ), "arguments:", sys.argv[1:], file=sys.stderr)
        try:
            os.listdir("/")
        except OSError as error:
            print("files:", error.strerror, file=sys.stderr)
        return by_sender.refine(specimen)
