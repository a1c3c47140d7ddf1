//! Blocks of mainnet: its schedule, with states of our own.

use alloy_primitives::{Address, B256, U256};
use refiner_evm::{ChainSpec, Execution};
use refiner_specimen::Authorization;
use refiner_testkit::Key;
use revm::bytecode::opcode as op;

use super::{CONTRACT, TestBlock, old_call};

pub const NOBODY: Address = Address::repeat_byte(0x99);
pub const FRONTIER: u64 = 1_149_999;
pub const HOMESTEAD: u64 = 1_150_000;
pub const TANGERINE: u64 = 2_463_000;
pub const SPURIOUS_DRAGON: u64 = 2_675_000;
pub const BYZANTIUM: u64 = 4_370_000;
pub const PETERSBURG: u64 = 7_280_000;
pub const ISTANBUL: u64 = 9_069_000;
pub const BERLIN: u64 = 12_244_000;
pub const LONDON: u64 = 12_965_000;
pub const PARIS: u64 = 15_537_394;
pub const SHANGHAI: u64 = 1_681_338_455;
pub const CANCUN: u64 = 1_710_338_135;
pub const PRAGUE_TIME: u64 = 1_746_612_311;
pub const OSAKA: u64 = 1_764_798_551;

/// A block of mainnet: heights before the merge, times after it.
pub fn mainnet(at: u64) -> TestBlock {
    let (height, timestamp) = if at <= PARIS { (at, 0) } else { (20_000_000, at) };
    TestBlock::on(ChainSpec::builtin(1).unwrap(), height, timestamp).with(|block| {
        if (1_920_000..1_920_010).contains(&height) {
            block.header.extra_data = (*b"dao-hard-fork").into();
        }
    })
}

/// Runs `code` in one transaction of type 0.
pub fn run(block: TestBlock, code: &[u8]) -> Execution {
    block.contract(code).transaction(old_call(CONTRACT)).executed()
}

/// Pushes an address on the stack.
pub fn push(address: Address) -> Vec<u8> {
    [&[op::PUSH20], &address[..]].concat()
}

/// Emits what `code` leaves on the stack as the topic of an empty log.
pub fn logging(code: &[u8]) -> Vec<u8> {
    [code, &[op::PUSH1, 0, op::PUSH1, 0, op::LOG1, op::STOP]].concat()
}

/// Calls with this value and 0 gas, which is not enough to run anything.
pub fn calling(target: Address, value: u8) -> Vec<u8> {
    let zeros = [op::PUSH1, 0].repeat(4);
    [&zeros[..], &[op::PUSH1, value], &push(target), &[op::PUSH1, 0, op::CALL, op::STOP]].concat()
}

/// The topic of the first log.
pub fn topic(execution: &Execution) -> B256 {
    execution.receipts[0].logs[0].topics[0]
}

/// Makes the key's account run the contract's code.
pub fn authorization(key: &Key, nonce: u64) -> Authorization {
    let signed = key.authorize(0, CONTRACT, nonce);
    Authorization {
        chain_id: U256::ZERO,
        address: CONTRACT,
        nonce,
        y_parity: U256::from(signed.y_parity()),
        r: signed.r(),
        s: signed.s(),
    }
}
