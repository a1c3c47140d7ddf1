//! The report of one item of several: it failed, and the others follow.

use std::{error::Error, fmt, io::Write as _};

use refiner_diagnostics::{Diagnostic, ErrorChain, Hint};
use refiner_text::OneLine;

use crate as terminal;

/// Prints the failure of one item to standard error.
pub fn report_item(item: &impl fmt::Display, error: &dyn Error) {
    let message = ErrorChain(error).to_string();
    let item = OneLine(item).to_string();
    // A closed standard error leaves no place to report to.
    let _ = if message.starts_with(&item) {
        writeln!(terminal::err(), "error: {message}")
    } else {
        writeln!(terminal::err(), "error: {item}: {message}")
    };
}

/// Prints what can be done about it.
pub fn report_remedy(hint: Option<Hint>) {
    if let Some(hint) = hint {
        let _ = writeln!(terminal::err(), "  remedy: {}", OneLine(hint));
    }
}

/// Prints an argument that names nothing, while the others are gone on with.
pub fn report_argument(error: &impl Diagnostic) {
    let _ = writeln!(terminal::err(), "error: {}", ErrorChain(error));
    if let Some(hint) = error.hint() {
        let _ = writeln!(terminal::err(), "  hint: {}", OneLine(hint));
    }
}
