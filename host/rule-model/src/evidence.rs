//! The checks behind the output of a run, as text that is safe to print and to send.

use refiner_evm::{Basis, ExecuteError, Execution};
use refiner_specimen::check::{Check, CheckName, Outcome, Subject};

use crate::UntrustedText;

/// The checks that the host made for a run, each once, and the values of its output that rest on none.
///
/// It is no part of a verdict: two runs of one identity over one specimen have the same evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// In the order in which they were made.
    pub checks: Vec<CheckReport>,
    /// The basis of its blocks' receipts and logs; `None` where it asked for no execution.
    pub basis: Option<BasisReport>,
    /// The producer exported no state of the block, so no one can execute it.
    pub without_state: bool,
    /// Class of the reason for a verdict other than produced.
    pub reason_class: Option<ReasonClass>,
    /// JSON pointers into the executed block results: values that rest on what cannot be checked.
    pub unproven: Vec<UntrustedText>,
    /// Values that stood in for fields the producer dropped, each with what proves it.
    pub supplied: Vec<UntrustedText>,
    /// Entries of the last two beyond [`Evidence::ENTRIES_MAX`].
    pub left_out: u64,
}

/// Class of the reason for a verdict, for programs and counters; the words are in the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasonClass {
    /// The producer exported no state, and what the rule asked for cannot be had without it.
    NoState,
}

impl ReasonClass {
    /// Every class.
    pub const ALL: [Self; 1] = [Self::NoState];

    /// The name in reports and metrics, `"noState"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoState => "noState",
        }
    }

    /// The class of an execution's error, where it has one.
    pub fn of(error: &ExecuteError) -> Option<Self> {
        error.is_for_want_of_state().then_some(Self::NoState)
    }
}

/// The basis of a run's receipts and logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BasisReport {
    /// The block was executed.
    Execution,
    /// The receipts that the specimen carries; nothing was executed.
    Receipts {
        /// The reason that the block could not be executed; `None` where the terms of the run ask for no execution.
        reason: Option<UntrustedText>,
    },
}

impl BasisReport {
    /// The name in reports, as in documents.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Execution => Basis::Execution.as_str(),
            Self::Receipts { .. } => Basis::Receipts { instead_of: None }.as_str(),
        }
    }
}

impl From<&Basis> for BasisReport {
    fn from(basis: &Basis) -> Self {
        match basis {
            Basis::Execution => Self::Execution,
            Basis::Receipts { instead_of } => {
                let text = |error: &ExecuteError| UntrustedText::new(&error.to_string());
                Self::Receipts { reason: instead_of.as_deref().map(text) }
            }
        }
    }
}

/// One check and its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// Name of the check, `"receiptsRoot"`.
    pub name: UntrustedText,
    /// Outcome of the check.
    pub outcome: CheckOutcome,
}

/// The outcome of a check, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// The two sides agree.
    Passed,
    /// The two sides differ.
    Failed {
        /// The part of the block that fails, `"Transactions[3]"`; empty where the name of the check is enough.
        subject: UntrustedText,
        /// The value that the block states.
        stated: UntrustedText,
        /// The value that was computed.
        computed: UntrustedText,
    },
    /// The block has nothing of the kind.
    NotApplicable {
        /// The reason, in words.
        reason: UntrustedText,
    },
    /// The specimen lacks what the check needs.
    NotCheckable {
        /// The reason, in words.
        reason: UntrustedText,
    },
}

impl Evidence {
    /// Checks kept: more than there are names.
    pub const CHECKS_MAX: usize = 64;
    /// Entries of [`Evidence::unproven`] and of [`Evidence::supplied`] kept, each. A result lists them all; a report need not.
    pub const ENTRIES_MAX: usize = 1_000;
    /// Longest entry kept, in bytes.
    pub const ENTRY_BYTES_MAX: usize = 256;

    /// True when no check was made.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// True when recorded receipts stood in for an execution.
    pub const fn rests_on_receipts(&self) -> bool {
        matches!(self.basis, Some(BasisReport::Receipts { .. }))
    }

    /// Adds checks; of two with one name the first is kept.
    pub fn add<'c>(&mut self, checks: impl IntoIterator<Item = &'c Check>) {
        for check in checks {
            let report = CheckReport::from(check);
            if self.checks.len() < Self::CHECKS_MAX && self.checks.iter().all(|made| made.name != report.name) {
                self.checks.push(report);
            }
        }
    }

    /// Adds what an execution rests on.
    pub fn add_execution(&mut self, execution: &Execution) {
        self.add(&execution.checks);
        let text = |entry: &dyn std::fmt::Display| UntrustedText::new(&entry.to_string());
        let supplied = execution.supplied.iter().map(|supplied| text(supplied)).collect();
        self.merge(Self { supplied, basis: Some(BasisReport::from(&execution.basis)), ..Self::default() });
    }

    /// Adds what a written document rests on.
    pub fn add_document(&mut self, execution: &Execution) {
        self.add(execution.sender_check());
        let unproven = execution.unproven().iter().map(|pointer| UntrustedText::new(pointer)).collect();
        self.merge(Self { unproven, ..Self::default() });
    }

    /// Adds what another part of the run rests on.
    pub fn merge(&mut self, other: Self) {
        for report in other.checks {
            if self.checks.len() < Self::CHECKS_MAX && self.checks.iter().all(|made| made.name != report.name) {
                self.checks.push(report);
            }
        }
        // A run that took receipts once did not execute all that it rests on.
        self.basis = match (self.basis.take(), other.basis) {
            (Some(receipts @ BasisReport::Receipts { .. }), _) | (_, Some(receipts @ BasisReport::Receipts { .. })) => {
                Some(receipts)
            }
            (one, other) => one.or(other),
        };
        self.without_state |= other.without_state;
        self.reason_class = self.reason_class.or(other.reason_class);
        for (entries, more) in [(&mut self.unproven, other.unproven), (&mut self.supplied, other.supplied)] {
            for entry in more {
                if entries.contains(&entry) {
                    continue;
                }
                if entries.len() < Self::ENTRIES_MAX { entries.push(entry) } else { self.left_out += 1 }
            }
        }
        self.left_out = self.left_out.saturating_add(other.left_out);
    }
}

impl From<&Check> for CheckReport {
    fn from(Check { name, outcome }: &Check) -> Self {
        Self { name: UntrustedText::new(name.as_str()), outcome: outcome.into() }
    }
}

impl CheckReport {
    /// True for a check that was made and failed.
    pub const fn failed(&self) -> bool {
        matches!(self.outcome, CheckOutcome::Failed { .. })
    }

    /// True for the check of this name.
    pub fn is(&self, name: CheckName) -> bool {
        self.name.as_str() == name.as_str()
    }
}

impl From<&Outcome> for CheckOutcome {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Passed => Self::Passed,
            Outcome::Failed { subject, stated, computed } => Self::Failed {
                subject: text_of(subject),
                stated: UntrustedText::new(&stated.to_string()),
                computed: UntrustedText::new(&computed.to_string()),
            },
            Outcome::NotApplicable(reason) => Self::NotApplicable { reason: UntrustedText::new(reason) },
            Outcome::NotCheckable(reason) => Self::NotCheckable { reason: UntrustedText::new(reason) },
        }
    }
}

/// The subject without the separator that it is printed with.
fn text_of(subject: &Subject) -> UntrustedText {
    UntrustedText::new(subject.to_string().trim_end_matches(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(name: CheckName) -> Check {
        Check::passed(name)
    }

    #[test]
    fn check_made_twice_is_reported_once_in_the_first_place() {
        let mut evidence = Evidence::default();
        evidence.add([&passed(CheckName::BlockHash), &passed(CheckName::Senders)]);
        evidence.add([&passed(CheckName::GasUsed), &passed(CheckName::BlockHash)]);
        let names: Vec<_> = evidence.checks.iter().map(|report| report.name.as_str()).collect();
        assert_eq!(names, ["blockHash", "senders", "gasUsed"]);
    }

    #[test]
    fn entries_beyond_the_bound_are_counted() {
        let entries =
            |range: std::ops::Range<usize>| range.map(|index| UntrustedText::new(&index.to_string())).collect();
        let mut evidence = Evidence::default();
        evidence.merge(Evidence { unproven: entries(0..Evidence::ENTRIES_MAX), left_out: 7, ..Evidence::default() });
        evidence.merge(Evidence { unproven: entries(990..Evidence::ENTRIES_MAX + 2), ..Evidence::default() });
        assert_eq!((evidence.unproven.len(), evidence.left_out), (Evidence::ENTRIES_MAX, 9));
    }
}
