//! Costs of a run beside the rule's own work, in microseconds, and the speed of bytes across the boundary.
//!
//! `cargo bench -p refiner-sandbox`. Prints the median of many rounds; the machine should be idle.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::cast_precision_loss)]

use std::{fs, hint::black_box, sync::Arc, thread, time::Instant};

use refiner_evm::Execution;
use refiner_rule_model::{Grants, Verdict};
use refiner_sandbox::{AdmittedRule, Allocation, EngineProfile, RunInput, Sandbox};
use refiner_testruns::{Answers, GOOD, component, input, small_execution, workspace};

const ROUNDS: usize = 2_000;
/// The length of a block result of a busy block.
const BLOCK_RESULT_BYTES: usize = 1_500_000;

fn median_micros(rounds: usize, mut work: impl FnMut()) -> f64 {
    let mut micros: Vec<f64> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    micros.sort_by(f64::total_cmp);
    micros[rounds / 2]
}

fn runs(rule: &AdmittedRule, input: &RunInput) -> f64 {
    median_micros(ROUNDS, || {
        let run = rule.run(black_box(input.clone())).unwrap();
        assert!(matches!(run.verdict, Verdict::Produced { .. }));
    })
}

fn main() {
    let block_result = fs::read(workspace().join("target/rules/block-result.wasm")).ok();
    for allocation in [Allocation::Pooled, Allocation::OnDemand] {
        let sandbox = Sandbox::new(EngineProfile::with_allocation(allocation)).unwrap();
        println!("{allocation:?}");
        let good = sandbox.admit(&component(GOOD), None, &Grants::all()).unwrap();
        println!("  store, instance, empty refine              {:>9.1} us", runs(&good, &input(&good)));
        let in_parallel = thread::scope(|scope| {
            let threads: Vec<_> = (0..2).map(|_| scope.spawn(|| runs(&good, &input(&good)))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).fold(0.0, f64::max)
        });
        println!("  the same, on two threads at once           {in_parallel:>9.1} us");
        let Some(bytes) = &block_result else {
            println!("  (no target/rules/block-result.wasm: cargo xtask rules builds it)");
            continue;
        };
        let compile = median_micros(5, || drop(sandbox.admit(bytes, None, &Grants::all()).unwrap()));
        println!("  admit block-result, compiled               {compile:>9.1} us");
        let rule = sandbox.admit(bytes, None, &Grants::all()).unwrap();
        println!("  block-result of a few bytes                {:>9.1} us", runs(&rule, &input(&rule)));
        let small = small_execution();
        let document = vec![b'x'; BLOCK_RESULT_BYTES].into();
        let long = Execution::with_document(small.gas_used, small.receipts, small.checks, document);
        let executor = Arc::new(Answers(Ok(long)));
        let long = RunInput { executor, ..input(&rule) };
        let micros = runs(&rule, &long);
        println!("  block-result of 1.5 MB                     {micros:>9.1} us");
        println!("  bytes through the guest                    {:>9.0} MB/s", BLOCK_RESULT_BYTES as f64 / micros);
        let sha = median_micros(200, || {
            black_box(refiner_specimen::sha256(black_box(&vec![b'x'; BLOCK_RESULT_BYTES])));
        });
        println!("  of which sha256 of 1.5 MB                  {sha:>9.1} us");
    }
}
