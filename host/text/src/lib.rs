//! Untrusted text, made safe to show: on a terminal, in a log, in a table.
//!
//! **Inputs** text that others wrote: rules, specimens, servers, names of files. **Outputs** the same text, in which no character
//! moves a cursor, reorders or hides what is read, or begins a line of its own. **Invariants** one list of characters
//! ([`is_deceptive`]) decides everywhere; escaping twice changes nothing more.
//!
//! ```
//! use refiner_text::{OneLine, UntrustedText, is_deceptive};
//!
//! assert!(is_deceptive('\u{202e}') && !is_deceptive('x'));
//! assert!(!OneLine("one\ntwo").to_string().contains('\n'));
//! assert!(UntrustedText::at_most("a long name", 6).as_str().len() <= 6);
//! ```

mod character;
mod untrusted;
mod writer;

pub use self::{
    character::is_deceptive,
    untrusted::{OneLine, UntrustedText, indented},
    writer::{EscapingWriter, Style},
};
