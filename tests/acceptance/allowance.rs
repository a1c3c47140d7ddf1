//! The operator's ceilings and denials: what a rule asks for beyond them is refused before it runs.

use std::{fs, path::Path};

use crate::{
    component,
    program::{Ended, refiner, samples, text},
};

/// Does nothing, and asks for what its manifest has.
const QUIET: &str = r#"
(func (export "refiner:rule/rule#refine") (param i32) (result i32) (call $ok (local.get 0) (i64.const 0)))"#;

/// A rule named `case` that asks for these limits.
fn rule(directory: &Path, limits: &str) -> String {
    let bare = component::bare_component(&component::module_of_fields(QUIET));
    let manifest = component::manifest(QUIET) + limits;
    let path = directory.join("case.wasm");
    fs::write(&path, component::with_manifest(&bare, &manifest)).unwrap();
    text(&path).to_owned()
}

/// The four commands that run rules, the daemon without a node: it refuses a rule before it looks at a chain.
fn everywhere(rule: &str, options: &[&str], check: impl Fn(&[&str], Ended)) {
    let (specimen, data) = (samples().remove(0), tempfile::tempdir().unwrap());
    let (specimen, data) = (text(&specimen), text(data.path()));
    let commands: [&[&str]; 5] = [
        &["rule", "check", rule],
        &["rule", "run", rule, specimen],
        &["replay", specimen, "--rule", rule],
        &["replay", specimen, "--rule", rule, "--isolate"],
        &[
            "run",
            "--rule",
            rule,
            "--network",
            "moonbeam",
            "--rpc",
            "http://127.0.0.1:9",
            "--prove",
            "none",
            "--data",
            data,
        ],
    ];
    for command in commands {
        check(command, refiner(&[command, options].concat()));
    }
}

#[test]
fn rule_that_asks_for_its_ceiling_runs_and_one_that_asks_for_one_more_is_refused_with_both_numbers_everywhere() {
    let directory = tempfile::tempdir().unwrap();
    let specimen = samples().remove(0);
    // The default ceiling of a rule that is not built in, and one that an operator sets.
    for (asked, options) in [(512_u64 << 20, vec![]), (300 << 20, vec!["--rule-limit", "memory_bytes=300MiB"])] {
        let at = rule(directory.path(), &format!("[limits]\nmemory_bytes = {asked}\n"));
        for command in [vec!["rule", "check", &at], vec!["replay", text(&specimen), "--rule", &at, "--isolate"]] {
            refiner(&[command, options.clone()].concat()).expect(0);
        }
        let above = rule(directory.path(), &format!("[limits]\nmemory_bytes = {}\n", asked + 1));
        everywhere(&above, &options, |command, ended| {
            let stderr = ended.expect(6).stderr;
            let refusal = format!("{} asked for as memory_bytes, and the ceiling is {asked}", asked + 1);
            assert!(stderr.contains(&refusal), "{command:?}: {stderr}");
            assert!(stderr.contains("raise the ceiling by `--rule-limit NAME=VALUE`"), "{command:?}: {stderr}");
        });
    }
}

#[test]
fn limits_above_caps_and_ceilings_are_named_all_at_once_and_shown_beside_them() {
    let directory = tempfile::tempdir().unwrap();
    let asks = rule(directory.path(), "[limits]\nfuel = 60_000_000_000\nmemory_bytes = 1_073_741_825\n");
    let refused = refiner(&["rule", "check", &asks]).expect(6).stderr;
    for part in ["60000000000 asked for as fuel, and at most", "1073741825 asked for as memory_bytes, and at most"] {
        assert!(refused.contains(part), "{refused}");
    }
    let shown = refiner(&["rule", "info", &asks]).expect(0).text();
    let fuel = shown.lines().find(|line| line.starts_with("  fuel ")).unwrap();
    let words: Vec<_> = fuel.split_whitespace().collect();
    assert_eq!(words[1..4], ["60000000000", "10000000000", "50000000000"]);
    assert!(fuel.ends_with("  + 2,000 a byte of the specimen  above its cap"), "{fuel}");
    assert!(shown.contains("  identity   none: it asks for more than can be granted\n"), "{shown}");
    let json = refiner(&["rule", "info", &asks, "--json"]).expect(0).json_lines().remove(0);
    assert_eq!(json["limits"]["fuel"]["asked"], 60_000_000_000_u64);
    assert_eq!(json["limits"]["fuel"]["perSpecimenByte"], 2_000);
    assert!(json["ruleIdentity"].is_null(), "{json}");

    let asks = rule(directory.path(), "[limits]\nwall_ms = 130_000\nmemory_bytes = 1_073_741_824\n");
    let refused = refiner(&["rule", "check", &asks]).expect(6).stderr;
    for part in
        ["130000 asked for as wall_ms, and the ceiling is", "1073741824 asked for as memory_bytes, and the ceiling is"]
    {
        assert!(refused.contains(part), "{refused}");
    }
}

#[test]
fn stranger_who_asks_for_every_cap_is_refused_until_the_operator_raises_the_ceilings() {
    let directory = tempfile::tempdir().unwrap();
    let asks =
        rule(directory.path(), "[limits]\nfuel = 50_000_000_000\nwall_ms = 600_000\nmemory_bytes = 1_073_741_824\n");
    let raised = ["fuel=50_000_000_000", "case:wall_ms=10m", "case:memory_bytes=1GiB"];
    for left_out in 0..=raised.len() {
        let given = raised.iter().enumerate().filter(|(place, _)| *place != left_out);
        let options: Vec<_> = given.flat_map(|(_, limit)| ["--rule-limit", limit]).collect();
        let code = if left_out == raised.len() { 0 } else { 6 };
        refiner(&[vec!["rule", "check", &asks], options].concat()).expect(code);
    }
}

#[test]
fn ceiling_of_one_rule_goes_before_that_of_all_and_concerns_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let asks = rule(directory.path(), "[limits]\ncalls = 500\n");
    let check = |limits: &[&str], code: i32| {
        let options = limits.iter().flat_map(|limit| ["--rule-limit", limit]);
        let command: Vec<_> = ["rule", "check", &asks, "block-result"].into_iter().chain(options).collect();
        refiner(&command).expect(code);
    };
    check(&["case:calls=500", "calls=499"], 0);
    check(&["case:calls=499", "calls=500"], 6);
    check(&["block-result:calls=499"], 0);
}

#[test]
fn denied_capability_is_refused_to_the_rule_that_asks_for_it_built_in_or_not() {
    let specimen = samples().remove(0);
    let denied = |options: &[&str]| refiner(&[&["replay", text(&specimen)], options].concat());
    let refused = denied(&["--deny", "evm"]).expect(6).stderr;
    assert!(refused.contains("needs the capability 'evm', which was not granted"), "{refused}");
    assert!(refused.contains("leave out the `--deny`"), "{refused}");
    denied(&["--deny", "wasi"]).expect(0);
    denied(&["--deny", "block-result:evm"]).expect(6);
    denied(&["--rule", "transaction-summary", "--rule", "block-result", "--deny", "transaction-summary:wasi"])
        .expect(0);
}

#[test]
fn term_for_a_rule_that_is_not_there_or_above_a_cap_is_a_mistake_of_the_command_line() {
    let directory = tempfile::tempdir().unwrap();
    let asks = rule(directory.path(), "");
    for (option, value, words) in [
        ("--deny", "kase:evm", "--deny is for the rule \"kase\", and the rules are case"),
        ("--rule-limit", "kase:fuel=1", "--rule-limit is for the rule \"kase\""),
        ("--rule-limit", "memory_bytes=2GiB", "2147483648 asked for as memory_bytes, and at most 1073741824"),
        ("--rule-limit", "memory=1GiB", "expected NAME=VALUE or RULE:NAME=VALUE"),
        ("--deny", "files", "expected evm, receipts, traces, state-changes, gas-profile, what-if or wasi"),
    ] {
        everywhere(&asks, &[option, value], |command, ended| {
            let stderr = ended.expect(2).stderr;
            assert!(stderr.contains(words), "{command:?}: {stderr}");
        });
    }
}

#[test]
fn info_shows_the_ceilings_of_a_stranger_and_the_caps_of_what_is_built_in() {
    let directory = tempfile::tempdir().unwrap();
    let asks = rule(directory.path(), "");
    let ceiling = |rule: &str| {
        let line = refiner(&["rule", "info", rule, "--json"]).expect(0).json_lines().remove(0);
        line["limits"]["memory_bytes"]["ceiling"].as_u64()
    };
    assert_eq!((ceiling(&asks), ceiling("block-result")), (Some(512 << 20), Some(1 << 30)));
}

#[test]
fn two_rules_whose_files_would_have_one_name_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let named = |name: &str, output: &str| {
        let fields = format!(";; output: {output} text/plain\n{QUIET}");
        let manifest = component::manifest(&fields).replacen("\"case\"", &format!("{name:?}"), 1);
        let module = component::module_of_fields(&fields);
        let module =
            module.replace("(data (i32.const 0) \"case1.0.0\")", &format!("(data (i32.const 0) \"{name}1.0.0\")"));
        let module = module.replace(
            "(i32.store (i32.const 68) (i32.const 4))",
            &format!("(i32.store (i32.const 68) (i32.const {}))", name.len()),
        );
        let module = module.replace(
            "(i32.store (i32.const 72) (i32.const 4))",
            &format!("(i32.store (i32.const 72) (i32.const {}))", name.len()),
        );
        let path = directory.path().join(format!("{name}-{output}.wasm"));
        fs::write(&path, component::with_manifest(&component::bare_component(&module), &manifest)).unwrap();
        text(&path).to_owned()
    };
    let (one, same, other) = (named("a.b", "c"), named("a", "b.c"), named("a", "b.d"));
    let specimen = samples().remove(0);
    for isolate in [&[][..], &["--isolate"]] {
        let replay = |rules: [&str; 2]| {
            let command = [&["replay", text(&specimen), "--rule", rules[0], "--rule", rules[1]], isolate].concat();
            refiner(&command)
        };
        let stderr = replay([&one, &same]).expect(6).stderr;
        assert!(stderr.contains("the rules a.b and a both write *.a.b.c"), "{stderr}");
        replay([&one, &other]).expect(0);
    }
}
