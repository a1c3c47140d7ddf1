//! Blocks made to take as much time and memory for their gas as they can.

mod precompiles;
mod programs;
pub mod specimens;
mod state;

use alloy_primitives::{Bytes, U256};
use refiner_specimen::{Block, Transaction};

use crate::devnet::{CONTRACT, OSAKA, TestBlock, call};

/// Gas that a hostile block offers: far more than any bound.
pub const GAS: u64 = 1 << 40;
/// Gas of a transaction from Osaka on, at the most (EIP-7825).
const OSAKA_GAS: u64 = 1 << 24;

/// A hostile block by its name.
pub struct Hostile {
    pub name: String,
    /// Built on demand: some are large.
    pub build: Box<dyn Fn() -> TestBlock>,
}

/// Every hostile block.
pub fn all() -> Vec<Hostile> {
    [precompiles::all(), programs::all(), state::all()].into_iter().flatten().collect()
}

fn hostile(name: impl Into<String>, build: impl Fn() -> TestBlock + 'static) -> Hostile {
    Hostile { name: name.into(), build: Box::new(build) }
}

/// A block whose transactions call `code` with `input` and all the gas there is, and whose header states as much.
fn calling(timestamp: u64, code: &[u8], input: &Bytes) -> TestBlock {
    let (transactions, gas) = if timestamp >= OSAKA { (70, OSAKA_GAS) } else { (1, GAS) };
    let mut block = TestBlock::at(timestamp).contract(code);
    for _ in 0..transactions {
        block = block.transaction(Transaction { gas, input: input.clone(), ..call(CONTRACT) });
    }
    block.with(unlimited)
}

fn unlimited(block: &mut Block) {
    block.header.gas_limit = 2 * GAS;
    block.header.gas_used = 2 * GAS;
    block.state.accounts[0].balance = U256::MAX >> 1;
}

/// Opcodes.
pub mod op {
    pub const MUL: u8 = 0x02;
    pub const DIV: u8 = 0x04;
    pub const ADDMOD: u8 = 0x08;
    pub const MULMOD: u8 = 0x09;
    pub const EXP: u8 = 0x0a;
    pub const NOT: u8 = 0x19;
    pub const KECCAK256: u8 = 0x20;
    pub const ADDRESS: u8 = 0x30;
    pub const BALANCE: u8 = 0x31;
    pub const CALLDATASIZE: u8 = 0x36;
    pub const CALLDATACOPY: u8 = 0x37;
    pub const CODECOPY: u8 = 0x39;
    pub const EXTCODESIZE: u8 = 0x3b;
    pub const EXTCODECOPY: u8 = 0x3c;
    pub const EXTCODEHASH: u8 = 0x3f;
    pub const POP: u8 = 0x50;
    pub const MSTORE: u8 = 0x52;
    pub const SLOAD: u8 = 0x54;
    pub const SSTORE: u8 = 0x55;
    pub const JUMP: u8 = 0x56;
    pub const JUMPI: u8 = 0x57;
    pub const GAS: u8 = 0x5a;
    pub const JUMPDEST: u8 = 0x5b;
    pub const TSTORE: u8 = 0x5d;
    pub const MCOPY: u8 = 0x5e;
    pub const PUSH1: u8 = 0x60;
    pub const PUSH2: u8 = 0x61;
    pub const PUSH3: u8 = 0x62;
    pub const PUSH4: u8 = 0x63;
    pub const DUP1: u8 = 0x80;
    pub const DUP2: u8 = 0x81;
    pub const DUP3: u8 = 0x82;
    pub const LOG0: u8 = 0xa0;
    pub const LOG4: u8 = 0xa4;
    pub const CREATE: u8 = 0xf0;
    pub const CALL: u8 = 0xf1;
    pub const RETURN: u8 = 0xf3;
    pub const CREATE2: u8 = 0xf5;
    pub const STATICCALL: u8 = 0xfa;
    pub const SELFDESTRUCT: u8 = 0xff;
}

/// `before` once, then `body` for ever.
pub fn forever(before: &[u8], body: &[u8]) -> Vec<u8> {
    let start = u8::try_from(before.len()).unwrap();
    [before, &[op::JUMPDEST], body, &[op::PUSH1, start, op::JUMP]].concat()
}
