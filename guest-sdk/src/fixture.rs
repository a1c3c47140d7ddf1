//! A host in memory, so that `cargo test` runs a rule without WebAssembly.
//!
//! ```
//! use refiner_sdk::{Address, Output, RuleError, Specimen, Summary, Transaction, fixture::Fixture};
//!
//! fn refine(specimen: &Specimen, out: &mut Output) -> Result<Summary, RuleError> {
//!     let mut list = out.artifact("senders.txt", "text/plain");
//!     specimen.transactions().for_each(|transaction| list.append(transaction.sender.to_string().as_bytes()));
//!     list.finish();
//!     Ok(Summary::records(specimen.counts().transactions))
//! }
//!
//! let sender = Address::from_hex("00000000000000000000000000000000000000aa");
//! let run = Fixture::new().transaction(Transaction { sender, ..Transaction::default() }, b"").run(refine);
//! assert_eq!(run.result, Ok(Summary::records(1_u32)));
//! assert_eq!(run.artifact("senders.txt").unwrap().text(), "0x00000000000000000000000000000000000000aa");
//! ```

mod blank;
pub(crate) mod host;

use std::collections::BTreeMap;

use crate::{
    Access, AccessListItem, AccountChange, AccountRead, B256, BlockHashRead, Check, Evm, Exclusion, ExecuteError,
    Frame, GasItem, Header, Identity, Log, Output, Receipt, RuleError, SlotChange, Specimen, StorageRead, Summary,
    Transaction, WhatIfError, Withdrawal, log::Level,
};

/// A host made of data, set item by item. Starts as an empty block of chain 1 at height 0, layout 0.38.
#[derive(Clone, Debug)]
pub struct Fixture {
    identity: Identity,
    specimen_hash: B256,
    header: Header,
    logs_bloom: Vec<u8>,
    transactions: Vec<FixtureTransaction>,
    withdrawals: Vec<Withdrawal>,
    account_reads: Vec<AccountRead>,
    storage_reads: Vec<StorageRead>,
    block_hash_reads: Vec<BlockHashRead>,
    codes: BTreeMap<B256, Vec<u8>>,
    raw: Vec<u8>,
    executed: BTreeMap<String, Result<ExecutedBlock, ExecuteError>>,
    recorded: Option<ExecutedBlock>,
    what_if: Option<Result<ExecutedBlock, WhatIfError>>,
    params: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
struct FixtureTransaction {
    transaction: Transaction,
    input: Vec<u8>,
    access_list: Vec<AccessListItem>,
}

/// The outcome of executing the block.
#[derive(Clone, Debug, Default)]
pub struct ExecutedBlock {
    /// Gas used by all transactions.
    pub gas_used: u64,
    /// Receipts in block order.
    pub receipts: Vec<Receipt>,
    /// In the order they were emitted.
    pub logs: Vec<Log>,
    /// The header checks that need execution.
    pub checks: Vec<Check>,
    /// The block result's bytes.
    pub block_result: Vec<u8>,
    /// The calls of each step, from step 0 on.
    pub frames: Vec<Vec<Frame>>,
    /// The differences of each step, from step 0 on.
    pub changes: Vec<ChangedState>,
    /// The gas of each step, from step 0 on.
    pub gas: Vec<Vec<GasItem>>,
    /// Transactions that could not be included, of an execution under other conditions.
    pub excluded: Vec<Exclusion>,
}

/// The differences of one step.
#[derive(Clone, Debug, Default)]
pub struct ChangedState {
    /// Accounts that differ.
    pub accounts: Vec<AccountChange>,
    /// Slots that differ.
    pub slots: Vec<SlotChange>,
    /// Accounts and slots that were looked up.
    pub accesses: Vec<Access>,
}

/// The outcome of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The value that the rule returned.
    pub result: Result<Summary, RuleError>,
    /// Finished artifacts in the order they were finished; none when the rule returned an error.
    pub artifacts: Vec<FinishedArtifact>,
    /// Log messages in order.
    pub log: Vec<(Level, String)>,
    /// The conditions of each execution under others than the block's, in order: what was set, each as a line such as
    /// `balance 0x..aa 5`.
    pub overrides: Vec<Vec<String>>,
}

/// An artifact that a rule finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishedArtifact {
    /// Name of the artifact.
    pub name: String,
    /// Media type of the artifact.
    pub media_type: String,
    /// Its schema, if the rule named one.
    pub schema: Option<String>,
    /// Content of the artifact.
    pub bytes: Vec<u8>,
}

impl Fixture {
    /// Makes an empty block.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes which block this is.
    #[must_use]
    pub fn identity(mut self, change: impl FnOnce(&mut Identity)) -> Self {
        change(&mut self.identity);
        self
    }

    /// Sets the hash that the network announces.
    #[must_use]
    pub fn specimen_hash(mut self, hash: B256) -> Self {
        self.specimen_hash = hash;
        self
    }

    /// Changes the block's header.
    #[must_use]
    pub fn header(mut self, change: impl FnOnce(&mut Header)) -> Self {
        change(&mut self.header);
        self
    }

    /// Appends a transaction with its input. The input's length is filled in.
    #[must_use]
    pub fn transaction(self, transaction: Transaction, input: &[u8]) -> Self {
        self.transaction_with_access_list(transaction, input, Vec::new())
    }

    /// Appends a transaction with its input and access list. Their lengths are filled in.
    #[must_use]
    pub fn transaction_with_access_list(
        mut self,
        mut transaction: Transaction,
        input: &[u8],
        access_list: Vec<AccessListItem>,
    ) -> Self {
        transaction.input_len = host::count(input.len());
        transaction.access_list_len = host::count(access_list.len());
        self.transactions.push(FixtureTransaction { transaction, input: input.to_vec(), access_list });
        self
    }

    /// Appends a withdrawal to the block.
    #[must_use]
    pub fn withdrawal(mut self, withdrawal: Withdrawal) -> Self {
        self.withdrawals.push(withdrawal);
        self
    }

    /// Appends an account that the block read.
    #[must_use]
    pub fn account_read(mut self, read: AccountRead) -> Self {
        self.account_reads.push(read);
        self
    }

    /// Appends a storage slot that the block read.
    #[must_use]
    pub fn storage_read(mut self, read: StorageRead) -> Self {
        self.storage_reads.push(read);
        self
    }

    /// Appends a block hash that the block asked for.
    #[must_use]
    pub fn block_hash_read(mut self, read: BlockHashRead) -> Self {
        self.block_hash_reads.push(read);
        self
    }

    /// Adds bytecode under its keccak256, which is not checked.
    #[must_use]
    pub fn code(mut self, hash: B256, code: &[u8]) -> Self {
        self.codes.insert(hash, code.to_vec());
        self
    }

    /// Sets the specimen's own bytes and their length in the identity.
    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.identity.raw_len = bytes.len() as u64;
        self.raw = bytes.to_vec();
        self
    }

    /// Sets what executing the block in `format` gives. Every other format is unknown.
    #[must_use]
    pub fn executed(mut self, format: &str, outcome: Result<ExecutedBlock, ExecuteError>) -> Self {
        self.executed.insert(format.to_owned(), outcome);
        self
    }

    /// Sets the receipts that the specimen carries and its header proves. Without them, `Evm::receipts` gives those of the execution
    /// in the format `canonical`.
    #[must_use]
    pub fn recorded(mut self, receipts: ExecutedBlock) -> Self {
        self.recorded = Some(receipts);
        self
    }

    /// Sets what executing the block under other conditions gives, whichever they are. Without it, such an execution is unsupported.
    /// [`Run::overrides`] lists the conditions.
    #[must_use]
    pub fn what_if(mut self, outcome: Result<ExecutedBlock, WhatIfError>) -> Self {
        self.what_if = Some(outcome);
        self
    }

    /// Gives the rule a parameter.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self.params.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Runs a [`Rule`](crate::Rule)'s `refine`, or any function like it.
    pub fn run(&self, refine: impl FnOnce(&Specimen, &mut Output) -> Result<Summary, RuleError>) -> Run {
        host::run(self, |specimen| refine(&Specimen { host: specimen }, &mut Output(())))
    }

    /// Runs a [`RuleWithEvm`](crate::RuleWithEvm)'s `refine`, or any function like it.
    pub fn run_with_evm(&self, refine: impl FnOnce(&Specimen, &Evm, &mut Output) -> Result<Summary, RuleError>) -> Run {
        host::run(self, |specimen| refine(&Specimen { host: specimen }, &Evm(()), &mut Output(())))
    }
}

impl Run {
    /// A finished artifact by its name.
    pub fn artifact(&self, name: &str) -> Option<&FinishedArtifact> {
        self.artifacts.iter().find(|artifact| artifact.name == name)
    }
}

impl FinishedArtifact {
    /// The content as text.
    ///
    /// # Panics
    /// When it is not UTF-8, which fails the test that asks.
    pub fn text(&self) -> &str {
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => text,
            Err(error) => panic!("artifact {} is no text: {error}", self.name),
        }
    }
}
