//! The caller's say during a long execution: a deadline, or a turn for others.

/// A check of the caller's that execution makes at calls, at backward jumps and before precompiles.
///
/// It may block, to let others go first, and must be cheap: a busy block makes it a million times a second.
pub trait Interrupt {
    /// Lets execution continue, or ends it.
    ///
    /// # Errors
    /// [`Interrupted`]: execution ends, and nothing is said of the block.
    fn check(&self) -> Result<(), Interrupted>;
}

/// Execution was ended by its caller. It says nothing of the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("execution was interrupted after {seconds} s of processor time")]
pub struct Interrupted {
    /// Processor time that the execution took so far, in whole seconds.
    pub seconds: u64,
}

/// Never interrupts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Uninterrupted;

impl Interrupt for Uninterrupted {
    fn check(&self) -> Result<(), Interrupted> {
        Ok(())
    }
}
