//! Flags, environment and file, merged.
#![allow(clippy::unwrap_used)]

use std::{fs, path::PathBuf, time::Duration};

use clap::{Args as _, FromArgMatches as _};
use refiner_config::{Bytes, Environment, Flags, Origin, Values, scope, table};

/// A configuration of `refiner run` with its three sources.
struct Sources<'a> {
    flags: &'a [&'a str],
    variables: &'a [(&'a str, &'a str)],
    file: &'a str,
}

impl Sources<'_> {
    fn flags(&self) -> Flags<scope::Run> {
        let command = Flags::<scope::Run>::augment_args(clap::Command::new("run").no_binary_name(true));
        Flags::from_arg_matches(&command.try_get_matches_from(self.flags).unwrap()).unwrap()
    }

    fn read(&self) -> (Values, Vec<String>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("refiner.toml");
        fs::write(&path, self.file).unwrap();
        let variables = self.variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut problems = Vec::new();
        let values = self.flags().read_from(&Environment::of(variables), Some(&path), &mut problems);
        let shown = |problem: &refiner_config::Problem| {
            problem.to_string().replace(&directory.path().display().to_string(), "DIR")
        };
        (values, problems.iter().map(shown).collect())
    }

    /// The values of a configuration without problems.
    fn values(&self) -> Values {
        let (values, problems) = self.read();
        assert!(problems.is_empty(), "{problems:?}");
        values
    }
}

const NOTHING: Sources<'_> = Sources { flags: &[], variables: &[], file: "" };

#[test]
fn flags_go_before_the_environment_and_that_before_the_file_and_that_before_the_default() {
    let sources = Sources {
        flags: &["--depth", "1"],
        variables: &[("REFINER_DEPTH", "2"), ("REFINER_POLL_INTERVAL", "2s")],
        file: "depth = 3\npoll-interval = \"3s\"\nbacklog = 3\n",
    };
    let values = sources.values();
    assert_eq!((values.get(&table::DEPTH), values.get(&table::BACKLOG), values.get(&table::FETCHES)), (1, 3, 8));
    assert_eq!(values.get(&table::POLL_INTERVAL), Duration::from_secs(2));
    assert_eq!(values.shown(&table::DEPTH.row).1, Origin::Flag);
    assert_eq!(values.shown(&table::POLL_INTERVAL.row).1.to_string(), "environment, REFINER_POLL_INTERVAL");
    assert!(matches!(values.shown(&table::BACKLOG.row).1, Origin::File(_)));
    assert_eq!(values.shown(&table::FETCHES.row), (Some(vec!["8".to_owned()]), Origin::Default));
}

#[test]
fn list_is_repeated_flags_and_commas_and_an_array() {
    let chains = |sources: Sources<'_>| sources.values().get(&table::SOURCE_CHAIN);
    assert_eq!(chains(NOTHING), [1]);
    assert_eq!(chains(Sources { flags: &["--source-chain", "1", "--source-chain", "5"], ..NOTHING }), [1, 5]);
    assert_eq!(chains(Sources { variables: &[("REFINER_SOURCE_CHAIN", "1, 5,")], ..NOTHING }), [1, 5]);
    assert_eq!(chains(Sources { file: "source-chain = [1, \"5\"]", ..NOTHING }), [1, 5]);
}

#[test]
fn switch_needs_no_value() {
    let remote = |sources: Sources<'_>| sources.values().get(&table::ALLOW_REMOTE_HEALTH);
    assert!(!remote(NOTHING));
    assert!(remote(Sources { flags: &["--allow-remote-health"], ..NOTHING }));
    assert!(!remote(Sources {
        flags: &["--allow-remote-health=false"],
        file: "allow-remote-health = true",
        ..NOTHING
    }));
    assert!(remote(Sources { variables: &[("REFINER_ALLOW_REMOTE_HEALTH", "true")], ..NOTHING }));
}

#[test]
fn every_former_name_works_in_every_source_with_a_warning() {
    for row in table::rows().filter(|row| row.is_in(refiner_config::Scope::Run)) {
        for former in row.former {
            let refiner_config::Former::Name { name, unit } = former else { continue };
            let value = if row.form == refiner_config::Form::Switch { "true" } else { "20" };
            let expected = format!("{value}{}", unit.unwrap_or_default());
            let flag = format!("--{name}={value}");
            let variable = format!("REFINER_{}", name.to_ascii_uppercase().replace('-', "_"));
            // The least size is larger.
            let (flag, value, expected) = if *unit == Some("MiB") {
                (format!("--{name}=70"), "70", "70MiB".to_owned())
            } else {
                (flag, value, expected)
            };
            let in_file = format!("{name} = {value}");
            for sources in [
                Sources { flags: &[&flag], ..NOTHING },
                Sources { variables: &[(&variable, value)], ..NOTHING },
                Sources { file: &in_file, ..NOTHING },
            ] {
                let values = sources.values();
                assert_eq!(values.shown(row).0, Some(vec![expected.clone()]), "{name}");
                let [warning] = values.warnings() else { panic!("{name}: {:?}", values.warnings()) };
                assert_eq!((warning.former, warning.name), (*name, row.name));
            }
        }
    }
}

#[test]
fn former_name_takes_a_unit_too() {
    let values = Sources { variables: &[("REFINER_STORE_MIB", "1GiB")], ..NOTHING }.values();
    assert_eq!(values.get(&table::STORE_SIZE), Bytes(1 << 30));
}

#[test]
fn former_and_present_name_in_one_place_are_a_problem() {
    let (_, problems) = Sources { flags: &["--rpc-s", "7", "--rpc-timeout", "8s"], ..NOTHING }.read();
    assert_eq!(problems, ["rpc-timeout and rpc-s are one setting, and both are given (flag)"]);
    let both = Sources { flags: &["--rpc-timeout", "8s"], variables: &[("REFINER_RPC_S", "7")], ..NOTHING };
    assert_eq!(both.values().get(&table::RPC_TIMEOUT), Duration::from_secs(8));
}

#[test]
fn variables_of_the_networks_earlier_refiner_work_without_a_warning() {
    let variables = [
        ("MIX_ENV", "prod"),
        ("PROOFCHAIN_CHAIN_ID", "31337"),
        ("BSP_PROOFCHAIN_ADDRESS", "0xa8c01d5e0a1b1f0c1e2d3c4b5a69788796a5b4c3"),
        ("NODE_ETHEREUM_MAINNET", "\"http://a, http://b/\"\r"),
        ("IPFS_PINNER_URL", " http://pinner:5080 "),
        ("BLOCK_RESULT_OPERATOR_PRIVATE_KEY", "'5ecret'"),
        ("EVM_SERVER_URL", "http://evm:3002"),
    ];
    let values = Sources { variables: &variables, ..NOTHING }.values();
    assert_eq!(values.get(&table::NETWORK).as_deref(), Some("prod"));
    assert_eq!(values.get(&table::PROOF_CHAIN_ID), Some(31337));
    assert_eq!(values.get(&table::RPC).iter().map(ToString::to_string).collect::<Vec<_>>(), ["http://a/", "http://b/"]);
    assert_eq!(values.get(&table::PINNER).as_deref(), Some("http://pinner:5080"));
    assert_eq!(values.get(&table::EVM_SERVER), "http://evm:3002");
    assert_eq!(values.key().map(|(name, _)| name), Some("BLOCK_RESULT_OPERATOR_PRIVATE_KEY"));
    assert_eq!(values.warnings(), []);
}

#[test]
fn own_name_goes_before_that_of_the_networks_earlier_refiner() {
    let variables = [("MIX_ENV", "dev"), ("REFINER_NETWORK", "moonbeam")];
    let values = Sources { variables: &variables, ..NOTHING }.values();
    assert_eq!(values.get(&table::NETWORK).as_deref(), Some("moonbeam"));
}

#[test]
fn everything_that_is_wrong_is_reported_at_once_with_its_origin() {
    let sources = Sources {
        flags: &["--start", "yesterday", "--workers", "1025"],
        variables: &[("REFINER_DEPHT", "2"), ("REFINER_POLL_INTERVAL", "20"), ("REFINER_RPC", "ftp://user:canary@a")],
        file: "dept = 3\nrpc-timeout = \"1d\"\nfetches = [1]\nsource-chain = 1\npins = 1.5\n",
    };
    let (_, mut problems) = sources.read();
    problems.sort();
    assert_eq!(
        problems,
        [
            "DIR/refiner.toml: fetches: expected a number",
            "DIR/refiner.toml: no such setting: dept",
            "DIR/refiner.toml: pins: expected a number",
            "DIR/refiner.toml: source-chain: expected an array, such as [\"…\"]",
            "REFINER_DEPHT: no such setting; did you mean REFINER_DEPTH?",
            "poll-interval: expected a duration with its unit such as 500ms, 20s, 5m, 2h or 7d, found \"20\" (environment, REFINER_POLL_INTERVAL)",
            "rpc-timeout: 1d is not between 1s and 10m (DIR/refiner.toml)",
            "rpc: expected a URL that begins with http:// or https:// (where a provider gives wss://, it has an https:// address beside it), found \"ftp://…\" (environment, REFINER_RPC)",
            "start: expected `latest`, a block number, or days such as 7d, found \"yesterday\" (flag)",
            "workers: 1025 is not between 0 and 1024 (flag)",
        ]
    );
}

#[test]
fn key_in_the_place_of_its_file_is_refused_in_every_source_and_shown_in_none() {
    let digits = "5A".repeat(32);
    let is_refused = |sources: Sources<'_>, setting: &str, origin: &str| {
        let (values, problems) = sources.read();
        let expected = format!(
            "{setting}: looks like a key, which is not shown; expected the path of the file that holds it ({origin})"
        );
        assert_eq!(problems, [expected]);
        assert!(!format!("{values:?}").contains(&digits), "{values:?}");
        assert!(table::rows().all(|row| values.shown(row).0.is_none_or(|texts| !texts.concat().contains(&digits))));
    };
    for key in [digits.clone(), format!("0x{digits}"), format!("0X{digits}")] {
        let variable = [("REFINER_KEY_FILE", &*key)];
        is_refused(Sources { variables: &variable, ..NOTHING }, "key-file", "environment, REFINER_KEY_FILE");
        let former = [("BLOCK_RESULT_OPERATOR_PRIVATE_KEY_FILE", &*key)];
        let origin = "environment, BLOCK_RESULT_OPERATOR_PRIVATE_KEY_FILE";
        is_refused(Sources { variables: &former, ..NOTHING }, "key-file", origin);
        is_refused(Sources { flags: &["--password-file", &key], ..NOTHING }, "password-file", "flag");
        let file = format!("keystore = \"{key}\"");
        is_refused(Sources { file: &file, ..NOTHING }, "keystore", "DIR/refiner.toml");
    }
    // One digit fewer is a name.
    let name = &digits[1..];
    assert_eq!(
        Sources { flags: &["--key-file", name], ..NOTHING }.values().get(&table::KEY_FILE),
        Some(PathBuf::from(name))
    );
}

#[test]
fn line_of_a_file_that_is_no_toml_is_numbered_and_not_shown() {
    let key = "5a".repeat(32);
    for line in [format!("key-file = 0x{key}"), format!("key-file = {key}"), format!("key-file = \"{key}")] {
        let file = format!("depth = 3\n{line}\n");
        let (_, problems) = Sources { file: &file, ..NOTHING }.read();
        let [problem] = problems.as_slice() else { panic!("{problems:?}") };
        assert!(problem.starts_with("DIR/refiner.toml: not TOML: ") && problem.ends_with(" (line 2)"), "{problem}");
        assert!(!problem.contains(&key), "{problem}");
    }
}

#[test]
fn variables_of_other_commands_and_other_programs_stop_nothing() {
    let variables = [
        ("REFINER_EVM_LISTEN", "not an address"),
        ("REFINER_CONTENT_LISTEN", "nor this"),
        ("REFINER_LOG", "info"),
        ("REFINER_FLEET_TOKEN", "x"),
    ];
    assert_eq!(Sources { variables: &variables, ..NOTHING }.values().get(&table::DEPTH), 3);
}

#[test]
fn file_that_is_missing_or_no_toml_is_named() {
    let (_, problems) = Sources { file: "depth 3", ..NOTHING }.read();
    assert!(problems[0].starts_with("DIR/refiner.toml: not TOML: "), "{problems:?}");
    let mut problems = Vec::new();
    let missing = PathBuf::from("/nowhere/refiner.toml");
    NOTHING.flags().read_from(&Environment::of([]), Some(&missing), &mut problems);
    let text = problems[0].to_string();
    assert!(text.starts_with("/nowhere/refiner.toml: cannot be read: "), "{text}");
}

#[test]
fn help_names_variable_and_default_and_hides_former_names() {
    let mut command = Flags::<scope::Run>::augment_args(clap::Command::new("run"));
    let help = command.render_long_help().to_string();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("--rpc-timeout <DURATION> Time limit for one RPC request;"), "{help}");
    assert!(help.contains("[env: REFINER_RPC_TIMEOUT] [default: 15s]"), "{help}");
    assert!(!help.contains("rpc-s ") && !help.contains("poll-ms"), "{help}");
}

#[test]
fn no_value_is_in_the_debug_text_of_flags() {
    let flags = Sources { flags: &["--rpc", "http://canary"], ..NOTHING }.flags();
    let text = format!("{flags:?}");
    assert!(text.contains("rpc") && !text.contains("canary"), "{text}");
}
