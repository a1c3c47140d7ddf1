//! The real program, over real input, as its users meet it.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../hostile/component.rs"]
mod component;
mod evm;
mod memory;
mod program;
mod replay;
mod rule;
mod rules;
mod samples;
mod specimen;
