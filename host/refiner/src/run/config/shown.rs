//! Settings as a person may see them: everything but what URLs carry for providers, and the key.

use std::{path::Path, time::Duration};

use refiner_proofchain::{KeySource, StartBlock};
use toml::Value;
use url::Url;

use super::{
    ConfigError, Key, Layer, Settings, settings,
    sources::{self, Environment, KEY_VARIABLE, Origin},
};

/// A setting, for people.
#[derive(Debug, PartialEq)]
pub struct Shown {
    pub key: &'static str,
    /// `None` where nothing is set and nothing is assumed.
    pub value: Option<Value>,
    /// A flag, a variable, a file, or the default.
    pub origin: String,
}

/// Stands for what a URL carries and nobody needs to see.
const HIDDEN: &str = "…";

/// Reads every source as [`read`](super::read) does, and says what came of it.
///
/// # Errors
///
/// [`ConfigError`] with everything that is wrong.
pub fn shown(flags: &Layer, file: Option<&Path>) -> Result<Vec<Shown>, ConfigError> {
    let environment = Environment::of_process();
    let settings = super::read(flags, file)?;
    let merged = sources::merge(flags, &environment, file, &mut Vec::new());
    let given = toml::Table::try_from(&merged).unwrap_or_default();
    let mut shown: Vec<_> = sources::origins(flags, &environment, file)
        .into_iter()
        .map(|(key, origin)| {
            let value = match origin {
                Origin::Default => default(key, &settings),
                _ => given.get(key).map(redacted),
            };
            Shown { key, value, origin: origin.to_string() }
        })
        .collect();
    if let Key::From(KeySource::Value(_)) = settings.key {
        let origin = Origin::Environment(KEY_VARIABLE.to_owned()).to_string();
        shown.push(Shown { key: "key", value: Some(HIDDEN.into()), origin });
    }
    Ok(shown)
}

/// A text that is a URL shows scheme, host and port; any other text is shown as it is, for URLs are read before anything is shown.
fn redacted(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(redacted_text(text)),
        Value::Array(entries) => Value::Array(entries.iter().map(redacted).collect()),
        other => other.clone(),
    }
}

fn redacted_text(text: &str) -> String {
    let Ok(url) = text.trim().parse::<Url>() else { return text.to_owned() };
    let Some(host) = url.host_str() else { return text.to_owned() };
    let carries = !url.username().is_empty()
        || url.password().is_some()
        || url.path() != "/"
        || url.query().is_some()
        || url.fragment().is_some();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let rest = if carries { format!("/{HIDDEN}") } else { String::new() };
    format!("{}://{host}{port}{rest}", url.scheme())
}

/// What is assumed for a setting that nobody gave.
fn default(key: &str, settings: &Settings) -> Option<Value> {
    let number = |number: u64| i64::try_from(number).ok().map(Value::Integer);
    let size = |size: usize| number(size as u64);
    let ms = |time: Duration| number(super::super::clock::milliseconds(time));
    let seconds = |time: Duration| number(time.as_secs());
    let text = |text: &dyn ToString| Some(Value::String(text.to_string()));
    match key {
        "proof-chain-id" => number(settings.network.chain_id),
        "specimen-contract" => text(&settings.network.specimen_contract),
        "result-contract" => text(&settings.network.result_contract),
        "rpc-s" => seconds(settings.rpc_timeout),
        "source-chain" => {
            let chains = settings.scan.source_chains.iter().map(|chain| Value::String(chain.to_string()));
            Some(Value::Array(chains.collect()))
        }
        "start" => match settings.start {
            StartBlock::Latest => text(&"latest"),
            StartBlock::Number(number) => text(&number),
            StartBlock::DaysBack(days) => text(&format!("{days}d")),
        },
        "depth" => number(settings.scan.depth),
        "poll-ms" => ms(settings.poll),
        "data" => text(&settings.data.display()),
        "upload-s" => seconds(settings.upload),
        "gateway" => {
            let public = refiner_content::PUBLIC_GATEWAYS.iter().map(|gateway| Value::String((*gateway).to_owned()));
            Some(Value::Array(public.collect()))
        }
        "private-urls" => Some(Value::Boolean(settings.private_urls)),
        "store-mib" => number(settings.store_bytes >> 20),
        "rule" => Some(Value::Array(settings.rules.iter().cloned().map(Value::String).collect())),
        "evm" => text(&settings.evm.by),
        "evm-server" => text(&settings.evm.server),
        "evm-on-difference" => text(&settings.evm.on_difference),
        "evm-timeout-s" => seconds(settings.evm.timeout),
        "senders" => text(&settings.policy.senders),
        "gas-bound" => number(settings.policy.gas_bound),
        "workers" => size(settings.workers),
        "max-fee-gwei" => number(settings::gwei(settings.fees.cap_wei)),
        "proof-depth" => number(settings.proof_depth),
        "bump-after-s" => seconds(settings.bump_after),
        "recheck-s" => seconds(settings.recheck),
        "unsettled" => size(settings.unsettled),
        "health-anywhere" => Some(Value::Boolean(settings.health_anywhere)),
        "health" => text(&settings.health),
        "fetches" => size(settings.fetches),
        "pins" => size(settings.pins),
        "backlog" => number(settings.backlog),
        "shutdown-s" => seconds(settings.shutdown),
        "retry-ms" => ms(settings.retry),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::layer::SETTINGS, *};

    #[test]
    fn url_shows_scheme_host_and_port_and_that_it_carries_more() {
        for (given, expected) in [
            ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
            ("https://rpc.example/", "https://rpc.example"),
            ("https://rpc.example/v3/key", "https://rpc.example/…"),
            ("https://user:pass@rpc.example:1/", "https://rpc.example:1/…"),
            ("https://rpc.example?key=1", "https://rpc.example/…"),
            ("block-result", "block-result"),
            ("127.0.0.1:9568", "127.0.0.1:9568"),
            ("none", "none"),
        ] {
            assert_eq!(redacted_text(given), expected);
        }
    }

    #[test]
    fn settings_without_a_default_are_these() {
        let environment = sources::merge(
            &Layer {
                network: Some("moonbeam".into()),
                rpc: Some(vec!["http://a".into()]),
                prove: Some("none".into()),
                ..Layer::default()
            },
            &Environment::of_nothing(),
            None,
            &mut Vec::new(),
        );
        let settings = settings::resolve(environment, None, &mut Vec::new()).unwrap();
        let none: Vec<_> =
            SETTINGS.iter().map(|(key, ..)| *key).filter(|key| default(key, &settings).is_none()).collect();
        let expected = [
            "network",
            "rpc",
            "pinner",
            "prove",
            "format",
            "param",
            "chain-config",
            "key-file",
            "keystore",
            "password-file",
            "signer",
            "operator",
        ];
        assert_eq!(none, expected);
    }
}
