//! Every field of a specimen changed, one at a time: what a check can refute is not produced.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod allowed;
mod change;
mod schema;

use std::{collections::BTreeMap, thread};

use alloy_primitives::Bytes;
use refiner_evm::{BasisPolicy, EmbeddedExecutor, Era, ExecutionPolicy, ResultFormat};
use refiner_specimen::{Layout, Specimen, decode, from_json, to_json};
use refiner_testkit::{Fork, case};
use serde_json::Value;

use allowed::{
    Allowed, COMMON, DROPPED, EXECUTED, MINED, NOT_COMPARED, ON_EITHER_BASIS, ON_RECEIPTS, WITH_BLOBS,
    WITH_ONE_AUTHORIZATION, WITH_PARENT_HASH, WITH_SYSTEM_CALLS,
};
use change::{Change, changes};
use schema::Schema;

/// EIP-2718 types with fields of their own.
const BLOB: u8 = 3;
const SET_CODE: u8 = 4;

/// Threads that execute changed specimens.
const THREADS: usize = 4;

/// A block and the format in which it is asked for.
struct Trial {
    json: Value,
    layout: Layout,
    format: ResultFormat,
    executor: EmbeddedExecutor,
    specimen: Specimen,
    honest: Value,
}

/// A change with which the block was produced.
struct Produced {
    place: String,
    change: String,
    /// Whether the result was that of the unchanged block.
    same: bool,
}

impl Trial {
    fn of(fork: Fork, layout: Layout, format: ResultFormat, basis: BasisPolicy) -> Self {
        let case = case::whole(fork, layout).unwrap();
        let policy = ExecutionPolicy { basis, ..ExecutionPolicy::default() };
        let executor = EmbeddedExecutor::default().with_policy(policy);
        let honest = executor.execute(&case.specimen, format).unwrap_or_else(|error| panic!("{fork:?}: {error}"));
        let (json, specimen) = (to_json(&case.bytes).unwrap(), one_spelling(case.specimen));
        let honest = document_without_checks(&honest.block_result(&specimen).unwrap());
        Self { json, layout, format, executor, specimen, honest }
    }

    /// Every change with which the block is produced.
    fn produced(&self) -> Vec<Produced> {
        let changes = changes(&Schema::of(self.layout), &self.json);
        assert!(changes.len() > 1_000, "only {} changes", changes.len());
        let share = changes.len().div_ceil(THREADS);
        thread::scope(|scope| {
            let threads: Vec<_> = changes
                .chunks(share)
                .map(|share| scope.spawn(|| share.iter().filter_map(|change| self.make(change)).collect::<Vec<_>>()))
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        })
    }

    fn make(&self, change: &Change) -> Option<Produced> {
        // What cannot be written down or read is no specimen.
        let bytes = from_json(&change.apply(&self.json), self.layout).ok()?;
        let specimen = one_spelling(decode(&bytes).ok()?);
        if specimen == self.specimen {
            // Another spelling of the same.
            return None;
        }
        let execution = self.executor.execute(&specimen, self.format).ok()?;
        let result = execution.block_result(&specimen).ok()?;
        Some(Produced {
            place: change.place(),
            change: change.to_string(),
            same: document_without_checks(&result) == self.honest,
        })
    }
}

/// The specimen with one spelling of what has several: null for nothing, or none, in a field that its transaction type lacks.
fn one_spelling(mut specimen: Specimen) -> Specimen {
    let block = &mut specimen.block;
    block.uncles.take_if(|ommers| ommers.is_empty());
    for transaction in &mut block.transactions {
        transaction.v.take_if(|v| v.is_zero());
        transaction.data.take_if(|data| data.is_empty());
        if transaction.tx_type != BLOB {
            transaction.blob_fee_cap.take_if(|cap| *cap == 0);
            transaction.blob_gas.take_if(|gas| *gas == 0);
            transaction.blob_hashes.take_if(|hashes| hashes.is_empty());
        }
        if transaction.tx_type != SET_CODE {
            transaction.authorization_list.take_if(|list| list.is_empty());
        }
    }
    for receipt in &mut block.receipts {
        if receipt.post_state_or_status[..] == [0] {
            receipt.post_state_or_status = Bytes::new();
        }
    }
    specimen
}

/// Changes are produced where `allowed` has them, and everywhere there.
fn check(trial: &Trial, allowed: &[&[Allowed]]) -> Vec<Produced> {
    let allowed = || allowed.iter().copied().flatten();
    let produced = trial.produced();
    let mut by_place = BTreeMap::<&str, Vec<&str>>::new();
    for Produced { place, change, .. } in &produced {
        by_place.entry(place).or_default().push(change);
    }
    let is_allowed = |place: &str| allowed().any(|allowed| allowed.place == place);
    let wrong = by_place.iter().filter(|(place, _)| !is_allowed(place));
    let shown = |(place, changes): (&&str, &Vec<&str>)| {
        let first = changes.first().copied().unwrap_or_default();
        format!("{place}, {} times: {first:.200}\n", changes.len())
    };
    let wrong: String = wrong.map(shown).collect();
    assert!(wrong.is_empty(), "produced although changed:\n{wrong}");
    for Allowed { place, reason } in allowed() {
        assert!(by_place.contains_key(place), "no change of {place} is produced any more ({reason})");
    }
    produced
}

/// The document without its basis and its list of checks, which tell what was recorded and not only what was executed.
fn document_without_checks(result: &Bytes) -> Value {
    let mut document: Value = serde_json::from_slice(result).unwrap();
    for key in ["basis", "checks"] {
        document.as_object_mut().unwrap().remove(key);
    }
    document
}

#[test]
fn canonical_result_is_produced_only_where_nothing_refutes_the_change_and_stays_the_same() {
    let trial = Trial::of(Fork::Prague, Layout::V0_38, ResultFormat::Canonical, BasisPolicy::Execution);
    for produced in
        check(&trial, &[COMMON, EXECUTED, WITH_PARENT_HASH, WITH_BLOBS, WITH_ONE_AUTHORIZATION, WITH_SYSTEM_CALLS])
    {
        assert_eq!(produced.same, produced.place != DROPPED, "another result or the same: {}", produced.change);
    }
}

/// By default: what execution refutes is refuted, and what it lacks is taken from the receipts.
#[test]
fn canonical_result_on_either_basis_is_produced_only_where_nothing_refutes_the_change_and_stays_the_same() {
    let trial = Trial::of(Fork::Prague, Layout::V0_38, ResultFormat::Canonical, BasisPolicy::Auto);
    let allowed =
        [COMMON, EXECUTED, WITH_PARENT_HASH, ON_EITHER_BASIS, WITH_BLOBS, WITH_ONE_AUTHORIZATION, WITH_SYSTEM_CALLS];
    for produced in check(&trial, &allowed) {
        assert_eq!(produced.same, produced.place != DROPPED, "another result or the same: {}", produced.change);
    }
}

#[test]
fn canonical_result_on_receipts_is_produced_only_where_nothing_refutes_the_change_and_stays_the_same() {
    let trial = Trial::of(Fork::Prague, Layout::V0_38, ResultFormat::Canonical, BasisPolicy::Receipts);
    for produced in check(&trial, &[ON_RECEIPTS, WITH_BLOBS, WITH_ONE_AUTHORIZATION]) {
        assert_eq!(produced.same, produced.place != DROPPED, "another result or the same: {}", produced.change);
    }
}

#[test]
fn canonical_result_before_the_merge_is_produced_only_where_nothing_refutes_the_change_and_stays_the_same() {
    let trial = Trial::of(Fork::London, Layout::V0_31, ResultFormat::Canonical, BasisPolicy::Execution);
    for produced in check(&trial, &[COMMON, EXECUTED, WITH_PARENT_HASH, MINED]) {
        assert!(produced.same, "another result: {}", produced.change);
    }
}

#[test]
fn era_result_is_produced_only_where_no_check_without_execution_refutes_the_change() {
    let trial = Trial::of(Fork::Cancun, Layout::V0_37, ResultFormat::EvmServer(Era::D), BasisPolicy::Auto);
    check(&trial, &[COMMON, EXECUTED, WITH_BLOBS, WITH_SYSTEM_CALLS, NOT_COMPARED]);
}
