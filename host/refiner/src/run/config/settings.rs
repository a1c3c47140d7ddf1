//! Settings with their types, bounds and defaults.

use std::{net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use alloy_primitives::Address;
use refiner_evm::{ExecutionPolicy, OnDifference};
use refiner_proofchain::{FeePolicy, KeySource, Network, ScanConfig, Secret, StartBlock};
use url::Url;

use super::{Layer, Problem};
use crate::executor::{self, By, Evm};

/// What the daemon works by.
#[derive(Debug)]
pub struct Settings {
    pub network: Network,
    pub rpc: Vec<Url>,
    pub rpc_timeout: Duration,
    pub scan: ScanConfig,
    pub start: StartBlock,
    pub poll: Duration,
    pub data: PathBuf,
    pub pinner: Option<String>,
    pub upload: Duration,
    /// `None` for the public ones.
    pub gateways: Option<Vec<String>>,
    pub private_urls: bool,
    pub store_bytes: u64,
    pub rules: Vec<String>,
    pub prove: Option<String>,
    pub params: Vec<(String, String)>,
    pub chain_configs: Vec<PathBuf>,
    pub evm: Evm,
    pub policy: ExecutionPolicy,
    pub workers: usize,
    pub key: Key,
    pub fees: FeePolicy,
    pub proof_depth: u64,
    pub bump_after: Duration,
    pub recheck: Duration,
    pub unsettled: usize,
    pub health: SocketAddr,
    pub health_anywhere: bool,
    pub fetches: usize,
    pub pins: usize,
    pub backlog: u64,
    pub shutdown: Duration,
    pub retry: Duration,
}

/// Whether and with which key results are proved.
#[derive(Debug)]
pub enum Key {
    /// Nothing is proved; no key is read.
    None,
    /// Proofs are signed with this.
    From(KeySource),
}

const GWEI: u128 = 1_000_000_000;
/// Specimens come from Ethereum unless somebody says otherwise.
const ETHEREUM: u64 = 1;

/// Wei as they are said in the settings.
pub fn gwei(wei: u128) -> u64 {
    u64::try_from(wei / GWEI).unwrap_or(u64::MAX)
}

/// Makes settings of a layer. `None` only together with a problem.
pub fn resolve(layer: Layer, secret: Option<Secret>, problems: &mut Vec<Problem>) -> Option<Settings> {
    let mut reading = Reading { problems };
    let proves = layer.prove.as_deref() != Some("none");
    let network = reading.network(&layer);
    let rpc = reading.rpc(&layer);
    let source_chains = reading.each("source-chain", layer.source_chain.as_deref(), "a chain id");
    let scan = ScanConfig {
        depth: reading.number("depth", layer.depth, 3, 0, 10_000),
        source_chains: source_chains.unwrap_or_else(|| vec![ETHEREUM]),
        ..ScanConfig::default()
    };
    let start = reading.text("start", layer.start.as_deref(), "`latest`, a block number, or days as `7d`");
    let health = reading.text("health", layer.health.as_deref(), "an address and port such as 127.0.0.1:9568");
    let params = layer.param.iter().flatten().filter_map(|text| reading.parameter(text));
    let params: Vec<_> =
        layer.format.iter().map(|format| ("format".to_owned(), format.clone())).chain(params).collect();
    let key = if proves { reading.key(&layer, secret) } else { Some(Key::None) };
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let ms = |reading: &mut Reading<'_>, key, given, default, least, most| {
        Duration::from_millis(reading.number(key, given, default, least, most))
    };
    let fees = FeePolicy {
        cap_wei: u128::from(reading.number("max-fee-gwei", layer.max_fee_gwei, 1_000, 1, 1_000_000)) * GWEI,
        ..FeePolicy::default()
    };
    let evm = reading.evm(&layer);
    let policy = reading.policy(&layer, proves);
    let settings = Settings {
        scan,
        start: start.unwrap_or(StartBlock::Latest),
        poll: ms(&mut reading, "poll-ms", layer.poll_ms, 2_000, 10, 600_000),
        rpc_timeout: Duration::from_secs(reading.number("rpc-s", layer.rpc_s, 15, 1, 600)),
        data: layer.data.unwrap_or_else(|| "refiner-data".into()),
        pinner: layer.pinner.filter(|pinner| pinner != "none"),
        upload: Duration::from_secs(reading.number("upload-s", layer.upload_s, 600, 1, 3_600)),
        gateways: layer.gateway.map(|gateways| gateways.into_iter().filter(|gateway| gateway != "none").collect()),
        private_urls: layer.private_urls.unwrap_or(false),
        store_bytes: reading.number("store-mib", layer.store_mib, 10_240, 64, 1 << 30) << 20,
        rules: layer.rule.unwrap_or_else(|| vec!["block-result".into()]),
        prove: layer.prove.filter(|_| proves),
        params,
        chain_configs: layer.chain_config.unwrap_or_default().into_iter().map(PathBuf::from).collect(),
        evm,
        policy,
        workers: reading.size("workers", layer.workers, cores, 1_024),
        fees,
        proof_depth: reading.number("proof-depth", layer.proof_depth, 5, 0, 10_000),
        bump_after: Duration::from_secs(reading.number("bump-after-s", layer.bump_after_s, 90, 1, 86_400)),
        recheck: Duration::from_secs(reading.number("recheck-s", layer.recheck_s, 60, 1, 86_400)),
        unsettled: reading.size("unsettled", layer.unsettled, 32, 1_000),
        health: health.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 9_568))),
        health_anywhere: layer.health_anywhere.unwrap_or(false),
        fetches: reading.size("fetches", layer.fetches, 8, 256),
        pins: reading.size("pins", layer.pins, 4, 256),
        backlog: reading.number("backlog", layer.backlog, 1_000, 1, 1_000_000),
        shutdown: Duration::from_secs(reading.number("shutdown-s", layer.shutdown_s, 20, 0, 3_600)),
        retry: ms(&mut reading, "retry-ms", layer.retry_ms, 1_000, 1, 600_000),
        // Last, so that what is wrong with the others is told as well.
        network: network?,
        rpc: rpc?,
        key: key?,
    };
    Some(settings)
}

/// Reads values and collects what is wrong with them.
struct Reading<'p> {
    problems: &'p mut Vec<Problem>,
}

impl Reading<'_> {
    fn evm(&mut self, layer: &Layer) -> Evm {
        let by = self.text("evm", layer.evm.as_deref(), "embedded, remote or both");
        let on_difference = self.text(
            "evm-on-difference",
            layer.evm_on_difference.as_deref(),
            "prefer-embedded, prefer-remote or hold",
        );
        let seconds = self.number("evm-timeout-s", layer.evm_timeout_s, executor::DEFAULT_TIMEOUT_S, 1, 600);
        Evm {
            by: by.unwrap_or(By::Embedded),
            server: layer.evm_server.clone().unwrap_or_else(|| executor::DEFAULT_URL.to_owned()),
            on_difference: on_difference.unwrap_or(OnDifference::Hold),
            timeout: Duration::from_secs(seconds),
        }
    }

    /// The terms of execution. A proved result rests on recovered senders, and ends at the bound at which every operator's ends.
    fn policy(&mut self, layer: &Layer, proves: bool) -> ExecutionPolicy {
        let default = ExecutionPolicy::default();
        let senders = self.text("senders", layer.senders.as_deref(), "recovered or stated");
        let policy = ExecutionPolicy {
            senders: senders.unwrap_or_default(),
            gas_bound: self.number("gas-bound", layer.gas_bound, default.gas_bound, 1, u64::MAX),
            ..default
        };
        let terms = [
            ("senders", policy.senders.to_string(), default.senders.to_string()),
            ("gas-bound", policy.gas_bound.to_string(), default.gas_bound.to_string()),
        ];
        for (key, value, expected) in terms.into_iter().filter(|(_, value, expected)| proves && value != expected) {
            self.problems.push(Problem::Proving { key, value, expected });
        }
        policy
    }

    fn text<T: FromStr>(&mut self, key: &'static str, value: Option<&str>, expected: &'static str) -> Option<T> {
        let value = value?;
        let read = value.trim().parse().ok();
        if read.is_none() {
            self.problems.push(Problem::Value { key, value: value.to_owned(), expected });
        }
        read
    }

    fn each<T: FromStr>(
        &mut self,
        key: &'static str,
        values: Option<&[String]>,
        expected: &'static str,
    ) -> Option<Vec<T>> {
        Some(values?.iter().filter_map(|value| self.text(key, Some(value), expected)).collect())
    }

    fn number(&mut self, key: &'static str, value: Option<u64>, default: u64, least: u64, most: u64) -> u64 {
        let value = value.unwrap_or(default);
        if !(least..=most).contains(&value) {
            self.problems.push(Problem::Bounds { key, value, least, most });
        }
        value
    }

    fn size(&mut self, key: &'static str, value: Option<u64>, default: u64, most: u64) -> usize {
        usize::try_from(self.number(key, value, default, 1, most)).unwrap_or(usize::MAX)
    }

    /// A URL may carry a provider's key, so its text is in no message.
    fn url(&mut self, key: &'static str, value: &str) -> Option<Url> {
        let read = value.trim().parse().ok().filter(|url: &Url| matches!(url.scheme(), "http" | "https"));
        if read.is_none() {
            self.problems.push(Problem::Value {
                key,
                value: "…".to_owned(),
                expected: "a URL that begins with http:// or https://",
            });
        }
        read
    }

    fn parameter(&mut self, text: &str) -> Option<(String, String)> {
        let read = text.split_once('=').filter(|(name, _)| !name.is_empty());
        if read.is_none() {
            self.problems.push(Problem::Value { key: "param", value: text.to_owned(), expected: "NAME=VALUE" });
        }
        read.map(|(name, value)| (name.to_owned(), value.to_owned()))
    }

    fn rpc(&mut self, layer: &Layer) -> Option<Vec<Url>> {
        let Some(urls) = layer.rpc.as_deref().filter(|urls| !urls.is_empty()) else {
            let why = "a node of the proof chain, by --rpc, REFINER_RPC or NODE_ETHEREUM_MAINNET";
            self.problems.push(Problem::Missing { key: "rpc", why });
            return None;
        };
        Some(urls.iter().filter_map(|url| self.url("rpc", url)).collect())
    }

    /// A preset, of which each part can be replaced, or all three parts.
    fn network(&mut self, layer: &Layer) -> Option<Network> {
        let preset = match layer.network.as_deref() {
            Some("custom" | "test" | "docker") => None,
            Some(name) => match Network::named(name) {
                Some(network) => Some(network),
                None => {
                    let expected = "moonbeam (prod), moonbase (dev) or custom";
                    self.problems.push(Problem::Value { key: "network", value: name.to_owned(), expected });
                    return None;
                }
            },
            None => None,
        };
        let specimen_contract = self.text("specimen-contract", layer.specimen_contract.as_deref(), "an address");
        let result_contract = self.text("result-contract", layer.result_contract.as_deref(), "an address");
        if let Some(preset) = preset {
            return Some(Network {
                chain_id: layer.proof_chain_id.unwrap_or(preset.chain_id),
                specimen_contract: specimen_contract.unwrap_or(preset.specimen_contract),
                result_contract: result_contract.unwrap_or(preset.result_contract),
            });
        }
        let parts = [
            ("proof-chain-id", layer.proof_chain_id.is_some()),
            ("specimen-contract", layer.specimen_contract.is_some()),
            ("result-contract", layer.result_contract.is_some()),
        ];
        if layer.network.is_none() && parts.iter().all(|(_, given)| !given) {
            let why = "moonbeam, moonbase or custom, by --network, REFINER_NETWORK or MIX_ENV";
            self.problems.push(Problem::Missing { key: "network", why });
            return None;
        }
        for (key, _) in parts.into_iter().filter(|(_, given)| !given) {
            self.problems.push(Problem::Missing { key, why: "a custom network needs it" });
        }
        Some(Network {
            chain_id: layer.proof_chain_id?,
            specimen_contract: specimen_contract?,
            result_contract: result_contract?,
        })
    }

    /// Exactly one place for the key.
    fn key(&mut self, layer: &Layer, secret: Option<Secret>) -> Option<Key> {
        let signer = layer.signer.as_deref().and_then(|url| self.url("signer", url));
        let address: Option<Address> = self.text("operator", layer.operator.as_deref(), "an address");
        let keystore = layer.keystore.clone().map(|path| (path, layer.password_file.clone()));
        let mut sources: Vec<(&'static str, KeySource)> = Vec::new();
        if let Some(url) = signer {
            sources.push(("signer", KeySource::Web3Signer { url, address }));
        }
        match keystore {
            Some((path, Some(password_file))) => {
                sources.push(("keystore", KeySource::Keystore { path, password_file }));
            }
            Some((_, None)) => {
                self.problems.push(Problem::Missing { key: "password-file", why: "the keystore is encrypted" });
                return None;
            }
            None => {}
        }
        sources.extend(layer.key_file.clone().map(|path| ("key-file", KeySource::File(path))));
        sources.extend(secret.map(|secret| ("BLOCK_RESULT_OPERATOR_PRIVATE_KEY", KeySource::Value(secret))));
        if let [(one, _), (other, _), ..] = sources.as_slice() {
            self.problems.push(Problem::Conflict { one, other });
            return None;
        }
        match sources.pop() {
            Some((_, source)) => Some(Key::From(source)),
            None if layer.signer.is_some() => None,
            None => {
                let why = "proofs are signed with it: key-file, keystore, signer or BLOCK_RESULT_OPERATOR_PRIVATE_KEY; or prove = \"none\"";
                self.problems.push(Problem::Missing { key: "key-file", why });
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(layer: Layer, secret: Option<&str>) -> Result<Settings, String> {
        let mut problems = Vec::new();
        let settings = resolve(layer, secret.map(|text| Secret::new(text.into())), &mut problems);
        match settings {
            Some(settings) if problems.is_empty() => Ok(settings),
            _ => Err(problems.iter().map(|problem| format!("{problem}\n")).collect()),
        }
    }

    fn least() -> Layer {
        Layer {
            network: Some("moonbeam".into()),
            rpc: Some(vec!["http://user:pass@127.0.0.1:8545/key".into()]),
            ..Default::default()
        }
    }

    #[test]
    fn network_node_and_key_are_enough() {
        let settings = resolved(least(), Some("aa")).unwrap();
        assert_eq!(settings.network, Network::MOONBEAM);
        assert_eq!((settings.scan.depth, settings.proof_depth), (3, 5));
        assert_eq!(settings.health.to_string(), "127.0.0.1:9568");
    }

    #[test]
    fn part_of_a_preset_can_be_replaced() {
        let contract = "0x3402ce1e416e082ed3Ba3d9dcba10353F3b64499";
        let layer = Layer { result_contract: Some(contract.into()), ..least() };
        let network = resolved(layer, Some("aa")).unwrap().network;
        assert_eq!(network, Network { result_contract: contract.parse().unwrap(), ..Network::MOONBEAM });
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let layer = Layer {
            network: Some("moonbem".into()),
            rpc: Some(vec!["ftp://user:pass@host".into()]),
            start: Some("yesterday".into()),
            depth: Some(10_001),
            param: Some(vec!["a".into()]),
            ..Default::default()
        };
        let problems = resolved(layer, None).unwrap_err();
        for expected in ["moonbem", "rpc:", "yesterday", "depth: 10001", "param:", "key-file is missing"] {
            assert!(problems.contains(expected), "{expected} in {problems}");
        }
        assert!(!problems.contains("pass"), "{problems}");
    }

    #[test]
    fn bounds_are_inclusive() {
        for (depth, fits) in [(0, true), (10_000, true), (10_001, false)] {
            assert_eq!(resolved(Layer { depth: Some(depth), ..least() }, Some("aa")).is_ok(), fits, "{depth}");
        }
    }

    #[test]
    fn custom_network_needs_all_its_parts() {
        let problems = resolved(Layer { network: Some("custom".into()), ..least() }, Some("aa")).unwrap_err();
        for part in ["proof-chain-id", "specimen-contract", "result-contract"] {
            assert!(problems.contains(part), "{problems}");
        }
    }

    #[test]
    fn no_result_is_proved_on_terms_that_leave_something_unchecked() {
        let stated = Layer { senders: Some("stated".into()), gas_bound: Some(7), ..least() };
        let problems = resolved(stated.clone(), Some("aa")).unwrap_err();
        for expected in ["senders: stated is refused", "gas-bound: 7 is refused", "expected 1000000000"] {
            assert!(problems.contains(expected), "{expected} in {problems}");
        }
        let policy = resolved(Layer { prove: Some("none".into()), ..stated }, None).unwrap().policy;
        assert_eq!((policy.senders.as_str(), policy.gas_bound), ("stated", 7));

        let said = Layer { senders: Some("recovered".into()), gas_bound: Some(1_000_000_000), ..least() };
        assert_eq!(resolved(said, Some("aa")).unwrap().policy, ExecutionPolicy::default());
        let wrong = Layer { senders: Some("guessed".into()), gas_bound: Some(0), ..least() };
        let problems = resolved(wrong, Some("aa")).unwrap_err();
        assert!(problems.contains("guessed") && problems.contains("gas-bound: 0"), "{problems}");
    }

    #[test]
    fn key_comes_from_exactly_one_place() {
        let keystore = Layer { keystore: Some("k".into()), ..least() };
        assert!(resolved(keystore.clone(), None).unwrap_err().contains("password-file"));
        let keystore = Layer { password_file: Some("p".into()), ..keystore };
        assert!(matches!(resolved(keystore.clone(), None).unwrap().key, Key::From(KeySource::Keystore { .. })));
        assert!(resolved(keystore, Some("aa")).unwrap_err().contains("cannot both"));
        let none = Layer { prove: Some("none".into()), ..least() };
        assert!(matches!(resolved(none, None).unwrap().key, Key::None));
    }
}
