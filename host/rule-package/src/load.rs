//! From arguments to compiled rules: the one way, for a daemon, a replay and an author.

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_rule_model::Grants;
use refiner_worker::{CompileError, CompiledRule, Compiler};

use crate::{Allowance, AllowanceError, FindError, Found, Sources};

/// Compiles what was found, each component on the operator's terms for it.
pub struct Loader {
    compiler: Compiler,
    allowance: Allowance,
}

/// Reasons for which a rule is not found, not permitted or not compiled.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// An argument names no rule that can be had.
    #[error(transparent)]
    Find(Box<FindError>),
    /// Terms of the operator that cannot hold.
    #[error(transparent)]
    Allowance(#[from] AllowanceError),
    /// A component that is refused, or that no compiler finishes.
    #[error("{rule}: {source}")]
    Compile {
        /// The rule's name in messages.
        rule: String,
        /// The fault that was found.
        source: Box<CompileError>,
    },
}

impl Sources {
    /// The components that the arguments name. No term of the operator may be for a rule that is none of them.
    pub fn find_all(&self, arguments: &[String], allowance: &Allowance) -> Result<Vec<Found>, RuleError> {
        let mut components = Vec::new();
        for argument in arguments {
            components.extend(self.find(argument)?);
        }
        allowance.check_names(&components)?;
        Ok(components)
    }
}

impl Loader {
    /// A loader that compiles on these terms.
    pub const fn new(compiler: Compiler, allowance: Allowance) -> Self {
        Self { compiler, allowance }
    }

    /// The operator's terms, under which it compiles.
    pub const fn allowance(&self) -> &Allowance {
        &self.allowance
    }

    /// Compiles a component in a child process, or finds it compiled: with the grants and under the confinement that the terms have for it.
    pub fn compile(&self, found: Found) -> Result<CompiledRule, RuleError> {
        let grants = self.allowance.grants(&found)?;
        self.compile_granted(found, &grants)
    }

    /// The same with grants that the terms gave it before.
    pub fn compile_granted(&self, found: Found, grants: &Grants) -> Result<CompiledRule, RuleError> {
        let requirement = self.allowance.requirement(found.built_in);
        let Found { called, component, beside, built_in, .. } = found;
        let compiled = self.compiler.compile_requiring(component.into(), beside.as_deref(), grants, requirement);
        let compiled = compiled.map_err(|source| RuleError::Compile { rule: called, source: Box::new(source) })?;
        Ok(if built_in { compiled.of_this_program() } else { compiled })
    }
}

impl From<FindError> for RuleError {
    fn from(error: FindError) -> Self {
        Self::Find(Box::new(error))
    }
}

impl Diagnostic for RuleError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Find(error) => error.exit_code(),
            Self::Allowance(error) => error.exit_code(),
            Self::Compile { source, .. } => source.exit_code(),
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Find(error) => error.hint(),
            Self::Allowance(error) => error.hint(),
            Self::Compile { source, .. } => source.hint(),
        }
    }
}
