"""Everything that a rule can ask of an execution, as lines of text: receipts, calls, changes of state, gas, and the block without all
but its last transaction, as it is and with a program in place of the contract that this calls."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import rule
from wit_world.imports import evm, gas_profile, receipts, state_changes, traces, types, what_if
from wit_world.imports.output import Artifact

PAGE = 1000
# SLOAD of slot 5, STOP: a slot that hardly any block knows.
PROGRAM = bytes([0x60, 0x05, 0x54, 0x00])


class Rule(exports.Rule):
    def describe(self):
        return rule.Description("lens", "0.1.0", [], [rule.OutputDescription("lens.txt", "text/plain", None)])

    def refine(self, specimen):
        with Artifact("lens.txt", "text/plain", None) as artifact:
            lines = Lines(artifact)
            try:
                everything(specimen, lines)
            except Err as error:
                raise Err(rule_error(error.value)) from None
            artifact.finish()
        return rule.Summary(lines.count)


class Lines:
    def __init__(self, artifact):
        self.artifact, self.count = artifact, 0

    def line(self, *fields):
        self.count += 1
        self.artifact.write(" ".join(map(text, fields)).encode() + b"\n")


def text(value):
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def everything(specimen, lines):
    block = receipts.open(specimen)
    source = "recorded" if block.source() == receipts.Source.RECORDED else "executed"
    lines.line("receipts", source, block.receipt_count(), block.log_count())
    for it in pages(block.receipts):
        lines.line("receipt", it.transaction_index, it.success, it.gas_used, it.log_count)
    execution = evm.execute(specimen, "canonical")
    frames(execution, lines)
    changes(execution, lines)
    gas(execution, lines)
    transactions = specimen.counts().transactions
    if transactions > 0:
        alone = what_if.Overrides()
        alone.transactions([transactions - 1])
        under(specimen, alone, lines)
        last = specimen.transactions(transactions - 1, 1)[0]
        if last.to is not None:
            program = what_if.Overrides()
            program.transactions([transactions - 1])
            program.nonce(last.sender, last.nonce)
            program.balance(last.sender, types.U256(0, 0, 0, 2**64 - 1))
            program.code(last.to, PROGRAM)
            program.base_fee(7)
            under(specimen, program, lines)


def frames(execution, lines):
    recording = traces.open(execution, 4)
    for number in steps(recording):
        lines.line("calls", number, recording.count())
        for it in pages(recording.page):
            lines.line(
                "call", it.parent, it.depth, it.opcode, address(it.sender), some(address, it.to), some(u256, it.value), it.gas_used,
                len(it.input), it.output_len, it.error, it.undone,
            )


def changes(execution, lines):
    recording = state_changes.open(execution)
    for number in steps(recording):
        for it in pages(recording.accounts):
            values = pair(u256, it.balance), pair(text, it.nonce), pair(b256, it.code)
            lines.line("account", number, address(it.address), *values, it.created, it.destroyed)
        for it in pages(recording.slots):
            lines.line("slot", address(it.address), b256(it.slot), pair(b256, (it.before, it.after)))
        for it in pages(recording.accesses):
            lines.line("access", address(it.address), some(b256, it.slot), it.changed)


def gas(execution, lines):
    recording = gas_profile.open(execution)
    for number in steps(recording):
        for it in pages(recording.page):
            lines.line("gas", number, some(address, it.code_address), it.what, it.times, it.gas)


def under(specimen, overrides, lines):
    try:
        execution = what_if.execute(specimen, overrides)
    except Err as error:
        if not isinstance(error.value, what_if.WhatIfError_LeftSpecimen):
            raise
        lines.line("left", left(error.value.value))
        return
    lines.line("what-if", execution.gas_used(), execution.block_result_len())
    for it in pages(execution.receipts):
        lines.line("receipt", it.transaction_index, it.success, it.gas_used)
    for it in pages(lambda start, count: what_if.excluded(execution, start, count)):
        lines.line("excluded", it.transaction_index, it.reason)
    gas(execution, lines)


def left(departure):
    """The words of the SDK in Rust for a place at which a block leaves what is known."""
    index, place = departure.transaction_index, departure.place
    who = "a system call" if index is None else f"transaction {index}"
    if isinstance(place, what_if.Place_Account):
        where = f"account {address(place.value)}"
    elif isinstance(place, what_if.Place_Slot):
        where = f"slot {b256(place.value.slot)} of {address(place.value.address)}"
    elif isinstance(place, what_if.Place_Code):
        where = f"code {b256(place.value)}"
    else:
        where = f"the hash of block {place.value}"
    return f"{who} reads {where}"


def rule_error(error):
    """The error of a rule with the blame of an interface's."""
    rejected = evm.ExecuteError_Rejected, what_if.WhatIfError_Rejected
    return (types.RuleError_Rejected if isinstance(error, rejected) else types.RuleError_Unsupported)(error.value)


def pages(method):
    start = 0
    while page := method(start, PAGE):
        yield from page
        start += len(page)


def steps(recording):
    """Numbers of the steps of a recording, each while it is entered."""
    while (number := recording.next()) is not None:
        yield number


def some(show, value):
    return None if value is None else show(value)


def pair(show, values):
    return None if values is None else f"{show(values[0])}>{show(values[1])}"


def address(words):
    return f"0x{words.w0:016x}{words.w1:016x}{words.w2:08x}"


def b256(words):
    return f"0x{words.w0:016x}{words.w1:016x}{words.w2:016x}{words.w3:016x}"


def u256(words):
    return words.w0 << 192 | words.w1 << 128 | words.w2 << 64 | words.w3
