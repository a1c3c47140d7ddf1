//! The block, executed by the host.

use crate::{Artifact, Check, ExecuteError, Log, Receipt, Specimen, host, page};

/// The capability to execute blocks. Only a [`RuleWithEvm`](crate::RuleWithEvm) is given one.
pub struct Evm(pub(crate) ());

impl Evm {
    /// Executes the specimen's block and has its block result written in `format`: `canonical`, or `evm-server@` and an
    /// era, `a` to `e`.
    ///
    /// # Errors
    /// Why there is none. It turns into a [`RuleError`](crate::RuleError) of the same blame by `?`.
    pub fn execute(&self, specimen: &Specimen, format: &str) -> Result<Execution, ExecuteError> {
        host::execute(specimen.host, format).map(|host| Execution { host })
    }
}

/// An executed block. It stays with the host, like the specimen.
pub struct Execution {
    host: host::Execution,
}

impl Execution {
    /// Gas used by all transactions.
    pub fn gas_used(&self) -> u64 {
        self.host.gas_used()
    }

    /// Number of receipts.
    pub fn receipt_count(&self) -> u32 {
        self.host.receipt_count()
    }

    /// Number of logs of all receipts.
    pub fn log_count(&self) -> u32 {
        self.host.log_count()
    }

    /// The header checks that need execution.
    pub fn checks(&self) -> Vec<Check> {
        self.host.checks()
    }

    /// Receipts in block order. Their logs are in [`Self::logs`], from `first_log` on.
    pub fn receipts(&self) -> impl Iterator<Item = Receipt> + use<'_> {
        page::items(|start, count| self.host.receipts(start, count))
    }

    /// Logs in the order they were emitted.
    pub fn logs(&self) -> impl Iterator<Item = Log> + use<'_> {
        page::items(|start, count| self.host.logs(start, count))
    }

    /// Length of the block result in bytes.
    pub fn block_result_len(&self) -> u64 {
        self.host.block_result_len()
    }

    /// The block result's bytes, in chunks.
    pub fn block_result(&self) -> impl Iterator<Item = Vec<u8>> + use<'_> {
        page::chunks(|offset, len| self.host.block_result(offset, len))
    }

    /// Copies the block result into `artifact`, one chunk in memory at a time.
    pub fn copy_block_result_to(&self, artifact: &mut Artifact) {
        self.block_result().for_each(|chunk| artifact.append(&chunk));
    }
}
