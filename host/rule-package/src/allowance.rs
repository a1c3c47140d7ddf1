//! The operator's terms for rules: ceilings, denials, and the confinement and signatures that rules which are not built in need.

use std::path::PathBuf;

use refiner_config::{ConfinementLevel, Denial, DeniedCapability, RuleLimit, RuleSigner, Values, table};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_rule_model::{Capability, Grants, LimitError, Limits, manifest_of};
use refiner_signatures::{RequiredSigner, SignatureError, Signers};
use refiner_worker::Requirement;

use crate::Found;

/// What rules may ask for, and what runs only in confined processes.
#[derive(Clone, Debug)]
pub struct Allowance {
    limits: Vec<RuleLimit>,
    denials: Vec<Denial>,
    confinement: Requirement,
    /// The operator asked for the confinement, where the default would be less.
    explicit: bool,
    /// Signers of which one must have signed a rule; none where rules need no signature.
    signers: Vec<RequiredSigner>,
    trust_root: Option<PathBuf>,
}

/// Terms that cannot hold.
#[derive(Debug, thiserror::Error)]
pub enum AllowanceError {
    /// A ceiling above what can be granted at all.
    #[error("--rule-limit: {0}")]
    Limit(#[from] LimitError),
    /// A term for a rule that is not there: without this error, a misspelled name would deny nothing.
    #[error("{setting} is for the rule {rule:?}, and the rules are {}", .have.join(", "))]
    NoSuchRule {
        /// The setting with the name.
        setting: &'static str,
        /// The name given.
        rule: String,
        /// The names of the rules.
        have: Vec<String>,
    },
    /// A confinement that only workers have.
    #[error("the confinement '{0}' is required, and rules that are not built in run in this process")]
    Here(&'static str),
    /// A rule without a signature that the operator requires.
    #[error("{rule}: {source}")]
    Signature {
        /// The rule as it was named.
        rule: String,
        /// The reason.
        source: SignatureError,
    },
}

impl Diagnostic for AllowanceError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Signature { source, .. } => source.exit_code(),
            Self::Limit(_) | Self::NoSuchRule { .. } | Self::Here(_) => ExitCode::Usage,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Limit(_) => Some("`refiner rule info` shows the caps".into()),
            Self::NoSuchRule { .. } => Some("a rule is named as `refiner rule info` shows it".into()),
            Self::Here(_) => Some("add --isolate, or leave out --require-confinement".into()),
            Self::Signature { source, .. } => source.hint(),
        }
    }
}

impl Allowance {
    /// As the settings of a command give them.
    pub fn of(values: &Values) -> Self {
        Self {
            limits: values.get(&table::RULE_LIMIT),
            denials: values.get(&table::DENY),
            confinement: requirement(values),
            explicit: values.is_given(&table::REQUIRE_CONFINEMENT),
            signers: values.get(&table::REQUIRE_SIGNER).into_iter().map(signer).collect(),
            trust_root: values.get(&table::TRUST_ROOT),
        }
    }

    /// For a rule that its author tries: the default ceilings and confinement.
    pub const fn of_author() -> Self {
        Self {
            limits: Vec::new(),
            denials: Vec::new(),
            confinement: Requirement::Filter,
            explicit: false,
            signers: Vec::new(),
            trust_root: None,
        }
    }

    /// For rules that run in this process, which is confined in no way: only where no confinement was asked for.
    pub fn here(self) -> Result<Self, AllowanceError> {
        if self.explicit && self.confinement != Requirement::None {
            return Err(AllowanceError::Here(self.confinement.as_str()));
        }
        Ok(Self { confinement: Requirement::None, ..self })
    }

    /// The most that a rule gets, by the name in its manifest, where it has the signature that is required. A component without a
    /// manifest is not admitted, whatever it is granted.
    pub fn grants(&self, found: &Found) -> Result<Grants, AllowanceError> {
        self.check_signature(found)
            .map_err(|source| AllowanceError::Signature { rule: found.called.clone(), source })?;
        let name = found.name();
        let concerns = |rule: &Option<String>| rule.is_none() || rule.as_deref() == name.as_deref();
        let mut grants = Grants::all();
        if !found.built_in {
            grants.limits = Limits::default_ceilings();
        }
        // What is set for one rule goes before what is set for all.
        let (all, one): (Vec<_>, Vec<_>) = self.limits.iter().partition(|limit| limit.rule.is_none());
        for limit in all.into_iter().chain(one).filter(|limit| concerns(&limit.rule)) {
            grants.limits.set_by_name(&limit.name, limit.value)?;
        }
        for denial in self.denials.iter().filter(|denial| concerns(&denial.rule)) {
            grants.capabilities.remove(&match denial.capability {
                DeniedCapability::Evm => Capability::Evm,
                DeniedCapability::Receipts => Capability::Receipts,
                DeniedCapability::Traces => Capability::Traces,
                DeniedCapability::StateChanges => Capability::StateChanges,
                DeniedCapability::GasProfile => Capability::GasProfile,
                DeniedCapability::WhatIf => Capability::WhatIf,
                DeniedCapability::Wasi => Capability::Wasi,
            });
        }
        Ok(grants)
    }

    fn check_signature(&self, found: &Found) -> Result<(), SignatureError> {
        if self.signers.is_empty() || found.built_in {
            return Ok(());
        }
        let signers = Signers::read(&self.signers, self.trust_root.as_deref())?;
        let signer = signers.check(&found.component, found.beside.is_some())?;
        tracing::info!(rule = found.called, signer, "signature checked");
        Ok(())
    }

    /// The confinement that a rule needs.
    pub const fn requirement(&self, built_in: bool) -> Requirement {
        if built_in { Requirement::None } else { self.confinement }
    }

    /// Refuses terms for rules other than these. Where one has no readable manifest there is no complaint but about that.
    pub fn check_names<'f>(&self, rules: impl IntoIterator<Item = &'f Found>) -> Result<(), AllowanceError> {
        let Some(have) = rules.into_iter().map(Found::name).collect::<Option<Vec<_>>>() else { return Ok(()) };
        let limits = self.limits.iter().map(|limit| ("--rule-limit", &limit.rule));
        let denials = self.denials.iter().map(|denial| ("--deny", &denial.rule));
        let named = limits.chain(denials).filter_map(|(setting, rule)| Some((setting, rule.as_ref()?)));
        for (setting, rule) in named {
            if !have.contains(rule) {
                return Err(AllowanceError::NoSuchRule { setting, rule: rule.clone(), have });
            }
        }
        Ok(())
    }
}

fn signer(setting: RuleSigner) -> RequiredSigner {
    match setting {
        RuleSigner::Key(path) => RequiredSigner::Key(path),
        RuleSigner::Identity { identity, issuer } => RequiredSigner::Identity { identity, issuer },
    }
}

/// The setting `require-confinement`, as workers take it.
pub fn requirement(values: &Values) -> Requirement {
    match values.get(&table::REQUIRE_CONFINEMENT) {
        ConfinementLevel::Full => Requirement::Full,
        ConfinementLevel::Filter => Requirement::Filter,
        ConfinementLevel::None => Requirement::None,
    }
}

impl Found {
    /// The name in its manifest, where that can be read.
    pub fn name(&self) -> Option<String> {
        manifest_of(&self.component, self.beside.as_deref()).ok().map(|manifest| manifest.name)
    }
}
