//! The variables of the process as settings.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use refiner_proofchain::Secret;

use crate::{
    problem::Problem,
    row::{Former, PREFIX, variable_of},
    table,
};

/// The operator's key itself, as the network's earlier refiner took it.
pub const KEY_VARIABLE: &str = "BLOCK_RESULT_OPERATOR_PRIVATE_KEY";
/// Set by the program for itself when the key, which it took out of the environment, comes through standard input.
pub const KEY_PIPE_VARIABLE: &str = "REFINER_HANDED_OVER_KEY";

/// Edits that turn a misspelled name into a known one, at most.
const MISSPELLED_EDITS: usize = 2;

/// The variables of the process, without those that are empty.
///
/// Files of variables are read differently by different programs: white space around a value, a line's carriage return, and one
/// pair of quotes around the whole are no part of it.
pub struct Environment {
    variables: BTreeMap<String, String>,
    key: Option<Secret>,
}

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        Self::of(
            refiner_environment::variables()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    /// These variables.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut environment = Self { variables: BTreeMap::new(), key: None };
        for (name, value) in variables {
            let value = bare(&value);
            if value.is_empty() {
                continue;
            }
            if name == KEY_VARIABLE {
                environment.key = Some(Secret::new(value.to_owned()));
            } else {
                environment.variables.insert(name, value.to_owned());
            }
        }
        environment
    }

    /// The same variables with the key, which was taken out of them.
    #[must_use]
    pub fn with_key(mut self, key: Option<Secret>) -> Self {
        self.key = key.map(|key| Secret::new(bare(key.expose()).to_owned())).or(self.key);
        self
    }

    /// True when the program started itself again, and its standard input is the key.
    pub fn has_key_pipe(&self) -> bool {
        self.variables.contains_key(KEY_PIPE_VARIABLE)
    }

    /// The operator's key, with the name of its variable.
    pub fn key(&self) -> Option<(&'static str, Secret)> {
        Some((KEY_VARIABLE, self.key.clone()?))
    }

    /// Every variable but the key with its value, for the search of what must not be shown.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A variable's value.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The user's directory for what programs can make or fetch again.
    fn user_cache(&self) -> Option<PathBuf> {
        let path = |name: &str| self.value(name).map(PathBuf::from);
        path("XDG_CACHE_HOME").or_else(|| Some(path("HOME")?.join(".cache")))
    }

    fn registry_logins(&self) -> RegistryLogins {
        let path = |name: &str| self.value(name).map(PathBuf::from);
        let home = |below: &str| Some(path("HOME")?.join(below));
        let containers = |directory: PathBuf| directory.join("containers/auth.json");
        let usual = [
            path("XDG_RUNTIME_DIR").map(containers),
            path("XDG_CONFIG_HOME").or_else(|| home(".config")).map(containers),
            path("DOCKER_CONFIG").or_else(|| home(".docker")).map(|directory| directory.join("config.json")),
        ];
        RegistryLogins { named: path("REGISTRY_AUTH_FILE"), usual: usual.into_iter().flatten().collect() }
    }

    /// Variables with this program's prefix that are a misspelling of a known one. Others are left alone: a shared environment holds
    /// the variables of other programs and of other versions too.
    pub(crate) fn misspelled(&self) -> Vec<Problem> {
        let known = known_variables();
        let ours = self.variables.keys().filter(|name| name.starts_with(PREFIX) && !known.contains(name));
        let misspelled = ours.filter_map(|name| {
            let meant = known.iter().find(|known| edits(name, known) <= MISSPELLED_EDITS)?;
            Some(Problem::Misspelled { name: name.clone(), meant: meant.clone() })
        });
        misspelled.collect()
    }
}

impl fmt::Debug for Environment {
    /// Names only: a value may be a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

fn known_variables() -> Vec<String> {
    let rows = table::rows().flat_map(|row| {
        let former = row.former.iter().map(|former| match former {
            Former::Name { name, .. } => variable_of(name),
            Former::Variable(name) => (*name).to_owned(),
        });
        former.chain([row.variable()])
    });
    rows.collect()
}

/// The directory for what this program can make or fetch again: [`table::CACHE_DIR`], or `refiner` in the user's cache.
pub fn cache_directory() -> Option<PathBuf> {
    let environment = Environment::of_process();
    let named = environment.value(&table::CACHE_DIR.row.variable()).map(PathBuf::from);
    named.or_else(|| Some(environment.user_cache()?.join("refiner")))
}

/// The files in which docker and podman keep logins to registries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegistryLogins {
    /// `REGISTRY_AUTH_FILE`, which takes the place of all others.
    pub named: Option<PathBuf>,
    /// The files of both programs in the order in which podman reads them, whether they are there or not.
    pub usual: Vec<PathBuf>,
}

/// The places of logins to registries, by the variables that docker and podman go by (containers-auth.json(5)).
pub fn registry_logins() -> RegistryLogins {
    Environment::of_process().registry_logins()
}

/// A value without what surrounds it in a file of variables.
fn bare(value: &str) -> &str {
    let value = value.trim();
    let unquoted = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    unquoted.unwrap_or(value).trim()
}

/// Insertions, deletions and substitutions that turn one text into the other (Levenshtein).
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (position, character) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], position + 1);
        for index in 0..other.len() {
            let substituted = diagonal + usize::from(other[index] != character);
            diagonal = row[index + 1];
            row[index + 1] = substituted.min(row[index] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::of(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn white_space_and_quotes_around_a_value_are_no_part_of_it() {
        for given in ["http://a", " http://a ", "http://a\r", "\"http://a\"", "'http://a'\r\n", "\" http://a \""] {
            assert_eq!(environment(&[("REFINER_RPC", given)]).value("REFINER_RPC"), Some("http://a"), "{given:?}");
        }
        assert_eq!(environment(&[("REFINER_RPC", "\"a")]).value("REFINER_RPC"), Some("\"a"));
        assert_eq!(environment(&[("REFINER_RPC", "\"\"")]).value("REFINER_RPC"), None);
    }

    #[test]
    fn misspelled_variable_is_reported_and_a_foreign_one_is_not() {
        let environment = environment(&[
            ("REFINER_DEPHT", "2"),
            ("REFINER_DEPTH", "2"),
            ("REFINER_EVM_LISTEN", "127.0.0.1:1"),
            ("REFINER_SUPERVISOR_TOKEN", "x"),
            ("PATH", "/bin"),
        ]);
        let problems: Vec<String> = environment.misspelled().iter().map(ToString::to_string).collect();
        assert_eq!(problems, ["REFINER_DEPHT: no such setting; did you mean REFINER_DEPTH?"]);
    }

    #[test]
    fn edits_are_counted() {
        for (one, other, expected) in [("", "", 0), ("a", "", 1), ("depht", "depth", 2), ("rpc", "rpcs", 1)] {
            assert_eq!((edits(one, other), edits(other, one)), (expected, expected), "{one} {other}");
        }
    }

    #[test]
    fn no_value_is_in_the_debug_text() {
        let environment = environment(&[("REFINER_RPC", "canary"), (KEY_VARIABLE, "canary")]);
        let text = format!("{environment:?}");
        assert!(text.contains("REFINER_RPC") && !text.contains("canary"), "{text}");
    }
}
