//! Bounded execution: a deterministic meter of gas and memory over everything that is done for one block.
//!
//! **Inputs**: the policy's gas bound, the gas that the header states, the caller's [`Interrupt`]. **Outputs**: the
//! [`BudgetExceeded`] that ends a run. **Invariants**: a verdict of the meter depends on the block and the policy alone, so it is
//! the same on every machine; only an interrupt depends on time, and it is never a verdict.
//!
//! The meter is the context's `chain` field. Wrapped instructions look at it: the gas spent in a transaction is its
//! limit minus what every open frame still holds, and call instructions note what their frame holds, so no hook into
//! the handler is needed and every way to run (transaction, system call, inspector) is metered alike.
//!
//! Between two looks lie at most [`LOOK_EVERY`] gas and the rest of a straight line of code. Memory-growing
//! instructions are guarded one by one only where a transaction can pay for more than [`UNGUARDED_GAS`].
//!
//! [`Interrupt`]: crate::Interrupt

mod budget;
mod bytes;
mod context;
mod costs;
mod counter;
mod instructions;
mod memory_guard;
mod precompiles;
mod repeated_logs;
mod run;

pub(crate) use self::{
    budget::{Budget, BudgetExceeded, ExpectedGas},
    bytes::of_block,
    context::Context,
    counter::{Mark, Meter, Paying},
    instructions::extcodecopy,
    repeated_logs::{LogCost, RepeatedLogs},
    run::{Evm, Executed, evm, inspect_system_call, metered, run_system_call},
};

/// Gas between two looks at the budget, some 20 microseconds of work.
const LOOK_EVERY: u64 = 10_000;

/// The gas limit up to which a transaction needs no guard before each memory growth: it pays for 24 MB in one frame,
/// and calls look at what all frames hold.
pub(crate) const UNGUARDED_GAS: u64 = 1 << 30;

#[cfg(test)]
mod tests;
