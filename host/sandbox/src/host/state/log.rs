//! Messages for people.

use refiner_rule_model::{Limit, LogLevel, LogLine, UntrustedText};

use crate::host::budget::Budget;

/// The lines kept so far.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) lines: Vec<LogLine>,
    /// Lines thrown away or cut short.
    pub(crate) lost: u64,
}

impl Log {
    /// Keeps a line of the host's own, which takes nothing from what the rule is granted: there are as many as artifacts, and one.
    pub(crate) fn keep_own(&mut self, level: LogLevel, message: &str) {
        self.lines.push(LogLine { level, message: UntrustedText::new(message) });
    }

    /// Keeps the line as far as the budget allows. A full log ends no run: it is no part of the output, so it must not
    /// decide a verdict. The calls it takes are counted like any other.
    pub(crate) fn keep(&mut self, level: LogLevel, message: &str, budget: &mut Budget) {
        if budget.left(Limit::LogLines) == 0 || budget.left(Limit::LogBytes) == 0 {
            self.lost += 1;
            return;
        }
        let bytes_max = usize::try_from(budget.left(Limit::LogBytes)).unwrap_or(usize::MAX);
        let (message, cut) = UntrustedText::cut(message, bytes_max.min(UntrustedText::BYTES_MAX));
        self.lost += u64::from(cut);
        let bytes = message.as_str().len() as u64;
        // Cannot fail: both were just found to have room.
        if budget.spend(Limit::LogLines, 1).is_ok() && budget.spend(Limit::LogBytes, bytes).is_ok() {
            self.lines.push(LogLine { level, message });
        }
    }
}
