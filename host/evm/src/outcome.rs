//! Outcomes that the runner hands to the writers.

use alloy_primitives::{Address, map::AddressMap};
use revm::{
    context::result::{EVMError, ExecutionResult, InvalidHeader, InvalidTransaction},
    state::{Account, AccountStatus, EvmState, EvmStorage},
};

use crate::{
    error::Rejected,
    execution::{ExecutedLog, ExecutedReceipt},
    not_carried::NotCarried,
    recording::Recordings,
    what_if::Departure,
};

/// The outcome of executing one block.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Gas used by all transactions.
    pub(crate) gas_used: u64,
    /// Logs of the calls before the first transaction.
    pub(crate) opening_logs: u64,
    /// Bytes that the state and the block result hold, as the meter counts them.
    pub(crate) held_bytes: u64,
    /// One a transaction, in block order.
    pub(crate) transactions: Vec<TransactionOutcome>,
    /// EIP-7685 requests, each with its type byte in front, empty ones left out; `None` before Prague.
    pub(crate) requests: Option<Vec<Vec<u8>>>,
    /// Everything known of the state after the block.
    pub(crate) post_state: PostState,
    /// The recordings made on the way.
    pub(crate) recordings: Option<Recordings>,
}

/// The outcome of one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TransactionOutcome {
    /// It ran; the receipt has the outcome.
    Executed(ExecutedReceipt),
    /// The fork does not allow it, and the rules leave such a transaction out.
    Invalid(InvalidTransaction),
}

impl TransactionOutcome {
    /// The receipt of a transaction that ran.
    pub(crate) const fn receipt(&self) -> Option<&ExecutedReceipt> {
        match self {
            Self::Executed(receipt) => Some(receipt),
            Self::Invalid(_) => None,
        }
    }
}

/// The partial state after the block: every account and slot that the specimen carries, overlaid by execution.
///
/// Accounts and slots that the specimen does not carry are here too once execution loaded them. Slots of accounts that
/// are not in the specimen (orphans) are not.
#[derive(Clone, Debug)]
pub(crate) struct PostState(pub(crate) EvmState);

impl PostState {
    /// The state that execution left, and the storage of accounts which ran no code. Of those that were created since, it is
    /// that of a former self.
    pub(crate) fn new(mut state: EvmState, dormant: AddressMap<EvmStorage>) -> Self {
        for (address, storage) in dormant {
            if let Some(account) = state.get_mut(&address)
                && !account.status.contains(AccountStatus::Created)
            {
                account.storage = storage;
            }
        }
        Self(state)
    }

    /// The accounts that exist after the block, in no particular order: neither destroyed nor empty (EIP-161).
    ///
    /// `account.info` is current (`info.code_hash` too; `info.code` may be `None`), `account.storage` holds every known
    /// slot by its present value, and a created or re-created account holds no slot of its former self.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (&Address, &Account)> {
        self.0.iter().filter(|(_, account)| !account.is_selfdestructed_locally() && !account.is_empty())
    }
}

/// The fault of a block with a transaction that the EVM refused.
pub(crate) fn rejected(error: EVMError<NotCarried>, transaction: usize) -> Rejected {
    let invalid = |reason: String| Rejected::InvalidTransaction { transaction, reason };
    match error {
        EVMError::Database(NotCarried(Rejected::LeftSpecimen(Departure { place, .. }))) => {
            Rejected::LeftSpecimen(Departure { transaction: u32::try_from(transaction).ok(), place })
        }
        EVMError::Database(NotCarried(rejected)) => rejected,
        EVMError::Header(InvalidHeader::PrevrandaoNotSet) => Rejected::HeaderField { field: "mixHash" },
        EVMError::Header(InvalidHeader::ExcessBlobGasNotSet) => Rejected::HeaderField { field: "excessBlobGas" },
        EVMError::Transaction(reason) => invalid(reason.to_string()),
        EVMError::Custom(reason) => invalid(reason),
        EVMError::CustomAny(reason) => invalid(reason.to_string()),
    }
}

/// The logs of an executed transaction.
pub(crate) fn logs(result: ExecutionResult) -> Vec<ExecutedLog> {
    let ExecutionResult::Success { logs, .. } = result else { return Vec::new() };
    let executed = logs.into_iter().map(|log| {
        let (topics, data) = log.data.split();
        ExecutedLog { address: log.address, topics, data }
    });
    executed.collect()
}
