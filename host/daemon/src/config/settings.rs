//! Settings with their types, bounds and defaults.

mod reading;

use std::{
    fmt,
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    thread,
    time::Duration,
};

use refiner_config::{FinalizePolicy, Parameter, Problem, Values, egress, table};
use refiner_evm::{ExecutionPolicy, ResultFormat};
use refiner_executor::Evm;
use refiner_http_client::Egress;
use refiner_proofchain::{FeePolicy, KeySource, Network, ScanConfig, StartBlock};
use refiner_rule_model::Params;
use refiner_rule_package::{Allowance, builtin};
use refiner_worker::Requirement;
use url::Url;

use self::reading::Reading;
use super::hosts::QueueTerms;

/// Settings of the whole daemon.
pub struct Settings {
    pub network: Network,
    /// The way of every request but those to this machine.
    pub egress: Egress,
    pub rpc: Vec<Url>,
    pub rpc_timeout: Duration,
    pub rpc_rps: Option<NonZeroU32>,
    pub scan: ScanConfig,
    pub start: StartBlock,
    pub poll: Duration,
    pub data: PathBuf,
    pub pinner: Option<String>,
    /// Where others find what is not pinned.
    pub public_url: Option<Url>,
    pub upload: Duration,
    /// `None` for the public ones.
    pub gateways: Option<Vec<String>>,
    pub fetch_stall: Duration,
    pub fetch: Duration,
    pub private_urls: bool,
    pub store_bytes: u64,
    /// Finished items that the journal keeps; `None` for all.
    pub keep_items: Option<u64>,
    /// The age up to which it keeps them; `None` for any.
    pub keep_age: Option<Duration>,
    pub rules: Vec<String>,
    pub prove: Option<String>,
    /// The format of block results; where none is chosen, nothing is proved.
    pub format: ResultFormat,
    pub params: Params,
    /// Ceilings of rules, and the confinement that they need.
    pub allowance: Allowance,
    pub chain_configs: Vec<PathBuf>,
    pub evm: Evm,
    pub policy: ExecutionPolicy,
    pub workers: usize,
    /// The queue over which worker hosts share the work.
    pub queue: Option<QueueTerms>,
    pub key: Key,
    pub fees: FeePolicy,
    /// Wei that the transactions of 24 hours may cost.
    pub max_spend_wei: Option<u128>,
    /// Results in a row that others deny before proving pauses; 0 for any number.
    pub max_differences: u64,
    pub finalize: FinalizePolicy,
    pub proof_depth: u64,
    pub bump_after: Duration,
    pub recheck: Duration,
    pub unsettled: usize,
    pub health: SocketAddr,
    pub health_anywhere: bool,
    /// Names by which health, status and metrics may be asked.
    pub allow_hosts: Vec<String>,
    pub fetches: usize,
    pub pins: usize,
    pub backlog: u64,
    pub waiting_limit: Duration,
    pub heartbeat: Duration,
    /// The receiver of traces, where there is one.
    pub otlp_endpoint: Option<Url>,
    /// Proofs left below which the balance is low.
    pub low_balance: u64,
    pub shutdown: Duration,
    pub retry: Duration,
}

/// Shows no field: an address may have a password.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").finish_non_exhaustive()
    }
}

impl Settings {
    /// The confinement that the rules need: none where all are built in.
    pub fn requirement(&self) -> Requirement {
        self.allowance.requirement(self.rules.iter().all(|rule| builtin::rule(rule).is_some()))
    }
}

/// The choice to prove results, with its key.
#[derive(Debug)]
pub enum Key {
    /// Nothing is proved; no key is read.
    None,
    /// Proofs are signed with this.
    From(KeySource),
}

const GWEI: u128 = 1_000_000_000;
/// Facts that the nodes of the proof chain are checked against. Without `Debug`: an address may have a password.
pub struct Nodes {
    pub network: Network,
    pub rpc: Vec<Url>,
    pub timeout: Duration,
    pub egress: Egress,
}

/// The nodes alone, where there are any. `None` also together with a problem.
pub fn nodes(values: &Values, problems: &mut Vec<Problem>) -> Option<Nodes> {
    if !values.is_given(&table::RPC) {
        return None;
    }
    let mut reading = Reading { values, problems };
    let (network, rpc) = (reading.network(), reading.rpc());
    Some(Nodes { network: network?, rpc: rpc?, timeout: values.get(&table::RPC_TIMEOUT), egress: egress::of(values) })
}

/// Makes settings of values. `None` only together with a problem.
pub fn resolve(values: &Values, problems: &mut Vec<Problem>) -> Option<Settings> {
    let mut reading = Reading { values, problems };
    let proves = values.get(&table::PROVE).as_deref() != Some("none");
    let network = reading.network();
    let rpc = reading.rpc();
    let key = if proves { reading.key() } else { Some(Key::None) };
    let policy = reading.policy(proves);
    if proves {
        reading.check_place();
        reading.check_format();
    }
    let queue = QueueTerms::of(values, reading.problems);
    let format = values.get(&table::FORMAT).map(|format| ("format".to_owned(), format.to_string()));
    let params = values.get(&table::PARAM).into_iter().map(|Parameter { name, value }| (name, value));
    let params = Params::of(format.into_iter().chain(params)).unwrap_or_else(|source| {
        reading.problems.push(Problem::Setting { key: "param", source: Box::new(source) });
        Params::default()
    });
    reading.check_remote_format(&params);
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let settings = Settings {
        scan: ScanConfig {
            depth: values.get(&table::DEPTH),
            source_chains: values.get(&table::SOURCE_CHAIN),
            window: values.get(&table::SCAN_WINDOW),
            ..ScanConfig::default()
        },
        egress: egress::of(values),
        start: values.get(&table::START),
        poll: values.get(&table::POLL_INTERVAL),
        rpc_timeout: values.get(&table::RPC_TIMEOUT),
        rpc_rps: values.get(&table::RPC_RPS).and_then(|rps| NonZeroU32::new(u32::try_from(rps).ok()?)),
        data: values.get(&table::DATA),
        pinner: values.get(&table::PINNER).filter(|pinner| pinner != "none"),
        public_url: values.get(&table::PUBLIC_URL),
        upload: values.get(&table::UPLOAD_TIMEOUT),
        gateways: values.given(&table::GATEWAY).map(without_none),
        fetch_stall: values.get(&table::FETCH_STALL_TIMEOUT),
        fetch: values.get(&table::FETCH_TIMEOUT),
        private_urls: values.get(&table::PRIVATE_URLS),
        store_bytes: values.get(&table::STORE_SIZE).0,
        keep_items: values.get(&table::KEEP_ITEMS),
        keep_age: values.get(&table::KEEP_AGE),
        rules: values.get(&table::RULE),
        prove: values.get(&table::PROVE).filter(|_| proves),
        format: values.get(&table::FORMAT).unwrap_or(ResultFormat::Canonical),
        params,
        allowance: Allowance::of(values),
        chain_configs: values.get(&table::CHAIN_CONFIG),
        evm: Evm::of(values),
        policy,
        workers: values.get(&table::WORKERS).map_or(cores, size),
        queue,
        fees: FeePolicy {
            cap_wei: u128::from(values.get(&table::MAX_FEE)) * GWEI,
            tip_cap_wei: u128::from(values.get(&table::MAX_TIP)) * GWEI,
            ..FeePolicy::default()
        },
        finalize: values.get(&table::FINALIZE),
        max_differences: values.get(&table::MAX_DIFFERENCES),
        max_spend_wei: values.get(&table::MAX_SPEND_PER_DAY).map(|coins| coins.0),
        proof_depth: values.get(&table::PROOF_DEPTH),
        bump_after: values.get(&table::BUMP_AFTER),
        recheck: values.get(&table::RECHECK_INTERVAL),
        unsettled: size(values.get(&table::MAX_PENDING_TRANSACTIONS)),
        health: values.get(&table::HEALTH),
        health_anywhere: values.get(&table::ALLOW_REMOTE_HEALTH),
        allow_hosts: values.get(&table::ALLOW_HOST),
        fetches: size(values.get(&table::FETCHES)),
        pins: size(values.get(&table::PINS)),
        backlog: values.get(&table::BACKLOG),
        waiting_limit: values.get(&table::WAITING_LIMIT),
        heartbeat: values.get(&table::HEARTBEAT),
        otlp_endpoint: values.get(&table::OTLP_ENDPOINT),
        low_balance: values.get(&table::LOW_BALANCE),
        shutdown: values.get(&table::SHUTDOWN_TIMEOUT),
        retry: values.get(&table::RETRY_DELAY),
        // Last, so that the problems of the others are reported as well.
        network: network?,
        rpc: rpc?,
        key: key?,
    };
    Some(settings)
}

/// The nodes of the proof chain. `None` only together with a problem.
pub fn rpc(values: &Values, problems: &mut Vec<Problem>) -> Option<Vec<Url>> {
    Reading { values, problems }.rpc()
}

/// The contracts. `None` only together with a problem.
pub fn network(values: &Values, problems: &mut Vec<Problem>) -> Option<Network> {
    Reading { values, problems }.network()
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The gateways of a list in which `none` stands for an empty one.
fn without_none(mut gateways: Vec<String>) -> Vec<String> {
    gateways.retain(|gateway| gateway != "none");
    gateways
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};
    use refiner_config::{Environment, Flags, scope};

    use super::*;

    /// The settings of a file, with a key in the environment where one is given.
    fn resolved(file: &str, secret: Option<&str>) -> Result<Settings, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("refiner.toml");
        std::fs::write(&path, file).unwrap();
        let command = Flags::<scope::Run>::augment_args(clap::Command::new("run"));
        let flags = Flags::<scope::Run>::from_arg_matches(&command.get_matches_from(["run"])).unwrap();
        let key = secret.map(|key| ("BLOCK_RESULT_OPERATOR_PRIVATE_KEY".to_owned(), key.to_owned()));
        let mut problems = Vec::new();
        let values = flags.read_from(&Environment::of(key), Some(&path), &mut problems);
        let settings = resolve(&values, &mut problems);
        match settings {
            Some(settings) if problems.is_empty() => Ok(settings),
            _ => Err(problems.iter().map(|problem| format!("{problem}\n")).collect()),
        }
    }

    /// Settings of proving beside its key.
    const PROVING: &str = "pinner = \"http://127.0.0.1:3001\"\nformat = \"canonical\"\n";

    /// The least that a daemon needs beside a key, and more.
    fn least(more: &str) -> String {
        format!("network = \"moonbeam\"\nrpc = [\"http://user:pass@127.0.0.1:8545/key\"]\n{PROVING}{more}")
    }

    #[test]
    fn results_are_proved_only_in_a_format_that_was_chosen_and_where_others_find_them() {
        let without = |text: &str| least("").replace(text, "");
        let problems = resolved(&without(PROVING), Some("aa")).unwrap_err();
        for expected in ["pinner is missing", "--public-url", "format is missing", "add `format = \"evm-server@e\"`"] {
            assert!(problems.contains(expected), "{expected} in {problems}");
        }
        let unproved = format!("{}prove = \"none\"", without(PROVING));
        assert!(resolved(&unproved, None).unwrap().public_url.is_none());
        let served = without("pinner = \"http://127.0.0.1:3001\"\n") + "public-url = \"https://results.example\"";
        assert!(resolved(&served, Some("aa")).unwrap().public_url.is_some());
        assert!(
            resolved(&least("pinner = \"none\"").replacen(PROVING, "format = \"canonical\"\n", 1), Some("aa")).is_err()
        );
        // Another rule's result has no such format.
        let other = without("format = \"canonical\"\n") + "rule = [\"transaction-summary\"]";
        assert!(resolved(&other, Some("aa")).is_ok());
    }

    #[test]
    fn evm_server_is_not_asked_for_a_result_that_it_never_gives() {
        let of = |more: &str| resolved(&least(&format!("evm = \"remote\"\n{more}")), Some("aa"));
        assert!(of("").unwrap_err().contains("which no evm-server writes"));
        assert!(of("rule = [\"transaction-summary\"]").is_ok());
        let era = least("evm = \"both\"").replace("\"canonical\"", "\"evm-server@e\"");
        assert!(resolved(&era, Some("aa")).is_ok());
        let twice = resolved(&least("param = [\"a=1\", \"a=2\"]"), Some("aa")).unwrap_err();
        assert!(twice.contains("'a' has two values, '1' and '2'"), "{twice}");
    }

    #[test]
    fn network_node_key_pinner_and_format_are_enough() {
        let settings = resolved(&least(""), Some("aa")).unwrap();
        assert_eq!(settings.network, Network::MOONBEAM);
        assert_eq!((settings.scan.depth, settings.proof_depth), (3, 5));
        assert_eq!(settings.health.to_string(), "127.0.0.1:9568");
    }

    #[test]
    fn part_of_a_preset_can_be_replaced() {
        let contract = "0x3402ce1e416e082ed3Ba3d9dcba10353F3b64499";
        let network = resolved(&least(&format!("result-contract = \"{contract}\"")), Some("aa")).unwrap().network;
        assert_eq!(network, Network { result_contract: contract.parse().unwrap(), ..Network::MOONBEAM });
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let file = "network = \"moonbem\"\nrpc = [\"ftp://user:pass@host\"]\nstart = \"yesterday\"\ndepth = 10001\nparam = [\"a\"]";
        let problems = resolved(file, None).unwrap_err();
        for expected in ["moonbem", "rpc:", "yesterday", "depth: 10001", "param:", "key-file is missing"] {
            assert!(problems.contains(expected), "{expected} in {problems}");
        }
        assert!(!problems.contains("pass") && !problems.contains("rpc is missing"), "{problems}");
    }

    #[test]
    fn websocket_address_is_refused_with_what_to_use() {
        let file = "network = \"moonbeam\"\nrpc = [\"wss://moonbeam.example/s3cret\"]";
        let problems = resolved(file, Some("aa")).unwrap_err();
        assert!(problems.contains("rpc: expected") && problems.contains("https:// address beside it"), "{problems}");
        assert!(!problems.contains("s3cret"), "{problems}");
    }

    #[test]
    fn bounds_are_inclusive() {
        for (depth, fits) in [(0, true), (10_000, true), (10_001, false)] {
            assert_eq!(resolved(&least(&format!("depth = {depth}")), Some("aa")).is_ok(), fits, "{depth}");
        }
    }

    #[test]
    fn custom_network_needs_all_its_parts() {
        let file = least("").replace("moonbeam", "custom");
        let problems = resolved(&file, Some("aa")).unwrap_err();
        for part in ["proof-chain-id", "specimen-contract", "result-contract"] {
            assert!(problems.contains(part), "{problems}");
        }
    }

    #[test]
    fn no_result_is_proved_on_terms_that_leave_something_unchecked() {
        let stated = "senders = \"stated\"\ngas-bound = 7\n";
        let problems = resolved(&least(stated), Some("aa")).unwrap_err();
        for expected in ["senders: stated is refused", "gas-bound: 7 is refused", "expected 1000000000"] {
            assert!(problems.contains(expected), "{expected} in {problems}");
        }
        let policy = resolved(&least(&format!("{stated}prove = \"none\"")), None).unwrap().policy;
        assert_eq!((policy.senders.as_str(), policy.gas_bound), ("stated", 7));

        let problems = resolved(&least("basis = \"receipts\""), Some("aa")).unwrap_err();
        assert!(problems.contains("basis: receipts is refused"), "{problems}");
        for (basis, proves) in [("execution", "block-result"), ("auto", "block-result"), ("receipts", "none")] {
            let file = least(&format!("basis = \"{basis}\"\nprove = \"{proves}\""));
            assert_eq!(resolved(&file, Some("aa")).unwrap().policy.basis.as_str(), basis);
        }

        let defaults = least("senders = \"recovered\"\ngas-bound = 1000000000");
        assert_eq!(resolved(&defaults, Some("aa")).unwrap().policy, ExecutionPolicy::default());
        let problems = resolved(&least("senders = \"guessed\"\ngas-bound = 0"), Some("aa")).unwrap_err();
        assert!(problems.contains("guessed") && problems.contains("gas-bound: 0"), "{problems}");
    }

    #[test]
    fn key_comes_from_exactly_one_place() {
        let keystore = least("keystore = \"k\"");
        assert!(resolved(&keystore, None).unwrap_err().contains("password-file"));
        let keystore = format!("{keystore}\npassword-file = \"p\"");
        assert!(matches!(resolved(&keystore, None).unwrap().key, Key::From(KeySource::Keystore { .. })));
        assert!(resolved(&keystore, Some("aa")).unwrap_err().contains("cannot both"));
        assert!(matches!(resolved(&least("prove = \"none\""), None).unwrap().key, Key::None));
    }

    #[test]
    fn password_of_an_address_is_not_shown() {
        let settings = resolved(&least(""), Some("aa")).unwrap();
        assert_eq!(settings.rpc[0].password(), Some("pass"));
        assert_eq!(format!("{settings:?}"), "Settings { .. }");
    }
}
