//! The real program, over real input, as its users meet it.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod allowance;
mod archives;
mod basis;
mod bundle;
mod cases;
mod checked;
mod config;
mod confinement;
mod conformance;
mod content;
mod contract;
mod data_sets;
mod escaping;
mod evm;
mod evm_remote;
mod exit_codes;
mod first_process;
mod gallery;
mod guide;
mod health;
mod hypothetical;
mod isolated;
mod kept_files;
mod key;
mod known_blocks;
mod languages;
mod memory;
mod outcomes;
mod processors;
mod program;
mod proxy;
mod registry;
mod release;
mod remote_files;
mod replay;
mod report_page;
mod rule;
mod rules;
mod samples;
mod signatures;
mod specimen;
mod surface;
mod tracers;

use refiner_hostile::{component, corpus, odd};
use refiner_testbench::browser;
use refiner_testkit::golden;
