//! Processor time of each operator and each import of a rule, in nanoseconds a unit of fuel.
//!
//! `cargo bench --profile dev -p refiner-sandbox --bench fuel [-- NAME]` runs the cases whose name contains NAME, all of them in some minutes. Rules
//! are compiled to the same code in every profile; the host's part of a call is slower in `dev`. Fails when an operator of the engine profile is in no
//! case, or a unit takes longer than allowed.
//!
//! Every figure is processor time of one thread on one core. The number of rounds comes from the specimen, so that a case is compiled once.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::cast_precision_loss)]

mod bulk;
mod coverage;
mod execution;
mod imports;
mod operators;
mod recordings;
mod rows;
mod vectors;
mod wasi;

use std::{sync::Arc, thread, time::Duration};

use alloy_primitives::B256;
use refiner_rule_model::{Grants, Limit, LimitSpec, Limits, Verdict};
use refiner_sandbox::{AdmittedRule, EngineProfile, Sandbox};
use refiner_specimen::BlockHashRead;
use refiner_testruns::{RunInput, component, input};
use rustix::{
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
    time::{ClockId, clock_gettime},
};

/// Most nanoseconds that a unit may take on the machine of the README, so that the default fuel takes half of its deadline on one a third as fast.
const ALLOWED_NS: f64 = 2.5;
/// The same of a unit that a call to the host takes, so that these take a fifth of what operators may.
const ALLOWED_IN_CALLS_NS: f64 = 0.5;
/// Groups of cases whose units are calls.
const CALLS: [&str; 8] = ["specimen", "log", "params", "wasi", "evm", "output", "receipts", "recordings"];
/// Processor time by which the longer of the two runs whose difference counts is longer.
const LONG: Duration = Duration::from_millis(30);
/// Fuel after which a run is long enough, for units that take no time.
const FUEL_MAX: u64 = 500_000_000;
/// Bytes of the specimen, of which the imports hand out parts.
const RAW_BYTES: usize = 1 << 20;
/// Times that the longer run is repeated. The median counts, and the longest is shown beside it.
const REPEATS: usize = 3;
/// Rounds of the shorter run.
const FEW: u64 = 4;

/// Work that is repeated: a unit of module text, and what it needs around it.
pub struct Case {
    pub group: &'static str,
    pub name: String,
    /// Fields of the module: imports first.
    pub fields: String,
    /// Locals, and instructions before the loop.
    pub before: String,
    pub unit: String,
    /// Units a round of the loop.
    pub times: usize,
    /// Rounds of the longer run at least, for cases that take long to set up.
    pub rounds: u64,
    /// Operators that it measures, by their names in text.
    pub covers: Vec<String>,
}

pub fn case(group: &'static str, name: impl Into<String>, before: &str, unit: impl Into<String>) -> Case {
    let name = name.into();
    Case {
        group,
        covers: vec![name.clone()],
        name,
        fields: String::new(),
        before: before.to_owned(),
        unit: unit.into(),
        times: 64,
        rounds: 64,
    }
}

impl Case {
    pub fn with_fields(self, fields: impl Into<String>) -> Self {
        Self { fields: fields.into(), ..self }
    }

    pub const fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    pub const fn rounds(mut self, rounds: u64) -> Self {
        self.rounds = rounds;
        self
    }

    pub fn covering(self, names: &[&str]) -> Self {
        Self { covers: names.iter().map(ToString::to_string).collect(), ..self }
    }

    fn allowed_ns(&self) -> f64 {
        if CALLS.contains(&self.group) { ALLOWED_IN_CALLS_NS } else { ALLOWED_NS }
    }

    fn component(&self) -> Vec<u8> {
        let Self { fields, before, unit, times, .. } = self;
        component(&format!(
            r#"{ROUNDS}
{fields}
(func (export "refiner:rule/rule#refine") (param i32) (result i32)
  (local $round i64) (local $rounds i64) {before}
  (call $rounds (local.get 0) (i32.const 0) (i32.const 1) (i32.const 512))
  (local.set $rounds (i64.load (i32.load (i32.const 512))))
  (loop $again
    {}
    (local.set $round (i64.add (local.get $round) (i64.const 1)))
    (br_if $again (i64.lt_u (local.get $round) (local.get $rounds))))
  {}
  (call $ok (local.get 0) (i64.const 1)))"#,
            unit.repeat(*times),
            kept(before)
        ))
    }
}

/// The import that gives a case its rounds, as the number of the block whose hash was read. No case is about it.
const ROUNDS: &str = r#"(import "refiner:rule/specimen" "[method]block-specimen.block-hash-reads" (func $rounds (param i32 i32 i32 i32)))"#;

/// Stores of every local, so that the compiler leaves nothing out that gave it.
fn kept(before: &str) -> String {
    let locals = before.split("(local $").skip(1).filter_map(|local| local.split(')').next()?.split_once(' '));
    locals
        .filter(|(_, ty)| *ty != "externref")
        .map(|(name, ty)| format!("({ty}.store (i32.const 512) (local.get ${name}))"))
        .collect()
}

/// Processor time and fuel of a run.
#[derive(Clone, Copy)]
struct Cost {
    ns: f64,
    fuel: u64,
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap())
}

/// One run of a case that is admitted.
fn cost(rule: &AdmittedRule, case: &Case, rounds: u64) -> Cost {
    let mut limits = Limits::caps();
    limits.lower(Limit::MemoryBytes, 1 << 30);
    let mut specimen = imports::specimen();
    specimen.block.state.block_hashes = vec![BlockHashRead { number: rounds, hash: B256::ZERO }];
    let input = RunInput {
        limits,
        specimen: Arc::new(specimen),
        executor: recordings::executor(),
        raw: vec![0; RAW_BYTES].into(),
        ..input(rule)
    };
    let start = thread_time();
    let run = rule.run(input).unwrap();
    let ns = (thread_time() - start).as_secs_f64() * 1e9;
    assert!(matches!(run.verdict, Verdict::Produced { .. }), "{}: {}", case.name, run.verdict);
    Cost { ns, fuel: run.usage.used.get(Limit::Fuel) }
}

/// One unit, without what surrounds the loop.
struct Measure {
    fuel: f64,
    /// Nanoseconds, of the repeated runs the median.
    ns: f64,
    longest_ns: f64,
}

fn measure(rule: &AdmittedRule, case: &Case) -> Measure {
    let wanted = LONG.as_secs_f64() * 1e9;
    // The first touches what the next find in a cache.
    cost(rule, case, FEW);
    let short =
        [cost(rule, case, FEW), cost(rule, case, FEW)].into_iter().min_by(|a, b| a.ns.total_cmp(&b.ns)).unwrap();
    let mut rounds = case.rounds;
    let mut long = cost(rule, case, rounds);
    loop {
        let more = (long.ns - short.ns).max(1.0);
        if more >= wanted / 2.0 || long.fuel > FUEL_MAX {
            break;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 128 and a few billion")]
        let next = (rounds as f64 * (wanted / more).clamp(2.0, 64.0)) as u64;
        rounds = next;
        long = cost(rule, case, rounds);
    }
    let units = (rounds - FEW) as f64 * case.times as f64;
    let mut all: Vec<_> = (1..REPEATS).map(|_| cost(rule, case, rounds)).chain([long]).map(|cost| cost.ns).collect();
    all.sort_by(f64::total_cmp);
    let each = |ns: f64| (ns - short.ns) / units;
    Measure {
        fuel: (long.fuel - short.fuel) as f64 / units,
        ns: each(all[REPEATS / 2]),
        longest_ns: each(all[REPEATS - 1]),
    }
}

/// Keeps this thread on one core: the last that it may use.
fn pin() {
    let allowed = sched_getaffinity(None).unwrap();
    let mut one = CpuSet::new();
    one.set((0..CpuSet::MAX_CPU).rev().find(|core| allowed.is_set(*core)).unwrap());
    sched_setaffinity(None, &one).unwrap();
}

/// Compiles a case on all cores, and measures it on one.
fn admit_and_measure(sandbox: &Sandbox, case: &Case) -> Measure {
    let rule = sandbox.admit(&case.component(), None, &Grants::all());
    let rule = rule.unwrap_or_else(|error| panic!("{}: {error:?}", case.name));
    thread::scope(|scope| {
        let measured = scope.spawn(|| {
            pin();
            measure(&rule, case)
        });
        measured.join().unwrap()
    })
}

/// Prints the time of touching so much memory for the first time, which `memory_bytes` bounds and fuel does not.
fn first_touch(sandbox: &Sandbox) {
    println!("\nfirst touch of memory, the least and the most of 5 runs");
    for mib in [256_u32, 1_000] {
        let pages = mib << 4;
        let before = format!(
            "(local $i i32) (drop (memory.grow (i32.const {pages})))
             (loop $touch
               (i32.store8 offset=65536 (local.get $i) (i32.const 1))
               (local.set $i (i32.add (local.get $i) (i32.const 4096)))
               (br_if $touch (i32.lt_u (local.get $i) (i32.const {}))))",
            (pages - 1) << 16
        );
        let touch = case("touch", "first touch", &before, "(nop)").times(1);
        let rule = sandbox.admit(&touch.component(), None, &Grants::all()).unwrap();
        let mut ms: Vec<_> = (0..5).map(|_| cost(&rule, &touch, 1).ns / 1e6).collect();
        ms.sort_by(f64::total_cmp);
        println!("  {mib:>5} MiB {:>8.1} ms {:>8.1} ms", ms[0], ms[4]);
    }
}

fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let cases: Vec<Case> = [
        operators::cases(),
        vectors::cases(),
        bulk::cases(),
        imports::cases(),
        wasi::cases(),
        execution::cases(),
        recordings::cases(),
        rows::cases(),
    ]
    .into_iter()
    .flatten()
    .collect();
    coverage::check(&cases);

    let sandbox = Sandbox::new(EngineProfile::default()).unwrap();
    println!("{:<12} {:<44} {:>10} {:>9} {:>8} {:>8}", "GROUP", "UNIT", "NS", "FUEL", "NS/FUEL", "LONGEST");
    let (mut worst, mut above): (Vec<(f64, String)>, usize) = (Vec::new(), 0);
    for case in cases.iter().filter(|case| {
        wanted.as_ref().is_none_or(|wanted| case.name.contains(wanted.as_str()) || case.group == *wanted)
    }) {
        let Measure { fuel, ns, longest_ns } = admit_and_measure(&sandbox, case);
        let (ratio, longest) = (ns / fuel.max(1e-9), longest_ns / fuel.max(1e-9));
        let is_above = ratio > case.allowed_ns();
        above += usize::from(is_above);
        let mark = if is_above { "  above" } else { "" };
        println!("{:<12} {:<44} {ns:>10.2} {fuel:>9.2} {ratio:>8.3} {longest:>8.3}{mark}", case.group, case.name);
        worst.push((ratio, case.name.clone()));
    }
    worst.sort_by(|one, other| other.0.total_cmp(&one.0));
    let LimitSpec { default: fuel, .. } = Limit::Fuel.spec();
    println!(
        "\n{} cases; most nanoseconds a unit ({ALLOWED_NS} allowed, {ALLOWED_IN_CALLS_NS} in calls), and the default fuel at that price:",
        worst.len()
    );
    for (ratio, name) in worst.iter().take(12) {
        println!("  {ratio:>8.3}  {:>7.2} s  {name}", ratio * *fuel as f64 / 1e9);
    }
    first_touch(&sandbox);
    assert!(above == 0, "{above} cases take longer than allowed");
}
