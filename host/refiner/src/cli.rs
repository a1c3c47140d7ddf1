//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;
use refiner_arguments::Run;
use refiner_config::{Flags, scope};
use refiner_content_commands as content;
use refiner_diagnostics::ExitCode;
use refiner_doctor::{Doctor, Health};
use refiner_evm_commands::Evm;
use refiner_journal_commands::JournalCommand;
use refiner_key_commands as key;
use refiner_replay_commands::{Replay, Verify};
use refiner_rule_commands::Rule;
use refiner_specimen_commands::Specimen;

use crate::{devnet, session, version};

/// Turns block specimens into data objects by sandboxed rules.
#[derive(Debug, Parser)]
#[command(version, about, after_help = ExitCode::TABLE, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub settings: Flags<scope::Program>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs rules over specimens, offline, and writes what they produce.
    Replay(Replay),
    /// Computes a data set that `replay --out` made again, and compares it byte by byte.
    Verify(Verify),
    /// Follows the proof chain: fetches announced specimens, runs rules over them, pins what they produce and proves it.
    Run(Box<Run>),
    /// Runs rules for a coordinator (`run --queue` or `replay --queue`): workers without key and journal, on any number of hosts.
    #[command(after_help = ExitCode::TABLE)]
    Work {
        #[command(flatten)]
        settings: Box<Flags<scope::Work>>,
    },
    /// Asks NATS about the queue over which worker hosts share the work.
    Queue {
        /// What to ask.
        #[command(subcommand)]
        command: refiner_queue::Command,
    },
    /// Asks the journal of `refiner run` and changes it, also while it runs.
    Journal {
        /// What to ask.
        #[command(subcommand)]
        command: JournalCommand,
    },
    /// Asks the proof chain about the sessions in which results are proved.
    Session {
        /// What to ask.
        #[command(subcommand)]
        command: session::Command,
    },
    /// Names, fetches, keeps and serves content by its content id.
    Content {
        /// What to do with it.
        #[command(subcommand)]
        command: content::Command,
    },
    /// Makes and encrypts the operator's key, and prints its address.
    Key {
        /// Ways to make or read a key.
        #[command(subcommand)]
        command: key::Command,
    },
    /// Prints the settings that `refiner run` would use.
    Config {
        /// Parts of the settings to print.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Looks into specimen files.
    Specimen {
        /// What to do with them.
        #[command(subcommand)]
        command: Specimen,
    },
    /// Makes, builds, checks and tries rules.
    Rule {
        /// What to do.
        #[command(subcommand)]
        command: Rule,
    },
    /// Executes blocks for others.
    Evm {
        /// What to do.
        #[command(subcommand)]
        command: Evm,
    },
    /// Asks a running daemon, or another service of this program, whether it is alive; for health checks of containers.
    Health(Health),
    /// Checks this machine and, with the settings of `run`, everything that the daemon needs.
    Doctor(Box<Doctor>),
    /// Prints the version, and with `--verbose` what was built from what.
    Version(version::Version),
    /// Prints the completions of a shell.
    Completions {
        /// The shell.
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
    /// Writes a manual page for each command.
    Man {
        /// Directory of the pages.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Runs the whole network on this machine for a look at it: a proof chain, sample specimens, all services and the status page.
    #[command(after_help = ExitCode::TABLE)]
    Devnet(devnet::Devnet),
}

/// `refiner config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Every setting with its value and where that comes from; takes what `run` takes. What URLs carry and the key are not shown.
    Show {
        #[command(flatten)]
        run: Box<Run>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
