//! Errors of making a sample.

use std::io;

use alloy_primitives::Address;

/// Errors of making a sample.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// A transaction that the fork's rules do not allow.
    #[error("transaction {transaction} is not executable")]
    Transaction {
        /// Position in the block.
        transaction: usize,
        /// The EVM's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A system call that could not be made or did not succeed.
    #[error("system call to {contract} did not succeed")]
    SystemCall {
        /// Address of the contract.
        contract: Address,
    },
    /// The specimen does not fit its layout.
    #[error("sample {name} cannot be encoded")]
    Encode {
        /// Name of the sample.
        name: String,
        /// The encoder's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file could not be read or written.
    #[error("{path}")]
    File {
        /// Path of the file.
        path: std::path::PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// A file of test vectors is not what it should be.
    #[error("{path}")]
    Vectors {
        /// Path of the file.
        path: std::path::PathBuf,
        /// The JSON parser's error.
        source: serde_json::Error,
    },
}
