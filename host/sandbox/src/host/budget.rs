//! Counts what a guest uses and stops it at the limit.

use std::io;

use refiner_evm::{ExecuteError, Unsupported};
use refiner_rule_model::{HostFailure, Limit, Limits, Misuse, PerLimit, ReasonClass, TrapKind, UntrustedText, Verdict};
use refiner_specimen::{Layout, UnknownTransactionType};

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
    /// The function that was called last.
    calling: Option<&'static str>,
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
    /// The guest asked for a number that the producer rounded, or that an execution worked out from such.
    #[error(
        "{function}: layout {layout} rounds numbers of 2^53 and more, and {what} is one of them: its exact value is not known"
    )]
    Rounded { function: &'static str, layout: Layout, what: &'static str },
    #[error(transparent)]
    TransactionType(UnknownTransactionType),
    #[error("the system refused memory")]
    SystemMemory(#[source] io::Error),
}

impl Budget {
    pub(crate) const fn new(granted: &Limits, fuel_granted: u64) -> Self {
        Self { granted: *granted, fuel_granted, used: PerLimit::ZERO, calling: None }
    }

    /// Counts one call to a function of the host, named by its interface, its resource where it has one, and itself.
    pub(crate) fn call(&mut self, function: &'static str) -> Result<(), BudgetExceeded> {
        self.calling = Some(function);
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

    /// The function of the host that was called last: the one that fuel was charged to, when it is used up by calls.
    pub(crate) const fn calling(&self) -> Option<&'static str> {
        self.calling
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
            Self::NoState { .. } | Self::Rounded { .. } => {
                Ok(Verdict::Unsupported { reason: UntrustedText::new(&self.to_string()) })
            }
            Self::TransactionType(unknown) => {
                Ok(Verdict::Unsupported { reason: UntrustedText::new(&unknown.to_string()) })
            }
            Self::SystemMemory(error) => Err(HostFailure::SystemMemory(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUEL: u64 = 10_000;

    fn budget(limits: &[(Limit, u64)]) -> Budget {
        let granted = limits.iter().fold(Limits::default(), |all, (limit, value)| all.with(*limit, *value).unwrap());
        Budget::new(&granted, FUEL)
    }

    fn over(stop: Result<(), BudgetExceeded>) -> (Limit, u64) {
        match stop {
            Err(BudgetExceeded::OverBudget { limit, granted }) => (limit, granted),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn fuel_is_burned_to_the_last_unit_and_not_beyond() {
        let mut budget = budget(&[]);
        budget.burn(FUEL - 1).unwrap();
        assert!(matches!(budget.burn(2), Err(BudgetExceeded::OutOfFuel { granted: FUEL })));
        assert_eq!(budget.used().get(Limit::Fuel), FUEL - 1, "what is refused is not used");
        budget.burn(1).unwrap();
        budget.burn(0).unwrap();
        assert!(matches!(budget.burn(1), Err(BudgetExceeded::OutOfFuel { .. })));
        assert!(matches!(budget.burn(u64::MAX), Err(BudgetExceeded::OutOfFuel { .. })));
    }

    #[test]
    fn call_is_counted_and_costs_its_fuel() {
        let mut budget = budget(&[(Limit::Calls, 2)]);
        budget.call("log.write").unwrap();
        assert_eq!((budget.used().get(Limit::Calls), budget.left(Limit::Calls)), (1, 1));
        assert_eq!(budget.used().get(Limit::Fuel), CALL_FUEL);
        budget.call("log.write").unwrap();
        assert_eq!(over(budget.call("log.write")), (Limit::Calls, 2));
        assert_eq!(budget.left(Limit::Calls), 0);
    }

    #[test]
    fn bytes_of_a_call_are_bounded_by_themselves_and_in_sum_and_cost_fuel() {
        let mut budget = budget(&[(Limit::CallBytes, 100), (Limit::CopiedBytes, 250)]);
        assert_eq!(budget.call_bytes(), 100);
        assert_eq!(over(budget.copy(101)), (Limit::CallBytes, 100));
        assert_eq!(budget.used().get(Limit::Fuel), 0);
        budget.copy(100).unwrap();
        budget.copy(99).unwrap();
        let used = budget.used();
        assert_eq!((used.get(Limit::CallBytes), used.get(Limit::CopiedBytes)), (100, 199));
        assert_eq!(used.get(Limit::Fuel), 199 * BYTE_FUEL);
        assert_eq!(over(budget.copy(52)), (Limit::CopiedBytes, 250));
        budget.copy(51).unwrap();
        assert_eq!(budget.left(Limit::CopiedBytes), 0);
    }

    #[test]
    fn limit_is_spent_to_its_end_and_what_does_not_fit_uses_nothing() {
        let mut budget = budget(&[(Limit::OutputBytes, 5)]);
        budget.spend(Limit::OutputBytes, 3).unwrap();
        assert_eq!(over(budget.spend(Limit::OutputBytes, 3)), (Limit::OutputBytes, 5));
        assert_eq!((budget.left(Limit::OutputBytes), budget.granted(Limit::OutputBytes)), (2, 5));
        budget.spend(Limit::OutputBytes, 2).unwrap();
        assert_eq!(over(budget.spend(Limit::OutputBytes, 1)), (Limit::OutputBytes, 5));
        assert_eq!(over(Err(budget.used_up(Limit::OutputBytes))), (Limit::OutputBytes, 5));
    }

    #[test]
    fn guest_is_judged_for_what_it_did_and_the_host_for_memory_that_there_is_not() {
        let kind = |stop: BudgetExceeded| stop.judged().unwrap().kind();
        assert_eq!(kind(BudgetExceeded::Misuse(Misuse::EmptyWait)), "trapped");
        assert_eq!(kind(BudgetExceeded::OverBudget { limit: Limit::Calls, granted: 1 }), "over-budget");
        assert_eq!(kind(BudgetExceeded::OutOfFuel { granted: 1 }), "out-of-fuel");
        assert_eq!(kind(BudgetExceeded::OutOfMemory { granted_bytes: 1 }), "out-of-memory");
        assert_eq!(kind(BudgetExceeded::SenderCount { transactions: 1, senders: 2 }), "rejected");
        assert_eq!(kind(BudgetExceeded::NoState { function: "code", transactions: 1 }), "unsupported");
        let unsupported = || Box::new(ExecuteError::Unsupported(Unsupported::NoState { transactions: 1 }));
        assert_eq!(kind(BudgetExceeded::Contradiction(unsupported())), "unsupported");
        let refused = BudgetExceeded::SystemMemory(io::ErrorKind::OutOfMemory.into()).judged();
        assert!(matches!(refused, Err(HostFailure::SystemMemory(_))), "{refused:?}");

        let no_state = BudgetExceeded::NoState { function: "code", transactions: 1 };
        assert_eq!(no_state.class(), Some(ReasonClass::NoState));
        assert_eq!(BudgetExceeded::Contradiction(unsupported()).class(), Some(ReasonClass::NoState));
        assert_eq!(BudgetExceeded::OutOfFuel { granted: 1 }.class(), None);
    }
}
