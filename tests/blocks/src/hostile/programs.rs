//! Programs of cheap instructions, and of what they leave in memory.

use alloy_primitives::Bytes;

use super::{Hostile, calling, forever, hostile, op};
use crate::devnet::{CANCUN, PARIS, PRAGUE, SHANGHAI};

pub fn all() -> Vec<Hostile> {
    use op::*;
    vec![
        program("jumps", PARIS, &[], &[]),
        program("jump destinations", PARIS, &[], &[JUMPDEST; 200]),
        program("mulmod", PARIS, &ones(3), &[DUP3, DUP3, DUP3, MULMOD, POP].repeat(30)),
        program("addmod", PARIS, &ones(3), &[DUP3, DUP3, DUP3, ADDMOD, POP].repeat(30)),
        program("div", PARIS, &[PUSH1, 3, PUSH1, 0, NOT], &[DUP2, DUP2, DIV, POP].repeat(30)),
        program("mul", PARIS, &ones(2), &[DUP2, DUP2, MUL, POP].repeat(30)),
        program("exp", PARIS, &ones(2), &[DUP2, DUP2, EXP, POP].repeat(30)),
        program("keccak of nothing", PARIS, &[], &[PUSH1, 0, PUSH1, 0, KECCAK256, POP]),
        program("keccak of 136 bytes", PARIS, &[], &[PUSH1, 136, PUSH1, 0, KECCAK256, POP]),
        program("keccak of 1 MiB", PARIS, &[], &[PUSH3, 0x10, 0, 0, PUSH1, 0, KECCAK256, POP]),
        program("mcopy of 1 MiB", CANCUN, &[], &[PUSH3, 0x10, 0, 0, PUSH1, 0, PUSH1, 32, MCOPY]),
        program("codecopy of 1 MiB", PARIS, &[], &[PUSH3, 0x10, 0, 0, PUSH1, 0, PUSH1, 0, CODECOPY]),
        program("extcodecopy of 1 MiB", PARIS, &[], &[PUSH3, 0x10, 0, 0, PUSH1, 0, PUSH1, 0, ADDRESS, EXTCODECOPY]),
        program("memory", PARIS, &[PUSH1, 0], &[PUSH1, 1, DUP2, MSTORE, PUSH2, 1, 0, 0x01]),
        program("tstore", CANCUN, &[], &[PUSH1, 1, GAS, TSTORE]),
        program("sstore", PARIS, &[], &[PUSH1, 1, GAS, SSTORE]),
        program("sstore of one slot", PARIS, &[], &[GAS, PUSH1, 1, SSTORE]),
        program("sload", PARIS, &[], &[GAS, SLOAD, POP]),
        program("sload of one slot", PARIS, &[], &[PUSH1, 1, SLOAD, POP]),
        program("balance", PARIS, &[], &[GAS, BALANCE, POP]),
        program("extcodesize", PARIS, &[], &[GAS, EXTCODESIZE, POP]),
        program("extcodehash of one account", PARIS, &[], &[ADDRESS, EXTCODEHASH, POP]),
        program("log0 of nothing", PARIS, &[], &[PUSH1, 0, PUSH1, 0, LOG0]),
        program("log4 of nothing", PARIS, &[PUSH1, 0], &[DUP1, DUP1, DUP1, DUP1, PUSH1, 0, PUSH1, 0, LOG4]),
        program("log0 of 64 KiB", PARIS, &[], &[PUSH3, 1, 0, 0, PUSH1, 0, LOG0]),
        program("create of nothing", PARIS, &[], &[PUSH1, 0, PUSH1, 0, PUSH1, 0, CREATE, POP]),
        program("create of 4 MiB", PARIS, &[], &[PUSH3, 0x40, 0, 0, PUSH1, 0, PUSH1, 0, CREATE, POP]),
        program("create2 of 48 KiB", SHANGHAI, &[], &[GAS, PUSH2, 0xc0, 0, PUSH1, 0, PUSH1, 0, CREATE2, POP]),
        program("calls of nobody", PARIS, &[], &call(&[GAS], 0)),
        program("calls with value", PARIS, &[], &call(&[GAS], 1)),
        program("deep calls", PARIS, &[], &call(&[ADDRESS], 0)),
        program("deep calls with memory", PARIS, &[PUSH1, 1, PUSH3, 8, 0, 0, MSTORE], &call(&[ADDRESS], 0)),
        program(
            "deep calls with transient storage",
            PRAGUE,
            &[],
            &[&[PUSH1, 1, GAS, TSTORE][..], &call(&[ADDRESS], 0)].concat(),
        ),
        hostile("deep calls with return data", || {
            // Without input: asks the identity precompile for a megabyte back, then calls itself.
            let ask = [PUSH1, 0, PUSH1, 0, PUSH3, 8, 0, 0, PUSH1, 0, PUSH1, 4, GAS, STATICCALL, POP];
            calling(PARIS, &forever(&ask, &call(&[ADDRESS], 0)), &Bytes::new())
        }),
        hostile("returns of 1 MiB", || calling(PARIS, &returning(), &Bytes::new())),
        program(
            "selfdestructs",
            PARIS,
            &[],
            &[PUSH2, ADDRESS, SELFDESTRUCT, PUSH1, 0, MSTORE, PUSH1, 2, PUSH1, 30, PUSH1, 0, CREATE, POP],
        ),
    ]
}

fn program(name: &str, timestamp: u64, before: &[u8], body: &[u8]) -> Hostile {
    let code = forever(before, body);
    hostile(name, move || calling(timestamp, &code, &Bytes::new()))
}

/// Pushes of the largest number.
fn ones(numbers: usize) -> Vec<u8> {
    [op::PUSH1, 0, op::NOT].repeat(numbers)
}

/// A call with all gas and no input.
fn call(address: &[u8], value: u8) -> Vec<u8> {
    let arguments = [op::PUSH1, 0, op::PUSH1, 0, op::PUSH1, 0, op::PUSH1, 0, op::PUSH1, value];
    [&arguments[..], address, &[op::GAS, op::CALL, op::POP]].concat()
}

/// Without input, asks itself for a megabyte for ever; with input, returns one.
fn returning() -> Vec<u8> {
    use op::*;
    let ask = [JUMPDEST, PUSH1, 0, PUSH1, 0, PUSH1, 1, PUSH1, 0, ADDRESS, GAS, STATICCALL, POP, PUSH1, 4, JUMP];
    let answer = u8::try_from(4 + ask.len()).unwrap();
    [&[CALLDATASIZE, PUSH1, answer, JUMPI][..], &ask, &[JUMPDEST, PUSH3, 0x10, 0, 0, PUSH1, 0, RETURN]].concat()
}
