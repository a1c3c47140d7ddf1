//! Rows of state with more than they need, or less: stubs of code, code twice, slots of no account.

use alloy_primitives::{Address, B256};
use refiner_evm::{Basis, BasisPolicy, CodeUse, ExecuteError, Rejected};
use refiner_specimen::{BytecodeTable, Layout, Specimen, StorageRead};
use refiner_testkit::{BlockPlan, Chain, Contract, Fork, Form, Key, MAINNET, Manner, Plan, World, export};
use revm::bytecode::opcode::{EXTCODESIZE, JUMPDEST, JUMPI, LOG0, MSTORE, PUSH1, PUSH20, STOP, SUB};

use crate::{execute, instead_of, result, shape, whole, with};

const MEASURED: Address = Address::repeat_byte(0x77);
const RULER: Address = Address::repeat_byte(0x78);

/// The code that a delegation leaves.
fn designation() -> Vec<u8> {
    [&[0xef, 0x01, 0x00], Contract::Herald.address().as_slice()].concat()
}

fn on_measured(rest: &[u8]) -> Vec<u8> {
    [&[PUSH20], &MEASURED[..], &[EXTCODESIZE], rest].concat()
}

/// A block that calls `code`, without the code of [`MEASURED`].
fn block(fork: Fork, code: Vec<u8>, measured: Vec<u8>) -> Specimen {
    let caller = Key::named("alice");
    let mut world = World::with_contracts(fork);
    world.fund(caller.address(), alloy_primitives::U256::from(10).pow(alloy_primitives::U256::from(20)));
    world.deploy(MEASURED, measured.into());
    world.deploy(RULER, code.into());
    let (height, time) = match fork {
        Fork::Cancun => (20_200_000, 1_720_000_007),
        _ => (22_500_000, 1_747_445_015),
    };
    let mut chain = Chain::new(MAINNET, fork, height, time, world);
    let form = Form::DynamicFee(Default::default());
    let (value, input) = Default::default();
    let call = Plan { from: caller, to: Some(RULER), value, input, gas: 200_000, form };
    let block = chain.seal(BlockPlan { transactions: vec![call], ..BlockPlan::default() }).unwrap();
    export(&block, Layout::V0_38, Manner { size_only: vec![MEASURED], ..Manner::default() })
}

/// Logs the size.
fn logging() -> Vec<u8> {
    on_measured(&[PUSH1, 0, MSTORE, PUSH1, 32, PUSH1, 0, LOG0, STOP])
}

/// Logs nothing, and only where the size is that of a delegation.
fn branching() -> Vec<u8> {
    let code = on_measured(&[PUSH1, 23, SUB, PUSH1, 34, JUMPI, PUSH1, 0, PUSH1, 0, LOG0, STOP, JUMPDEST, STOP]);
    assert_eq!(code[34], JUMPDEST);
    code
}

#[test]
fn size_of_a_delegated_account_is_known_without_its_code_since_prague() {
    for code in [logging(), branching()] {
        let delegated = block(Fork::Prague, code.clone(), designation());
        assert_eq!(result(BasisPolicy::Auto, &delegated).basis, Basis::Execution);
        for (fork, measured) in [(Fork::Cancun, vec![STOP; 23]), (Fork::Prague, vec![STOP; 24])] {
            // A branch finds one size other than 23 as good as another.
            if fork == Fork::Prague && code == branching() {
                result(BasisPolicy::Execution, &block(fork, code.clone(), measured));
                continue;
            }
            let lacking = block(fork, code.clone(), measured);
            let error = execute(BasisPolicy::Execution, &lacking).unwrap_err();
            let ExecuteError::Rejected(Rejected::CodeMissing(missing)) = &error else { panic!("{fork:?}: {error}") };
            assert_eq!((missing.account, missing.asked), (MEASURED, CodeUse::Size), "{fork:?}");
            // Of a reader's concern is the account, not the stub that was tried.
            assert!(error.to_string().contains(&format!("of account {MEASURED}")), "{error}");
            assert_eq!(instead_of(&lacking), error);
        }
    }
    assert_eq!(result(BasisPolicy::Auto, &shape("t220-size-of-a-delegated-account").specimen).basis, Basis::Execution);
}

#[test]
fn code_that_is_written_twice_and_slots_of_no_account_change_nothing() {
    let honest = result(BasisPolicy::Execution, &whole());
    let doubled = with(whole(), |specimen| {
        let codes: Vec<_> = specimen.block.state.codes.iter().cloned().collect();
        specimen.block.state.codes = BytecodeTable::from([codes.clone(), codes].concat());
    });
    let orphaned = with(whole(), |specimen| {
        let row = |slot| StorageRead { account: Address::repeat_byte(9), slot, value: B256::repeat_byte(1) };
        specimen.block.state.storage.extend([B256::ZERO, B256::repeat_byte(2)].map(row));
    });
    for specimen in [doubled, orphaned] {
        let execution = result(BasisPolicy::Execution, &specimen);
        assert_eq!(execution.receipts, honest.receipts);
        assert_eq!(execution.block_result(&specimen).unwrap(), honest.block_result(&whole()).unwrap());
    }
}
