//! The calls that a block makes of itself (EIP-4788, 2935, 7002, 7251).

use alloy_primitives::{B256, U256, address, keccak256};
use refiner_evm::{CodeUse, ExecuteError, MissingCode, Rejected};
use refiner_testblocks::devnet::{BEACON_ROOTS, PRAGUE, TestBlock, WITHDRAWAL_REQUESTS, call, mainnet::*};
use revm::bytecode::opcode as op;
use sha2::{Digest, Sha256};

/// Code that answers how much gas it was given, less what it took to find out.
const ANSWERS_GAS: [u8; 9] = [op::GAS, op::PUSH1, 0, op::MSTORE, op::PUSH1, 32, op::PUSH1, 0, op::RETURN];
const GAS_SEEN: u64 = 30_000_000 - 2;

#[test]
fn system_calls_get_thirty_million_gas() {
    let settled = TestBlock::at(PRAGUE).account(WITHDRAWAL_REQUESTS, &ANSWERS_GAS).settled();
    let request = [&[0x01], &U256::from(GAS_SEEN).to_be_bytes::<32>()[..]].concat();
    let expected = Sha256::digest(Sha256::digest(request));
    assert_eq!(settled.block().header.requests_hash, Some(B256::from_slice(&expected)));

    // Stores its gas when called with a root, and logs it when called without.
    let store = [op::JUMPDEST, op::GAS, op::PUSH1, 0, op::SSTORE, op::STOP];
    let load = logging(&[op::PUSH1, 0, op::SLOAD]);
    let target = u8::try_from(4 + load.len()).unwrap();
    let code = [&[op::CALLDATASIZE, op::PUSH1, target, op::JUMPI], &load[..], &store[..]].concat();
    let block = TestBlock::at(PRAGUE).account(BEACON_ROOTS, &code).transaction(call(BEACON_ROOTS));
    // CALLDATASIZE, PUSH1, JUMPI, JUMPDEST, GAS: 2 + 3 + 10 + 1 + 2.
    assert_eq!(topic(&block.executed()), B256::from(U256::from(30_000_000 - 18)));
}

#[test]
fn a_system_call_that_fails_at_the_start_of_a_block_is_no_fault_and_at_its_end_is_one() {
    let history = address!("0x0000f90827f1c53a10cb7a02335b175320002935");
    let failing = [op::PUSH1, 1, op::PUSH1, 0, op::SSTORE, op::INVALID];
    for contract in [BEACON_ROOTS, history] {
        let block = TestBlock::at(PRAGUE).account(contract, &failing);
        block.clone().executed();
        // A stub in the place of code that is missing would fail too.
        let hash = keccak256(failing);
        let without = block.with(|block| block.state.codes.retain(|code| code.hash != hash));
        let consequence = Rejected::SystemCall { contract };
        let missing = MissingCode { hash, account: contract, asked: CodeUse::Target, consequence };
        assert_eq!(without.refused(), ExecuteError::Rejected(Rejected::CodeMissing(Box::new(missing))));
    }
    let error = TestBlock::at(PRAGUE).account(WITHDRAWAL_REQUESTS, &failing).refused();
    assert_eq!(error, ExecuteError::Rejected(Rejected::SystemCall { contract: WITHDRAWAL_REQUESTS }));
}
