//! What runs the stages: the stage runner, the policy of failures, the clock, and the way out.

pub mod clock;
pub mod outage;
pub mod outcome;
pub mod policy;
pub mod shutdown;
pub mod stage_runner;
