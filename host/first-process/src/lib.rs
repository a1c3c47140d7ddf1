//! The program as the first process of a container: it runs itself as a child, hands signals on and reaps what ends.
//!
//! The kernel gives process 1 no signal that it has no handler for, and every orphan of its container. A program that is written
//! for neither cannot be interrupted there, and leaves zombies.
//!
//! * **Inputs**: the arguments of this process, signals to it, and processes that end.
//! * **Outputs**: the exit code of the child.
//! * **Invariants**: every orphan is reaped, and a signal reaches the child.
//!
//! ```
//! // In a container this is where the program starts itself again.
//! assert!(!refiner_first_process::is_first_process());
//! ```

use std::{
    io::{self, IsTerminal as _},
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
};

use refiner_diagnostics::{self as diagnostics, Diagnostic, Hint};
use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, wait},
};
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

/// The exit code of a process that a signal ended, less the signal's number.
const BY_SIGNAL: i32 = 128;

/// The program cannot run itself as a child.
#[derive(Debug, thiserror::Error)]
#[error("process 1 cannot start the program as its child")]
pub struct InitError(#[from] io::Error);

impl Diagnostic for InitError {
    fn exit_code(&self) -> diagnostics::ExitCode {
        diagnostics::ExitCode::Host
    }

    fn hint(&self) -> Option<Hint> {
        None
    }
}

/// True for the first process of a container.
pub fn is_first_process() -> bool {
    getpid().is_init()
}

/// Runs the program with the same arguments as a child, until that ends; the exit code is the child's. There must be one thread.
///
/// # Errors
/// [`InitError`]
pub fn supervise() -> Result<ExitCode, InitError> {
    let mut arguments = std::env::args_os();
    let mut program = Command::new(std::env::current_exe()?);
    if let Some(name) = arguments.next() {
        program.arg0(name);
    }
    program.args(arguments);
    let runtime = Builder::new_current_thread().enable_io().build()?;
    Ok(runtime.block_on(run(program))?)
}

async fn run(mut program: Command) -> io::Result<ExitCode> {
    // Before the child is there, so that neither a signal nor its end is missed.
    let mut ended = signal(SignalKind::child())?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (mut hang_up, mut quit) = (signal(SignalKind::hangup())?, signal(SignalKind::quit())?);
    let child = Pid::from_child(&program.spawn()?);
    // A terminal signals the child itself, with everything in its foreground.
    let from_terminal = io::stdin().is_terminal();
    loop {
        if let Some(code) = reap(child)? {
            return Ok(code);
        }
        let signal = tokio::select! {
            _ = ended.recv() => continue,
            _ = terminate.recv() => Signal::TERM,
            _ = hang_up.recv() => Signal::HUP,
            _ = interrupt.recv() => if from_terminal { continue } else { Signal::INT },
            _ = quit.recv() => if from_terminal { continue } else { Signal::QUIT },
        };
        // It is not reaped yet, so the number is still its own.
        kill_process(child, signal)?;
    }
}

/// Reaps every process that ended; gives the exit code when the child is among them.
fn reap(child: Pid) -> io::Result<Option<ExitCode>> {
    let mut code = None;
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if pid == child => code = Some(exit_code(status)),
            Ok(Some(_)) => {}
            Ok(None) | Err(Errno::CHILD) => return Ok(code),
            Err(error) => return Err(error.into()),
        }
    }
}

/// As a shell reports it.
fn exit_code(status: WaitStatus) -> ExitCode {
    let code = status.exit_status().or_else(|| Some(BY_SIGNAL + status.terminating_signal()?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX).into()
}
