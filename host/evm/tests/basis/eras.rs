//! The evm-server's eras, which know one basis.

use refiner_evm::{BasisPolicy, Era, ExecuteError, ExecutionPolicy, ResultFormat, Uninterrupted, Unsupported};
use refiner_specimen::{Layout, Specimen};
use refiner_testkit::{BlockPlan, Chain, Contract, Fork, Form, Key, MAINNET, Manner, Plan, World, case, export};

use crate::{executor, result, with, without_state};

const FORMAT: ResultFormat = ResultFormat::EvmServer(Era::D);
/// The newest era with a result for a block whose blobs it did not execute.
const BLOBLESS: ResultFormat = ResultFormat::EvmServer(Era::C);

fn cancun() -> Specimen {
    case::whole(Fork::Cancun, Layout::V0_37).unwrap().specimen
}

#[test]
fn era_on_receipts_is_unsupported_by_name() {
    for specimen in [cancun(), without_state(cancun())] {
        let error = executor(BasisPolicy::Receipts).execute(&specimen, FORMAT).unwrap_err();
        assert_eq!(error, ExecuteError::Unsupported(Unsupported::EraWithoutExecution { format: FORMAT }));
    }
    for basis in [BasisPolicy::Auto, BasisPolicy::Execution] {
        executor(basis).execute(&cancun(), FORMAT).unwrap();
    }
}

#[test]
fn era_of_a_block_without_state_is_written_only_where_the_policy_asks_for_it() {
    let stateless = without_state(cancun());
    let transactions = stateless.block.transactions.len();
    for basis in [BasisPolicy::Auto, BasisPolicy::Execution] {
        let error = executor(basis).execute(&stateless, FORMAT).unwrap_err();
        assert_eq!(error, ExecuteError::Unsupported(Unsupported::NoState { transactions }));
        let policy = ExecutionPolicy { basis, stateless_eras: true, ..ExecutionPolicy::default() };
        let execution = executor(basis).with_policy(policy).execute(&stateless, BLOBLESS).unwrap();
        // As if no transaction had been valid.
        assert!(execution.receipts.is_empty() && execution.gas_used == 0);
        let document = execution.block_result(&stateless).unwrap();
        assert!(!document.is_empty());
        // Newer ones compare blob gas with the header's, and nothing was executed.
        let error = executor(basis).with_policy(policy).execute(&stateless, FORMAT).unwrap_err();
        let stated = stateless.block.header.blob_gas_used.unwrap();
        assert_eq!(error, Unsupported::BlobGasUsed { used: 0, stated, format: FORMAT }.into());
    }
}

#[test]
fn answer_of_an_era_is_the_same_whatever_the_policy() {
    for specimen in [cancun(), without_state(cancun())] {
        let mut answers = Vec::new();
        for basis in BasisPolicy::ALL {
            for stateless_eras in [false, true] {
                let policy = ExecutionPolicy { basis, stateless_eras, ..ExecutionPolicy::default() };
                let executor = executor(basis).with_policy(policy);
                let execution = executor.answer(&specimen, BLOBLESS, &Uninterrupted).unwrap().unwrap();
                answers.push(execution.block_result(&specimen).unwrap());
            }
        }
        answers.dedup();
        assert_eq!(answers.len(), 1);
    }
}

#[test]
fn era_reads_the_hash_of_the_parent_from_its_row_and_the_chain_from_the_header() {
    let caller = Key::named("alice");
    let mut world = World::with_contracts(Fork::Cancun);
    world.fund(caller.address(), alloy_primitives::U256::from(10).pow(alloy_primitives::U256::from(20)));
    let reading = Plan {
        from: caller,
        to: Some(Contract::Historian.address()),
        value: Default::default(),
        input: Default::default(),
        gas: 200_000,
        form: Form::DynamicFee(Default::default()),
    };
    let mut chain = Chain::new(MAINNET, Fork::Cancun, 20_200_000, 1_720_000_007, world);
    let block = chain.seal(BlockPlan { transactions: vec![reading], ..BlockPlan::default() }).unwrap();
    let specimen = export(&block, Layout::V0_37, Manner::default());
    let parent = specimen.block.header.number - 1;
    let zero = with(specimen, |specimen| {
        specimen.block.state.block_hashes.iter_mut().filter(|row| row.number == parent).for_each(|row| {
            row.hash = Default::default();
        });
    });
    assert_eq!(result(BasisPolicy::Execution, &zero).gas_used, zero.block.header.gas_used);
    // Storing zero where there is none costs less.
    let era = executor(BasisPolicy::Auto).execute(&zero, FORMAT).unwrap();
    assert!(era.gas_used < zero.block.header.gas_used, "{}", era.gas_used);
}
