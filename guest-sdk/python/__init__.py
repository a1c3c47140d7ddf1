"""Values of the contract, as Python has them. Nothing here needs the host, so tests of a rule run anywhere."""

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


def u256(words):
    """An unsigned number of 256 bits as an `int`."""
    return words.w0 << 192 | words.w1 << 128 | words.w2 << 64 | words.w3


def hexadecimal(data):
    """Bytes as `0x` and their digits."""
    return "0x" + bytes(data).hex()
