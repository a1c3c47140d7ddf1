//! The times of a run inside of a worker, for a trace that the supervisor writes.

use std::time::Duration;

/// Most times of one run: a rule may have its block executed in every format.
pub const SPANS_MAX: usize = 32;

/// The place of a run in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// Id of the trace, which is one for each specimen.
    pub trace: [u8; 16],
    /// Id of the span that the run belongs to.
    pub parent: [u8; 8],
}

/// A part of a run whose time is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The specimen's bytes are read.
    Decode,
    /// The rule runs, its executions included.
    Rule,
    /// The block is executed.
    Execute,
    /// An evm-server is asked, by the supervisor.
    EvmServer,
}

impl Phase {
    /// The name of its spans, as a receiver of traces shows them.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decode => "worker decode",
            Self::Rule => "worker rule",
            Self::Execute => "evm execute",
            Self::EvmServer => "evm-server process",
        }
    }

    /// Its number in messages.
    pub const fn number(self) -> u8 {
        match self {
            Self::Decode => 0,
            Self::Rule => 1,
            Self::Execute => 2,
            Self::EvmServer => 3,
        }
    }

    /// A phase that a worker may report.
    pub const fn of_worker(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Decode),
            1 => Some(Self::Rule),
            2 => Some(Self::Execute),
            _ => None,
        }
    }
}

/// The time of one phase of a run, measured where it passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerSpan {
    /// The part of the run whose time this is.
    pub phase: Phase,
    /// Since the worker was given the run.
    pub start: Duration,
    /// The time that the phase itself took.
    pub duration: Duration,
}

impl WorkerSpan {
    /// The span within a run that took this long: a worker may report any times.
    #[must_use]
    pub fn within(self, elapsed: Duration) -> Self {
        let start = self.start.min(elapsed);
        Self { start, duration: self.duration.min(elapsed.saturating_sub(start)), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn span_beyond_its_run_is_cut_to_it() {
        let seconds = Duration::from_secs;
        let span =
            |start, duration| WorkerSpan { phase: Phase::Rule, start: seconds(start), duration: seconds(duration) };
        assert_eq!(span(1, 2).within(seconds(5)), span(1, 2));
        assert_eq!(span(1, 9).within(seconds(5)), span(1, 4));
        assert_eq!(span(7, u64::MAX).within(seconds(5)), span(5, 0));
    }
}
