//! From an argument to components: built-in names, files and directories, and sources that are fetched.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use refiner_config::{RegistryLogins, Values, cache_directory, egress, registry_logins, table};
use refiner_http_client::Egress;
use refiner_sources::{CredentialFiles, LOCK_FILE, Lock, Resolver, RuleSource, Settings};

use crate::{FindError, builtin};

/// The origin of rules that are fetched.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The lock file, where one was named.
    pub lock: Option<PathBuf>,
    /// Every rule that is not in the lock is refused.
    pub locked: bool,
    /// IPFS gateways in place of the public ones.
    pub gateways: Vec<String>,
    /// The way of requests out of this machine.
    pub egress: Egress,
    /// Where logins to registries are.
    pub credentials: CredentialFiles,
}

impl Default for Sources {
    /// No lock, public gateways, no proxy, and the logins of docker and podman.
    fn default() -> Self {
        let RegistryLogins { named, usual } = registry_logins();
        Self {
            lock: None,
            locked: false,
            gateways: Vec::new(),
            egress: Egress::default(),
            credentials: CredentialFiles { named, usual },
        }
    }
}

/// A component that an argument names.
pub struct Found {
    /// What it is called in messages.
    pub called: String,
    /// Its bytes.
    pub component: Vec<u8>,
    /// The text of the manifest beside it.
    pub beside: Option<String>,
    /// The place beside it where a manifest was looked for, if it has one that can have something beside it.
    pub looked_for: Option<String>,
    /// It comes with this program.
    pub built_in: bool,
}

/// Name of a component in messages, and the component or the reason for which it cannot be used.
pub type NamedResult = (String, Result<Found, FindError>);

impl Sources {
    /// As the settings of a command give them.
    pub fn of(values: &Values) -> Self {
        Self {
            lock: values.get(&table::LOCK),
            locked: values.get(&table::LOCKED),
            gateways: values.get(&table::IPFS_GATEWAY),
            egress: egress::of(values),
            ..Self::default()
        }
    }

    /// A resolver that publishes rules: by the way of the settings, with the logins of docker and podman.
    pub fn publisher(values: &Values) -> Resolver {
        Self { egress: egress::of(values), ..Self::default() }.unbound_resolver()
    }

    /// Where the lock is, whether it is there or not.
    pub fn lock_path(&self) -> PathBuf {
        self.lock.clone().unwrap_or_else(|| PathBuf::from(LOCK_FILE))
    }

    /// What resolves sources under these settings.
    pub fn resolver(&self) -> Result<Resolver, FindError> {
        let path = self.lock_path();
        // One that was named, or that everything must be in, has to be there.
        let expected = self.lock.is_some() || self.locked;
        let lock = if expected || path.exists() { Lock::read(&path)? } else { Lock::default() };
        Ok(Resolver::new(self.settings(), lock, self.locked))
    }

    /// The same without a lock, to agree on something.
    pub fn unbound_resolver(&self) -> Resolver {
        Resolver::new(self.settings(), Lock::default(), false)
    }

    fn settings(&self) -> Settings {
        let cache = cache_directory().map(|directory| directory.join("rules"));
        Settings {
            cache,
            gateways: self.gateways.clone(),
            egress: self.egress.clone(),
            credentials: self.credentials.clone(),
            ..Settings::default()
        }
    }

    /// The component in a file, whatever its name.
    pub fn find_file(&self, path: &Path) -> Result<Found, FindError> {
        get(&self.unbound_resolver(), &RuleSource::File(path.to_owned()))
    }

    /// The files of this machine that are read for an argument: components, manifests beside them, and the lock. Of what names no rules,
    /// the lock alone.
    pub fn input_files(&self, argument: &str) -> Vec<PathBuf> {
        let mut files = vec![self.lock_path()];
        if builtin::rule(argument).is_none() {
            for source in sources(argument).unwrap_or_default() {
                if let RuleSource::File(path) = source {
                    files.extend([path.with_extension("toml"), path]);
                }
            }
        }
        files
    }

    /// The components an argument names.
    pub fn find(&self, argument: &str) -> Result<Vec<Found>, FindError> {
        self.find_each(argument)?.into_iter().map(|(_, found)| found).collect()
    }

    /// The same, each with what it is called in messages. A file of a directory that cannot be used does not stop the others.
    pub fn find_each(&self, argument: &str) -> Result<Vec<NamedResult>, FindError> {
        if let Some(component) = builtin::rule(argument) {
            let (called, component) = (argument.to_owned(), component.to_vec());
            let found = Found { called: called.clone(), component, beside: None, looked_for: None, built_in: true };
            return Ok(vec![(called, Ok(found))]);
        }
        let resolver = self.resolver()?;
        let sources = sources(argument)?;
        let found = sources.iter().map(|source| (source.shown(), get(&resolver, source)));
        if Path::new(argument).is_dir() {
            return Ok(found.collect());
        }
        found.map(|(called, found)| Ok((called, Ok(found?)))).collect()
    }
}

/// The sources an argument names, other than built-in rules.
pub fn sources(argument: &str) -> Result<Vec<RuleSource>, FindError> {
    let path = Path::new(argument);
    if path.is_dir() {
        return Ok(directory(path)?.into_iter().map(RuleSource::File).collect());
    }
    let source: RuleSource = argument.parse()?;
    match &source {
        RuleSource::File(path) if !path.exists() => Err(FindError::Unknown(argument.to_owned())),
        _ => Ok(vec![source]),
    }
}

/// A source on the network that an argument without a scheme may mean, with the scheme.
pub fn with_scheme(argument: &str) -> Option<String> {
    let (host, path) = argument.split_once('/')?;
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    let is_host = name == "localhost" || name.trim_matches('.').contains('.');
    if path.is_empty() || !is_host || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let is_file = Path::new(path).extension().is_some_and(|extension| extension == "wasm");
    Some(format!("{}://{argument}", if is_file { "https" } else { "oci" }))
}

fn get(resolver: &Resolver, source: &RuleSource) -> Result<Found, FindError> {
    let component = resolver.resolve(source)?;
    Ok(Found {
        called: source.shown(),
        component: component.bytes,
        beside: component.beside,
        looked_for: source.manifest_place(),
        built_in: false,
    })
}

fn directory(path: &Path) -> Result<Vec<PathBuf>, FindError> {
    let refuse = |source| FindError::Read { path: path.to_owned(), source };
    let entries = fs::read_dir(path).map_err(refuse)?;
    let mut paths =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>().map_err(refuse)?;
    // A link that leads nowhere stays, and is an error where it is read; a pipe or a device is none of the rules.
    let is_read = |path: &PathBuf| fs::metadata(path).map_or(true, |found| found.is_file());
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wasm") && is_read(path));
    paths.sort();
    if paths.is_empty() { Err(FindError::EmptyDirectory(path.to_owned())) } else { Ok(paths) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_in_front_of_a_path_is_recognised_and_a_directory_is_not() {
        let check = |argument: &str, expected: Option<&str>| {
            assert_eq!(with_scheme(argument).as_deref(), expected, "{argument}");
        };
        check("ghcr.io/owner/rule:1.0.0", Some("oci://ghcr.io/owner/rule:1.0.0"));
        check("localhost:5000/rule:1", Some("oci://localhost:5000/rule:1"));
        check("example.org/rules/a.wasm", Some("https://example.org/rules/a.wasm"));
        for path in ["rules/a.wasm", "./rules/a.wasm", "../a", "ghcr.io", "ghcr.io/", "my.dir:x/a", ".hidden/a"] {
            check(path, None);
        }
    }
}
