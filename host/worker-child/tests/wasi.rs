//! Sealed WASI in a confined worker is what it is here: it asks the system for nothing, so confinement takes nothing away.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::{fs, sync::Arc};

use alloy_primitives::Bytes;
use refiner_rule_model::Grants;
use support::{compiled, compiler, component, job, pool, run_here, specimen, workspace};

#[test]
fn rules_with_wasi_end_in_a_worker_as_they_do_here() {
    for case in ["wasi-looks-around", "wasi-opens-a-socket", "wasi-sleeps", "wasi-waits-for-a-stream", "wasi-exits"] {
        let fields = fs::read_to_string(workspace().join("tests/hostile").join(case).join("rule.wat")).unwrap();
        let job = job(&compiled(&fields), &specimen(1));
        assert_eq!(pool(1).run(&job).unwrap().run, run_here(&component(&fields), &job), "{case}");
    }
}

#[test]
fn program_on_std_gives_the_same_run_in_a_worker_log_and_fuel_included() {
    let Ok(twin) = fs::read(workspace().join("target/twins/wasip2.wasm")) else {
        return println!("skipped: target/twins/wasip2.wasm not built; `cargo xtask twins` builds it");
    };
    let twin = Bytes::from(twin);
    let rule = Arc::new(compiler().compile(twin.clone(), None, &Grants::all()).unwrap());
    let job = job(&rule, &specimen(17_000_000));
    let run = pool(1).run(&job).unwrap().run;
    assert_eq!(run, run_here(&twin, &job));
    assert!(!run.log.is_empty());
}
