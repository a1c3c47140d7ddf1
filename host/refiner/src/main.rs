//! Turns block specimens into data objects by sandboxed rules.
fn main() {}
