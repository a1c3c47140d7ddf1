//! Conditions other than those of a block.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};
use revm::{bytecode::Bytecode, primitives::hardfork::SpecId};

/// Conditions under which a block is executed. The default ones are the block's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Accounts, by address.
    pub accounts: BTreeMap<Address, AccountOverride>,
    /// Storage slots, by address and slot.
    pub slots: BTreeMap<(Address, B256), B256>,
    /// The name of the fork whose opcodes, precompiles and gas hold, `"prague"`.
    pub fork: Option<String>,
    /// Wei for each unit of gas.
    pub base_fee: Option<u64>,
    /// Gas limit of the block.
    pub gas_limit: Option<u64>,
    /// Positions of the transactions that are executed, in their order.
    pub transactions: Option<Vec<u32>>,
}

/// Values of an account; what is not set stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountOverride {
    /// Balance of the account in wei.
    pub balance: Option<U256>,
    /// Nonce of the account.
    pub nonce: Option<u64>,
    /// Code of the account.
    pub code: Option<Bytes>,
    /// True where all that is not set of it is zero, its slots too.
    pub complete: bool,
}

/// A piece of code that an override sets, with its keccak256.
pub(super) type OverriddenCode = (B256, Bytecode);

/// Overrides that cannot be applied to a block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOverrides {
    /// A part of an account that is not known as a whole.
    #[error(
        "account {address:#x} is not in the specimen: set its balance, nonce and code, or declare it complete, so that what is \
         not set is zero"
    )]
    UnknownAccount {
        /// Address of the account.
        address: Address,
    },
    /// A fork that has no name here.
    #[error("there is no fork {name:?}; there are {}", FORKS.map(|(name, _)| name).join(", "))]
    UnknownFork {
        /// Name of the fork that was given.
        name: String,
    },
    /// A position beyond the block's transactions.
    #[error("there is no transaction {index}: the block has {transactions}")]
    NoTransaction {
        /// Position that was given.
        index: u32,
        /// Number of transactions.
        transactions: usize,
    },
    /// A transaction that is to be executed twice.
    #[error("transaction {index} stands twice in the list of transactions")]
    TransactionTwice {
        /// Position of the transaction in the block.
        index: u32,
    },
}

/// The forks that can be asked for, by their names.
const FORKS: [(&str, SpecId); 5] = [
    ("paris", SpecId::MERGE),
    ("shanghai", SpecId::SHANGHAI),
    ("cancun", SpecId::CANCUN),
    ("prague", SpecId::PRAGUE),
    ("osaka", SpecId::OSAKA),
];

impl Overrides {
    /// The fork that is asked for, if any.
    pub(super) fn spec(&self) -> Result<Option<SpecId>, InvalidOverrides> {
        let Some(name) = &self.fork else { return Ok(None) };
        let fork = FORKS.into_iter().find(|(known, _)| known == name);
        fork.map(|(_, spec)| Some(spec)).ok_or_else(|| InvalidOverrides::UnknownFork { name: name.clone() })
    }

    /// The positions of the transactions that are executed, of a block with this many.
    pub(super) fn indices(&self, transactions: usize) -> Result<Vec<u32>, InvalidOverrides> {
        let all = u32::try_from(transactions).unwrap_or(u32::MAX);
        let Some(indices) = &self.transactions else { return Ok((0..all).collect()) };
        let mut taken = vec![false; transactions];
        for index in indices {
            let taken = taken.get_mut(*index as usize);
            let taken = taken.ok_or(InvalidOverrides::NoTransaction { index: *index, transactions })?;
            if std::mem::replace(taken, true) {
                return Err(InvalidOverrides::TransactionTwice { index: *index });
            }
        }
        Ok(indices.clone())
    }
}
