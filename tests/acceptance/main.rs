//! The real program, over real input, as its users meet it.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod allowance;
mod basis;
#[path = "daemon/browser.rs"]
mod browser;
mod bundle;
mod cases;
mod checked;
#[path = "../hostile/component.rs"]
mod component;
mod config;
mod confinement;
mod conformance;
mod content;
mod contract;
#[path = "../hostile/corpus.rs"]
mod corpus;
mod data_sets;
mod escaping;
mod evm;
mod evm_remote;
mod exit_codes;
mod first_process;
mod gallery;
#[path = "../surface/golden.rs"]
mod golden;
mod guide;
mod health;
mod hypothetical;
mod isolated;
mod key;
mod known_blocks;
mod languages;
mod memory;
#[path = "../hostile/odd.rs"]
mod odd;
mod outcomes;
mod processors;
mod program;
mod proxy;
mod registry;
mod release;
mod replay;
mod report_page;
mod rule;
mod rules;
mod samples;
mod signatures;
mod specimen;
mod surface;
mod tracers;
