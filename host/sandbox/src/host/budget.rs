//! Counts what a guest uses and stops it at the limit.

use std::io;

use refiner_evm::{ExecuteError, Unsupported};
use refiner_rule_model::{HostFailure, Limit, Limits, Misuse, PerLimit, ReasonClass, TrapKind, UntrustedText, Verdict};
use refiner_specimen::UnknownTransactionType;

/// Fuel of a call: what lifting its arguments, finding its handles and lowering its result cost at least.
pub(super) const CALL_FUEL: u64 = 1_600;
/// Fuel of a byte that crosses the boundary. Decoding contract code from its text, the dearest copy, costs a tenth.
pub(super) const BYTE_FUEL: u64 = 8;

/// Granted and used, for every limit but the time, which the engine watches. Of fuel, what the host spends for the guest: what the guest's own
/// operators burn is the engine's to count, and the sum is made when the run has ended.
pub(crate) struct Budget {
    granted: Limits,
    fuel_granted: u64,
    used: PerLimit,
}

/// Reasons for which the host ended a guest from inside a call.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BudgetExceeded {
    #[error(transparent)]
    Misuse(#[from] Misuse),
    #[error("{limit} used up")]
    OverBudget { limit: Limit, granted: u64 },
    #[error("fuel used up by calls to the host")]
    OutOfFuel { granted: u64 },
    #[error("memory used up")]
    OutOfMemory { granted_bytes: u64 },
    #[error("the specimen contradicts itself: {transactions} transactions but {senders} senders")]
    SenderCount { transactions: usize, senders: usize },
    /// The guest asked for a part of the specimen that contradicts the rest of it.
    #[error(transparent)]
    Contradiction(Box<ExecuteError>),
    /// The guest asked for state of a block whose producer exported none: an empty list would pass for a block that read nothing.
    #[error("{function}: {}", Unsupported::NoState { transactions: *transactions })]
    NoState { function: &'static str, transactions: usize },
    #[error(transparent)]
    TransactionType(UnknownTransactionType),
    #[error("the system refused memory")]
    SystemMemory(#[source] io::Error),
}

impl Budget {
    pub(crate) const fn new(granted: &Limits, fuel_granted: u64) -> Self {
        Self { granted: *granted, fuel_granted, used: PerLimit::ZERO }
    }

    /// Counts one call to the host.
    pub(crate) fn call(&mut self) -> Result<(), BudgetExceeded> {
        self.spend(Limit::Calls, 1)?;
        self.burn(CALL_FUEL)
    }

    /// Spends fuel for work of the host that neither calls nor bytes measure.
    pub(crate) fn burn(&mut self, fuel: u64) -> Result<(), BudgetExceeded> {
        let used = self.used.get(Limit::Fuel).saturating_add(fuel);
        if used > self.fuel_granted {
            return Err(BudgetExceeded::OutOfFuel { granted: self.fuel_granted });
        }
        self.used.set(Limit::Fuel, used);
        Ok(())
    }

    /// Counts bytes that cross the boundary in one call.
    pub(crate) fn copy(&mut self, bytes: usize) -> Result<(), BudgetExceeded> {
        let bytes = bytes as u64;
        let granted = self.granted.get(Limit::CallBytes);
        if bytes > granted {
            return Err(BudgetExceeded::OverBudget { limit: Limit::CallBytes, granted });
        }
        self.used.set(Limit::CallBytes, self.used.get(Limit::CallBytes).max(bytes));
        self.spend(Limit::CopiedBytes, bytes)?;
        self.burn(bytes.saturating_mul(BYTE_FUEL))
    }

    /// Uses `amount` of `limit`, or stops the guest and uses nothing.
    pub(crate) fn spend(&mut self, limit: Limit, amount: u64) -> Result<(), BudgetExceeded> {
        let used = self.used.get(limit).saturating_add(amount);
        let granted = self.granted.get(limit);
        if used > granted {
            return Err(BudgetExceeded::OverBudget { limit, granted });
        }
        self.used.set(limit, used);
        Ok(())
    }

    /// The end of a guest that asks for more of `limit` than there is left.
    pub(crate) const fn used_up(&self, limit: Limit) -> BudgetExceeded {
        BudgetExceeded::OverBudget { limit, granted: self.granted.get(limit) }
    }

    /// The amount of `limit` that the run was granted.
    pub(crate) const fn granted(&self, limit: Limit) -> u64 {
        self.granted.get(limit)
    }

    /// Bytes one call may still hand out.
    pub(crate) fn call_bytes(&self) -> usize {
        usize::try_from(self.granted.get(Limit::CallBytes)).unwrap_or(usize::MAX)
    }

    /// The amount of `limit` that is left.
    pub(crate) fn left(&self, limit: Limit) -> u64 {
        self.granted.get(limit).saturating_sub(self.used.get(limit))
    }

    pub(crate) const fn used(&self) -> PerLimit {
        self.used
    }
}

impl BudgetExceeded {
    /// Class of the reason, where it has one.
    pub(crate) fn class(&self) -> Option<ReasonClass> {
        match self {
            Self::NoState { .. } => Some(ReasonClass::NoState),
            Self::Contradiction(error) => ReasonClass::of(error),
            _ => None,
        }
    }

    /// The guest's blame as a verdict, the host's as a failure.
    pub(crate) fn judged(self) -> Result<Verdict, HostFailure> {
        match self {
            Self::Misuse(misuse) => Ok(Verdict::Trapped(TrapKind::Misuse(misuse))),
            Self::OverBudget { limit, granted } => Ok(Verdict::OverBudget { limit, granted }),
            Self::OutOfFuel { granted } => Ok(Verdict::OutOfFuel { granted }),
            Self::OutOfMemory { granted_bytes } => Ok(Verdict::OutOfMemory { granted_bytes }),
            Self::SenderCount { .. } => Ok(Verdict::Rejected { reason: UntrustedText::new(&self.to_string()) }),
            Self::Contradiction(error) => Ok(match *error {
                ExecuteError::Rejected(reason) => Verdict::Rejected { reason: UntrustedText::new(&reason.to_string()) },
                ExecuteError::Unsupported(reason) => {
                    Verdict::Unsupported { reason: UntrustedText::new(&reason.to_string()) }
                }
            }),
            Self::NoState { .. } => Ok(Verdict::Unsupported { reason: UntrustedText::new(&self.to_string()) }),
            Self::TransactionType(unknown) => {
                Ok(Verdict::Unsupported { reason: UntrustedText::new(&unknown.to_string()) })
            }
            Self::SystemMemory(error) => Err(HostFailure::SystemMemory(error)),
        }
    }
}
