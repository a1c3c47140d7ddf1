//! The two bases of a canonical result: which blocks have one on recorded receipts, and that it states what an execution would.

// Clippy takes what tests call for something else than a test.
#![allow(clippy::unwrap_used)]

mod documents;
mod eras;
mod fallback;
mod forgeries;
mod proven;
mod rows;

use refiner_evm::{
    Basis, BasisPolicy, ChainSpec, Chains, EmbeddedExecutor, ExecuteError, Execution, ExecutionPolicy, Rejected,
    ResultFormat,
};
use refiner_specimen::{
    Layout, Specimen,
    check::{Check, CheckName},
};
use refiner_testkit::{
    Fork, case,
    producer::{self, Shape},
};
use serde_json::Value;

/// An executor on this basis. It knows mainnet and the chain of the shapes.
fn executor(basis: BasisPolicy) -> EmbeddedExecutor {
    let chain = ChainSpec::from_geth_json(&producer::config().to_string()).unwrap();
    let policy = ExecutionPolicy { basis, ..ExecutionPolicy::default() };
    EmbeddedExecutor::new(Chains::default().with(chain)).with_policy(policy)
}

fn execute(basis: BasisPolicy, specimen: &Specimen) -> Result<Execution, ExecuteError> {
    executor(basis).execute(specimen, ResultFormat::Canonical)
}

/// The result on this basis.
#[track_caller]
fn result(basis: BasisPolicy, specimen: &Specimen) -> Execution {
    execute(basis, specimen).unwrap_or_else(|error| panic!("{basis}: {error}"))
}

#[track_caller]
fn document(basis: BasisPolicy, specimen: &Specimen) -> Value {
    serde_json::from_slice(&result(basis, specimen).block_result(specimen).unwrap()).unwrap()
}

/// The check by which a block is rejected before execution, or by its recorded receipts.
#[track_caller]
fn failed_check(basis: BasisPolicy, specimen: &Specimen) -> Check {
    match execute(basis, specimen) {
        Err(ExecuteError::Rejected(Rejected::CheckFailed(check))) => check,
        other => panic!("{basis}: {other:?}"),
    }
}

/// The reason for which recorded receipts stand in for the execution of a block, by default.
#[track_caller]
fn instead_of(specimen: &Specimen) -> ExecuteError {
    match result(BasisPolicy::Auto, specimen).basis {
        Basis::Receipts { instead_of: Some(reason) } => *reason,
        other => panic!("{other:?}"),
    }
}

/// The outcome of one of a result's checks.
fn outcome(execution: &Execution, name: CheckName) -> String {
    execution.checks.iter().find(|check| check.name == name).unwrap().to_string()
}

/// A block with everything in it, and all that its execution needs.
fn whole() -> Specimen {
    case::whole(Fork::Prague, Layout::V0_38).unwrap().specimen
}

fn shape(name: &str) -> Shape {
    producer::shapes().unwrap().into_iter().find(|shape| shape.name == name).unwrap()
}

fn with(mut specimen: Specimen, change: impl FnOnce(&mut Specimen)) -> Specimen {
    change(&mut specimen);
    specimen
}

fn without_state(specimen: Specimen) -> Specimen {
    with(specimen, |specimen| specimen.block.state = Default::default())
}

fn without_receipts(specimen: Specimen) -> Specimen {
    with(specimen, |specimen| specimen.block.receipts.clear())
}
