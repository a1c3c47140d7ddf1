//! Every outcome of every line of `refiner doctor` has a test. The outcomes are read from the code, so one without a test fails here.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::program::{command, refiner};

/// A check, an outcome, the number of places in the code that have it, and the tests that bring those about.
type Row = (&'static str, &'static str, usize, &'static [&'static str]);

const TESTED: &[Row] = &[
    ("balance", "error", 1, &["tests/acceptance/daemon/preflight.rs::doctor_judges_contracts_and_operator"]),
    (
        "balance",
        "ok",
        1,
        &[
            "host/daemon/src/preflight/chain.rs::balance_is_judged_in_proofs",
            "tests/acceptance/daemon/preflight.rs::doctor_judges_contracts_and_operator",
        ],
    ),
    ("balance", "warning", 1, &["tests/acceptance/daemon/preflight.rs::doctor_judges_contracts_and_operator"]),
    (
        "built-in rules",
        "ok",
        1,
        &["host/doctor/src/machine.rs::processor_without_sha_and_a_build_without_rules_are_warnings"],
    ),
    (
        "built-in rules",
        "warning",
        1,
        &["host/doctor/src/machine.rs::processor_without_sha_and_a_build_without_rules_are_warnings"],
    ),
    ("clock", "ok", 1, &["tests/acceptance/daemon/preflight.rs::doctor_finds_everything_ok_where_a_daemon_can_work"]),
    ("clock", "warning", 1, &["tests/acceptance/daemon/preflight.rs::doctor_judges_sessions_clock_and_log_ranges"]),
    (
        "confinement",
        "error",
        1,
        &["tests/acceptance/confinement.rs::doctor_ends_with_an_error_where_the_required_confinement_is_missing"],
    ),
    (
        "confinement",
        "ok",
        2,
        &["tests/acceptance/confinement.rs::doctor_ends_with_an_error_where_the_required_confinement_is_missing"],
    ),
    (
        "confinement",
        "warning",
        1,
        &["tests/acceptance/confinement.rs::doctor_ends_with_an_error_where_the_required_confinement_is_missing"],
    ),
    ("contracts", "error", 4, &["tests/acceptance/daemon/preflight.rs::doctor_judges_contracts_and_operator"]),
    (
        "contracts",
        "ok",
        1,
        &["tests/acceptance/daemon/preflight.rs::doctor_finds_everything_ok_where_a_daemon_can_work"],
    ),
    (
        "disk",
        "error",
        3,
        &[
            "host/daemon/src/preflight/disk.rs::disk_is_judged_by_room_and_speed",
            "host/daemon/src/preflight/disk.rs::disk_that_takes_nothing_is_an_error_with_the_remedy_of_its_cause",
        ],
    ),
    ("disk", "ok", 1, &["host/daemon/src/preflight/disk.rs::disk_is_judged_by_room_and_speed"]),
    ("disk", "warning", 2, &["host/daemon/src/preflight/disk.rs::disk_is_judged_by_room_and_speed"]),
    (
        "evm-server",
        "error",
        4,
        &[
            "tests/acceptance/daemon/preflight.rs::doctor_judges_pinner_and_evm_server",
            "host/daemon/src/preflight/evm_server.rs::failure_over_the_sample_is_to_be_reported",
        ],
    ),
    ("evm-server", "ok", 1, &["tests/acceptance/daemon/preflight.rs::doctor_judges_pinner_and_evm_server"]),
    ("key", "error", 1, &["tests/acceptance/daemon/preflight.rs::doctor_judges_the_key_and_its_file"]),
    (
        "key",
        "ok",
        3,
        &[
            "tests/acceptance/daemon/preflight.rs::doctor_finds_everything_ok_where_a_daemon_can_work",
            "tests/acceptance/daemon/preflight.rs::doctor_judges_the_key_and_its_file",
            "tests/acceptance/daemon/preflight.rs::web3signer_that_is_down_is_waited_for_and_one_without_the_key_is_an_error",
        ],
    ),
    ("key", "warning", 2, &["tests/acceptance/daemon/preflight.rs::doctor_judges_the_key_and_its_file"]),
    (
        "limits",
        "error",
        1,
        &["host/doctor/src/machine.rs::limits_that_do_not_stop_a_guest_and_a_worker_that_does_not_start_are_errors"],
    ),
    ("limits", "ok", 1, &["tests/acceptance/daemon/preflight.rs::doctor_finds_everything_ok_where_a_daemon_can_work"]),
    (
        "log range",
        "ok",
        1,
        &["host/daemon/src/preflight/nodes.rs::range_of_the_scan_is_a_warning_while_a_provider_shortens_it"],
    ),
    (
        "log range",
        "warning",
        1,
        &["host/daemon/src/preflight/nodes.rs::range_of_the_scan_is_a_warning_while_a_provider_shortens_it"],
    ),
    (
        "log range of URL",
        "error",
        1,
        &["tests/acceptance/daemon/preflight.rs::doctor_judges_sessions_clock_and_log_ranges"],
    ),
    (
        "log range of URL",
        "ok",
        1,
        &["tests/acceptance/daemon/preflight.rs::doctor_finds_everything_ok_where_a_daemon_can_work"],
    ),
    (
        "log range of URL",
        "warning",
        1,
        &["tests/acceptance/daemon/preflight.rs::log_range_that_a_provider_shortens_is_a_warning"],
    ),
    (
        "machine",
        "error",
        1,
        &["host/doctor/src/machine.rs::machine_whose_checks_end_otherwise_than_with_a_report_is_an_error"],
    ),
    ("node URL", "error", 2, &["tests/acceptance/daemon/faults/nodes.rs::doctor_shows_every_node_with_its_state"]),
    ("node URL", "ok", 1, &["tests/acceptance/daemon/faults/nodes.rs::doctor_shows_every_node_with_its_state"]),
    (
        "node URL",
        "warning",
        3,
        &[
            "tests/acceptance/daemon/faults/nodes.rs::doctor_shows_every_node_with_its_state",
            "host/daemon/src/preflight/nodes.rs::node_is_a_warning_without_an_answer_and_with_an_old_block",
        ],
    ),
    ("nonces", "ok", 1, &["tests/acceptance/daemon/preflight.rs::doctor_finds_everything_ok_where_a_daemon_can_work"]),
    (
        "nonces",
        "warning",
        1,
        &["tests/acceptance/daemon/preflight.rs::another_user_of_the_key_is_noticed_in_the_pool_and_on_chain"],
    ),
    ("operator", "error", 1, &["tests/acceptance/daemon/preflight.rs::doctor_judges_contracts_and_operator"]),
    (
        "operator",
        "ok",
        1,
        &["tests/acceptance/daemon/preflight.rs::doctor_finds_everything_ok_where_a_daemon_can_work"],
    ),
    ("pinner", "error", 3, &["tests/acceptance/daemon/preflight.rs::doctor_judges_pinner_and_evm_server"]),
    (
        "pinner",
        "ok",
        2,
        &[
            "host/daemon/src/preflight/pinner.rs::no_pinner_is_ok",
            "tests/acceptance/daemon/preflight.rs::doctor_finds_everything_ok_where_a_daemon_can_work",
        ],
    ),
    (
        "processor",
        "ok",
        1,
        &["host/doctor/src/machine.rs::processor_without_sha_and_a_build_without_rules_are_warnings"],
    ),
    (
        "processor",
        "warning",
        1,
        &["host/doctor/src/machine.rs::processor_without_sha_and_a_build_without_rules_are_warnings"],
    ),
    ("program", "ok", 1, &["host/doctor/src/machine.rs::processor_without_sha_and_a_build_without_rules_are_warnings"]),
    ("proof chain", "error", 2, &["tests/acceptance/daemon/preflight.rs::doctor_judges_contracts_and_operator"]),
    ("session", "ok", 1, &["tests/acceptance/daemon/preflight.rs::doctor_finds_everything_ok_where_a_daemon_can_work"]),
    (
        "session",
        "warning",
        2,
        &[
            "tests/acceptance/daemon/preflight.rs::doctor_judges_sessions_clock_and_log_ranges",
            "host/daemon/src/preflight/chain.rs::session_that_is_closed_is_a_warning",
        ],
    ),
    ("settings", "error", 1, &["tests/acceptance/outcomes.rs::settings_that_are_wrong_are_errors_of_doctor"]),
    (
        "worker",
        "error",
        1,
        &["host/doctor/src/machine.rs::limits_that_do_not_stop_a_guest_and_a_worker_that_does_not_start_are_errors"],
    ),
    ("worker MEASURE", "ok", 1, &["tests/acceptance/outcomes.rs::measures_of_a_worker_are_ok_or_a_warning"]),
    ("worker MEASURE", "warning", 1, &["tests/acceptance/outcomes.rs::measures_of_a_worker_are_ok_or_a_warning"]),
];

/// Names of checks of which there is one a node or one a measure, by the variable that holds the name.
const NAMED_BY: [(&str, &str); 3] =
    [("of_node", "node URL"), ("of_range", "log range of URL"), ("of_measure", "worker MEASURE")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The part of a source file that is no test.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split("#[cfg(test)]").next().unwrap().to_owned()
}

/// The name of a check as its place in the code has it: a literal, a constant of the file, or a variable.
fn name_of(argument: &str, code: &str) -> String {
    if let Some(literal) = argument.strip_prefix('"') {
        return literal.trim_end_matches('"').to_owned();
    }
    let constant = code.split(&format!("const {argument}: &str = \"")).nth(1);
    let constant = constant.and_then(|rest| rest.split('"').next());
    let variable = NAMED_BY.iter().find(|(variable, _)| *variable == argument).map(|(_, name)| *name);
    constant
        .or(variable)
        .unwrap_or_else(|| panic!("a check with a name that this test does not know: {argument}"))
        .to_owned()
}

/// Check and outcome of every place that makes one, and how many places.
fn outcomes() -> BTreeMap<(String, &'static str), usize> {
    let source = root().join("host/doctor/src");
    let modules = fs::read_dir(root().join("host/daemon/src/preflight")).unwrap().map(|entry| entry.unwrap().path());
    let of_program = [source.join("checks.rs"), source.join("machine.rs")];
    let mut found = BTreeMap::new();
    for path in modules.chain(of_program).filter(|path| !path.ends_with("mod.rs")) {
        let code = code(&path);
        for state in ["ok", "warning", "error"] {
            for call in code.split(&format!("Check::{state}(")).skip(1) {
                let name = name_of(call.split(',').next().unwrap().trim(), &code);
                *found.entry((name, state)).or_default() += 1;
            }
        }
    }
    found
}

/// The body of a test that is named as `path::function`.
fn body_of(test: &str) -> String {
    let (path, function) = test.split_once("::").unwrap();
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (before, body) = text.split_once(&format!("fn {function}(")).unwrap_or_else(|| panic!("no test {test}"));
    // A test of a module is one level deeper.
    let end = if before.ends_with("\n    ") { "\n    }\n" } else { "\n}\n" };
    body.split(end).next().unwrap().to_owned()
}

#[test]
fn every_outcome_of_every_line_of_doctor_has_a_test() {
    let found = outcomes();
    let listed: BTreeMap<_, _> =
        TESTED.iter().map(|(name, state, places, _)| (((*name).to_owned(), *state), *places)).collect();
    assert_eq!(found, listed, "each outcome of the code is listed here, with a test");
    for (name, state, _, tests) in TESTED {
        assert!(!tests.is_empty(), "{name} {state}");
        let of_type = match *state {
            "ok" => "State::Ok",
            "warning" => "State::Warning",
            _ => "State::Error",
        };
        for test in *tests {
            let body = body_of(test);
            let asserts = [format!("\"{state}\""), of_type.to_owned(), format!("Check::{state}(")];
            assert!(asserts.iter().any(|word| body.contains(word)), "{test} does not look for {state}");
        }
    }
}

#[test]
fn settings_that_are_wrong_are_errors_of_doctor() {
    let ended = refiner(&["doctor", "--json", "--rpc", "http://127.0.0.1:1", "--network", "nowhere"]).expect(5);
    let report = ended.json_lines().remove(0);
    let checks = report["checks"].as_array().unwrap();
    let settings = checks.iter().find(|check| check["name"] == "settings").unwrap();
    assert_eq!(settings["state"], "error");
    assert_eq!(settings["remedy"], "see `refiner run --help`");
}

#[test]
fn measures_of_a_worker_are_ok_or_a_warning() {
    let output = command(&["doctor", "--json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let measures: Vec<_> =
        checks.iter().filter(|check| check["name"].as_str().is_some_and(|name| name.starts_with("worker "))).collect();
    assert!(measures.len() > 5, "{report}");
    for measure in measures {
        let state = measure["state"].as_str().unwrap();
        assert!(["ok", "warning"].contains(&state), "{measure}");
        assert_eq!(measure["remedy"].is_null(), state == "ok", "{measure}");
    }
}

#[test]
fn doctor_prints_one_line_a_check_and_its_remedy_below() {
    let report = refiner(&["doctor", "--json"]).json_lines().remove(0);
    let checks = report["checks"].as_array().unwrap();
    let text = refiner(&["doctor"]).text();
    let lines: Vec<_> = text.lines().take_while(|line| !line.is_empty()).collect();
    let remedies = checks.iter().filter(|check| !check["remedy"].is_null()).count();
    assert_eq!(lines.len(), checks.len() + remedies, "{text}");
    assert_eq!(lines.iter().filter(|line| line.trim_start().starts_with("remedy: ")).count(), remedies, "{text}");
}
