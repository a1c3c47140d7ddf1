//! Settings as a person may see them: everything but what URLs carry for providers, and the key.

use refiner_config::{Form, Origin, Row, Scope, Values, table};
use refiner_proofchain::KeySource;
use toml::Value;
use url::Url;

use super::{Key, Settings};

/// A setting, for people.
#[derive(Debug, PartialEq)]
pub struct Shown {
    pub key: &'static str,
    /// `None` where nothing is set and nothing is assumed.
    pub value: Option<Value>,
    /// A flag, a variable, a file, or the default.
    pub origin: String,
}

/// Placeholder for the parts of a URL that may be secret.
const HIDDEN: &str = "…";

/// Lists what these settings are and where each comes from.
pub fn shown(values: &Values, settings: &Settings) -> Vec<Shown> {
    let rows = table::rows().filter(|row| row.is_in(Scope::Run));
    let mut shown: Vec<_> = rows.map(|row| show(row, values, Some(settings))).collect();
    if let (Key::From(KeySource::Value(_)), Some((variable, _))) = (&settings.key, values.key()) {
        let origin = Origin::Variable(variable.to_owned()).to_string();
        shown.push(Shown { key: "key", value: Some(HIDDEN.into()), origin });
    }
    shown
}

/// Every setting that is right, of settings that may not be right as a whole.
pub fn given(values: &Values) -> Vec<Shown> {
    table::rows().filter(|row| row.is_in(Scope::Run)).map(|row| show(row, values, None)).collect()
}

fn show(row: &'static Row, values: &Values, settings: Option<&Settings>) -> Shown {
    let (texts, origin) = values.shown(row);
    let value = match texts {
        Some(texts) if row.list => Some(Value::Array(texts.iter().map(|text| value(row, text)).collect())),
        Some(texts) => texts.first().map(|text| value(row, text)),
        None => settings.and_then(|settings| computed_default(row.name, settings)),
    };
    Shown { key: row.name, value: value.as_ref().map(redacted), origin: origin.to_string() }
}

/// A checked text as a file would have it.
fn value(row: &Row, text: &str) -> Value {
    let parsed = match row.form {
        Form::Text => None,
        Form::Number => text.parse().ok().map(Value::Integer),
        Form::Switch => text.parse().ok().map(Value::Boolean),
    };
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
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

/// The default of a setting that depends on others, or on the machine.
fn computed_default(name: &str, settings: &Settings) -> Option<Value> {
    let number = |number: u64| i64::try_from(number).ok().map(Value::Integer);
    let text = |text: &dyn ToString| Some(Value::String(text.to_string()));
    match name {
        "proof-chain-id" => number(settings.network.chain_id),
        "specimen-contract" => text(&settings.network.specimen_contract),
        "result-contract" => text(&settings.network.result_contract),
        "gateway" => {
            let public = refiner_content::PUBLIC_GATEWAYS.iter().map(|gateway| Value::String((*gateway).to_owned()));
            Some(Value::Array(public.collect()))
        }
        "workers" => number(settings.workers as u64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
