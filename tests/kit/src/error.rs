//! What can go wrong while a sample is made.

use std::io;

use alloy_primitives::Address;

/// Why the kit has no sample.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// A transaction that the fork's rules do not allow.
    #[error("transaction {transaction} is not executable")]
    Transaction {
        /// Position in the block.
        transaction: usize,
        /// What the EVM says of it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A system call that could not be made or did not succeed.
    #[error("system call to {contract} did not succeed")]
    SystemCall {
        /// Which contract.
        contract: Address,
    },
    /// The specimen does not fit its layout.
    #[error("sample {name} cannot be encoded")]
    Encode {
        /// Name of the sample.
        name: String,
        /// What the encoder says of it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file could not be read or written.
    #[error("{path}")]
    File {
        /// Which file.
        path: std::path::PathBuf,
        /// What the system says of it.
        source: io::Error,
    },
    /// A file of test vectors is not what it should be.
    #[error("{path}")]
    Vectors {
        /// Which file.
        path: std::path::PathBuf,
        /// What the parser says of it.
        source: serde_json::Error,
    },
}
