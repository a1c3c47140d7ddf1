//! Every flag and every variable of the version before this table, with values as they were written then.
#![allow(clippy::unwrap_used)]

use clap::{Args as _, FromArgMatches as _};
use refiner_config::{Environment, Flags, Scoped, scope};

/// A flag without its dashes, a value, and the variables that gave it too.
type Former<'a> = (&'a str, &'a str, &'a [&'a str]);

/// The problems of one source alone.
fn problems<S: Scoped>(flags: &[&str], variable: Option<(&str, &str)>) -> Vec<String> {
    let command = Flags::<S>::augment_args(clap::Command::new("command").no_binary_name(true));
    let matches = command.try_get_matches_from(flags).unwrap_or_else(|error| panic!("{flags:?}: {error}"));
    let flags = Flags::<S>::from_arg_matches(&matches).unwrap();
    let environment = Environment::of(variable.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let mut problems = Vec::new();
    flags.read_from(&environment, None, &mut problems);
    problems.iter().map(ToString::to_string).collect()
}

/// True when another value than the default is there.
fn is_read<S: Scoped>(flags: &[&str], variable: Option<(&str, &str)>) -> bool {
    let command = Flags::<S>::augment_args(clap::Command::new("command").no_binary_name(true));
    let flags = Flags::<S>::from_arg_matches(&command.try_get_matches_from(flags).unwrap()).unwrap();
    let environment = Environment::of(variable.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let values = flags.read_from(&environment, None, &mut Vec::new());
    let mut rows = refiner_config::table::rows().filter(|row| row.is_in(S::SCOPE));
    rows.any(|row| values.shown(row).1 != refiner_config::Origin::Default)
}

#[track_caller]
fn works<S: Scoped>(former: &[Former<'_>]) {
    for (flag, value, variables) in former {
        let flag = format!("--{flag}={value}");
        assert_eq!(problems::<S>(&[&flag], None), [] as [String; 0]);
        assert!(is_read::<S>(&[&flag], None), "{flag}");
        for variable in *variables {
            assert_eq!(problems::<S>(&[], Some((variable, value))), [] as [String; 0]);
            assert!(is_read::<S>(&[], Some((variable, value))), "{variable}");
        }
    }
}

const ADDRESS: &str = "0x3402ce1e416e082ed3Ba3d9dcba10353F3b64499";

/// Former settings of the executor, of `run`, `replay` and `rule run`.
const EXECUTION: [Former<'_>; 6] = [
    ("evm", "both", &["REFINER_EVM"]),
    ("evm-server", "http://a:3002", &["REFINER_EVM_SERVER", "EVM_SERVER_URL"]),
    ("evm-on-difference", "prefer-remote", &["REFINER_EVM_ON_DIFFERENCE"]),
    ("evm-timeout-s", "7", &["REFINER_EVM_TIMEOUT_S"]),
    ("senders", "stated", &["REFINER_SENDERS"]),
    ("gas-bound", "7", &["REFINER_GAS_BOUND"]),
];

/// Former settings of each command that finds rules.
const RESOLUTION: [Former<'_>; 3] = [
    ("lock", "a.lock", &[]),
    ("locked", "true", &[]),
    ("ipfs-gateway", "http://a,http://b", &["REFINER_IPFS_GATEWAY"]),
];

#[test]
fn former_settings_of_run_work() {
    works::<scope::Run>(&EXECUTION);
    works::<scope::Run>(&[
        ("network", "moonbeam", &["REFINER_NETWORK", "MIX_ENV"]),
        ("proof-chain-id", "1284", &["REFINER_PROOF_CHAIN_ID", "PROOFCHAIN_CHAIN_ID"]),
        ("specimen-contract", ADDRESS, &["REFINER_SPECIMEN_CONTRACT", "BSP_PROOFCHAIN_ADDRESS"]),
        ("result-contract", ADDRESS, &["REFINER_RESULT_CONTRACT", "BRP_PROOFCHAIN_ADDRESS"]),
        ("rpc", "http://a", &["REFINER_RPC", "NODE_ETHEREUM_MAINNET"]),
        ("rpc-s", "7", &["REFINER_RPC_S"]),
        ("source-chain", "5", &["REFINER_SOURCE_CHAIN"]),
        ("start", "7d", &["REFINER_START"]),
        ("depth", "7", &["REFINER_DEPTH"]),
        ("poll-ms", "20", &["REFINER_POLL_MS"]),
        ("data", "/data", &["REFINER_DATA"]),
        ("pinner", "http://a", &["REFINER_PINNER", "IPFS_PINNER_URL"]),
        ("upload-s", "7", &["REFINER_UPLOAD_S"]),
        ("gateway", "http://a", &["REFINER_GATEWAY"]),
        ("private-urls", "true", &["REFINER_PRIVATE_URLS"]),
        ("store-mib", "100", &["REFINER_STORE_MIB"]),
        ("rule", "token-transfers", &["REFINER_RULE"]),
        ("prove", "none", &["REFINER_PROVE"]),
        ("format", "evm-server@d", &["REFINER_FORMAT"]),
        ("param", "a=b", &["REFINER_PARAM"]),
        ("chain-config", "a.json", &["REFINER_CHAIN_CONFIG"]),
        ("workers", "7", &["REFINER_WORKERS"]),
        ("key-file", "/key", &["REFINER_KEY_FILE", "BLOCK_RESULT_OPERATOR_PRIVATE_KEY_FILE"]),
        ("keystore", "/keystore", &["REFINER_KEYSTORE"]),
        ("password-file", "/password", &["REFINER_PASSWORD_FILE"]),
        ("signer", "http://a", &["REFINER_SIGNER"]),
        ("operator", ADDRESS, &["REFINER_OPERATOR"]),
        ("max-fee-gwei", "7", &["REFINER_MAX_FEE_GWEI"]),
        ("proof-depth", "7", &["REFINER_PROOF_DEPTH"]),
        ("bump-after-s", "7", &["REFINER_BUMP_AFTER_S"]),
        ("recheck-s", "7", &["REFINER_RECHECK_S"]),
        ("unsettled", "7", &["REFINER_UNSETTLED"]),
        ("health", "127.0.0.1:1", &["REFINER_HEALTH"]),
        ("health-anywhere", "true", &["REFINER_HEALTH_ANYWHERE"]),
        ("fetches", "7", &["REFINER_FETCHES"]),
        ("pins", "7", &["REFINER_PINS"]),
        ("backlog", "7", &["REFINER_BACKLOG"]),
        ("shutdown-s", "7", &["REFINER_SHUTDOWN_S"]),
        ("retry-ms", "20", &["REFINER_RETRY_MS"]),
    ]);
    for switch in [&["--private-urls"][..], &["--private-urls", "true"], &["--health-anywhere", "false"]] {
        assert!(is_read::<scope::Run>(switch, None), "{switch:?}");
    }
    works::<scope::File>(&[("config", "a.toml", &["REFINER_CONFIG"])]);
}

#[test]
fn former_settings_of_replay_and_of_rules_work() {
    works::<scope::Replay>(&EXECUTION);
    works::<scope::Replay>(&RESOLUTION);
    works::<scope::RuleRun>(&EXECUTION);
    works::<scope::RuleRun>(&RESOLUTION);
    let policy = &EXECUTION[4..];
    works::<scope::SpecimenCheck>(policy);
    works::<scope::RuleCheck>(policy);
    works::<scope::RuleCheck>(&RESOLUTION);
    works::<scope::RuleInfo>(policy);
    works::<scope::RuleInfo>(&RESOLUTION);
    // It writes the lock, which does not bind it.
    works::<scope::RuleLock>(&[RESOLUTION[0], RESOLUTION[2]]);
    assert!(is_read::<scope::Replay>(&["--locked"], None));
}

#[test]
fn former_settings_of_evm_serve_work() {
    works::<scope::EvmServe>(&[
        ("listen", "127.0.0.1:7", &["REFINER_EVM_LISTEN"]),
        ("format", "canonical", &["REFINER_EVM_FORMAT"]),
        ("gas-bound", "7", &["REFINER_GAS_BOUND"]),
        ("body-mib", "7", &[]),
        ("in-flight-mib", "7", &[]),
        ("running", "7", &[]),
        ("executions", "7", &[]),
        ("waiting", "7", &[]),
        ("connections", "7", &[]),
        ("idle-seconds", "7", &[]),
        ("body-seconds", "7", &[]),
        ("block-gas", "7", &[]),
        ("processor-seconds", "7", &[]),
        ("drain-seconds", "7", &[]),
    ]);
}

#[test]
fn former_settings_of_content_and_journal_work() {
    let pinner: Former<'_> = ("pinner", "http://a", &["IPFS_PINNER_URL"]);
    let data: Former<'_> = ("data", "/data", &["REFINER_DATA"]);
    works::<scope::ContentGet>(&[data, pinner, ("gateway", "http://a,http://b", &["REFINER_GATEWAY"])]);
    works::<scope::ContentPut>(&[data, pinner]);
    works::<scope::ContentServe>(&[data, ("listen", "127.0.0.1:7", &[]), ("beyond-loopback", "true", &[])]);
    assert!(is_read::<scope::ContentServe>(&["--beyond-loopback"], None));
    works::<scope::Data>(&[data]);
    works::<scope::Program>(&[("log", "info", &["REFINER_LOG"])]);
}
