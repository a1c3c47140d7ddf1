//! The chains that a command knows beside the built-in ones, and the executor with them.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_evm::{ChainConfigError, ChainSpec, Chains, EmbeddedExecutor, ExecutionPolicy};
use refiner_text::OneLine;
use refiner_worker::processor_time;

/// Bytes of a chain configuration that are read; real ones have a few thousand.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reasons for which a chain configuration is not usable.
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
    /// The file goes on beyond [`FILE_BYTES_MAX`].
    #[error("{path}: more than 1 MiB, which no chain configuration is")]
    TooLarge {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file is not a chain configuration.
    #[error("{path}: {source}")]
    Config {
        /// Path of the file.
        path: PathBuf,
        /// The fault of its text.
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
            Self::Read { .. } | Self::TooLarge { .. } | Self::Config { .. } => None,
        }
    }
}

/// The chain configurations that the options of a command name. Each file is read once: a pipe gives its bytes only once, and all parts of a
/// command have to know the same chains.
#[derive(Clone, Debug, Default)]
pub struct ConfiguredChains(Vec<(ChainSpec, String)>);

impl ConfiguredChains {
    /// Reads the files. Those of built-in chains count in the place of the built-in ones, with a warning.
    ///
    /// # Errors
    ///
    /// A file cannot be read, is too large, or is no chain configuration; two files are for one chain.
    pub fn read(paths: &[PathBuf]) -> Result<Self, ChainError> {
        let mut configs = Vec::new();
        let mut given = BTreeMap::<u64, &PathBuf>::new();
        for path in paths {
            let text = read(path)?;
            let chain =
                ChainSpec::from_geth_json(&text).map_err(|source| ChainError::Config { path: path.clone(), source })?;
            let chain_id = chain.chain_id();
            if let Some(first) = given.insert(chain_id, path) {
                return Err(ChainError::Twice { path: path.clone(), chain_id, first: first.clone() });
            }
            if ChainSpec::builtin(chain_id).is_some() {
                tracing::warn!(chain_id, file = %OneLine(path.display()), "built-in rules of a chain replaced");
            }
            configs.push((chain, text));
        }
        Ok(Self(configs))
    }

    /// An embedded executor on these terms that knows the built-in chains and these.
    pub fn executor(&self, policy: ExecutionPolicy) -> EmbeddedExecutor {
        let chains = self.0.iter().fold(Chains::default(), |chains, (chain, _)| chains.with(chain.clone()));
        EmbeddedExecutor::new(chains).with_policy(policy).with_clock(processor_time)
    }

    /// The id of each chain, and the text of its file.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &str)> {
        self.0.iter().map(|(chain, text)| (chain.chain_id(), text.as_str()))
    }
}

fn read(path: &Path) -> Result<String, ChainError> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text));
    match read {
        Ok(bytes) if bytes as u64 > FILE_BYTES_MAX => Err(ChainError::TooLarge { path: path.to_owned() }),
        Ok(_) => Ok(text),
        Err(source) => Err(ChainError::Read { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: &str = r#"{"chainId": 77, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0, "byzantiumBlock": 0,
        "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0, "berlinBlock": 0, "londonBlock": 0}"#;

    #[test]
    fn configuration_comes_through_a_pipe_and_is_there_for_all_who_ask() {
        let (reader, mut writer) = io::pipe().unwrap();
        io::Write::write_all(&mut writer, CHAIN.as_bytes()).unwrap();
        drop(writer);
        let path = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
        let configs = ConfiguredChains::read(&[path.into()]).unwrap();
        for _ in 0..2 {
            assert_eq!(configs.iter().collect::<Vec<_>>(), [(77, CHAIN)]);
        }
    }

    #[test]
    fn file_without_end_is_refused_at_its_bound() {
        let text = tempfile::NamedTempFile::new().unwrap();
        let spaces = |bytes: u64| format!("{CHAIN}{}", " ".repeat(usize::try_from(bytes).unwrap() - CHAIN.len()));
        std::fs::write(text.path(), spaces(FILE_BYTES_MAX)).unwrap();
        assert!(ConfiguredChains::read(&[text.path().to_owned()]).is_ok());
        std::fs::write(text.path(), spaces(FILE_BYTES_MAX + 1)).unwrap();
        for path in [text.path(), Path::new("/dev/zero")] {
            let error = ConfiguredChains::read(&[path.to_owned()]).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("{}: more than 1 MiB, which no chain configuration is", path.display())
            );
        }
    }
}
