//! The rules that the daemon serves, compiled in child processes: this one holds a key and runs no rule.

use std::{fs, path::Path, sync::Arc};

use alloy_primitives::B256;
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_evm::ExecutionTerms;
use refiner_journal::Target;
use refiner_rule_model::{Limits, Params, RuleIdentity};
use refiner_rule_package::{Allowance, FindError, Found, Loader, RuleError, Sources};
use refiner_worker::{
    ChildCommand, CodeCache, CompiledRule, Compiler, ProbeError, Requirement, Unconfined, WORKER_ARGUMENT, probe,
};

use super::config::{Key, Settings};

/// A rule with what it runs under.
pub struct Rule {
    pub name: String,
    pub identity: B256,
    pub compiled: Arc<CompiledRule>,
    pub params: Params,
    pub limits: Limits,
    pub proves: bool,
}

/// Rules, and chains that their workers know beside the built-in ones, each the text of a chain config.
pub struct Loaded {
    pub rules: Vec<Rule>,
    pub chains: Vec<String>,
}

/// Reasons for which the rules are not ready.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// One is not found, not permitted or not compiled.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The directory for compiled code.
    #[error(transparent)]
    Cache(#[from] refiner_worker::CacheError),
    /// No worker starts.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// Workers are less confined than is required.
    #[error(transparent)]
    Unconfined(#[from] Unconfined),
    /// One whose results are hypothetical.
    #[error(
        "{rule} executes blocks under other conditions than their own (capability what-if), and what comes out of that is hypothetical: \
         nothing of it may be pinned or proved"
    )]
    Hypothetical {
        /// Name of the rule.
        rule: String,
    },
    /// Two have one name.
    #[error("two rules are named {0}")]
    SameName(String),
    /// The rule to prove is none of them.
    #[error("{wanted} is to be proved and is none of the rules: {}", .have.join(", "))]
    NotServed {
        /// Value of the setting `prove`.
        wanted: String,
        /// The rules there are.
        have: Vec<String>,
    },
    /// Several rules, and none is named as the one to prove.
    #[error("several rules are served, and the one whose results are proved is not named: {}", .have.join(", "))]
    Ambiguous {
        /// The rules there are.
        have: Vec<String>,
    },
}

/// Finds, compiles and names every rule.
pub fn load(settings: &Settings) -> Result<Vec<Rule>, RulesError> {
    let cache = CodeCache::open(settings.data.join("code"))?;
    let loader = Loader::new(Compiler::new(Some(cache)), settings.allowance.clone());
    let sources = Sources { gateways: settings.gateways.clone().unwrap_or_default(), ..Sources::default() };
    let terms = ExecutionTerms { executed_by: settings.evm.executed_by(), policy: settings.policy };
    let components = sources.find_all(&settings.rules, &settings.allowance)?;
    confined(&components, &settings.allowance)?;
    let mut rules: Vec<Rule> = Vec::new();
    for found in components {
        let rule = compile(&loader, found, &settings.params, &terms)?;
        if rule.compiled.manifest().is_hypothetical() {
            return Err(RulesError::Hypothetical { rule: rule.name });
        }
        if rules.iter().any(|other| other.name == rule.name) {
            return Err(RulesError::SameName(rule.name));
        }
        rules.push(rule);
    }
    choose_proved(&mut rules, settings)?;
    Ok(rules)
}

/// Work that every announced specimen is for, by these settings.
///
/// # Errors
///
/// Those of [`load`].
pub fn targets(settings: &Settings) -> Result<Vec<Target>, RulesError> {
    Ok(load(settings)?.iter().map(Rule::target).collect())
}

/// Makes sure that a worker of this machine is confined as rules that are not built in require, whose code may be compiled already.
fn confined(components: &[Found], allowance: &Allowance) -> Result<(), RulesError> {
    let requirement = allowance.requirement(false);
    if requirement == Requirement::None || components.iter().all(|found| found.built_in) {
        return Ok(());
    }
    let confinement = probe(&ChildCommand::this_program(WORKER_ARGUMENT))?;
    Ok(requirement.check(&confinement)?)
}

/// The operator chose these rules, so each is granted what it asks for, within the ceilings.
fn compile(loader: &Loader, found: Found, params: &Params, terms: &ExecutionTerms) -> Result<Rule, RulesError> {
    let compiled = loader.compile(found)?;
    let limits = compiled.default_limits();
    let identity = RuleIdentity::of(compiled.digest(), compiled.manifest(), params, &limits, terms);
    Ok(Rule {
        name: compiled.manifest().name.clone(),
        identity: identity.digest(),
        compiled: Arc::new(compiled),
        params: params.clone(),
        limits,
        proves: false,
    })
}

fn choose_proved(rules: &mut [Rule], settings: &Settings) -> Result<(), RulesError> {
    if matches!(settings.key, Key::None) {
        return Ok(());
    }
    let have = || rules.iter().map(|rule| rule.name.clone()).collect();
    let position = match &settings.prove {
        Some(wanted) => rules
            .iter()
            .position(|rule| rule.name == *wanted)
            .ok_or_else(|| RulesError::NotServed { wanted: wanted.clone(), have: have() })?,
        None if rules.len() == 1 => 0,
        None => return Err(RulesError::Ambiguous { have: have() }),
    };
    rules[position].proves = true;
    Ok(())
}

impl Rule {
    /// The rule as the journal knows it.
    pub fn target(&self) -> Target {
        Target { rule: self.identity, name: self.name.clone(), proves: self.proves }
    }
}

/// The texts of chain configs, which workers read by themselves.
pub fn chain_texts(settings: &Settings) -> Result<Vec<String>, FindError> {
    let read =
        |path: &Path| fs::read_to_string(path).map_err(|source| FindError::Read { path: path.to_owned(), source });
    settings.chain_configs.iter().map(|path| read(path)).collect()
}

impl Diagnostic for RulesError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Unconfined(error) => error.exit_code(),
            Self::Rule(error) => error.exit_code(),
            Self::Probe(_) => ExitCode::Host,
            Self::SameName(_) => ExitCode::Usage,
            Self::Cache(_) | Self::Hypothetical { .. } | Self::NotServed { .. } | Self::Ambiguous { .. } => {
                ExitCode::Refused
            }
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Rule(error) => error.hint(),
            Self::Cache(error) => error.hint(),
            Self::Unconfined(error) => error.hint(),
            Self::Ambiguous { .. } => Some("name one by --prove, or none by `--prove none`".into()),
            Self::Hypothetical { .. } => Some("leave it out here, and run it by `refiner replay`".into()),
            Self::SameName(_) => Some("name each rule once; a component has the name in its manifest".into()),
            Self::NotServed { .. } | Self::Probe(_) => None,
        }
    }
}
