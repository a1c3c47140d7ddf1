//! Every folder of `tests/hostile`: a rule that means harm, and how it must end.
//!
//! A case is `rule.wat` and `expected.toml`. Its form says what the text is: `fields` (the default) of a core module, with
//! `parts.wat` behind them; `module-fields` without; `as-is`, assembled and not wrapped; `bytes`, not even assembled.
//!
//! A manifest that agrees with the case is put inside its component. With `manifest.toml`, that one is; `beside.toml` is given
//! beside the component.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::{collections::BTreeMap, fs, path::Path};

use refiner_sandbox::{AdmitError, Capability, Grants, Limit, LimitUse, Run, Sandbox};
use serde::Deserialize;
use support::{GOOD, bare_component, input, manifest, module_of_fields, rule, sandbox, with_manifest, workspace};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// What it tries, for whoever reads the case.
    #[serde(rename = "why")]
    _why: String,
    #[serde(default = "fields")]
    form: String,
    #[serde(default)]
    granted: Vec<String>,
    /// The kind of verdict, `refusal` or `failure`.
    outcome: String,
    /// The whole message.
    message: String,
    #[serde(default)]
    limits: BTreeMap<String, u64>,
    /// How many times the manifest is put inside.
    #[serde(default = "one")]
    manifests: usize,
    /// Spaces behind the manifest.
    #[serde(default)]
    padding: usize,
}

fn fields() -> String {
    "fields".to_owned()
}

const fn one() -> usize {
    1
}

fn read(case: &Path, file: &str) -> Option<String> {
    let path = case.join(file);
    path.exists().then(|| fs::read_to_string(path).unwrap())
}

fn bytes(case: &Path, expected: &Expected) -> Vec<u8> {
    let text = read(case, "rule.wat").unwrap();
    let component = match expected.form.as_str() {
        "fields" => bare_component(&module_of_fields(&text)),
        "module-fields" => bare_component(&format!("(module {text})")),
        "as-is" => wat::parse_str(&text).unwrap(),
        "bytes" => return text.into_bytes(),
        other => panic!("unknown form {other}"),
    };
    let manifest = read(case, "manifest.toml").unwrap_or_else(|| manifest(&text)) + &" ".repeat(expected.padding);
    (0..expected.manifests).fold(component, |component, _| with_manifest(&component, &manifest))
}

/// How the case ended, and its message.
fn play(sandbox: &Sandbox, case: &Path, expected: &Expected) -> (String, String) {
    let (component, beside) = (bytes(case, expected), read(case, "beside.toml"));
    let capabilities = expected.granted.iter().map(|name| Capability::from_name(name).unwrap()).collect();
    let rule = match sandbox.admit(&component, beside.as_deref(), &Grants { capabilities, ..Grants::default() }) {
        Ok(rule) => rule,
        Err(AdmitError::Refused(refusal)) => return ("refusal".to_owned(), refusal.to_string()),
        Err(AdmitError::Host(failure)) => return ("failure".to_owned(), failure.to_string()),
    };
    let mut input = input(&rule);
    for (name, granted) in &expected.limits {
        input.limits.set_by_name(name, *granted).unwrap();
    }
    match rule.run(input) {
        Ok(run) => {
            stays_within_its_limits(&run);
            (run.verdict.kind().to_owned(), run.verdict.to_string())
        }
        Err(failure) => ("failure".to_owned(), failure.to_string()),
    }
}

fn stays_within_its_limits(run: &Run) {
    for LimitUse { limit, granted, used, .. } in run.usage.iter() {
        assert!(used <= granted, "{used} {limit} used of {granted}");
    }
    assert!(run.log.len() as u64 <= run.usage.granted.get(Limit::LogLines));
    let log_bytes: u64 = run.log.iter().map(|line| line.message.as_str().len() as u64).sum();
    assert!(log_bytes <= run.usage.granted.get(Limit::LogBytes), "{log_bytes} bytes of log");
}

#[test]
fn every_hostile_rule_ends_as_its_folder_says_and_a_good_rule_runs_after_it() {
    let sandbox = sandbox();
    let good = rule(&sandbox, GOOD);
    let mut cases: Vec<_> = fs::read_dir(workspace().join("tests/hostile"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    assert!(cases.len() >= 40, "only {} cases found", cases.len());

    let mut wrong = Vec::new();
    for case in &cases {
        let expected: Expected = toml::from_str(&fs::read_to_string(case.join("expected.toml")).unwrap()).unwrap();
        let found = play(&sandbox, case, &expected);
        if found != (expected.outcome.clone(), expected.message.clone()) {
            let name = case.file_name().unwrap().to_string_lossy();
            wrong.push(format!(
                "{name}\n  expected {}: {}\n  found    {}: {}",
                expected.outcome, expected.message, found.0, found.1
            ));
        }
        assert_eq!(support::run(&good).verdict.kind(), "produced", "after {}", case.display());
    }
    assert!(wrong.is_empty(), "{} of {} cases ended otherwise:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
