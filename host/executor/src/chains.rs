//! The executor, with the chains the operator named beside the built-in ones.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_evm::{ChainConfigError, ChainSpec, Chains, EmbeddedExecutor, ExecutionPolicy};
use refiner_text::OneLine;
use refiner_worker::processor_time;

/// Why a chain configuration is not usable.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The file is not a chain configuration.
    #[error("{path}: {source}")]
    Config {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong with it.
        source: ChainConfigError,
    },
    /// An earlier file has rules for the chain.
    #[error("{path}: chain {chain_id} has its rules from {first}")]
    Twice {
        /// Path of the file.
        path: PathBuf,
        /// The chain that both are for.
        chain_id: u64,
        /// Path of the earlier file.
        first: PathBuf,
    },
}

impl Diagnostic for ChainError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Twice { .. } => Some("name one of the two".into()),
            Self::Read { .. } | Self::Config { .. } => None,
        }
    }
}

/// An embedded executor on these terms that knows the built-in chains and those in `configs`, which count in the place of built-in ones.
pub fn executor(configs: &[PathBuf], policy: ExecutionPolicy) -> Result<EmbeddedExecutor, ChainError> {
    let mut chains = Chains::default();
    let mut given = BTreeMap::<u64, &PathBuf>::new();
    for path in configs {
        let text = fs::read_to_string(path).map_err(|source| ChainError::Read { path: path.clone(), source })?;
        let chain =
            ChainSpec::from_geth_json(&text).map_err(|source| ChainError::Config { path: path.clone(), source })?;
        let chain_id = chain.chain_id();
        if let Some(first) = given.insert(chain_id, path) {
            return Err(ChainError::Twice { path: path.clone(), chain_id, first: first.clone() });
        }
        if ChainSpec::builtin(chain_id).is_some() {
            tracing::warn!(chain_id, file = %OneLine(path.display()), "built-in rules of a chain replaced");
        }
        chains = chains.with(chain);
    }
    Ok(EmbeddedExecutor::new(chains).with_policy(policy).with_clock(processor_time))
}
