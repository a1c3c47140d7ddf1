//! The crate from outside: real specimens, random ones, broken ones, and how much memory any of them takes.
// A test fails by panicking, also in the modules it shares, and prints on the terminal what it skipped.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod allocation;
mod checks;
mod codes;
mod decode_errors;
mod encode_errors;
mod hashes;
mod json;
mod older;
mod oracle;
mod random;
mod real;
mod real_specimens;
mod resolve;
mod round_trip;
