//! The outcome of a specimen's block.

use std::sync::{Arc, OnceLock};

use alloy_primitives::{Address, B256, Bytes, U256};
use refiner_specimen::{Specimen, check::Check};

use crate::{
    basis::Basis,
    canonical::Canonical,
    error::{ExecuteError, Rejected},
    gate::{self, SenderTerms},
    interrupt::{Interrupt, Interrupted, Uninterrupted},
    policy::SenderPolicy,
    recording::Recordings,
    repair::Supplied,
};

/// The outcome of one block: of its execution, or of its recorded receipts where [`Execution::basis`] names them.
#[derive(Clone, Debug)]
pub struct Execution {
    /// The basis of gas, receipts and logs.
    pub basis: Basis,
    /// Gas used by all transactions.
    pub gas_used: u64,
    /// One a transaction that was accepted, in block order.
    pub receipts: Vec<ExecutedReceipt>,
    /// Every check of the block, but for that of the senders.
    pub checks: Vec<Check>,
    /// Values that stood in for fields that the producer dropped, in order of transactions.
    pub supplied: Vec<Supplied>,
    /// What was recorded beside them; `None` where nothing was asked for, or nothing was executed.
    pub recordings: Option<Arc<Recordings>>,
    document: Document,
    senders: SenderGate,
    /// Shared by clones, so that one of them works it out for all.
    later: Arc<Later>,
}

/// Results that are computed on first use.
#[derive(Debug, Default)]
struct Later {
    sender_check: OnceLock<Check>,
    unproven: OnceLock<Vec<String>>,
    block_result: OnceLock<Result<Bytes, ExecuteError>>,
}

/// The block result's document.
#[derive(Clone, Debug)]
pub(crate) enum Document {
    /// Its bytes.
    Written(Bytes),
    /// Of the canonical format, which is written when it is first asked for.
    Canonical(Box<Canonical>),
}

/// Whether a document, which states every sender, needs them checked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SenderGate {
    /// Checked on these terms.
    Closed(SenderTerms),
    /// Not checked, as the network's evm-server does.
    Open,
}

impl Execution {
    pub(crate) fn new(
        gas_used: u64,
        receipts: Vec<ExecutedReceipt>,
        checks: Vec<Check>,
        document: Document,
        senders: SenderGate,
    ) -> Self {
        Self {
            basis: Basis::Execution,
            gas_used,
            receipts,
            checks,
            supplied: Vec::new(),
            recordings: None,
            document,
            senders,
            later: Arc::default(),
        }
    }

    /// The same execution, with a record of what stood in for dropped fields.
    #[must_use]
    pub(crate) fn with_supplied(self, supplied: Vec<Supplied>) -> Self {
        Self { supplied, ..self }
    }

    /// The same execution, with what was recorded of it.
    #[must_use]
    pub fn with_recordings(self, recordings: Option<Recordings>) -> Self {
        Self { recordings: recordings.map(Arc::new), ..self }
    }

    /// The same result, on another basis than execution.
    #[must_use]
    pub(crate) fn with_basis(self, basis: Basis) -> Self {
        Self { basis, ..self }
    }

    /// An execution whose document is known. No sender of it is checked.
    pub fn with_document(gas_used: u64, receipts: Vec<ExecutedReceipt>, checks: Vec<Check>, document: Bytes) -> Self {
        Self::new(gas_used, receipts, checks, Document::Written(document), SenderGate::Open)
    }

    /// The block result in the format asked for. Written on first use, after the senders that it states are recovered.
    /// `specimen` is the one that was executed.
    ///
    /// # Errors
    /// [`Rejected::CheckFailed`] when a stated sender is not the one who signed.
    pub fn block_result(&self, specimen: &Specimen) -> Result<Bytes, ExecuteError> {
        match self.block_result_within(specimen, &Uninterrupted) {
            Ok(result) => result,
            Err(Interrupted { .. }) => unreachable!("nothing interrupts it"),
        }
    }

    /// [`block_result`](Self::block_result), which `interrupt` may end while senders are recovered.
    ///
    /// # Errors
    /// The inner error is that of the block. The outer one is that of `interrupt`, and the next call begins anew.
    pub fn block_result_within(
        &self,
        specimen: &Specimen,
        interrupt: &dyn Interrupt,
    ) -> Result<Result<Bytes, ExecuteError>, Interrupted> {
        if let Some(result) = self.later.block_result.get() {
            return Ok(result.clone());
        }
        let result = self.write(specimen, interrupt)?;
        Ok(self.later.block_result.get_or_init(|| result).clone())
    }

    /// The check of the senders, once the document has been written.
    pub fn sender_check(&self) -> Option<&Check> {
        self.later.sender_check.get()
    }

    /// Takes the check of the senders from one who made it on this execution's terms. A document that no check of them gates
    /// stays without one.
    pub(crate) fn know_senders(&self, check: &Check) {
        if matches!(self.senders, SenderGate::Closed(_)) {
            self.later.sender_check.get_or_init(|| check.clone());
        }
    }

    /// JSON pointers of the values that no check covers, once a canonical document has been written.
    pub fn unproven(&self) -> &[String] {
        self.later.unproven.get().map_or(&[], Vec::as_slice)
    }

    /// Every check that was made, in the order in which they are printed.
    pub fn all_checks(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().chain(self.sender_check())
    }

    fn write(
        &self,
        specimen: &Specimen,
        interrupt: &dyn Interrupt,
    ) -> Result<Result<Bytes, ExecuteError>, Interrupted> {
        let policy = match self.senders {
            SenderGate::Open => SenderPolicy::Stated,
            SenderGate::Closed(terms) => {
                let check = match self.sender_check() {
                    Some(check) => check,
                    None => {
                        let check = gate::senders_within(specimen, terms, interrupt)?;
                        self.later.sender_check.get_or_init(|| check)
                    }
                };
                if check.failed() {
                    return Ok(Err(Rejected::CheckFailed(check.clone()).into()));
                }
                terms.policy()
            }
        };
        Ok(Ok(match &self.document {
            Document::Written(document) => document.clone(),
            Document::Canonical(canonical) => {
                let checks: Vec<&Check> = self.all_checks().collect();
                let (document, unproven) = canonical.write(specimen, self, &checks, policy);
                self.later.unproven.get_or_init(|| unproven);
                document.into()
            }
        }))
    }
}

/// The receipt of one executed transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutedReceipt {
    /// Position of the transaction in the block.
    pub transaction_index: u32,
    /// Hash of the transaction, as far as it [is known](Specimen::known_hashes).
    pub transaction_hash: B256,
    /// EIP-2718 type.
    pub tx_type: u8,
    /// True when the transaction succeeded. No part of the chain's receipt before Byzantium: where nothing was executed, a
    /// transaction of that time that used all of its gas and logged nothing counts as failed.
    pub success: bool,
    /// The state's root after the transaction, as the specimen records it: what a receipt before Byzantium holds in the
    /// place of a status. `None` since Byzantium, and where the specimen records none.
    pub post_state: Option<B256>,
    /// Gas used by this transaction.
    pub gas_used: u64,
    /// Gas used in the block up to and with this transaction.
    pub cumulative_gas_used: u64,
    /// Price paid for each unit of gas, in wei.
    pub effective_gas_price: U256,
    /// The created contract, also of a failed creation.
    pub contract_address: Option<Address>,
    /// In emission order.
    pub logs: Vec<ExecutedLog>,
}

/// A log as the EVM emitted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutedLog {
    /// Emitting contract.
    pub address: Address,
    /// At most four.
    pub topics: Vec<B256>,
    /// Unindexed data.
    pub data: Bytes,
}
