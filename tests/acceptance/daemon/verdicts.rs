//! One answer everywhere: the same bytes have one verdict in process, in a replay's workers and in the daemon's.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use refiner_journal::State;
use refiner_sandbox::Limits;
use refiner_testkit::real;
use serde_json::Value;

use crate::{bench::Bench, corpus, specimens::one};

/// Ends of a case that are no verdict on a specimen.
const NO_VERDICT: [&str; 2] = ["refusal", "failure"];
/// Cases that use up their fuel, of which the daemon plays these: each takes seconds.
const OUT_OF_FUEL: [&str; 2] = ["recurses-to-the-edge-for-ever", "chases-pointers"];
/// Name and version of every case, in its memory and in its manifest.
const DESCRIBED: (&str, &str) = ("case1.0.0", "name = \"case\"");

/// A component under a name of its own, since no two rules of one run share one.
fn renamed(component: &[u8], name: &str) -> Vec<u8> {
    let mut renamed = component.to_vec();
    for (from, to) in [(DESCRIBED.0, format!("{name}1.0.0")), (DESCRIBED.1, format!("name = \"{name}\""))] {
        assert_eq!(from.len(), to.len());
        let places: Vec<_> =
            component.windows(from.len()).enumerate().filter(|(_, bytes)| *bytes == from.as_bytes()).collect();
        assert!(!places.is_empty(), "no {from} in {name}");
        for (place, _) in places {
            renamed[place..place + to.len()].copy_from_slice(to.as_bytes());
        }
    }
    renamed
}

/// Components that come to a verdict, with the case of each.
fn components() -> Vec<(String, Vec<u8>)> {
    let runs = |case: &corpus::Case| {
        let outcome = case.expected.outcome.as_str();
        let has_limits = case.limits(Limits::default()) != Limits::default();
        !NO_VERDICT.contains(&outcome)
            && !has_limits
            && (outcome != "out-of-fuel" || OUT_OF_FUEL.contains(&case.name.as_str()))
    };
    let cases = corpus::cases().into_iter().filter(runs).map(|case| (case.name.clone(), case.component()));
    let found = real::rule_cases().unwrap().unwrap_or_default().into_iter();
    // The others are refused before they run.
    let found = found.filter(|found| found.name() == "memory-fill-0" || found.name() == "code-is-free-counted");
    cases.chain(found.map(|file| (file.name(), file.bytes))).collect()
}

/// The verdict on the specimen that each rule has in a replay, by the rule's name.
fn replayed(specimen: &Path, rules: &[PathBuf], options: &[&str]) -> BTreeMap<String, String> {
    let mut replay = Command::new(env!("CARGO_BIN_EXE_refiner"));
    replay.args(["replay", "--json"]).arg(specimen).args(options);
    for rule in rules {
        replay.arg("--rule").arg(rule);
    }
    let output = replay.output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let told = lines.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        let message = line["message"].as_str().or(line["verdict"].as_str()).unwrap().to_owned();
        (line["rule"].as_str().unwrap().to_owned(), message)
    });
    told.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_odd_rule_has_one_verdict_in_process_isolated_and_in_the_daemon() {
    let Some(mut bench) = Bench::new().await else { return };
    let (given, mut cases, mut rules) = (one(), BTreeMap::new(), Vec::new());
    let specimen = bench.directory.path().join(format!("{}-{}.avro", given.chain, given.height));
    fs::write(&specimen, &given.bytes).unwrap();
    for (number, (case, component)) in components().into_iter().enumerate() {
        let name = format!("c{number:03}");
        let path = bench.directory.path().join(format!("{name}.wasm"));
        fs::write(&path, renamed(&component, &name)).unwrap();
        cases.insert(name, case);
        rules.push(path);
    }
    assert!(cases.len() >= 50, "only {} cases", cases.len());

    let here = replayed(&specimen, &rules, &[]);
    let isolated = replayed(&specimen, &rules, &["--isolate"]);
    bench.flags = ["--prove", "none"].map(str::to_owned).into();
    bench.flags.extend(rules.iter().flat_map(|rule| ["--rule".to_owned(), rule.to_str().unwrap().to_owned()]));
    bench.announce(&[given]).await;
    bench.start();
    let all = rules.len();
    bench
        .until("every rule has come to its end", |bench| {
            bench.in_state(State::Refused) + bench.in_state(State::Pinned) == all
        })
        .await;

    let items = bench.items();
    assert_eq!((here.len(), items.len()), (all, all));
    let mut kinds = BTreeMap::<String, usize>::new();
    for item in items {
        let (name, case) = (&item.rule_name, &cases[&item.rule_name]);
        let verdict = &here[name];
        assert_eq!(&isolated[name], verdict, "{case}: isolated, and in process");
        match item.state {
            State::Pinned => assert_eq!(verdict, "produced", "{case}"),
            _ => {
                let reason = item.reason.unwrap();
                let (kind, message) = reason.split_once(": ").unwrap();
                assert_eq!(message, verdict, "{case}: in the daemon, and in process");
                *kinds.entry(kind.to_owned()).or_default() += 1;
            }
        }
    }
    assert!(kinds.len() >= 5, "{kinds:?}");
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
}
