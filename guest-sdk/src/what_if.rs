//! The block under other conditions.

use std::fmt;

use crate::{Address, B256, Departure, Place, RuleError, U256, WhatIfError, host};

/// Conditions other than those of the block. The value that is set last counts.
///
/// Their results are hypothetical: no header confirms it, and nothing of it is ever pinned or proved.
pub struct Overrides {
    pub(crate) host: host::Overrides,
}

impl Default for Overrides {
    fn default() -> Self {
        Self::new()
    }
}

impl Overrides {
    /// The block's own conditions.
    pub fn new() -> Self {
        Self { host: host::Overrides::new() }
    }

    /// Sets the balance of an account, in wei.
    #[must_use]
    pub fn balance(self, address: Address, wei: U256) -> Self {
        self.host.balance(address, wei);
        self
    }

    /// Sets the nonce of an account.
    #[must_use]
    pub fn nonce(self, address: Address, nonce: u64) -> Self {
        self.host.nonce(address, nonce);
        self
    }

    /// Sets the code of an account.
    #[must_use]
    pub fn code(self, address: Address, code: &[u8]) -> Self {
        self.host.code(address, code);
        self
    }

    /// Sets a storage slot.
    #[must_use]
    pub fn slot(self, address: Address, slot: B256, value: B256) -> Self {
        self.host.slot(address, slot, value);
        self
    }

    /// Declares all of an account that is not set to be zero, whatever the specimen states of it.
    #[must_use]
    pub fn complete(self, address: Address) -> Self {
        self.host.complete(address);
        self
    }

    /// Sets opcodes, precompiles and gas to those of another fork: `paris`, `shanghai`, `cancun`, `prague` or `osaka`.
    #[must_use]
    pub fn fork(self, name: &str) -> Self {
        self.host.fork(name);
        self
    }

    /// Sets the base fee, in wei for each unit of gas.
    #[must_use]
    pub fn base_fee(self, wei: u64) -> Self {
        self.host.base_fee(wei);
        self
    }

    /// Sets the gas limit of the block.
    #[must_use]
    pub fn gas_limit(self, gas: u64) -> Self {
        self.host.gas_limit(gas);
        self
    }

    /// Executes these of the block's transactions, in this order, and drops the others.
    #[must_use]
    pub fn transactions(self, indices: &[u32]) -> Self {
        self.host.transactions(indices);
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(address) => write!(f, "account {address}"),
            Self::Slot(place) => write!(f, "slot {} of {}", place.slot, place.address),
            Self::Code(hash) => write!(f, "code {hash}"),
            Self::BlockHash(number) => write!(f, "the hash of block {number}"),
        }
    }
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.transaction_index {
            Some(index) => write!(f, "transaction {index} reads {}", self.place),
            None => write!(f, "a system call reads {}", self.place),
        }
    }
}

impl From<WhatIfError> for RuleError {
    fn from(error: WhatIfError) -> Self {
        match error {
            WhatIfError::LeftSpecimen(departure) => Self::Unsupported(format!("left the specimen: {departure}")),
            WhatIfError::Invalid(reason) | WhatIfError::Unsupported(reason) => Self::Unsupported(reason),
            WhatIfError::Rejected(reason) => Self::Rejected(reason),
            WhatIfError::Unavailable(reason) => Self::CapabilityUnavailable(reason),
        }
    }
}
