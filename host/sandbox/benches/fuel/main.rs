//! Processor time of each operator and each import of a rule, in nanoseconds a unit of fuel.
//!
//! `cargo bench --profile dev -p refiner-sandbox --bench fuel [NAME]` runs the cases whose name contains NAME. Rules are compiled to the same code in every
//! profile. Fails when an operator of the engine profile is in no case.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::cast_precision_loss)]

mod bulk;
mod imports;
mod operators;
#[path = "../../tests/support/mod.rs"]
mod support;
mod vectors;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use refiner_sandbox::{EngineProfile, Grants, Limit, LimitSpec, Limits, Sandbox, Verdict};
use rustix::time::{ClockId, clock_gettime};
use support::{RunInput, component, input};

/// Most nanoseconds that a unit may take on the machine of the README, so that the default fuel takes half of its deadline on one a third as fast.
const ALLOWED_NS: f64 = 2.5;
/// Processor time of the longer of the two runs whose difference counts.
const LONG: Duration = Duration::from_millis(40);
/// Fuel after which a run is long enough, for units that take no time.
const FUEL_MAX: u64 = 500_000_000;
/// Bytes of the specimen, of which the imports hand out parts.
const RAW_BYTES: usize = 1 << 20;
/// Times that each run is repeated. The shortest counts: other work on the machine makes none shorter.
const REPEATS: usize = 3;

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

    fn component(&self, rounds: u64) -> Vec<u8> {
        let Self { fields, before, unit, times, .. } = self;
        component(&format!(
            r#"{fields}
(func (export "refiner:rule/rule@1.0.0#refine") (param i32) (result i32)
  (local $round i64) {before}
  (loop $again
    {}
    (local.set $round (i64.add (local.get $round) (i64.const 1)))
    (br_if $again (i64.lt_u (local.get $round) (i64.const {rounds}))))
  {}
  (call $ok (local.get 0) (i64.const 1)))"#,
            unit.repeat(*times),
            kept(before)
        ))
    }
}

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

fn cost(sandbox: &Sandbox, case: &Case, rounds: u64) -> Cost {
    let rule = sandbox
        .admit(&case.component(rounds), None, &Grants::all())
        .unwrap_or_else(|error| panic!("{}: {error:?}", case.name));
    let mut limits = Limits::caps();
    limits.lower(Limit::MemoryBytes, 1 << 30);
    let runs = (0..REPEATS).map(|_| {
        let input = RunInput {
            limits,
            specimen: Arc::new(imports::specimen()),
            raw: vec![0; RAW_BYTES].into(),
            ..input(&rule)
        };
        let start = thread_time();
        let run = rule.run(input).unwrap();
        let ns = (thread_time() - start).as_secs_f64() * 1e9;
        assert!(matches!(run.verdict, Verdict::Produced { .. }), "{}: {}", case.name, run.verdict);
        Cost { ns, fuel: run.usage.used.get(Limit::Fuel) }
    });
    runs.min_by(|one, other| one.ns.total_cmp(&other.ns)).unwrap()
}

/// Nanoseconds and fuel of one unit, without what surrounds the loop.
fn measure(sandbox: &Sandbox, case: &Case) -> (f64, f64) {
    let (mut rounds, few) = (case.rounds, 4);
    let short = cost(sandbox, case, few);
    let long = loop {
        let long = cost(sandbox, case, rounds);
        let more = (long.ns - short.ns).max(1.0);
        if more >= LONG.as_secs_f64() * 1e9 / 2.0 || long.fuel > FUEL_MAX {
            break long;
        }
        let factor = (LONG.as_secs_f64() * 1e9 / more).clamp(2.0, 64.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 128 and a few billion")]
        let next = (rounds as f64 * factor) as u64;
        rounds = next;
    };
    let units = (rounds - few) as f64 * case.times as f64;
    ((long.ns - short.ns) / units, (long.fuel - short.fuel) as f64 / units)
}

/// Operators of the proposals that the engine profile leaves on, by their names in text with `_` for every `.`.
fn operators() -> BTreeSet<&'static str> {
    const ON: [&str; 7] =
        ["mvp", "sign_extension", "saturating_float_to_int", "bulk_memory", "reference_types", "tail_call", "simd"];
    macro_rules! names {
        ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
            vec![$((stringify!($proposal), stringify!($visit))),*]
        };
    }
    let all = wasmparser::for_each_operator!(names);
    all.into_iter().filter(|(on, _)| ON.contains(on)).map(|(_, name)| name.trim_start_matches("visit_")).collect()
}

fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let cases: Vec<Case> =
        [operators::cases(), vectors::cases(), bulk::cases(), imports::cases()].into_iter().flatten().collect();
    let covered: BTreeSet<String> =
        cases.iter().flat_map(|case| &case.covers).map(|name| name.replace('.', "_")).collect();
    let missing: Vec<_> = operators().into_iter().filter(|name| !covered.contains(*name)).collect();
    assert!(missing.is_empty(), "operators in no case: {missing:?}");

    let sandbox = Sandbox::new(EngineProfile::default()).unwrap();
    println!("{:<12} {:<44} {:>10} {:>9} {:>8}", "GROUP", "UNIT", "NS", "FUEL", "NS/FUEL");
    let mut worst: Vec<(f64, String)> = Vec::new();
    for case in cases.iter().filter(|case| {
        wanted.as_ref().is_none_or(|wanted| case.name.contains(wanted.as_str()) || case.group == *wanted)
    }) {
        let (ns, fuel) = measure(&sandbox, case);
        let ratio = ns / fuel.max(1e-9);
        let mark = if ratio > ALLOWED_NS { "  above" } else { "" };
        println!("{:<12} {:<44} {ns:>10.2} {fuel:>9.2} {ratio:>8.3}{mark}", case.group, case.name);
        worst.push((ratio, case.name.clone()));
    }
    worst.sort_by(|one, other| other.0.total_cmp(&one.0));
    let LimitSpec { default: fuel, .. } = Limit::Fuel.spec();
    println!(
        "\n{} cases; most nanoseconds a unit ({ALLOWED_NS} allowed), and the default fuel at that price:",
        worst.len()
    );
    for (ratio, name) in worst.iter().take(12) {
        println!("  {ratio:>8.3}  {:>7.2} s  {name}", ratio * *fuel as f64 / 1e9);
    }
}
