//! Large states, and the search for a reason.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use refiner_evm::ChainSpec;
use refiner_specimen::{AccountRead, CodeRead, StorageRead, Transaction};

use super::{Hostile, forever, hostile, op, unlimited};
use crate::devnet::{CANCUN, CONTRACT, PARIS, TestBlock, call, old_call};

/// Rows of each kind that fit a specimen of 64 MiB.
const ACCOUNTS: u64 = 800_000;
const SLOTS: u64 = 740_000;
const CODES: u64 = 2_700;

pub fn all() -> Vec<Hostile> {
    use op::*;
    vec![
        frontier("frontier: sload", &[GAS, SLOAD, POP]),
        frontier("frontier: sload of one slot", &[PUSH1, 1, SLOAD, POP]),
        frontier("frontier: balance", &[GAS, BALANCE, POP]),
        frontier("frontier: extcodesize of one account", &[ADDRESS, EXTCODESIZE, POP]),
        frontier(
            "frontier: calls of nobody",
            &[PUSH1, 0, PUSH1, 0, PUSH1, 0, PUSH1, 0, PUSH1, 0, GAS, PUSH1, 0, CALL, POP],
        ),
        frontier("frontier: exp", &[PUSH1, 0, NOT, DUP1, EXP, POP]),
        hostile("64 MiB of accounts", || {
            let rows = (0..ACCOUNTS).map(|row| AccountRead {
                address: Address::from_slice(&keccak256(row.to_be_bytes())[..20]),
                nonce: row,
                balance: U256::from(row),
                code_hash: alloy_primitives::KECCAK256_EMPTY,
            });
            large().with(|block| block.state.accounts.extend(rows))
        }),
        hostile("64 MiB of slots", || {
            let rows = (0..SLOTS).map(slot);
            large().with(|block| block.state.storage.extend(rows))
        }),
        hostile("64 MiB of code", || {
            let codes = (0..CODES).map(|code| {
                let code = Bytes::from([&code.to_be_bytes()[..], &[JUMPDEST; 24_000]].concat());
                CodeRead { hash: keccak256(&code), code }
            });
            large().with(|block| codes.for_each(|code| block.state.codes.push(code)))
        }),
        hostile("64 MiB of input", || {
            let input = Bytes::from(vec![0; 64 << 20]);
            plain().transaction(Transaction { gas: super::GAS, input, ..call(CONTRACT) })
        }),
        hostile("64 MiB of init code", || {
            let input = Bytes::from([&[PUSH1, 0, NOT][..], &[DUP1, DUP1, EXP, POP].repeat(16 << 20)].concat());
            plain().transaction(Transaction { gas: super::GAS, to: None, input, ..call(CONTRACT) })
        }),
        hostile("64 MiB of access list", || {
            let keys = (0..2_000_000_u64).map(|key| B256::from(U256::from(key))).collect();
            let item = alloy_eips::eip2930::AccessListItem { address: CONTRACT, storage_keys: keys };
            plain().transaction(Transaction { gas: super::GAS, access_list: vec![item].into(), ..call(CONTRACT) })
        }),
        hostile("200,000 transactions", || {
            let mut block = plain();
            for _ in 0..200_000 {
                block = block.transaction(call(Address::repeat_byte(9)));
            }
            block
        }),
        hostile("search for missing code", || {
            // Four transactions take most of the bound, and their header is a lie.
            let missing = AccountRead {
                address: Address::repeat_byte(0x77),
                nonce: 1,
                balance: U256::ZERO,
                code_hash: B256::repeat_byte(7),
            };
            let mut block = TestBlock::at(CANCUN).contract(&forever(&[], &[]));
            for _ in 0..4 {
                block = block.transaction(Transaction { gas: 200_000_000, ..call(CONTRACT) });
            }
            block.with(|block| {
                unlimited(block);
                block.header.gas_used = 800_000_000;
                block.state.accounts.push(missing);
            })
        }),
    ]
}

fn slot(row: u64) -> StorageRead {
    StorageRead { account: CONTRACT, slot: keccak256(row.to_be_bytes()), value: B256::repeat_byte(1) }
}

/// A block that reads slots for as long as it may.
fn large() -> TestBlock {
    super::calling(PARIS, &forever(&[], &[op::GAS, op::SLOAD, op::POP]), &Bytes::new())
}

/// A block that may use any gas.
fn plain() -> TestBlock {
    TestBlock::at(PARIS).with(unlimited)
}

/// A block of mainnet's first days, when reading the state cost little.
fn frontier(name: &'static str, body: &[u8]) -> Hostile {
    let code = forever(&[], body);
    hostile(name, move || {
        let block = TestBlock::on(ChainSpec::builtin(1).unwrap(), 1_000, 1_438_300_000).contract(&code);
        block.transaction(Transaction { gas: super::GAS, ..old_call(CONTRACT) }).with(unlimited)
    })
}
