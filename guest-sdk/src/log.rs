//! Messages for people. They are bounded by the host and not part of the output.
//!
//! `log::info(format_args!("{count} transfers"))`

use std::fmt::Display;

use crate::host;

pub use crate::bindings::refiner::rule::log::Level;

/// A message for the rule's author.
pub fn debug(message: impl Display) {
    host::log(Level::Debug, &message.to_string());
}

/// A message for the operator.
pub fn info(message: impl Display) {
    host::log(Level::Info, &message.to_string());
}

/// Something is odd, and the rule goes on.
pub fn warn(message: impl Display) {
    host::log(Level::Warn, &message.to_string());
}

/// Something is wrong with what the rule produces.
pub fn error(message: impl Display) {
    host::log(Level::Error, &message.to_string());
}
