"""Values of the contract, as Python has them. Nothing here needs the host, so tests of a rule run anywhere."""

import json

# A page is as long as the host's budget for one call allows; this many are never more.
PAGE = 1000


def pages(method):
    """Items of a paged function such as `specimen.transactions`, read page by page."""
    start = 0
    while page := method(start, PAGE):
        yield from page
        start += len(page)


def address(words):
    """An address as `0x` and 40 digits."""
    return f"0x{words.w0:016x}{words.w1:016x}{words.w2:08x}"


def b256(words):
    """A hash or slot as `0x` and 64 digits."""
    return f"0x{words.w0:016x}{words.w1:016x}{words.w2:016x}{words.w3:016x}"


def known_hash(words):
    """A transaction's hash as `0x` and 64 digits, or `None` for the zeros that stand where the layout dropped a part of what it is made from.

    Of such a transaction a hash is what the producer states, and no check covers it.
    """
    return b256(words) if any((words.w0, words.w1, words.w2, words.w3)) else None


def u256(words):
    """An unsigned number of 256 bits as an `int`."""
    return words.w0 << 192 | words.w1 << 128 | words.w2 << 64 | words.w3


def hexadecimal(data):
    """Bytes as `0x` and their digits."""
    return "0x" + bytes(data).hex()


def row(fields):
    """A row as one line of JSON.

    An `int` outside 64 bits is written as text, as columns of `u256` and `i256` read it. NaN and infinity, which JSON has no numbers for,
    raise `ValueError`.
    """
    return json.dumps(_fitting(fields), allow_nan=False, separators=(",", ":"))


def _fitting(value):
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(int(value))
    if isinstance(value, dict):
        return {key: _fitting(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_fitting(inner) for inner in value]
    return value
