//! Code that a block uses and its specimen lacks is named with its use.

// Clippy takes what tests call for something else than a test.
#![allow(clippy::unwrap_used)]

use std::fs;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use refiner_evm::{
    BasisPolicy, CodeUse, EmbeddedExecutor, ExecuteError, Execution, ExecutionPolicy, Rejected, ResultFormat,
    Uninterrupted, Unsupported,
};
use refiner_specimen::{Layout, Specimen, check::CheckName, decode};
use refiner_testblocks::shared;
use refiner_testkit::{BlockPlan, Chain, Fork, Form, Key, MAINNET, Manner, Plan, World, export};
use revm::bytecode::opcode::*;

/// The account whose code is left out, and one whose code uses it.
const HIDDEN: Address = Address::repeat_byte(0x77);
const USER: Address = Address::repeat_byte(0x78);
/// Returns NUMBER: a stub runs otherwise, and is shorter.
const HIDDEN_CODE: [u8; 9] = [NUMBER, PUSH1, 0, MSTORE, PUSH1, 32, PUSH1, 0, RETURN];
/// Logs 32 bytes of memory.
const LOG_WORD: [u8; 6] = [PUSH1, 32, PUSH1, 0, LOG0, STOP];

/// The outcome of execution, for which no recorded receipts stand in.
fn answer(specimen: &Specimen) -> Result<Execution, ExecuteError> {
    let policy = ExecutionPolicy { basis: BasisPolicy::Execution, ..ExecutionPolicy::default() };
    EmbeddedExecutor::default().with_policy(policy).answer(specimen, ResultFormat::Canonical, &Uninterrupted).unwrap()
}

/// A block that calls these accounts, without the code of [`HIDDEN`]. [`USER`] runs `code`.
fn block(code: &[u8], calls: &[Address]) -> Specimen {
    let caller = Key::named("alice");
    let mut world = World::with_contracts(Fork::Prague);
    world.fund(caller.address(), U256::from(10).pow(U256::from(20)));
    world.deploy(HIDDEN, Bytes::from_static(&HIDDEN_CODE));
    world.deploy(USER, Bytes::copy_from_slice(code));
    let mut chain = Chain::new(MAINNET, Fork::Prague, 22_500_000, 1_747_445_015, world);
    let call = |to: &Address| Plan {
        from: caller,
        to: Some(*to),
        value: U256::ZERO,
        input: Bytes::new(),
        // Of the block's 30 million.
        gas: if *to == HIDDEN { 14_500_000 } else { 16_000_000 },
        form: Form::DynamicFee(Default::default()),
    };
    let transactions = calls.iter().map(call).collect();
    let block = chain.seal(BlockPlan { transactions, ..BlockPlan::default() }).unwrap();
    export(&block, Layout::V0_38, Manner { size_only: vec![HIDDEN], ..Manner::default() })
}

fn missing(specimen: &Specimen) -> (B256, Address, CodeUse, Rejected) {
    match answer(specimen) {
        Err(ExecuteError::Rejected(Rejected::CodeMissing(missing))) => {
            (missing.hash, missing.account, missing.asked, missing.consequence)
        }
        other => panic!("{other:?}"),
    }
}

/// `push` and an instruction that takes the hidden account from the top of the stack.
fn on_hidden(push: &[u8], instruction: &[u8]) -> Vec<u8> {
    [push, &[PUSH20], &HIDDEN[..], instruction].concat()
}

fn calling(instruction: u8) -> Vec<u8> {
    let zeros = if matches!(instruction, CALL | CALLCODE) { 5 } else { 4 };
    on_hidden(&[PUSH1, 0].repeat(zeros), &[GAS, instruction, PUSH1, 0, MSTORE, PUSH1, 32, PUSH1, 0, LOG0])
}

#[test]
fn missing_code_is_named_with_its_use() {
    let size = [&on_hidden(&[], &[EXTCODESIZE, PUSH1, 0, MSTORE])[..], &LOG_WORD].concat();
    let copy = [&on_hidden(&[PUSH1, 9, PUSH1, 0, PUSH1, 0], &[EXTCODECOPY])[..], &LOG_WORD].concat();
    let cases = [
        (size.clone(), vec![USER], CodeUse::Size),
        (copy.clone(), vec![USER], CodeUse::Copy),
        (calling(CALL), vec![USER], CodeUse::Call("CALL")),
        (calling(CALLCODE), vec![USER], CodeUse::Call("CALLCODE")),
        (calling(DELEGATECALL), vec![USER], CodeUse::Call("DELEGATECALL")),
        (calling(STATICCALL), vec![USER], CodeUse::Call("STATICCALL")),
        (vec![STOP], vec![USER, HIDDEN], CodeUse::Target),
        (size, vec![USER, HIDDEN], CodeUse::Target),
        ([&copy[..copy.len() - 1], &calling(CALL)].concat(), vec![USER], CodeUse::Call("CALL")),
    ];
    for (code, calls, expected) in cases {
        let (hash, account, asked, consequence) = missing(&block(&code, &calls));
        assert_eq!((hash, account, asked), (keccak256(HIDDEN_CODE), HIDDEN, expected));
        assert!(matches!(consequence, Rejected::HeaderMismatch(_)), "{consequence}");
    }
}

/// The same block under a header that states more gas.
fn with_more_gas(mut specimen: Specimen) -> Specimen {
    specimen.block.header.gas_used += 1;
    specimen.block.hash = specimen.block.header.hash_slow();
    specimen.event_hash = specimen.block.hash;
    specimen
}

#[test]
fn code_that_is_asked_for_its_presence_or_hash_only_may_be_missing_and_explains_no_disagreement() {
    let logged = |question: &[u8]| [&on_hidden(&[], question)[..], &[PUSH1, 0, MSTORE], &LOG_WORD].concat();
    let questions = [
        &[EXTCODESIZE, ISZERO][..],
        &[EXTCODESIZE, PUSH0, LT],
        &[EXTCODESIZE, PUSH1, 0, GT],
        &[EXTCODESIZE, PUSH1, 0, EQ],
        &[EXTCODEHASH],
    ];
    for question in questions {
        let honest = block(&logged(question), &[USER]);
        answer(&honest).unwrap();
        match answer(&with_more_gas(honest)) {
            Err(ExecuteError::Rejected(Rejected::HeaderMismatch(check))) => assert_eq!(check.name, CheckName::GasUsed),
            other => panic!("{question:?}: {other:?}"),
        }
    }
    // What is kept of a size, or compared with another number, may decide.
    for question in [&[EXTCODESIZE, DUP1, ISZERO][..], &[EXTCODESIZE, PUSH1, 1, EQ], &[EXTCODESIZE, PUSH0, ADD]] {
        let (_, account, asked, _) = missing(&with_more_gas(block(&logged(question), &[USER])));
        assert_eq!((account, asked), (HIDDEN, CodeUse::Size), "{question:?}");
    }
}

#[test]
fn transaction_that_is_invalid_for_want_of_code_is_told_as_missing_code() {
    // The stub burns so much gas that the next transaction does not fit.
    let (_, _, asked, consequence) = missing(&block(&[STOP], &[HIDDEN, USER]));
    assert_eq!(asked, CodeUse::Target);
    assert!(matches!(consequence, Rejected::InvalidTransaction { transaction: 1, .. }), "{consequence}");
}

#[test]
fn search_for_missing_code_counts_against_the_bound_of_its_block() {
    let hash = [&on_hidden(&[], &[EXTCODEHASH, PUSH1, 0, MSTORE])[..], &LOG_WORD].concat();
    let mut wrong = block(&hash, &[USER; 40]);
    wrong.block.header.gas_used += 1;
    wrong.block.hash = wrong.block.header.hash_slow();
    wrong.event_hash = wrong.block.hash;
    let within = |times_percent: u64| {
        let gas_bound = wrong.block.header.gas_used * times_percent / 100;
        let executor =
            EmbeddedExecutor::default().with_policy(ExecutionPolicy { gas_bound, ..ExecutionPolicy::default() });
        executor.execute(&wrong, ResultFormat::Canonical).unwrap_err()
    };
    let (twice, once) = (within(300), within(160));
    assert!(matches!(twice, ExecuteError::Rejected(Rejected::HeaderMismatch(_))), "{twice}");
    assert!(matches!(once, ExecuteError::Unsupported(Unsupported::ExecutionTooLarge { .. })), "{once}");
}

#[test]
fn code_whose_size_a_shared_case_asks_for_is_named() {
    let Ok(bytes) = fs::read(shared::path("cases/blocks/07-extsize-missing.avro")) else { return };
    assert_eq!(missing(&decode(&bytes).unwrap()).2, CodeUse::Size);
}
