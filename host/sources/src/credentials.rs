//! Credentials for registries, in the files that docker and podman keep, and of the helpers that these name. Files are read and never
//! written.
//!
//! Sources: <https://docs.docker.com/reference/cli/docker/login/>, containers-auth.json(5).

mod program;

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use serde::Deserialize;

use self::program::Helped;
pub use self::program::HelperFailure;

/// Longest file of credentials. A login takes some 200 bytes, and tokens some 4 KiB.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Prefix of the programs that keep credentials outside of the files.
const HELPER: &str = "docker-credential-";
/// Names under which files keep logins to docker's own registry.
const DOCKER_HUB: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/// The files in which credentials are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialFiles {
    /// The file that the user named, which has to be there and is the only one read.
    pub named: Option<PathBuf>,
    /// The files of docker and podman, in their order; those that are not there are passed over.
    pub usual: Vec<PathBuf>,
}

/// A password or a token, which no text shows.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) String);

/// A way to log in to a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// User and password, from a file.
    Password { user: String, password: Secret, file: PathBuf },
    /// A token that stands for a user, exchanged for those of requests.
    Identity { token: Secret, file: PathBuf },
    /// A program that keeps the credentials, by the name of the server that it knows.
    Helper { program: Program, server: String, file: PathBuf },
    /// No credentials in any file.
    None,
}

impl Login {
    /// The login itself, from the helper that keeps it where one does. Waits for that program.
    pub(crate) fn unlocked(self) -> Result<Self, (Program, PathBuf, HelperFailure)> {
        let Self::Helper { program, server, file } = self else { return Ok(self) };
        match program::ask(&program, &server) {
            Ok(Helped::Password { user, password }) => Ok(Self::Password { user, password, file }),
            Ok(Helped::Identity { token }) => Ok(Self::Identity { token, file }),
            Err(failure) => Err((program, file, failure)),
        }
    }
}

/// Name of a credential helper's program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program(String);

/// Errors of reading credentials. Their texts show nothing of the content.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The file cannot be read.
    #[error("{}: {source}", .path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// More bytes than such a file has.
    #[error("{} has more than {FILE_BYTES_MAX} bytes, and files of credentials are smaller", .0.display())]
    TooLarge(PathBuf),
    /// Not JSON, or of another shape.
    #[error("{} is no file of credentials as docker and podman write them (line {line}, column {column})", .path.display())]
    Syntax {
        /// Path of the file.
        path: PathBuf,
        /// Line of the fault.
        line: usize,
        /// Column of the fault.
        column: usize,
    },
    /// A login that is not `user:password` in base64.
    #[error("{}: the \"auth\" of {key:?} is not user:password in base64", .path.display())]
    Auth {
        /// Path of the file.
        path: PathBuf,
        /// The registry's key in the file.
        key: String,
    },
}

/// The parts of the file that are read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

impl CredentialFiles {
    /// The login for a repository, from the first file that has one: that of the most specific namespace, as podman has it.
    pub(crate) fn login(&self, registry: &str, repository: &str) -> Result<Login, CredentialError> {
        if let Some(path) = &self.named {
            let written = read(path)?;
            return written.login(path, registry, repository);
        }
        let mut helper = Login::None;
        for path in &self.usual {
            let written = match read(path) {
                Err(CredentialError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => continue,
                read => read?,
            };
            match written.login(path, registry, repository)? {
                Login::None => {}
                // A file after it may have what the helper keeps.
                found @ Login::Helper { .. } if helper == Login::None => helper = found,
                Login::Helper { .. } => {}
                found => return Ok(found),
            }
        }
        Ok(helper)
    }

    /// The files that were looked at, for messages.
    pub(crate) fn looked_at(&self) -> Vec<PathBuf> {
        self.named.as_ref().map_or_else(|| self.usual.clone(), |named| vec![named.clone()])
    }
}

fn read(path: &Path) -> Result<Written, CredentialError> {
    let refuse = |source| CredentialError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let taken = fs::File::open(path).map_err(refuse)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    if taken.map_err(refuse)? as u64 > FILE_BYTES_MAX {
        return Err(CredentialError::TooLarge(path.to_owned()));
    }
    // The parser's own words may repeat a password.
    serde_json::from_slice(&bytes).map_err(|error| CredentialError::Syntax {
        path: path.to_owned(),
        line: error.line(),
        column: error.column(),
    })
}

impl Written {
    fn login(&self, path: &Path, registry: &str, repository: &str) -> Result<Login, CredentialError> {
        let wanted = format!("{}/{repository}", host(registry));
        let entry = most_specific(&self.auths, &wanted);
        if let Some((key, entry)) = entry
            && let Some(login) = entry.login(path, key)?
        {
            return Ok(login);
        }
        let helper = most_specific(&self.cred_helpers, &wanted);
        // A store leaves an empty entry for each registry that it has a login for.
        let stored = || Some((entry?.0, self.creds_store.as_ref()?));
        Ok(helper.or_else(stored).map_or(Login::None, |(key, name)| Login::Helper {
            program: Program(format!("{HELPER}{name}")),
            server: entry.map_or(key, |(key, _)| key).to_owned(),
            file: path.to_owned(),
        }))
    }
}

impl Entry {
    fn login(&self, path: &Path, key: &str) -> Result<Option<Login>, CredentialError> {
        let file = path.to_owned();
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(token) = filled(&self.identitytoken) {
            return Ok(Some(Login::Identity { token: Secret(token), file }));
        }
        if let Some(auth) = filled(&self.auth) {
            let decoded = base64_simd::STANDARD.decode_to_vec(auth.trim());
            let text = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let (user, password) = text
                .as_deref()
                .and_then(|text| text.trim_end_matches('\0').split_once(':'))
                .ok_or_else(|| CredentialError::Auth { path: path.to_owned(), key: key.to_owned() })?;
            return Ok(Some(Login::Password { user: user.to_owned(), password: Secret(password.to_owned()), file }));
        }
        let both = filled(&self.username).zip(filled(&self.password));
        Ok(both.map(|(user, password)| Login::Password { user, password: Secret(password), file }))
    }
}

/// The entry whose key is the longest beginning of `wanted` that ends with one of its parts.
fn most_specific<'m, T>(entries: &'m BTreeMap<String, T>, wanted: &str) -> Option<(&'m str, &'m T)> {
    let covers = |key: &str| wanted.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    entries
        .iter()
        .map(|(key, entry)| (key.as_str(), namespace(key), entry))
        .filter(|(_, namespace, _)| covers(namespace))
        .max_by_key(|(_, namespace, _)| namespace.len())
        .map(|(key, _, entry)| (key, entry))
}

/// The registry and the namespace that a key names: docker writes some of them as URLs.
fn namespace(key: &str) -> String {
    let bare = key.split_once("://").map_or(key, |(_, rest)| rest).trim_end_matches('/');
    let bare = if key.contains("://") { bare.trim_end_matches("/v1").trim_end_matches("/v2") } else { bare };
    match bare.split_once('/') {
        Some((registry, rest)) => format!("{}/{rest}", host(registry)),
        None => host(bare).to_owned(),
    }
}

/// One name for docker's own registry.
fn host(registry: &str) -> &str {
    if DOCKER_HUB.contains(&registry) { DOCKER_HUB[0] } else { registry }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name:canary` in base64.
    const AUTH: &str = "bmFtZTpjYW5hcnk=";

    fn login_in(text: &str, registry: &str, repository: &str) -> Result<Login, CredentialError> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("config.json");
        fs::write(&path, text).expect("the directory is there");
        CredentialFiles { named: Some(path), usual: Vec::new() }.login(registry, repository)
    }

    #[track_caller]
    fn user(text: &str, registry: &str, repository: &str) -> Option<String> {
        match login_in(text, registry, repository).expect(text) {
            Login::Password { user, password, .. } => Some(format!("{user}:{}", password.0)),
            Login::Identity { token, .. } => Some(token.0),
            Login::Helper { program, .. } => Some(program.to_string()),
            Login::None => None,
        }
    }

    #[test]
    fn login_is_found_under_the_keys_that_docker_and_podman_write() {
        let check = |key: &str, registry: &str, repository: &str, expected: bool| {
            let text = format!(r#"{{"auths": {{"{key}": {{"auth": "{AUTH}"}}}}}}"#);
            let expected = expected.then_some("name:canary");
            assert_eq!(user(&text, registry, repository).as_deref(), expected, "{key} for {registry}/{repository}");
        };
        check("ghcr.io", "ghcr.io", "owner/rule", true);
        check("ghcr.io/owner", "ghcr.io", "owner/rule", true);
        check("ghcr.io/own", "ghcr.io", "owner/rule", false);
        check("ghcr.io/other", "ghcr.io", "owner/rule", false);
        check("https://ghcr.io", "ghcr.io", "owner/rule", true);
        check("https://ghcr.io/v2/", "ghcr.io", "owner/rule", true);
        check("127.0.0.1:5000", "127.0.0.1:5000", "rule", true);
        check("127.0.0.1", "127.0.0.1:5000", "rule", false);
        check("https://index.docker.io/v1/", "docker.io", "owner/rule", true);
        check("docker.io", "docker.io", "owner/rule", true);
    }

    #[test]
    fn most_specific_login_is_taken_and_a_helper_is_named() {
        let both = format!(
            r#"{{"auths": {{"r.example": {{"username": "all", "password": "x"}}, "r.example/a": {{"auth": "{AUTH}"}}}}}}"#
        );
        assert_eq!(user(&both, "r.example", "a/b").as_deref(), Some("name:canary"));
        assert_eq!(user(&both, "r.example", "b").as_deref(), Some("all:x"));
        let token = r#"{"auths": {"r.example": {"auth": "", "identitytoken": "token"}}}"#;
        assert_eq!(user(token, "r.example", "b").as_deref(), Some("token"));
        let store =
            r#"{"auths": {"r.example": {}}, "credsStore": "desktop", "credHelpers": {"e.example": "ecr-login"}}"#;
        assert_eq!(user(store, "r.example", "b").as_deref(), Some("docker-credential-desktop"));
        assert_eq!(user(store, "e.example", "b").as_deref(), Some("docker-credential-ecr-login"));
        assert_eq!(user(store, "o.example", "b"), None);
    }

    #[test]
    fn file_that_is_none_is_refused_without_its_content() {
        let check = |text: &str, expected: &str| {
            let error = login_in(text, "r.example", "b").expect_err(text).to_string();
            assert!(error.contains(expected) && !error.contains("canary"), "{error}");
        };
        check("canary", "line 1, column");
        check(r#"{"auths": "canary"}"#, "no file of credentials");
        check(r#"{"auths": {"r.example": {"auth": "canary!"}}}"#, "user:password in base64");
        check(&" ".repeat(1 << 20 | 1), "more than 1048576 bytes");
        let secret = Login::Password { user: "u".to_owned(), password: Secret("canary".to_owned()), file: "f".into() };
        assert!(!format!("{secret:?}").contains("canary"));
    }

    #[test]
    fn usual_files_may_be_missing_and_the_named_one_may_not() {
        let directory = tempfile::tempdir().expect("a directory");
        let (missing, there) = (directory.path().join("a.json"), directory.path().join("b.json"));
        let text = format!(r#"{{"auths": {{"r.example": {{"auth": "{AUTH}"}}}}}}"#);
        fs::write(&there, text).expect("the directory is there");
        let files = |named: Option<&PathBuf>| CredentialFiles {
            named: named.cloned(),
            usual: vec![missing.clone(), there.clone()],
        };
        assert!(matches!(files(None).login("r.example", "b"), Ok(Login::Password { .. })));
        assert!(matches!(files(Some(&missing)).login("r.example", "b"), Err(CredentialError::Read { .. })));
    }
}
