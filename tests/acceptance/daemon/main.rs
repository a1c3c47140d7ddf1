//! The daemon as an operator meets it: a real chain, real HTTP, real kills.
//!
//! Every test has a chain of its own. On a machine without anvil and without npm to install it they print it and pass, except under CI.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod basis;
mod clock;
mod crashes;
mod das;
mod data;
mod devnet;
mod end_to_end;
mod engine;
mod evm;
mod faults;
mod host;
mod hosts;
mod identity;
mod keeping;
mod logs;
mod metrics;
mod operator;
mod page;
mod power_cut;
mod preflight;
mod prometheus;
mod proxy;
mod scale;
mod secrets;
mod soak;
mod traces;
mod verdicts;
mod waiting;

use refiner_hostile::odd;
use refiner_testbench::{bench, browser, crowd, specimens};
use refiner_testkit::golden;
