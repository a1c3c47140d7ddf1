//! Asynchronous functions of a component, which are refused in words of our own: the compiler would name a switch of the engine.
//!
//! Types are not looked at: a reader of them goes as deep as they are nested, which is for a child process to do.

use wasmparser::{CanonicalFunction, CanonicalOption};

use super::error::AdmissionError;

/// Refuses a function that is lifted or lowered asynchronously, and those that only such ones need.
pub(super) fn refuse(function: &CanonicalFunction) -> Result<(), AdmissionError> {
    let is_async = match function {
        CanonicalFunction::Lift { options, .. } | CanonicalFunction::Lower { options, .. } => {
            options.iter().any(|option| matches!(option, CanonicalOption::Async))
        }
        CanonicalFunction::TaskReturn { .. }
        | CanonicalFunction::StreamNew { .. }
        | CanonicalFunction::FutureNew { .. } => true,
        _ => false,
    };
    if is_async { Err(AdmissionError::Asynchronous) } else { Ok(()) }
}
