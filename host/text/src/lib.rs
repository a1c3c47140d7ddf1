//! Untrusted text, made safe to show: on a terminal, in a log, in a table.
//!
//! **Inputs** text that others wrote: rules, specimens, servers, names of files. **Outputs** the same text, in which no character
//! moves a cursor, reorders or hides what is read, or begins a line of its own. **Invariants** one list of characters
//! ([`is_deceptive`]) decides everywhere; escaping twice changes nothing more.

mod character;
mod untrusted;
mod writer;

pub use self::{
    character::is_deceptive,
    untrusted::{OneLine, UntrustedText, indented},
    writer::{EscapingWriter, Style},
};
