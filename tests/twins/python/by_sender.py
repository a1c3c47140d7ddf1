"""One line a sender: how many transactions it sent in the block, and how much value with them."""

import json

from wit_world.exports import rule
from wit_world.imports.output import Artifact

# A page is as long as the host's budget for one call allows; this many are never more.
PAGE = 1000


def describe():
    outputs = [rule.OutputDescription("by-sender.ndjson", "application/x-ndjson", None)]
    return rule.Description("by-sender", "0.1.0", [], outputs)


def refine(specimen):
    totals = {}
    for transaction in transactions(specimen):
        totals.setdefault(address(transaction.sender), [0, 0])
        total = totals[address(transaction.sender)]
        total[0] += 1
        total[1] += u256(transaction.value)
    with Artifact("by-sender.ndjson", "application/x-ndjson", None) as lines:
        for sender in sorted(totals):
            sent, value = totals[sender]
            line = json.dumps({"sender": sender, "transactions": sent, "value": str(value)}, separators=(",", ":"))
            lines.write(line.encode() + b"\n")
        lines.finish()
    return rule.Summary(len(totals))


def transactions(specimen):
    start = 0
    while page := specimen.transactions(start, PAGE):
        yield from page
        start += len(page)


def address(words):
    return f"0x{words.w0:016x}{words.w1:016x}{words.w2:08x}"


def u256(words):
    return words.w0 << 192 | words.w1 << 128 | words.w2 << 64 | words.w3
