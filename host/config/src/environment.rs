//! The variables of the process as settings.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fmt,
    path::PathBuf,
};

use refiner_proofchain::Secret;

use crate::{
    problem::Problem,
    row::{PREFIX, Row},
    table,
};

/// The operator's key itself, as the network's earlier refiner took it.
pub const KEY_VARIABLE: &str = "BLOCK_RESULT_OPERATOR_PRIVATE_KEY";
/// Set by the program for itself when the key, which it took out of the environment, comes through standard input.
pub const KEY_PIPE_VARIABLE: &str = "REFINER_HANDED_OVER_KEY";

/// Edits that turn a misspelled name into a known one, at most.
const MISSPELLED_EDITS_MAX: usize = 2;
/// Characters behind the prefix for each of them: with fewer in common, a name is another one.
const CHARACTERS_FOR_AN_EDIT: usize = 3;

/// The variables of the process, without those that are empty.
///
/// Files of variables are read differently by different programs: white space around a value, a line's carriage return, and one
/// pair of quotes around the whole are no part of it.
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// The names of those whose value is not UTF-8.
    not_text: BTreeSet<String>,
    key: Option<Secret>,
}

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        Self::of_system(refiner_environment::variables())
    }

    /// These variables as the system has them. One whose name is not UTF-8 is none of this program's.
    fn of_system(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let (mut texts, mut not_text) = (Vec::new(), BTreeSet::new());
        for (name, value) in variables {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => texts.push((name, value)),
                (Ok(name), Err(_)) => drop(not_text.insert(name)),
                (Err(_), _) => {}
            }
        }
        Self { not_text, ..Self::of(texts) }
    }

    /// These variables.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut environment = Self { variables: BTreeMap::new(), not_text: BTreeSet::new(), key: None };
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

    /// True for a variable whose value is not UTF-8.
    pub(crate) fn is_not_text(&self, name: &str) -> bool {
        self.not_text.contains(name)
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
        let known: BTreeSet<String> = table::rows().flat_map(Row::variables).collect();
        let ours = self.variables.keys().chain(&self.not_text).filter(|name| !known.contains(*name));
        let misspelled = ours.filter_map(|name| {
            let own = name.strip_prefix(PREFIX)?;
            let edits_max = MISSPELLED_EDITS_MAX.min(own.chars().count() / CHARACTERS_FOR_AN_EDIT);
            let distance = |known: &String| Some((edits(own, known.strip_prefix(PREFIX)?), known.clone()));
            let (least, meant) = known.iter().filter_map(distance).min()?;
            (least <= edits_max).then(|| Problem::Misspelled { name: name.clone(), meant })
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

/// Insertions, deletions, substitutions and exchanges of neighbours that turn one text into the other (optimal string alignment).
fn edits(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows = vec![(0..=other.len()).collect::<Vec<_>>()];
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let substituted = rows[i - 1][j - 1] + usize::from(one[i - 1] != other[j - 1]);
            let mut least = substituted.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

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
    fn name_is_a_misspelling_of_the_nearest_known_one_and_of_none_that_is_far() {
        for (name, meant) in [
            ("REFINER_RCP", Some("REFINER_RPC")),
            ("REFINER_RPCS", Some("REFINER_RPC")),
            ("REFINER_MAX_FEES_GWIE", Some("REFINER_MAX_FEE_GWEI")),
            ("REFINER_FOO", None),
            ("REFINER_LG", None),
            ("REFINER_", None),
        ] {
            let found = environment(&[(name, "1")]).misspelled().pop().map(|problem| problem.to_string());
            let expected = meant.map(|meant| format!("{name}: no such setting; did you mean {meant}?"));
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn value_that_is_not_utf8_is_known_by_its_name() {
        let value = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        let environment = Environment::of_system([
            ("REFINER_MAX_SPEND_PER_DAY".into(), value(b"2.5\xc2")),
            (KEY_VARIABLE.into(), value(b"\xff")),
            ("REFINER_DEPTH".into(), value(b"2")),
            (value(b"REFINER_RPC\xff"), value(b"http://a")),
        ]);
        assert!(environment.is_not_text("REFINER_MAX_SPEND_PER_DAY") && environment.is_not_text(KEY_VARIABLE));
        assert!(!environment.is_not_text("REFINER_DEPTH") && environment.value("REFINER_DEPTH") == Some("2"));
        let mut problems = Vec::new();
        crate::Flags::<crate::scope::Run>::default().read_from(&environment, None, &mut problems);
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        let key = format!("{KEY_VARIABLE}: its value is not UTF-8");
        assert_eq!(problems, [key, "REFINER_MAX_SPEND_PER_DAY: its value is not UTF-8".to_owned()]);
        // They are none of another command's.
        let mut problems = Vec::new();
        crate::Flags::<crate::scope::ContentServe>::default().read_from(&environment, None, &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn edits_are_counted() {
        for (one, other, expected) in
            [("", "", 0), ("a", "", 1), ("depht", "depth", 1), ("ca", "abc", 3), ("rpc", "rpcs", 1)]
        {
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
