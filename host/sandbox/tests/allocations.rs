//! One answer everywhere: what a rule gives does not depend on how the engine gives it memory.
//!
//! Replays take memory from a pool, workers map it, and where addresses are limited it is moved as it grows, with other code.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails")]

use std::{env, fs, path::PathBuf};

use refiner_hostile::corpus;
use refiner_rule_model::{Grants, Limit};
use refiner_sandbox::{Allocation, EngineProfile, Sandbox};
use refiner_testruns::{GOOD, component, input};

const ALL: [Allocation; 3] = [Allocation::Pooled, Allocation::OnDemand, Allocation::Compact];
/// Fuel for a run, enough for every case that ends by itself but for those that use up another limit, which may run out of it.
const FUEL: u64 = 5_000_000;

/// Everything that a component comes to: the refusal, or verdict, use of each limit and log.
fn end(sandbox: &Sandbox, component: &[u8], beside: Option<&str>, grants: &Grants) -> String {
    let rule = match sandbox.admit(component, beside, grants) {
        Ok(rule) => rule,
        Err(refusal) => return refusal.to_string(),
    };
    let mut input = input(&rule);
    input.limits.lower(Limit::Fuel, FUEL);
    match rule.run(input) {
        Ok(run) => format!("{:?} {:?} {:?}", run.verdict, run.usage, run.log),
        Err(failure) => failure.to_string(),
    }
}

fn sandboxes() -> [Sandbox; 3] {
    ALL.map(|allocation| Sandbox::new(EngineProfile::with_allocation(allocation)).unwrap())
}

/// Compares the ends of a component, and gives the one that they all have.
fn one_end(sandboxes: &[Sandbox; 3], name: &str, component: &[u8], beside: Option<&str>, grants: &Grants) -> String {
    let [pooled, others @ ..] = sandboxes.each_ref().map(|sandbox| end(sandbox, component, beside, grants));
    for (other, allocation) in others.into_iter().zip(&ALL[1..]) {
        assert_eq!(other, pooled, "{name}: {allocation:?} and then {:?}", ALL[0]);
    }
    pooled
}

#[test]
fn every_hostile_rule_has_one_end_with_any_allocation() {
    let sandboxes = sandboxes();
    let mut compared = 0;
    // A failure of the host is no answer, and a compiler's bombs are for processes that may die of them.
    let cases = corpus::cases().into_iter();
    for case in cases.filter(|case| case.expected.compiler.is_none() && case.expected.outcome != "failure") {
        one_end(&sandboxes, &case.name, &case.component(), case.beside().as_deref(), &case.grants());
        compared += 1;
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn rule_that_grows_its_memory_and_reads_past_it_has_one_end_with_any_allocation() {
    let sandboxes = sandboxes();
    let reads = |address: &str| {
        let fields = format!(
            r#"(func (export "refiner:rule/rule#refine") (param i32) (result i32)
              (drop (memory.grow (i32.const 999)))
              (call $ok (local.get 0) (i64.extend_i32_u (i32.load {address}))))"#
        );
        one_end(&sandboxes, address, &component(&fields), None, &Grants::all())
    };
    let produced = one_end(&sandboxes, "good", &component(GOOD), None, &Grants::all());
    assert!(produced.starts_with("Produced"), "{produced}");
    assert!(reads("(i32.const 65535996)").starts_with("Produced"));
    for past in ["(i32.const 65535997)", "(i32.const -1)", "offset=4294967295 (i32.const -1)"] {
        assert!(reads(past).starts_with("Trapped(MemoryOutOfBounds"), "{past}");
    }
}

/// The cases of the folder beside the repository, where it is.
fn shared() -> Vec<PathBuf> {
    let shared =
        env::var_os("REFINER_SHARED").map_or_else(|| refiner_testruns::workspace().join("../shared"), PathBuf::from);
    let Ok(entries) = fs::read_dir(shared.join("cases/rules")) else {
        println!("skipped: ../shared/cases/rules not present");
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    paths.sort();
    paths
}

#[test]
fn case_from_beside_the_repository_has_one_end_with_any_allocation_and_no_component_comes_in_by_an_instance() {
    let sandboxes = sandboxes();
    for path in shared() {
        let end = one_end(&sandboxes, &path.display().to_string(), &fs::read(&path).unwrap(), None, &Grants::all());
        println!("{}: {end}", path.display());
        if path.ends_with("c-component-by-instance.wasm") {
            assert!(end.starts_with("imports 'c' as a module or component"), "{end}");
        }
    }
}
