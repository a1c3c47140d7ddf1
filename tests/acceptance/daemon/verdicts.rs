//! One answer everywhere: the same bytes have one verdict in process, in a replay's workers and in the daemon's.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use refiner_journal::State;
use serde_json::Value;

use crate::{bench::Bench, odd, specimens::one};

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
    let ends = lines.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        let message = line["message"].as_str().or(line["verdict"].as_str()).unwrap().to_owned();
        (line["rule"].as_str().unwrap().to_owned(), message)
    });
    ends.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_odd_rule_has_one_verdict_in_process_isolated_and_in_the_daemon() {
    let Some(mut bench) = Bench::new().await else { return };
    let given = one();
    let specimen = bench.directory.path().join(format!("{}-{}.avro", given.chain, given.height));
    fs::write(&specimen, &given.bytes).unwrap();
    let cases = odd::write(bench.directory.path());
    assert!(cases.len() >= 50, "only {} cases", cases.len());
    let rules: Vec<_> = cases.keys().map(|name| bench.directory.path().join(format!("{name}.wasm"))).collect();

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
                assert_eq!(&reason, verdict, "{case}: in the daemon, and in process");
                let (kind, _) = reason.split_once(": ").unwrap();
                *kinds.entry(kind.to_owned()).or_default() += 1;
            }
        }
    }
    assert!(kinds.len() >= 5, "{kinds:?}");
    assert_eq!(bench.stop().await, Some(0), "{}", bench.log());
}
