//! Interruption of a long execution by its caller: a deadline, or a turn for others.

use std::{cell::Cell, time::Duration};

/// A check of the caller's that execution makes before each transaction and each precompile, and at jumps, calls and
/// other instructions after every 10,000 gas.
///
/// It may block, to let others go first, and must be cheap: a busy block makes it a million times a second.
pub trait Interrupt {
    /// Lets execution continue, or ends it.
    ///
    /// # Errors
    /// [`Interrupted`]: execution ends, without a verdict on the block.
    fn check(&self) -> Result<(), Interrupted>;
}

/// Execution was ended by its caller. It is no verdict on the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("execution was interrupted after {seconds} s of processor time")]
pub struct Interrupted {
    /// Processor time that the execution took so far, in whole seconds.
    pub seconds: u64,
}

/// An interrupt that never comes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Uninterrupted;

impl Interrupt for Uninterrupted {
    fn check(&self) -> Result<(), Interrupted> {
        Ok(())
    }
}

/// Processor time that the execution of one block may take by default: three times what the default gas bound lasts.
pub const PROCESSOR_TIME_LIMIT: Duration = Duration::from_secs(60);

/// Checks between two looks at the clock: some ten milliseconds.
const CHECKS_A_LOOK: u32 = 64;

/// Ends execution after a span of processor time. The last resort behind the bounds on gas and memory, which end every
/// block that is known to be slow.
///
/// One precompile is not interrupted. The largest costs what the gas bound pays for: with the default bound it overshoots
/// the deadline by at most 20 seconds.
#[derive(Debug)]
pub struct ProcessorDeadline {
    clock: fn() -> Duration,
    begun: Duration,
    limit: Duration,
    checks: Cell<u32>,
}

impl ProcessorDeadline {
    /// A deadline `limit` from now by `clock`, which tells the processor time of this thread.
    pub fn new(clock: fn() -> Duration, limit: Duration) -> Self {
        Self { clock, begun: clock(), limit, checks: Cell::new(0) }
    }
}

impl Interrupt for ProcessorDeadline {
    fn check(&self) -> Result<(), Interrupted> {
        let checks = self.checks.get();
        self.checks.set(checks.wrapping_add(1));
        if !checks.is_multiple_of(CHECKS_A_LOOK) {
            return Ok(());
        }
        let taken = (self.clock)().saturating_sub(self.begun);
        if taken > self.limit { Err(Interrupted { seconds: taken.as_secs() }) } else { Ok(()) }
    }
}
