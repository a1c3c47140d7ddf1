//! The block, executed by the host.

use crate::{
    Artifact, Basis, Check, CheckOutcome, Exclusion, ExecuteError, Frames, GasProfile, Log, Overrides, Payload,
    Receipt, RecordError, Source, Specimen, StateChanges, Transaction, WhatIfError, host, page,
};

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

    /// Executes the block under other conditions. Needs `capabilities = ["evm", "what-if"]`.
    ///
    /// # Errors
    /// The reason for no execution. It turns into a [`RuleError`](crate::RuleError) of the same blame by `?`.
    pub fn what_if(&self, specimen: &Specimen, overrides: &Overrides) -> Result<Execution, WhatIfError> {
        host::execute_what_if(specimen.host, &overrides.host).map(|host| Execution { host })
    }

    /// The block's receipts: those that the specimen carries where its header proves them, and else those of an execution. Needs
    /// `capabilities = ["evm", "receipts"]`.
    ///
    /// # Errors
    /// Why there are none, as for [`execute`](Self::execute).
    pub fn receipts(&self, specimen: &Specimen) -> Result<Receipts, ExecuteError> {
        host::open_receipts(specimen.host).map(|host| Receipts { host })
    }
}

/// The receipts of a block, from where they are proven. They stay with the host.
pub struct Receipts {
    host: host::BlockReceipts,
}

impl Receipts {
    /// The origin of the receipts. Their values do not depend on it.
    pub fn source(&self) -> Source {
        self.host.source()
    }

    /// The comparisons that were made; none of them failed.
    pub fn checks(&self) -> Vec<Check> {
        self.host.checks()
    }

    /// The number of receipts.
    pub fn receipt_count(&self) -> u32 {
        self.host.receipt_count()
    }

    /// Number of logs of all receipts.
    pub fn log_count(&self) -> u32 {
        self.host.log_count()
    }

    /// The transactions whose fields a check covers.
    pub fn coverage(&self, specimen: &Specimen) -> Coverage {
        Coverage::by(&self.checks(), specimen)
    }

    /// Receipts in block order. Their logs are in [`Self::logs`], from `first_log` on.
    pub fn receipts(&self) -> impl Iterator<Item = Receipt> + use<'_> {
        page::items(|start, count| self.host.receipts(start, count))
    }

    /// Logs in the order they were emitted.
    pub fn logs(&self) -> impl Iterator<Item = Log> + use<'_> {
        page::items(|start, count| self.host.logs(start, count))
    }
}

/// The transactions of a block whose fields a check covers.
///
/// A specimen's layout, or its producer, can drop a part of a transaction. Then neither the root of the transactions nor its
/// signature can be checked, and all that is known of it for certain is its receipt.
pub struct Coverage {
    root: bool,
    layout: String,
}

impl Coverage {
    fn by(checks: &[Check], specimen: &Specimen) -> Self {
        let root = |check: &Check| check.name == "transactionsRoot" && check.outcome == CheckOutcome::Passed;
        Self { root: checks.iter().any(root), layout: specimen.identity().layout }
    }

    /// True when the fields of every transaction of this EIP-2718 type are covered.
    pub fn covers(&self, tx_type: u8) -> bool {
        let dropped = match tx_type {
            _ if self.layout == WITHOUT_SIGNATURES => true,
            Transaction::BLOB => WITHOUT_BLOB_HASHES.contains(&self.layout.as_str()),
            Transaction::SET_CODE => true,
            _ => false,
        };
        self.root || !dropped
    }
}

/// The layout without signatures.
const WITHOUT_SIGNATURES: &str = "0.2";
/// The layouts that drop the blob hashes of type-3 transactions.
const WITHOUT_BLOB_HASHES: [&str; 7] = ["0.3", "0.31", "0.32", "0.33", "0.34", "0.35", "0.36"];

/// An executed block. It stays with the host, like the specimen.
pub struct Execution {
    host: host::Execution,
}

impl Execution {
    /// Gas used by all transactions.
    pub fn gas_used(&self) -> u64 {
        self.host.gas_used()
    }

    /// The number of receipts.
    pub fn receipt_count(&self) -> u32 {
        self.host.receipt_count()
    }

    /// Number of logs of all receipts.
    pub fn log_count(&self) -> u32 {
        self.host.log_count()
    }

    /// Every check of the block that was made, but for that of the senders.
    pub fn checks(&self) -> Vec<Check> {
        self.host.checks()
    }

    /// The basis of receipts and logs, by the check `execution`: it passes where the block was executed, and is not applicable where
    /// the recorded receipts stand in for that.
    pub fn basis(&self) -> Basis {
        Basis::of(&self.checks())
    }

    /// The transactions whose fields a check covers.
    pub fn coverage(&self, specimen: &Specimen) -> Coverage {
        Coverage::by(&self.checks(), specimen)
    }

    /// The calls of each step, with as much of their input and output as asked for. Needs `capabilities = ["evm", "traces"]`.
    ///
    /// # Errors
    /// The reason for no recording. It turns into a [`RuleError`](crate::RuleError) of the same blame by `?`.
    pub fn frames(&self, payload: Payload) -> Result<Frames, RecordError> {
        let transactions = self.receipt_count();
        host::open_frames(&self.host, payload.most()).map(|host| Frames::new(host, transactions))
    }

    /// The differences of state of each step. Needs `capabilities = ["evm", "state-changes"]`.
    ///
    /// # Errors
    /// The reason for no recording. It turns into a [`RuleError`](crate::RuleError) of the same blame by `?`.
    pub fn state_changes(&self) -> Result<StateChanges, RecordError> {
        let transactions = self.receipt_count();
        host::open_changes(&self.host).map(|host| StateChanges::new(host, transactions))
    }

    /// The gas of each step, by opcode and contract. Needs `capabilities = ["evm", "gas-profile"]`.
    ///
    /// # Errors
    /// The reason for no recording. It turns into a [`RuleError`](crate::RuleError) of the same blame by `?`.
    pub fn gas_profile(&self) -> Result<GasProfile, RecordError> {
        let transactions = self.receipt_count();
        host::open_profile(&self.host).map(|host| GasProfile::new(host, transactions))
    }

    /// Transactions that could not be included under other conditions, in the order of execution; none of the block as it is.
    /// Needs `capabilities = ["evm", "what-if"]`.
    pub fn excluded(&self) -> impl Iterator<Item = Exclusion> + use<'_> {
        page::items(|start, count| host::excluded(&self.host, start, count))
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
