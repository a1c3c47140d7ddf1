"""What a rule gets from the host and gives to it: only in a component, where `wit_world` is."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import rule
from wit_world.imports import types
from wit_world.imports.output import Artifact

try:
    from wit_world.imports import evm
except ImportError:  # The world of a rule that executes nothing has no such interface.
    evm = None

from . import address, b256, hexadecimal, known_hash, pages, row, u256
from .description import DESCRIPTION

MEDIA_TYPE = "application/x-ndjson"

__all__ = [
    "MEDIA_TYPE", "Rows", "Rule", "address", "b256", "execute", "hexadecimal", "known_hash", "pages", "rejected", "u256",
    "unsupported",
]


class Rule(exports.Rule):
    """A rule: `refine` works on one specimen and returns how many records its artifacts hold."""

    def describe(self):
        outputs = [
            rule.OutputDescription(output["name"], output["media-type"], output["schema"])
            for output in DESCRIPTION["outputs"]
        ]
        return rule.Description(DESCRIPTION["name"], DESCRIPTION["version"], DESCRIPTION["layouts"], outputs)


class Rows:
    """Rows of a block as JSON, one a line; each starts with chain, number, hash and time of the block."""

    def __init__(self, name, specimen):
        identity, header = specimen.identity(), specimen.header()
        self.artifact = Artifact(name, MEDIA_TYPE, None)
        self.block = {
            "chainId": identity.chain_id,
            "blockNumber": identity.height,
            "blockHash": b256(identity.block_hash),
            "timestamp": header.timestamp,
        }
        self.written = 0

    def row(self, **fields):
        """Writes a row. An `int` outside 64 bits is written as text, which nothing rounds; NaN and infinity raise `ValueError`."""
        self.artifact.write(row(self.block | fields).encode() + b"\n")
        self.written += 1

    def finish(self):
        """Closes the artifact and makes it part of the output."""
        self.artifact.finish()
        self.artifact.__exit__(None, None, None)
        return rule.Summary(self.written)


def execute(specimen, format="canonical"):
    """The execution of the block. Where there is none, the run ends with the reason."""
    try:
        return evm.execute(specimen, format)
    except Err as error:
        raise Err(_rule_error(error.value)) from None


def rejected(reason):
    """The error of a block that the rule looked at and refuses."""
    return Err(types.RuleError_Rejected(reason))


def unsupported(reason):
    """The error of a block that the rule cannot work on."""
    return Err(types.RuleError_Unsupported(reason))


def _rule_error(error):
    if isinstance(error, evm.ExecuteError_Rejected):
        return types.RuleError_Rejected(error.value)
    if isinstance(error, evm.ExecuteError_Unavailable):
        return types.RuleError_CapabilityUnavailable(error.value)
    return types.RuleError_Unsupported(error.value)
