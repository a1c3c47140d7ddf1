//! `cargo xtask soak`: announcements through faults of all kinds at once.

use std::path::PathBuf;

use anyhow::Result;

use crate::command;

/// The test that plays it.
const TEST: &str = "soak::soak_through_faults_of_all_kinds_proves_every_announcement_once";

/// The size of the soak and its schedule.
#[derive(clap::Args)]
pub struct Arguments {
    /// Announcements.
    #[arg(long, default_value_t = 2_000)]
    announcements: u32,
    /// Seed of the schedule: the same seed plays the same faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Another build of the program; by default the one that is built with the tests.
    #[arg(long)]
    program: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    // With the features of the whole test run, so that nothing is built anew for it, and without its other tests.
    let mut line = command::line("cargo nextest run --workspace --test daemon --locked --no-capture -E");
    line.arg(format!("test(={TEST})"));
    line.env("REFINER_SOAK_ANNOUNCEMENTS", arguments.announcements.to_string());
    line.env("REFINER_SOAK_SEED", arguments.seed.to_string());
    if let Some(program) = &arguments.program {
        line.env("REFINER_SOAK_PROGRAM", std::path::absolute(program)?);
    }
    Ok(command::run(&mut line)?)
}
