//! The engine of the stages: the stage runner, the poller, the policy of failures, the clock, and the way out.

pub mod backoff;
pub mod clock;
pub mod clock_watch;
pub mod mismatch;
pub mod outage;
pub mod outcome;
pub mod policy;
pub mod poller;
pub mod shutdown;
pub mod stage;
pub mod stage_runner;
pub mod unreachable;

#[cfg(test)]
mod tests;
