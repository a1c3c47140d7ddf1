//! SIGTERM, SIGINT and SIGHUP: the first asks to finish, a second SIGTERM or SIGINT ends the process at once.
//!
//! * **Inputs**: signals to this process, within a runtime.
//! * **Outputs**: a cancelled token.
//! * **Invariants**: a service that does not come to its end is ended by the second signal. A SIGHUP that was ignored when the program
//!   started, as `nohup` has it, stays ignored.
//!
//! ```
//! use refiner_signals::shutdown_on_signal;
//! use tokio_util::sync::CancellationToken;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let stop = CancellationToken::new();
//! shutdown_on_signal(&stop, || tracing::info!("stopping"))?;
//! assert!(!stop.is_cancelled());
//! # Ok::<_, std::io::Error>(())
//! # })?;
//! # Ok::<_, std::io::Error>(())
//! ```

use std::{fs, io, process};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a shell reports for a program that SIGTERM ended.
const ABORTED: i32 = 128 + 15;

/// The kernel's account of this process.
const STATUS: &str = "/proc/self/status";
/// The line of it with the signals that are ignored, a bit for each from the lowest.
const IGNORED: &str = "SigIgn:";

/// SIGXFSZ. Ends a process that writes beyond the limit of file sizes, unless it has a handler: then the write fails.
const FILE_SIZE_EXCEEDED: i32 = 25;

/// From now on the first signal calls `on_signal` and cancels `stop`; a second SIGTERM or SIGINT ends the process. A write beyond the
/// limit of file sizes fails and ends nothing. Needs a runtime.
///
/// # Errors
///
/// The system's, for a handler that it does not install.
pub fn shutdown_on_signal(stop: &CancellationToken, on_signal: impl Fn() + Send + 'static) -> io::Result<()> {
    // Asked before a handler takes its place.
    let is_ignored = fs::read_to_string(STATUS).is_ok_and(|status| ignores(&status, SignalKind::hangup()));
    let hang_up = if is_ignored { None } else { Some(signal(SignalKind::hangup())?) };
    let signals =
        Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())?, hang_up };
    // The handler stays.
    drop(signal(SignalKind::from_raw(FILE_SIZE_EXCEEDED))?);
    tokio::spawn(listen(signals, stop.clone(), on_signal));
    Ok(())
}

/// True where this account of a process has the signal among those that it ignores.
fn ignores(status: &str, signal: SignalKind) -> bool {
    let line = status.lines().find_map(|line| line.strip_prefix(IGNORED));
    let ignored = line.and_then(|line| u64::from_str_radix(line.trim(), 16).ok()).unwrap_or(0);
    let bit = u32::try_from(signal.as_raw_value() - 1).ok().and_then(|bit| 1_u64.checked_shl(bit));
    bit.is_some_and(|bit| ignored & bit != 0)
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// `None` where it is ignored.
    hang_up: Option<Signal>,
}

impl Signals {
    /// The next signal; true for one that a person or a supervisor sends. A terminal that closes hangs up twice: by its shell, and by
    /// the kernel.
    async fn next(&mut self) -> bool {
        let Self { terminate, interrupt, hang_up } = self;
        let hang_up = async {
            match hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = terminate.recv() => true,
            _ = interrupt.recv() => true,
            _ = hang_up => false,
        }
    }
}

async fn listen(mut signals: Signals, stop: CancellationToken, on_signal: impl Fn()) {
    loop {
        let is_sent = signals.next().await;
        if stop.is_cancelled() {
            if !is_sent {
                continue;
            }
            tracing::warn!("second signal: ending at once");
            process::exit(ABORTED);
        }
        on_signal();
        stop.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_bits_of_a_line() {
        for (status, is_ignored) in [
            ("Name:\trefiner\nSigIgn:\t0000000000000001\nSigCgt:\t0000000000000000\n", true),
            ("SigIgn:\t0000000000001001\n", true),
            ("SigBlk:\t0000000000000001\nSigIgn:\t0000000000001000\nSigCgt:\t0000000000000001\n", false),
            ("SigIgn:\tno number\n", false),
            ("", false),
        ] {
            assert_eq!(ignores(status, SignalKind::hangup()), is_ignored, "{status}");
        }
    }
}
