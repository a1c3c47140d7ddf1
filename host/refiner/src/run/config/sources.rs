//! Flags, environment and file, merged key by key.

use std::{collections::BTreeMap, fmt, fs, path::Path};

use refiner_proofchain::Secret;
use toml::{Table, Value};

use super::{
    Problem,
    layer::{ELSEWHERE, Kind, Layer, SETTINGS},
};

/// The operator's key itself, as earlier refiners took it.
pub const KEY_VARIABLE: &str = "BLOCK_RESULT_OPERATOR_PRIVATE_KEY";
/// What our own variables begin with.
const PREFIX: &str = "REFINER_";

/// The variables that concern us.
pub struct Environment {
    variables: BTreeMap<String, String>,
    secret: Option<Secret>,
}

impl Environment {
    pub fn of_process() -> Self {
        Self::of(
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    #[cfg(test)]
    pub fn of_nothing() -> Self {
        Self::of(std::iter::empty())
    }

    fn of(variables: impl Iterator<Item = (String, String)>) -> Self {
        let mut environment = Self { variables: BTreeMap::new(), secret: None };
        for (name, value) in variables.filter(|(_, value)| !value.is_empty()) {
            if name == KEY_VARIABLE {
                environment.secret = Some(Secret::new(value));
            } else {
                environment.variables.insert(name, value);
            }
        }
        environment
    }

    pub fn secret(&self) -> Option<Secret> {
        self.secret.clone()
    }

    /// Our names first, then those of earlier refiners.
    fn value(&self, key: &str, earlier: &[&'static str]) -> Option<(String, &str)> {
        let ours = variable(key);
        let names = std::iter::once(ours.as_str()).chain(earlier.iter().copied());
        names.filter_map(|name| Some((name.to_owned(), self.variables.get(name)?.as_str()))).next()
    }

    fn unknown(&self) -> impl Iterator<Item = &str> {
        let is_ours = |name: &str| name.starts_with(PREFIX) && !ELSEWHERE.contains(&name);
        let is_known = |name: &str| SETTINGS.iter().any(|(key, ..)| variable(key) == name);
        self.variables.keys().map(String::as_str).filter(move |name| is_ours(name) && !is_known(name))
    }
}

fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase().replace('-', "_"))
}

/// One layer of all three.
pub fn merge(flags: &Layer, environment: &Environment, file: Option<&Path>, problems: &mut Vec<Problem>) -> Layer {
    let mut table = file.map(|path| read_file(path, problems)).unwrap_or_default();
    table.extend(from_environment(environment, problems));
    if let Ok(flags) = Table::try_from(flags) {
        table.extend(flags);
    }
    // Every value has its key's kind by now.
    Layer::deserialize_table(table)
}

/// Where a setting's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Flag,
    /// With the variable's name.
    Environment(String),
    /// With the file's path.
    File(String),
    Default,
}

/// The origin of every setting, in the order of [`SETTINGS`]; by the same precedence as [`merge`].
pub fn origins(flags: &Layer, environment: &Environment, file: Option<&Path>) -> Vec<(&'static str, Origin)> {
    let flags = Table::try_from(flags).unwrap_or_default();
    // What is wrong with the file was told when it was merged.
    let in_file = file.map(|path| (path.display().to_string(), read_file(path, &mut Vec::new())));
    let origin = |key: &str, earlier: &[&'static str]| {
        if flags.contains_key(key) {
            return Origin::Flag;
        }
        if let Some((name, _)) = environment.value(key, earlier) {
            return Origin::Environment(name);
        }
        match &in_file {
            Some((path, table)) if table.contains_key(key) => Origin::File(path.clone()),
            _ => Origin::Default,
        }
    };
    SETTINGS.iter().map(|(key, _, earlier)| (*key, origin(key, earlier))).collect()
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment(name) => write!(f, "environment, {name}"),
            Self::File(path) => f.write_str(path),
            Self::Default => f.write_str("default"),
        }
    }
}

impl Layer {
    fn deserialize_table(table: Table) -> Self {
        table.try_into().unwrap_or_default()
    }
}

fn from_environment(environment: &Environment, problems: &mut Vec<Problem>) -> Table {
    let mut table = Table::new();
    for name in environment.unknown() {
        problems.push(Problem::Unknown { origin: "environment".into(), key: name.into() });
    }
    for (key, kind, earlier) in SETTINGS {
        let Some((name, text)) = environment.value(key, earlier) else { continue };
        let value = match kind {
            Kind::Text => Some(Value::String(text.to_owned())),
            Kind::Number => text.parse().ok().map(Value::Integer),
            Kind::Switch => text.parse().ok().map(Value::Boolean),
            Kind::List => {
                let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
                Some(Value::Array(entries.map(|entry| Value::String(entry.to_owned())).collect()))
            }
        };
        match value.filter(|value| has_kind(value, kind)) {
            Some(value) => drop(table.insert(key.to_owned(), value)),
            None => problems.push(Problem::Kind { origin: name, key, expected: kind.expected() }),
        }
    }
    table
}

fn read_file(path: &Path, problems: &mut Vec<Problem>) -> Table {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(source) => {
            problems.push(Problem::File { path: path.to_owned(), source });
            return Table::new();
        }
    };
    let mut table: Table = match toml::from_str(&text) {
        Ok(table) => table,
        Err(source) => {
            problems.push(Problem::Toml { path: path.to_owned(), source: Box::new(source) });
            return Table::new();
        }
    };
    let origin = path.display().to_string();
    table.retain(|key, value| {
        let setting = SETTINGS.iter().find(|(known, ..)| *known == key);
        let Some((key, kind, _)) = setting else {
            problems.push(Problem::Unknown { origin: origin.clone(), key: key.to_owned() });
            return false;
        };
        let fits = has_kind(value, *kind);
        if !fits {
            problems.push(Problem::Kind { origin: origin.clone(), key, expected: kind.expected() });
        }
        fits
    });
    table
}

fn has_kind(value: &Value, kind: Kind) -> bool {
    match (kind, value) {
        (Kind::Text, Value::String(_)) | (Kind::Switch, Value::Boolean(_)) => true,
        (Kind::Number, Value::Integer(number)) => *number >= 0,
        (Kind::List, Value::Array(entries)) => entries.iter().all(Value::is_str),
        _ => false,
    }
}

impl Kind {
    const fn expected(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "a number",
            Self::List => "a list of texts",
            Self::Switch => "true or false",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::of(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    fn merged(flags: &Layer, variables: &[(&str, &str)], file: &str) -> (Layer, Vec<String>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("refiner.toml");
        fs::write(&path, file).unwrap();
        let mut problems = Vec::new();
        let layer = merge(flags, &environment(variables), Some(&path), &mut problems);
        (layer, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn flags_go_before_the_environment_and_that_before_the_file() {
        let flags = Layer { depth: Some(1), ..Default::default() };
        let variables = [("REFINER_DEPTH", "2"), ("REFINER_POLL_MS", "2")];
        let (layer, problems) = merged(&flags, &variables, "depth = 3\npoll-ms = 3\nbacklog = 3\n");
        assert_eq!((layer.depth, layer.poll_ms, layer.backlog), (Some(1), Some(2), Some(3)));
        assert_eq!(problems, [] as [String; 0]);
    }

    #[test]
    fn names_of_earlier_refiners_still_work() {
        let variables = [
            ("MIX_ENV", "prod"),
            ("PROOFCHAIN_CHAIN_ID", "31337"),
            ("BSP_PROOFCHAIN_ADDRESS", "0x1"),
            ("BRP_PROOFCHAIN_ADDRESS", "0x2"),
            ("NODE_ETHEREUM_MAINNET", "http://a, http://b"),
            ("IPFS_PINNER_URL", "http://pinner:5080"),
            ("BLOCK_RESULT_OPERATOR_PRIVATE_KEY", "5ecret"),
        ];
        let (layer, problems) = merged(&Layer::default(), &variables, "");
        let expected = Layer {
            network: Some("prod".into()),
            proof_chain_id: Some(31337),
            specimen_contract: Some("0x1".into()),
            result_contract: Some("0x2".into()),
            rpc: Some(vec!["http://a".into(), "http://b".into()]),
            pinner: Some("http://pinner:5080".into()),
            ..Default::default()
        };
        assert_eq!((layer, problems), (expected, vec![]));
        assert!(environment(&variables).secret().is_some());
    }

    #[test]
    fn our_own_name_goes_before_an_earlier_one() {
        let variables = [("MIX_ENV", "dev"), ("REFINER_NETWORK", "moonbeam")];
        assert_eq!(merged(&Layer::default(), &variables, "").0.network.as_deref(), Some("moonbeam"));
    }

    #[test]
    fn every_unknown_key_and_wrong_kind_is_reported_at_once() {
        let variables = [("REFINER_DEPHT", "2"), ("REFINER_POLL_MS", "soon"), ("REFINER_LOG", "info")];
        let (_, problems) =
            merged(&Layer::default(), &variables, "dept = 3\nrpc = \"http://a\"\ndepth = -1\nlog = \"x\"\n");
        let all = problems.join("\n");
        for expected in [
            "REFINER_DEPHT",
            "REFINER_POLL_MS: poll-ms",
            "setting: dept",
            "rpc must be",
            "depth must be",
            "setting: log",
        ] {
            assert!(all.contains(expected), "{expected} in {all}");
        }
        assert_eq!(problems.len(), 6, "{all}");
    }

    #[test]
    fn file_that_is_no_toml_is_named() {
        let (_, problems) = merged(&Layer::default(), &[], "depth 3");
        assert!(problems[0].contains("refiner.toml"), "{problems:?}");
    }
}
