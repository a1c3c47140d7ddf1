//! Rules named on the command line: built in, component files, and directories of them.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use alloy_primitives::B256;
use refiner_sandbox::{
    AdmitError, AdmittedRule, EngineError, EngineProfile, Grants, Limit, Limits, Params, Sandbox, SelfTestError,
};

use crate::builtin;

/// A rule that is ready, with what it runs under.
pub struct LoadedRule {
    /// The name it gives itself.
    pub name: Arc<str>,
    /// Compiled and linked.
    pub admitted: AdmittedRule,
    /// What the operator gave it.
    pub params: Params,
    /// What its runs are granted.
    pub limits: Limits,
    /// Identity of component, parameters, limits and engine.
    pub identity: B256,
}

/// Why the rules are not ready.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Neither a built-in rule nor a path.
    #[error("{0}: neither a built-in rule nor a file or directory")]
    Unknown(String),
    /// A directory without a component.
    #[error("{0}: the directory holds no .wasm file")]
    EmptyDirectory(PathBuf),
    /// Two rules give themselves one name, and their outputs would share file names.
    #[error("two rules are named {0}")]
    SameName(Arc<str>),
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The sandbox does not let it in.
    #[error("{rule}: {source}")]
    Admit {
        /// What was typed, or the file.
        rule: String,
        /// Why not.
        source: AdmitError,
    },
    /// The engine cannot be started.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The engine does not stop hostile guests on this machine.
    #[error(transparent)]
    SelfTest(#[from] SelfTestError),
}

/// Starts a sandbox, makes sure that it holds, and admits every rule named.
///
/// A replay's user chose these rules for this machine, so each is granted what it asks for.
pub fn load(
    arguments: &[String],
    parameters: impl Iterator<Item = (String, String)>,
) -> Result<Vec<LoadedRule>, LoadError> {
    let params: Params = parameters.collect();
    let mut components = Vec::new();
    for argument in arguments {
        components.extend(find(argument)?);
    }
    let sandbox = Sandbox::new(EngineProfile::default())?;
    sandbox.self_test()?;
    let mut rules: Vec<LoadedRule> = Vec::with_capacity(components.len());
    for (rule, component) in components {
        let rule = admit(&sandbox, rule, &component, &params)?;
        if rules.iter().any(|other| other.name == rule.name) {
            return Err(LoadError::SameName(rule.name));
        }
        rules.push(rule);
    }
    Ok(rules)
}

fn admit(sandbox: &Sandbox, rule: String, component: &[u8], params: &Params) -> Result<LoadedRule, LoadError> {
    let admitted = sandbox.admit(component, &Grants::all()).map_err(|source| LoadError::Admit { rule, source })?;
    let limits = admitted.default_limits();
    Ok(LoadedRule {
        name: admitted.description().name.as_str().into(),
        identity: admitted.identity(params, &limits).digest(),
        params: params.clone(),
        limits,
        admitted,
    })
}

/// The components an argument names, each with the name it is called by in messages.
fn find(argument: &str) -> Result<Vec<(String, Vec<u8>)>, LoadError> {
    if let Some(component) = builtin::rule(argument) {
        return Ok(vec![(argument.to_owned(), component.to_vec())]);
    }
    let path = Path::new(argument);
    if path.is_dir() {
        return directory(path)?.into_iter().map(|path| read(&path)).collect();
    }
    if path.exists() { Ok(vec![read(path)?]) } else { Err(LoadError::Unknown(argument.to_owned())) }
}

fn directory(path: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let refuse = |source| LoadError::Read { path: path.to_owned(), source };
    let entries = fs::read_dir(path).map_err(refuse)?;
    let mut paths =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>().map_err(refuse)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    paths.sort();
    if paths.is_empty() { Err(LoadError::EmptyDirectory(path.to_owned())) } else { Ok(paths) }
}

/// Reads a component, and one byte more than the largest that any rule is granted: admission tells the rest.
fn read(path: &Path) -> Result<(String, Vec<u8>), LoadError> {
    use io::Read as _;
    let refuse = |source| LoadError::Read { path: path.to_owned(), source };
    let mut component = Vec::new();
    let file = fs::File::open(path).map_err(refuse)?;
    file.take(Limit::ComponentBytes.spec().cap + 1).read_to_end(&mut component).map_err(refuse)?;
    Ok((path.display().to_string(), component))
}

impl LoadError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown(_) if builtin::RULES.is_empty() => {
                Some("this binary carries no built-in rules: run `cargo xtask rules`, then build it again".to_owned())
            }
            Self::Unknown(_) => Some(format!("built-in rules: {}", builtin::names())),
            Self::SelfTest(_) => Some("this machine or build must not run rules; please report it".to_owned()),
            Self::EmptyDirectory(_) | Self::SameName(_) | Self::Read { .. } | Self::Admit { .. } | Self::Engine(_) => {
                None
            }
        }
    }
}
