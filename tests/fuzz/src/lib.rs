//! Every parser that strangers reach, as a function of bytes: an answer or a typed error, whatever the bytes are.
//!
//! `cargo xtask fuzz` gives the functions to libFuzzer; the tests of this crate run each over its seeds and a fixed series of
//! mutations of them.

mod component;
mod content;
mod erlang_log;
mod execution;
mod form;
mod keystore;
mod manifest;
mod mutation;
mod node;
mod registry;
mod rows;
mod specimen;
mod specimen_json;
mod worker;

use std::{fmt::Write as _, fs, io, path::Path};

pub use mutation::mutations;

/// The environment variable with the name of the target that the libFuzzer program runs.
pub const TARGET_VARIABLE: &str = "REFINER_FUZZ_TARGET";
/// The environment variable with a directory: the libFuzzer program writes the seeds there, lists the targets and ends.
pub const SEEDS_VARIABLE: &str = "REFINER_FUZZ_SEEDS";

/// A parser with what it starts from.
pub struct Target {
    /// Its name on the command line and the name of its corpus directory.
    pub name: &'static str,
    /// The longest input worth trying, in bytes.
    pub bytes_max: usize,
    /// Runs it once. A panic is a finding.
    pub run: fn(&[u8]),
    /// Inputs that reach far into it.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets, in the order in which they are run.
pub const TARGETS: [Target; 16] = [
    Target { name: "specimen", bytes_max: 64 << 10, run: specimen::run, seeds: specimen::seeds },
    Target { name: "specimen-json", bytes_max: 64 << 10, run: specimen_json::run, seeds: specimen_json::seeds },
    Target { name: "execution", bytes_max: 4 << 10, run: execution::run, seeds: execution::seeds },
    Target { name: "component", bytes_max: 16 << 10, run: component::run, seeds: component::seeds },
    Target { name: "manifest", bytes_max: 8 << 10, run: manifest::run, seeds: manifest::seeds },
    Target { name: "worker-requests", bytes_max: 8 << 10, run: worker::requests, seeds: worker::request_seeds },
    Target { name: "worker-answers", bytes_max: 8 << 10, run: worker::answers, seeds: worker::answer_seeds },
    Target { name: "archive", bytes_max: 8 << 10, run: content::archive, seeds: content::archive_seeds },
    Target { name: "das", bytes_max: 8 << 10, run: content::das, seeds: content::das_seeds },
    Target { name: "content-id", bytes_max: 1 << 10, run: content::id, seeds: content::id_seeds },
    Target { name: "form", bytes_max: 8 << 10, run: form::run, seeds: form::seeds },
    Target { name: "node", bytes_max: 8 << 10, run: node::run, seeds: node::seeds },
    Target { name: "keystore", bytes_max: 4 << 10, run: keystore::run, seeds: keystore::seeds },
    Target { name: "erlang-log", bytes_max: 8 << 10, run: erlang_log::run, seeds: erlang_log::seeds },
    Target { name: "registry", bytes_max: 8 << 10, run: registry::run, seeds: registry::seeds },
    Target { name: "rows", bytes_max: 4 << 10, run: rows::run, seeds: rows::seeds },
];

impl Target {
    /// The target of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }
}

/// Writes the seeds of every target below a directory; a line for each target, with its name and the longest input worth trying.
///
/// # Errors
/// The directory cannot be written.
pub fn write_seeds(corpus: &Path) -> io::Result<String> {
    let mut list = String::new();
    for target in &TARGETS {
        let directory = corpus.join(target.name);
        fs::create_dir_all(&directory)?;
        for (number, seed) in (target.seeds)().into_iter().enumerate() {
            fs::write(directory.join(format!("seed-{number}")), seed)?;
        }
        let _ = writeln!(list, "{} {}", target.name, target.bytes_max);
    }
    Ok(list)
}
