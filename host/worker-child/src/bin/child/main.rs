//! Worker and compiler for the tests of this crate, which need no other crate's program; and what tests put in their place:
//! workers that lie, confined processes that try the door, and a supervisor to be killed.

mod hostile;
mod probe;
mod supervisor;

use std::process::ExitCode;

fn main() -> ExitCode {
    let argument = std::env::args().nth(1).unwrap_or_default();
    match argument.split_once(':') {
        Some(("hostile", lie)) => hostile::lie(lie),
        Some(("probe", door)) => probe::probe(door),
        _ if argument == "supervisor" => supervisor::coordinate(),
        _ => refiner_worker_child::child_main(),
    }
}
