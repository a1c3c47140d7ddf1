//! The compose files as text: variables, ports and services.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use refiner_config::{Former, KEY_VARIABLE, Scope, table};
use refiner_testchain::OPERATOR_KEY;
use serde_json::Value;

use crate::engine::{must, repository};

const FILES: [&str; 4] = ["standalone.yml", "moonbeam.yml", "moonbase.yml", "existing-pinner.yml"];
/// Files that go with one of those.
const MORE: [&str; 4] = ["key-file.yml", "confined.yml", "small.yml", "observability.yml"];
/// A file for many machines.
const ALONE: [&str; 1] = ["many-hosts.yml"];
/// Variables of the network's pinner, an image of others.
const OF_PINNER: [&str; 2] = ["FILEBASE_RPC_TOKEN", "DEDICATED_GATEWAY"];
/// Variables that the files alone read.
const OF_FILES: [&str; 9] = [
    "PUBLISH_ADDRESS",
    "REFINER_IMAGE",
    "EWM_DAS_IMAGE",
    "OPERATOR_KEY_FILE",
    "SECCOMP_PROFILE",
    "PROMETHEUS_IMAGE",
    "GRAFANA_IMAGE",
    "GRAFANA_PASSWORD",
    "NATS_IMAGE",
];

fn text(name: &str) -> String {
    fs::read_to_string(repository().join("compose").join(name)).unwrap()
}

/// The entries `NAME: value` below `environment:` of a service.
fn environment(text: &str, service: &str) -> BTreeMap<String, String> {
    let lines = text.lines().skip_while(|line| *line != format!("  {service}:")).skip(1);
    let of_service = lines.take_while(|line| line.is_empty() || line.starts_with("    "));
    let entries = of_service.skip_while(|line| *line != "    environment:").skip(1);
    let entries = entries.take_while(|line| line.starts_with("      ")).map(str::trim);
    let entries = entries.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "));
    entries.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}

/// The variables that a file reads, as `${NAME}` or `${NAME:-default}`.
fn read_by(text: &str) -> BTreeSet<String> {
    let names = text.split("${").skip(1).map(|rest| rest.split([':', '}']).next().unwrap().to_owned());
    names.collect()
}

/// A value with its one variable put in, as compose does.
fn interpolated(value: &str, variables: &BTreeMap<&str, &str>) -> String {
    let Some((before, rest)) = value.split_once("${") else { return value.to_owned() };
    let (inner, after) = rest.split_once('}').unwrap();
    let (name, default) = inner.split_once(":-").unwrap_or((inner, ""));
    let given = variables.get(name).copied().filter(|given| !given.is_empty());
    format!("{before}{}{after}", given.unwrap_or(default))
}

fn variables_of_table() -> BTreeSet<String> {
    let rows = table::rows().flat_map(|row| {
        let former = row.former.iter().filter_map(|former| match former {
            Former::Variable(name) => Some((*name).to_owned()),
            Former::Name { .. } => None,
        });
        former.chain([row.variable()])
    });
    rows.chain([KEY_VARIABLE.to_owned()]).collect()
}

#[test]
fn every_variable_of_a_service_is_a_setting() {
    let known = variables_of_table();
    assert!(environment(&text("standalone.yml"), "refiner").len() > 20, "the environment of a service is found");
    for file in FILES.into_iter().chain(MORE).chain(ALONE) {
        let text = text(file);
        let given: Vec<_> =
            ["refiner", "ewm-das", "evm-server", "content", "work"].map(|service| environment(&text, service)).into();
        assert!(file != "many-hosts.yml" || given.iter().filter(|given| given.len() > 1).count() == 3, "{given:?}");
        for name in given.iter().flat_map(BTreeMap::keys).filter(|name| !OF_PINNER.contains(&name.as_str())) {
            assert!(known.contains(name), "{file}: {name} is no setting");
        }
    }
}

#[test]
fn example_of_variables_has_exactly_those_that_the_files_read_and_their_defaults() {
    let example = text(".env.example");
    let given: BTreeMap<_, _> =
        example.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect();
    let known = variables_of_table();
    let read: BTreeSet<_> = FILES.into_iter().chain(MORE).chain(ALONE).flat_map(|file| read_by(&text(file))).collect();
    assert_eq!(read, given.keys().map(|name| (*name).to_owned()).collect());
    for (name, value) in given {
        let ours = known.contains(name) || OF_FILES.contains(&name) || OF_PINNER.contains(&name);
        assert!(ours, "{name} is neither a setting nor a variable of the files");
        let row = table::rows().find(|row| row.variable() == name);
        let default = row.and_then(|row| row.default);
        // The files have a default of their own for these.
        if !value.is_empty() && !["REFINER_FORMAT", "REFINER_LOG"].contains(&name) {
            assert!(default.is_none_or(|default| default == value), "{name}={value}");
        }
    }
}

#[test]
fn every_file_hands_on_each_setting_of_the_example() {
    let example = text(".env.example");
    let known = variables_of_table();
    let given = example.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    let settings: Vec<_> =
        given.map(|(name, _)| name).filter(|name| name.starts_with("REFINER_") && known.contains(*name)).collect();
    assert!(settings.contains(&"REFINER_MAX_SPEND_PER_DAY"), "{settings:?}");
    let of_hosts = ["REFINER_HOST_ORIGIN", "REFINER_RECHECK"];
    // A coordinator leaves rules to its hosts, which execute blocks themselves.
    let not_of_hosts = ["REFINER_WORKERS", "REFINER_EVM"];
    for file in FILES.into_iter().chain(ALONE) {
        let others = if file == "many-hosts.yml" { not_of_hosts } else { of_hosts };
        let read = read_by(&text(file));
        let lacking: Vec<_> = settings.iter().filter(|name| !others.contains(name) && !read.contains(**name)).collect();
        assert!(lacking.is_empty(), "{file} does not hand on {lacking:?}");
    }
}

#[test]
fn example_of_variables_has_every_setting_of_the_daemon_and_its_default() {
    let example = text(".env.example");
    // `#NAME=value` is one that no compose file reads; a comment has a space after its mark.
    let lines = example.lines().filter(|line| !line.starts_with("# "));
    let given: BTreeMap<_, _> = lines.filter_map(|line| line.trim_start_matches('#').split_once('=')).collect();
    let settings = table::rows()
        .filter(|row| [Scope::Run, Scope::Work, Scope::File, Scope::Program].iter().any(|scope| row.is_in(*scope)));
    let mut settings: Vec<_> = settings.collect();
    settings.dedup_by_key(|row| row.name);
    assert!(settings.len() > 60, "the settings are found");
    for row in &settings {
        let formers = row.former.iter().filter_map(|former| match former {
            Former::Variable(name) => Some((*name).to_owned()),
            Former::Name { .. } => None,
        });
        let names: Vec<_> = formers.chain([row.variable()]).collect();
        assert!(names.iter().any(|name| given.contains_key(name.as_str())), "none of {names:?} is listed");
    }
    let commented = example.lines().filter_map(|line| line.strip_prefix("#REFINER_")?.split_once('='));
    for (name, value) in commented {
        let row = settings.iter().find(|row| row.variable() == format!("REFINER_{name}"));
        let row = row.unwrap_or_else(|| panic!("REFINER_{name} is no setting of the daemon"));
        assert_eq!(row.default.unwrap_or_default(), value, "REFINER_{name}");
    }
}

/// A port as the files publish it: to this machine alone where nothing else is asked for.
fn published(port: &str) -> String {
    format!("\"${{PUBLISH_ADDRESS:-127.0.0.1}}:{port}\"")
}

#[test]
fn keys_and_builds_stay_out_of_the_context_of_the_image() {
    let ignored = fs::read_to_string(repository().join(".dockerignore")).unwrap();
    for path in [".env", "compose/.env", ".git", "target", "rules/target"] {
        assert!(ignored.lines().any(|line| line == path), "{path}");
    }
}

#[test]
fn services_and_ports_are_those_of_the_earlier_refiner() {
    for file in FILES {
        let text = text(file);
        for (service, port) in [("refiner", "9568:9568"), ("evm-server", "3002:3002")] {
            assert!(text.contains(&format!("\n  {service}:\n")), "{file}: {service}");
            assert!(text.contains(&published(port)), "{file}: {port}");
        }
        assert!(text.contains("\n  cxt-net: {}\n"), "{file}");
    }
    for port in ["5080:5080", "3001:5080"] {
        assert!(text("standalone.yml").contains(&published(port)), "{port}");
    }
    for file in ["moonbeam.yml", "moonbase.yml"] {
        assert!(text(file).contains(&format!("{}, \"4001:4001\"", published("5080:5080"))), "{file}");
        assert!(text(file).contains("\"~/.ipfs:/root/.ipfs\""), "{file}");
    }
}

#[test]
fn variables_of_the_earlier_refiner_give_the_daemon_its_settings_without_an_error() {
    // Quotes, white space, and variables of services that are gone.
    let earlier = BTreeMap::from([
        ("BLOCK_RESULT_OPERATOR_PRIVATE_KEY", OPERATOR_KEY),
        ("NODE_ETHEREUM_MAINNET", "\"https://moonbeam.example/rpc/key\""),
        ("W3_AGENT_KEY", "MgCb"),
        ("WEB3_JWT", "eyJ"),
        ("FILEBASE_RPC_TOKEN", "token"),
        ("IPFS_PINNER_URL", "http://127.0.0.1:5080"),
        ("EVM_SERVER_URL", "http://127.0.0.1:3002"),
        ("MIX_ENV", "prod"),
    ]);
    for (file, chain, pinner) in [
        ("standalone.yml", 1284, "http://ewm-das:5080"),
        ("moonbeam.yml", 1284, "http://ewm-das:5080"),
        ("moonbase.yml", 1287, "http://ewm-das:5080"),
        ("existing-pinner.yml", 1284, "http://host.docker.internal:5080"),
    ] {
        let of_service = environment(&text(file), "refiner");
        let mut show = Command::new(env!("CARGO_BIN_EXE_refiner"));
        show.args(["config", "show", "--json"]).env_clear();
        for (name, value) in &of_service {
            show.env(name, interpolated(value, &earlier));
        }
        let output = show.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), stderr.as_ref()), (Some(0), ""), "{file}");
        let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
        let value = |key: &str| shown[key]["value"].clone();
        assert_eq!(value("proof-chain-id"), chain, "{file}");
        assert_eq!(value("rpc"), serde_json::json!(["https://moonbeam.example/…"]), "{file}");
        assert_eq!(value("pinner"), pinner, "{file}");
        assert_eq!(value("format"), "evm-server@e", "{file}");
        assert_eq!(value("key"), "…", "{file}");
        assert_eq!(value("health"), "0.0.0.0:9568", "{file}");
    }
}

#[test]
fn compose_takes_every_file_with_the_example_of_variables() {
    let compose = Command::new("docker-compose").arg("version").output();
    #[allow(clippy::print_stderr)]
    if !compose.is_ok_and(|output| output.status.success()) {
        return eprintln!("skipped: docker-compose is not installed");
    }
    let at = |name: &str| repository().join("compose").join(name);
    let with_more = [
        &["standalone.yml", "key-file.yml", "confined.yml", "small.yml", "observability.yml"][..],
        &ALONE,
        &["many-hosts.yml", "key-file.yml", "observability.yml"],
    ];
    for files in FILES.each_ref().map(std::slice::from_ref).into_iter().chain(with_more) {
        let mut config = Command::new("docker-compose");
        config.arg("--env-file").arg(at(".env.example"));
        for name in files {
            config.arg("-f").arg(at(name));
        }
        config.env("OPERATOR_KEY_FILE", "/key").env("SECCOMP_PROFILE", at("seccomp.json"));
        must(config.args(["config", "--quiet"]));
    }
}
