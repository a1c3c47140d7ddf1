//! The clock behind the deadline of executions.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Processor time that this thread has taken: waiting, and other work on the machine, do not count.
pub fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}
