//! The executor, with the chains the operator named beside the built-in ones.

use std::{fs, io, path::PathBuf};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_evm::{ChainConfigError, ChainSpec, Chains, EmbeddedExecutor, ExecutionPolicy};
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
}

impl Diagnostic for ChainError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

/// An embedded executor on these terms that knows the built-in chains and those in `configs`.
pub fn executor(configs: &[PathBuf], policy: ExecutionPolicy) -> Result<EmbeddedExecutor, ChainError> {
    let mut chains = Chains::default();
    for path in configs {
        let text = fs::read_to_string(path).map_err(|source| ChainError::Read { path: path.clone(), source })?;
        let chain =
            ChainSpec::from_geth_json(&text).map_err(|source| ChainError::Config { path: path.clone(), source })?;
        chains = chains.with(chain);
    }
    Ok(EmbeddedExecutor::new(chains).with_policy(policy).with_clock(processor_time))
}
