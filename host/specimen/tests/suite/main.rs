//! The crate from outside: real specimens, random ones, broken ones, and how much memory any of them takes.

mod allocation;
mod checks;
mod decode_errors;
mod encode_errors;
mod hashes;
mod json;
mod oracle;
mod random;
mod real;
mod real_specimens;
mod round_trip;
