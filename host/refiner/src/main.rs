//! The `refiner` program: the composition root. It reads the command line, builds what the command needs, and turns
//! what happened into an exit code.

mod cli;
mod config;
mod daemon;
mod devnet;
mod pages;
mod queue;
mod session;
mod version;

use std::{
    ffi::{OsStr, OsString},
    io::Write as _,
    process,
};

use clap::Parser as _;
use mimalloc::MiMalloc;
use refiner_config::table;
use refiner_content_commands as content;
use refiner_custody as custody;
use refiner_diagnostics::{ExitCode, Failure};
use refiner_doctor as doctor;
use refiner_evm_commands as evm;
use refiner_first_process as first_process;
use refiner_journal_commands as journal;
use refiner_key_commands as key;
use refiner_replay_commands as replay;
use refiner_rule_commands as rule;
use refiner_specimen_commands as specimen;
use refiner_terminal as terminal;
use refiner_text::{indented, is_deceptive};
use refiner_worker::{COMPILE_ARGUMENT, WORKER_ARGUMENT};
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::cli::{Cli, Command};

/// The most open files that the program asks for: those of a replay over tens of thousands of archives.
const OPEN_FILES: u64 = 1 << 16;

/// A block is a few thousand small allocations that die together; the system's allocator takes twice as long for them.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> process::ExitCode {
    // Children of this program confine themselves before they have a thread, a file or an environment to lose.
    if is_child(std::env::args_os().nth(1).as_deref()) {
        return refiner_worker_child::child_main();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    allow_open_files();
    let code = if first_process::is_first_process() { supervise(&cli) } else { run(&cli).map(Into::into) };
    code.unwrap_or_else(|failure| report(&failure).into())
}

/// Raises the number of files that may be open, which is 1,024 in most shells, as far as the system allows. Without it a command over
/// many archives or connections ends with an error of its own.
fn allow_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.map_or(OPEN_FILES, |maximum| maximum.min(OPEN_FILES));
    if limit.current.is_some_and(|current| current < most) {
        limit.current = Some(most);
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

/// Runs the command in a child, as the first process of a container. The key leaves the environment of both, and what is left there
/// is as private as in the child: addresses of nodes carry credentials.
fn supervise(cli: &Cli) -> Result<process::ExitCode, Failure> {
    if matches!(cli.command, Command::Run(_) | Command::Doctor(_)) {
        custody::take_key_out_of_environment()?;
        custody::keep_memory_private()?;
    }
    Ok(first_process::supervise()?)
}

/// Started by this program itself, to run or compile a rule.
fn is_child(argument: Option<&OsStr>) -> bool {
    argument.is_some_and(|argument| argument == WORKER_ARGUMENT || argument == COMPILE_ARGUMENT)
}

fn run(cli: &Cli) -> Result<ExitCode, Failure> {
    let settings = cli.settings.values()?;
    // A daemon that is silent while all is well cannot be distinguished from one that hangs.
    let filter = if matches!(cli.command, Command::Run(_) | Command::Work { .. }) { "info" } else { "warn" };
    let filter = settings.get(&table::LOG).unwrap_or_else(|| filter.to_owned());
    terminal::log(&filter, settings.get(&table::LOG_FORMAT))?;
    match &cli.command {
        Command::Replay(arguments) => replay::replay(arguments),
        Command::Verify(arguments) => replay::verify(arguments),
        Command::Run(arguments) => daemon::run(arguments, custody::take_key()?),
        Command::Work { settings } => refiner_queue::work(&settings.values()?),
        Command::Queue { command } => queue::run(command),
        Command::Journal { command } => journal::run(command),
        Command::Session { command } => session::run(command),
        Command::Content { command } => content::run(command),
        Command::Key { command } => key::run(command),
        Command::Config { command } => config::run(command),
        Command::Specimen { command } => specimen::run(command),
        Command::Rule { command } => rule::run(command),
        Command::Evm { command } => evm::run(command),
        Command::Doctor(arguments) => doctor::run(arguments),
        Command::Health(arguments) => doctor::health(arguments),
        Command::Version(arguments) => version::run(arguments),
        Command::Completions { shell } => pages::completions(*shell),
        Command::Man { directory } => pages::man(directory),
        Command::Devnet(arguments) => devnet::run(arguments),
    }
}

/// Prints help, or what is wrong with the command line. A shell puts the names of files into it, which others choose.
fn usage(error: &clap::Error) -> process::ExitCode {
    let is_plain = |argument: OsString| !argument.to_string_lossy().contains(is_deceptive);
    let printed = if std::env::args_os().all(is_plain) {
        error.print()
    } else {
        writeln!(terminal::err(), "{}", indented(error.render().to_string().trim_end()))
    };
    match printed {
        // Help was asked for and did not arrive; there is no other place to report a mistake to.
        Err(unwritten) if !error.use_stderr() => return ExitCode::of_unwritten_output(&unwritten).into(),
        Ok(()) | Err(_) => {}
    }
    u8::try_from(error.exit_code()).map_or(ExitCode::Usage.into(), process::ExitCode::from)
}

/// Reports the failure on standard error. A closed standard output is the end of the command and not a failure.
fn report(failure: &Failure) -> ExitCode {
    let code = failure.exit_code();
    if code != ExitCode::Done {
        // There is no other place to report to.
        let _ = writeln!(terminal::err(), "{failure}");
    }
    code
}
