//! The traits of a rule.

use std::io;

use crate::{Evm, ExecuteError, Output, RecordError, RuleError, Specimen, Summary};

/// A rule that transforms what the specimen contains. Export it with [`export_transform!`](crate::export_transform).
pub trait Rule {
    /// Works on one specimen.
    ///
    /// # Errors
    /// The party to blame: see [`RuleError`]. Bytes written so far are then no output.
    fn refine(specimen: &Specimen, out: &mut Output) -> Result<Summary, RuleError>;
}

/// A rule that needs the block executed. Export it with
/// [`export_transform_with_evm!`](crate::export_transform_with_evm).
pub trait RuleWithEvm {
    /// Works on one specimen, executing its block by `evm` if it wants to.
    ///
    /// # Errors
    /// The party to blame: see [`RuleError`]. Bytes written so far are then no output.
    fn refine(specimen: &Specimen, evm: &Evm, out: &mut Output) -> Result<Summary, RuleError>;
}

impl Summary {
    /// A summary of so many records, in the rule's own sense.
    pub fn records(records: impl Into<u64>) -> Self {
        Self { records: records.into() }
    }
}

/// Keeps the blame, so `?` is enough. An unknown format is `unsupported`: the specimen is not at fault.
impl From<ExecuteError> for RuleError {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::UnknownFormat(reason) | ExecuteError::Unsupported(reason) => Self::Unsupported(reason),
            ExecuteError::Rejected(reason) => Self::Rejected(reason),
            ExecuteError::Unavailable(reason) => Self::CapabilityUnavailable(reason),
        }
    }
}

/// Keeps the blame, so `?` is enough.
impl From<RecordError> for RuleError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Unsupported(reason) => Self::Unsupported(reason),
            RecordError::Unavailable(reason) => Self::CapabilityUnavailable(reason),
        }
    }
}

/// An [`Artifact`](crate::Artifact) never fails to take bytes, so this is an encoder's doing: `rejected`.
impl From<io::Error> for RuleError {
    fn from(error: io::Error) -> Self {
        Self::Rejected(error.to_string())
    }
}
