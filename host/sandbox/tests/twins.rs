//! One rule, written several times over, gives the same bytes: Rust, Rust on `std` under WASI, JavaScript, C, Python and Go, both of the last
//! with WASI and without.
//!
//! `cargo xtask twins` builds the components. Where one cannot be built, its reason is printed and the others are compared.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails")]

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use alloy_primitives::Bytes;
use refiner_evm::{EmbeddedExecutor, ExecutionTerms};
use refiner_rule_model::{Grants, Limit, LogLevel, Params, Run, SpecimenHash, Verdict, engine};
use refiner_sandbox::{AdmittedRule, Allocation, EngineProfile, RunInput, Sandbox};
use refiner_specimen::Specimen;
use refiner_testruns::{sandbox, workspace};
use serde::Deserialize;

/// The twins beside `rust`, by which they are measured. The others import WASI.
const WITHOUT_WASI: [&str; 5] = ["rust", "python-stubbed", "javascript", "c", "go"];
const WITH_WASI: [&str; 3] = ["wasip2", "python-sealed", "go-sealed"];

/// The outcome of a run over a sample, in `tests/twins/golden.toml`.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    records: u64,
    sha256: String,
}

struct Input {
    name: String,
    raw: Bytes,
    specimen: Arc<Specimen>,
}

impl Input {
    fn read(path: &Path) -> Self {
        let raw = Bytes::from(fs::read(path).unwrap());
        let specimen = Arc::new(refiner_specimen::decode(&raw).unwrap());
        Self { name: path.file_name().unwrap().to_string_lossy().into_owned(), raw, specimen }
    }

    fn run(&self, rule: &AdmittedRule) -> Run {
        self.run_with(rule, Params::default())
    }

    fn run_with(&self, rule: &AdmittedRule, params: Params) -> Run {
        rule.run(RunInput {
            specimen: Arc::clone(&self.specimen),
            raw: self.raw.clone(),
            specimen_hash: SpecimenHash::of(self.raw.clone()),
            params,
            executor: Arc::new(EmbeddedExecutor::default()),
            limits: rule.default_limits(),
        })
        .unwrap()
    }
}

fn specimens(directory: &Path) -> Vec<Input> {
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "avro"));
    paths.sort();
    paths.iter().map(|path| Input::read(path)).collect()
}

fn samples() -> Vec<Input> {
    let samples = specimens(&workspace().join("tests/samples"));
    assert!(!samples.is_empty());
    samples
}

/// The component, or none where it was not built: then the reason is printed.
fn component(name: &str) -> Option<Vec<u8>> {
    let built: PathBuf = workspace().join("target/twins").join(name);
    match fs::read(built.with_extension("wasm")) {
        Ok(component) => Some(component),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let why = fs::read_to_string(built.with_extension("skipped"));
            let why = why.unwrap_or_else(|_| "not built; `cargo xtask twins` builds it".to_owned());
            eprintln!("skipped: the twin {name}: {why}");
            None
        }
        Err(error) => panic!("{name}: {error}"),
    }
}

fn twin(sandbox: &Sandbox, name: &str) -> Option<AdmittedRule> {
    let rule = sandbox.admit(&component(name)?, None, &Grants::all());
    Some(rule.unwrap_or_else(|error| panic!("{name}: {error}")))
}

fn produced(run: &Run) -> Golden {
    let Verdict::Produced { artifacts, records } = &run.verdict else {
        panic!("{}: {:?}", run.verdict, run.log);
    };
    assert_eq!(artifacts.len(), 1);
    Golden { records: *records, sha256: artifacts[0].sha256().to_string() }
}

/// Checks twins over the samples, and over real blocks prints the figures of the table in guest-sdk/README.md: both at once, because a
/// large one takes most of its time to be compiled.
fn hold_to_golden_and_fuel(names: &[&str]) {
    let golden = fs::read_to_string(workspace().join("tests/twins/golden.toml")).unwrap();
    let golden: BTreeMap<String, Golden> = toml::from_str(&golden).unwrap();
    let sandbox = sandbox();
    let (samples, blocks) = (samples(), real_blocks());
    assert_eq!(golden.len(), samples.len());
    for name in names {
        let Some(rule) = twin(&sandbox, name) else { continue };
        for sample in &samples {
            assert_eq!(Some(&produced(&sample.run(&rule))), golden.get(&sample.name), "{name}, {}", sample.name);
        }
        let part = fuel_part(name);
        for block in &blocks {
            let usage = block.run(&rule).usage;
            let (used, granted) = (usage.used.get(Limit::Fuel), usage.granted.get(Limit::Fuel));
            let (transactions, memory) = (block.specimen.block.transactions.len(), usage.used.get(Limit::MemoryBytes));
            eprintln!("{name:<16} {transactions:>4} transactions {used:>12} of {granted:>12} fuel, {memory:>10} bytes");
            assert!(used * part <= granted, "{name} used {used} of {granted} on {}", block.name);
        }
    }
}

/// Compiled ones use less than a tenth of their fuel on a real block, and interpreters less than a quarter.
#[test]
fn twins_without_wasi_give_the_golden_bytes_for_a_part_of_their_fuel() {
    hold_to_golden_and_fuel(&WITHOUT_WASI);
}

/// A rule that reads recorded receipts, calls, changes of state and gas, and executes blocks under other conditions.
#[test]
fn rule_that_asks_for_every_interface_gives_the_same_bytes_in_rust_and_in_python() {
    let sandbox = sandbox();
    let (Some(rust), Some(python)) = (twin(&sandbox, "lens"), twin(&sandbox, "lens-python")) else { return };
    let mut seen = BTreeMap::<String, usize>::new();
    for sample in samples() {
        let [ours, theirs] = [&rust, &python].map(|rule| sample.run(rule));
        match (&ours.verdict, &theirs.verdict) {
            (Verdict::Produced { artifacts, records }, Verdict::Produced { artifacts: theirs, records: others }) => {
                let text = String::from_utf8(artifacts[0].bytes.to_vec()).unwrap();
                assert_eq!(text, String::from_utf8(theirs[0].bytes.to_vec()).unwrap(), "{}", sample.name);
                assert_eq!(records, others, "{}", sample.name);
                for line in text.lines() {
                    *seen.entry(line.split(' ').next().unwrap().to_owned()).or_default() += 1;
                }
            }
            (ours, theirs) => assert_eq!(ours.to_string(), theirs.to_string(), "{}", sample.name),
        }
    }
    for interface in ["receipts", "receipt", "call", "account", "slot", "access", "gas", "what-if", "left"] {
        assert!(seen.contains_key(interface), "no line about {interface}: {seen:?}");
    }
}

#[test]
fn twins_with_sealed_wasi_give_the_golden_bytes_for_a_part_of_their_fuel() {
    hold_to_golden_and_fuel(&WITH_WASI);
}

/// The real blocks, or none where this machine has none: then a line says so.
fn real_blocks() -> Vec<Input> {
    let shared = std::env::var_os("REFINER_SHARED").map_or_else(|| workspace().join("../shared"), PathBuf::from);
    if !shared.join("specimens").is_dir() {
        eprintln!("skipped: ../shared/specimens not present");
        return Vec::new();
    }
    specimens(&shared.join("specimens"))
}

#[test]
fn twin_in_go_gives_the_bytes_of_rust_over_every_block_also_when_its_collector_runs_all_the_time() {
    let sandbox = sandbox();
    let (Some(rust), Some(go)) = (twin(&sandbox, "rust"), twin(&sandbox, "go")) else { return };
    let often = || [("gc", "1")].into_iter().collect::<Params>();
    for block in samples().into_iter().chain(real_blocks()) {
        let expected = produced(&block.run(&rust));
        assert_eq!(produced(&block.run(&go)), expected, "{}", block.name);
        assert_eq!(produced(&block.run_with(&go, often())), expected, "{} with the collector", block.name);
    }
}

#[test]
fn runs_of_a_program_with_random_keys_and_a_clock_do_not_differ() {
    let sandbox = sandbox();
    let Some(rule) = twin(&sandbox, "wasip2") else { return };
    let samples = samples();
    let sample = samples.iter().max_by_key(|sample| sample.specimen.block.transactions.len()).unwrap();
    let first = sample.run(&rule);
    assert_eq!(sample.run(&rule), first, "fuel, memory, calls and log included");

    let other_host = Sandbox::new(EngineProfile::with_allocation(Allocation::OnDemand)).unwrap();
    assert_eq!(sample.run(&twin(&other_host, "wasip2").unwrap()), first);

    let mut said: Vec<_> = first.log.iter().map(|line| (line.level, line.message.as_str())).collect();
    let (_, key) = said.remove(6);
    assert!(key.starts_with("the first sender of the map: Some(\"0x"), "{key}");
    let timestamp = format!("it is {}", sample.specimen.block.header.timestamp);
    let expected = [
        (LogLevel::Info, timestamp.as_str()),
        (LogLevel::Info, "passed: 0ns"),
        (LogLevel::Warn, "arguments: 0"),
        (LogLevel::Warn, "variables: 0"),
        (LogLevel::Warn, "root: entity not found"),
        (LogLevel::Warn, "socket: permission denied"),
    ];
    assert_eq!(said, expected);
}

/// The part of its fuel that a twin may use on a real block: the more, the slower what runs it.
fn fuel_part(name: &str) -> u64 {
    match name {
        // What it asks for is the ceiling of a rule that is not built in.
        "javascript" => 4,
        python if python.starts_with("python") => 5,
        _ => 10,
    }
}

#[test]
fn wasi_is_named_by_the_identity_of_a_rule_that_has_it() {
    let sandbox = sandbox();
    let (Some(with), Some(without)) = (twin(&sandbox, "wasip2"), twin(&sandbox, "rust")) else { return };
    assert!(with.has_sealed_wasi() && !without.has_sealed_wasi());
    let profile = |rule: &AdmittedRule| {
        rule.identity(&Params::default(), &rule.default_limits(), &ExecutionTerms::default()).profile
    };
    assert_eq!(profile(&without), engine::id());
    assert_eq!(profile(&with), engine::id_for(with.manifest()));
    assert_ne!(profile(&with), profile(&without));
}
