//! The rules with which kinds of attacks were found, on machines that have them: one right end in every way of running them.

use std::{fs, path::Path};

use refiner_testkit::real;
use serde_json::Value;

use crate::{
    component,
    program::{Ended, refiner, samples, text},
};

/// The right end of a rule, by the exit code of `replay` and words of its message or refusal.
struct Right {
    name: &'static str,
    verdict: Option<&'static str>,
    words: &'static str,
}

/// Files under `rules/`, in order of their names.
const RULES: &[Right] = &[
    Right { name: "c-component-by-instance", verdict: None, words: "imports 'c' as a module or component" },
    Right {
        name: "c-transcode-8-16",
        verdict: None,
        words: "its components hand text to each other (1 conversions found)",
    },
    Right { name: "code-is-free-counted", verdict: Some("overBudget"), words: "over budget: 1000000 calls granted" },
    Right { name: "memory-fill-0", verdict: Some("outOfFuel"), words: "out of fuel: " },
];

/// Globals of the row that has no file, because it is easily made.
const GLOBALS: u32 = 100_000;

/// Every command that runs a rule, and the daemon, which refuses a rule before it looks at a chain.
fn check(path: &Path, right: &Right) {
    // With state, which `code` needs, and long: its bytes add fuel, so that a million calls do not use it up before they are too many.
    let sample = samples().into_iter().find(|path| path.ends_with("1-22500000.avro")).unwrap();
    let (rule, specimen, data) = (text(path), text(&sample), tempfile::tempdir().unwrap());
    let node = ["--network", "moonbeam", "--rpc", "http://127.0.0.1:9", "--prove", "none", "--data", text(data.path())];
    let daemon = [&["run", "--rule", rule], node.as_slice()].concat();
    let mut ways: Vec<Vec<&str>> = vec![
        vec!["rule", "check", rule, "--json"],
        vec!["rule", "run", rule, specimen, "--json"],
        vec!["replay", specimen, "--json", "--rule", rule],
        vec!["replay", specimen, "--json", "--isolate", "--rule", rule],
    ];
    if right.verdict.is_none() {
        ways.push(daemon);
    }
    let mut usages = Vec::new();
    for way in ways {
        let ended = refiner(&way);
        let Some(verdict) = right.verdict else {
            assert!(
                ended.stderr.contains(right.words) || ended.text().contains(right.words),
                "{way:?}: {}",
                all(&ended)
            );
            ended.expect(6);
            continue;
        };
        let ended = ended.expect(3);
        let line = ended.json_lines().remove(0);
        let run = if way[1] == "check" { &line["runs"][0] } else { &line };
        assert_eq!(run["verdict"], verdict, "{way:?}: {line}");
        assert!(run["message"].as_str().unwrap().starts_with(right.words), "{way:?}: {line}");
        if way[0] == "replay" {
            usages.push(run["usage"].clone());
        }
    }
    assert!(usages.windows(2).all(|pair| pair[0] == pair[1] && pair[0] != Value::Null), "{usages:?}");
}

fn all(ended: &Ended) -> String {
    format!("{}\n{}", ended.text(), ended.stderr)
}

#[test]
fn rule_that_was_found_has_its_right_end_in_every_way_of_running_it() {
    let Some(cases) = real::rule_cases().unwrap() else { return };
    let names: Vec<_> = cases.iter().map(real::RuleCase::name).collect();
    assert_eq!(names, RULES.iter().map(|right| right.name).collect::<Vec<_>>());
    for (case, right) in cases.iter().zip(RULES) {
        check(&case.path, right);
    }
}

#[test]
fn hundred_thousand_globals_are_refused_in_every_way_and_as_many_as_are_allowed_count_as_memory() {
    let directory = tempfile::tempdir().unwrap();
    let made = |globals: u32| {
        let list: String = (0..globals).map(|number| format!("(global (mut i64) (i64.const {number}))\n")).collect();
        let fields = format!(
            r#"{list}
(func (export "refiner:rule/rule#refine") (param i32) (result i32) (call $ok (local.get 0) (i64.const 0)))"#
        );
        let path = directory.path().join(format!("{globals}.wasm"));
        fs::write(&path, component::component(&fields)).unwrap();
        path
    };
    check(
        &made(GLOBALS),
        &Right { name: "globals", verdict: None, words: "100001 globals found, and 50000 are allowed" },
    );

    let specimen = samples().remove(0);
    let memory = |globals: u32, way: &[&str]| {
        let path = made(globals);
        let ended = refiner(&[&["replay", text(&specimen), "--json", "--rule", text(&path)], way].concat()).expect(0);
        ended.json_lines()[0]["usage"]["memoryBytes"]["used"].as_u64().unwrap()
    };
    for way in [&[][..], &["--isolate"]] {
        // Each is kept in 16 bytes by the host.
        assert_eq!(memory(40_000, way) - memory(10_000, way), 30_000 * 16, "{way:?}");
    }
}
