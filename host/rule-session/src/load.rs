//! Rules named on the command line: built in, files and directories of them, and sources that are fetched.

use std::{collections::BTreeSet, sync::Arc};

use alloy_primitives::{B256, Bytes};
use refiner_diagnostics::{Diagnostic, ExitCode, Failure, Hint};
use refiner_evm::{ExecutedBy, ExecutionTerms};
use refiner_rule_model::{Limits, Params, TwoValues, UntrustedText};
use refiner_rule_package::{Allowance, Found, RuleError, Sources};
use refiner_sandbox::{AdmitFailure, AdmittedRule, EngineError, EngineProfile, Sandbox, SelfTestError};
use refiner_worker::CodeCache;

use crate::{
    PrepareError, RuleProcess, Session,
    admit::{admit_compiled, admit_own},
    parameters,
    session::code_cache,
};

/// A rule that is ready, with what it runs under.
pub struct LoadedRule {
    /// The name it gives itself.
    pub name: Arc<str>,
    /// Its process.
    pub place: RuleProcess,
    /// The parameters that the operator gave it.
    pub params: Params,
    /// The limits that its runs are granted.
    pub limits: Limits,
    /// Identity of component, parameters, limits and engine.
    pub identity: B256,
    /// The bytes that it was loaded from.
    pub component: Bytes,
    /// The text of the manifest beside a component that carries none.
    pub beside: Option<String>,
}

/// Reasons for which the rules are not ready.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A rule is not found or not permitted.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// Two rules give themselves one name, and their outputs would share file names.
    #[error("two rules are named {0}")]
    SameName(Arc<str>),
    /// Two rules write files of one name: `a.b` with `c`, and `a` with `b.c`.
    #[error("the rules {one} and {other} both write *.{file}")]
    SameOutput {
        /// The first rule.
        one: Arc<str>,
        /// The second rule.
        other: Arc<str>,
        /// The end of the name, rule and artifact.
        file: String,
    },
    /// A parameter whose name stands in none of the built-in rules that were named, so that none can ask for it.
    #[error("no rule reads a parameter '{name}'")]
    UnknownParameter {
        /// Name of the parameter.
        name: UntrustedText,
    },
    /// A parameter that was given twice.
    #[error(transparent)]
    TwoValues(#[from] TwoValues),
    /// A result that the executor which was named never gives.
    #[error(
        "{rule} asks for the result in the format canonical, which no evm-server writes; expected --format evm-server@a to evm-server@e"
    )]
    NoRemoteResult {
        /// Name of the rule.
        rule: Arc<str>,
    },
    /// The sandbox does not let it in.
    #[error("{rule}: {source}")]
    Admit {
        /// What was typed, or the file.
        rule: String,
        /// The fault that was found.
        source: AdmitFailure,
    },
    /// No worker takes it.
    #[error(transparent)]
    Isolated(#[from] Box<PrepareError>),
    /// The engine cannot be started.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The engine does not stop hostile guests on this machine.
    #[error(transparent)]
    SelfTest(#[from] SelfTestError),
}

/// The terms on which every rule is loaded.
pub struct Terms {
    /// Parameters for all of them, or as `rule:name` for one; part of its identity.
    pub params: Params,
    /// Who executes blocks for it, and on which terms specimens are checked.
    pub execution: ExecutionTerms,
    /// The most that it may ask for.
    pub allowance: Allowance,
}

/// Starts a sandbox, makes sure that it holds, and admits every rule named. One that is not built in is compiled in a child
/// process of the session and, where rules are to be isolated, runs in workers of it.
///
/// A replay's user chose these rules for this machine, so each is granted what it asks for, within the ceilings.
pub fn load(
    arguments: &[String],
    sources: &Sources,
    terms: &Terms,
    session: impl FnOnce(Allowance) -> Result<Session, Failure>,
    isolate: bool,
) -> Result<Vec<LoadedRule>, Failure> {
    let components = sources.find_all(arguments, &terms.allowance)?;
    let sandbox = Sandbox::new(EngineProfile::of_this_process()).map_err(LoadError::from)?;
    sandbox.self_test().map_err(LoadError::from)?;
    let session = if components.iter().any(|found| !found.built_in) {
        let allowance = terms.allowance.clone();
        Some(Arc::new(session(if isolate { allowance } else { allowance.here()? })?))
    } else {
        None
    };
    let cache = code_cache();
    let mut rules: Vec<LoadedRule> = Vec::with_capacity(components.len());
    let mut strangers = BTreeSet::new();
    for found in components {
        let built_in = found.built_in;
        let rule = match &session {
            Some(session) if !built_in && isolate => isolated(session, found)?,
            Some(session) if !built_in => compiled(&sandbox, session, found)?,
            _ => admitted(&sandbox, cache.as_ref(), found, terms)?,
        };
        if rules.iter().any(|other| other.name == rule.name) {
            return Err(LoadError::SameName(rule.name).into());
        }
        distinct_outputs(&rules, &rule)?;
        if !built_in {
            strangers.insert(Arc::clone(&rule.name));
        }
        rules.push(rule);
    }
    let names: Vec<_> = rules.iter().map(|rule| Arc::clone(&rule.name)).collect();
    let names: Vec<_> = names.iter().map(|name| &**name).collect();
    if let Some(name) = parameters::unread(&terms.params, &names, |rule| strangers.contains(rule)) {
        return Err(LoadError::UnknownParameter { name: UntrustedText::new(name) }.into());
    }
    for rule in &mut rules {
        rule.params = terms.params.of_rule(&rule.name, &names);
        let by_server = terms.execution.executed_by != ExecutedBy::Embedded;
        if by_server && !strangers.contains(&rule.name) && parameters::asks_for_canonical(&rule.name, &rule.params) {
            return Err(LoadError::NoRemoteResult { rule: Arc::clone(&rule.name) }.into());
        }
        rule.identity = rule.place.identity(&rule.params, &rule.limits, &terms.execution);
    }
    Ok(rules)
}

/// Files are named by rule and artifact, with a point between the two, and both may have points themselves.
fn distinct_outputs(others: &[LoadedRule], rule: &LoadedRule) -> Result<(), LoadError> {
    let files = |rule: &LoadedRule| -> Vec<_> {
        let outputs = rule.place.manifest().outputs.iter();
        outputs.map(|output| format!("{}.{}", rule.name, output.name)).collect()
    };
    let mine = files(rule);
    for other in others {
        if let Some(file) = files(other).into_iter().find(|file| mine.contains(file)) {
            return Err(LoadError::SameOutput { one: Arc::clone(&other.name), other: Arc::clone(&rule.name), file });
        }
    }
    Ok(())
}

/// One of our own, compiled here or, where its code was kept, before.
fn admitted(
    sandbox: &Sandbox,
    cache: Option<&CodeCache>,
    found: Found,
    terms: &Terms,
) -> Result<LoadedRule, LoadError> {
    let grants = terms.allowance.grants(&found).map_err(RuleError::from)?;
    let Found { called: rule, component, .. } = found;
    let component = Bytes::from(component);
    let admitted = match cache {
        Some(cache) => admit_own(cache, sandbox, &component, &grants),
        None => sandbox.admit(&component, None, &grants),
    };
    Ok(here(admitted.map_err(|source| LoadError::Admit { rule, source })?, component, None))
}

/// A stranger's, compiled in a child process: a compiler is at its component's mercy for time and memory.
fn compiled(sandbox: &Sandbox, session: &Session, found: Found) -> Result<LoadedRule, LoadError> {
    let rule = session.prepare(found).map_err(Box::new)?;
    let admitted = admit_compiled(sandbox, &rule.compiled);
    let admitted = admitted.map_err(|source| LoadError::Admit { rule: rule.called, source })?;
    let (component, beside) = (rule.compiled.component().clone(), rule.compiled.beside().map(str::to_owned));
    Ok(here(admitted, component, beside))
}

/// Parameters and identity are known when all rules are.
fn here(admitted: AdmittedRule, component: Bytes, beside: Option<String>) -> LoadedRule {
    let limits = admitted.default_limits();
    LoadedRule {
        name: admitted.description().name.as_str().into(),
        identity: B256::ZERO,
        params: Params::default(),
        limits,
        place: RuleProcess::Here(Box::new(admitted)),
        component,
        beside,
    }
}

/// A stranger's, that this process never runs.
fn isolated(session: &Arc<Session>, found: Found) -> Result<LoadedRule, LoadError> {
    let rule = session.prepare(found).map_err(Box::new)?;
    session.admit(&rule).map_err(Box::new)?;
    let (manifest, limits) = (rule.compiled.manifest(), rule.compiled.default_limits());
    Ok(LoadedRule {
        name: manifest.name.as_str().into(),
        identity: B256::ZERO,
        params: Params::default(),
        limits,
        component: rule.compiled.component().clone(),
        beside: rule.compiled.beside().map(str::to_owned),
        place: RuleProcess::Worker { rule, session: Arc::clone(session) },
    })
}

impl Diagnostic for LoadError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Isolated(error) => error.exit_code(),
            Self::Rule(error) => error.exit_code(),
            Self::SameOutput { .. } => ExitCode::Refused,
            Self::SameName(_) | Self::UnknownParameter { .. } | Self::TwoValues(_) | Self::NoRemoteResult { .. } => {
                ExitCode::Usage
            }
            Self::Admit { source, .. } => source.exit_code(),
            Self::Engine(error) => error.exit_code(),
            Self::SelfTest(error) => error.exit_code(),
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::SelfTest(error) => error.hint(),
            Self::Rule(error) => error.hint(),
            Self::Isolated(error) => error.hint(),
            Self::Admit { source, .. } => source.hint(),
            Self::Engine(error) => error.hint(),
            Self::SameOutput { .. } => Some("run them one after the other, into directories of their own".into()),
            Self::UnknownParameter { .. } => {
                Some("the name may be misspelt, or the rule that reads it was not named (--rule)".into())
            }
            Self::NoRemoteResult { .. } => Some("or have this program execute: --evm embedded, the default".into()),
            Self::SameName(_) => Some("name each rule once; a component has the name in its manifest".into()),
            Self::TwoValues(_) => None,
        }
    }
}
