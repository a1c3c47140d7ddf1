"""Runs tests of this folder through the executable specification, by hand: see README.md.

python confirm.py fixtures/*.json, with `ethereum-execution` of PyPI installed.
"""

import importlib
import json
import re
import sys

from ethereum.fork_criteria import ByBlockNumber
from ethereum_spec_tools.evm_tools.loaders.fixture_loader import Load

MODULES = {
    "Frontier": "frontier",
    "Homestead": "homestead",
    "Dao": "dao_fork",
    "EIP150": "tangerine_whistle",
    "EIP158": "spurious_dragon",
    "Byzantium": "byzantium",
    "ConstantinopleFix": "constantinople",
    "Istanbul": "istanbul",
    "Berlin": "berlin",
    "London": "london",
    "Paris": "paris",
    "Shanghai": "shanghai",
    "Cancun": "cancun",
    "Prague": "prague",
    "Osaka": "osaka",
    "BPO1": "bpo1",
    "BPO2": "bpo2",
}
LOADERS = {}


class Fork:
    """One fork of the specification."""

    def __init__(self, name):
        self.module = importlib.import_module(f"ethereum.forks.{MODULES[name]}.fork")
        # The seal of a test block is none.
        self.module.validate_proof_of_work = lambda header: None
        if name not in LOADERS:
            candidates = {"ConstantinopleFix": "constantinople"}
            LOADERS[name] = Load(candidates.get(name, MODULES[name]))
        self.loader = LOADERS[name]

    def genesis(self, test):
        header = self.loader.json_to_header(test["genesisBlockHeader"])
        block = self.loader.fork.Block(header, (), (), *([()] if self.with_withdrawals() else []))
        state = self.loader.json_to_state(
            {address: dict(account, storage=padded(account["storage"])) for address, account in test["pre"].items()}
        )
        chain_id = importlib.import_module("ethereum_types.numeric").U64(1)
        return self.module.BlockChain(blocks=[block], state=state, chain_id=chain_id)

    def take_over(self, chain):
        """The chain with a state of this fork's own types, which compare unequal to those of others."""
        fork, old = self.loader.fork, chain.state
        state = fork.State()
        for address, account in old._main_trie._data.items():
            address = fork.hex_to_address("0x" + address.hex())
            fork.set_account(state, address, fork.Account(account.nonce, account.balance, account.code))
        for address, trie in old._storage_tries.items():
            for slot, value in trie._data.items():
                fork.set_storage(state, fork.hex_to_address("0x" + address.hex()), slot, value)
        return self.module.BlockChain(blocks=chain.blocks, state=state, chain_id=chain.chain_id)

    def with_withdrawals(self):
        return "withdrawals" in self.loader.fork.Block.__dataclass_fields__


def padded(storage):
    pad = lambda text: "0x" + text[2:].rjust(64, "0")
    return {pad(slot): pad(value) for slot, value in storage.items()}


def schedule(network):
    """First fork, second fork, its height or time, and whether a block's header is of the second."""
    transition = re.fullmatch(r"(\w+?)To(\w+?)At(Time)?(\d+)(k?)", network)
    if not transition:
        return network, None, 0, lambda header: False
    first, second, by_time, at, thousands = transition.groups()
    at = int(at) * (1000 if thousands else 1)
    return first, second, at, lambda header: int(header["timestamp" if by_time else "number"], 16) >= at


def check(name, test):
    first, second, at, is_second = schedule(test["network"])
    fork = Fork(first)
    chain = fork.genesis(test)
    for position, stated in enumerate(test["blocks"]):
        valid = "expectException" not in stated
        if second and valid and is_second(stated["blockHeader"]):
            fork, second = Fork(second), None
            if hasattr(fork.module, "FORK_CRITERIA"):
                fork.module.FORK_CRITERIA = ByBlockNumber(at)
            chain = fork.module.apply_fork(fork.take_over(chain))
        try:
            block, _, _ = fork.loader.json_to_block(stated)
            fork.module.state_transition(chain, block)
            outcome = None
        except Exception as error:
            outcome = error
        if valid != (outcome is None):
            print(f"FAILED {name}, block {position}: {outcome!r}")
            return False
        # An invalid block leaves the state half changed; the tests here end with one.
        print(f"ok {name}, block {position}: {'applied' if valid else repr(outcome)[:100]}")
    return True


passed = [check(name, test) for path in sys.argv[1:] for name, test in json.load(open(path)).items()]
print(f"{sum(passed)} of {len(passed)} tests agree")
sys.exit(not all(passed))
