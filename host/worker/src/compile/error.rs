//! Errors of compiling a component.

use std::io;

use nix::libc::{SIGABRT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM, SIGXCPU};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_rule_model::{AdmissionError, RefusalKind, UntrustedText};

use super::limits::CompileLimits;
use crate::{
    confinement::Unconfined,
    process::{Process, ProcessEnd},
    protocol::ProtocolError,
};

/// Errors of compiling a component.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// It is not admitted, or does not compile.
    #[error("refused: {reason}")]
    Refused {
        /// Its kind.
        kind: RefusalKind,
        /// The reason, with what was found and what is allowed.
        reason: UntrustedText,
    },
    /// Compiling it takes more memory than allowed.
    #[error("compiling takes more than the {allowed_bytes} bytes of memory allowed")]
    OutOfMemory {
        /// Bytes of address space it had.
        allowed_bytes: u64,
    },
    /// Compiling it takes more time than allowed.
    #[error("compiling takes more than the {allowed_ms} ms allowed")]
    OutOfTime {
        /// Wall time or processor time it had, whichever ended first.
        allowed_ms: u64,
    },
    /// The system or an administrator ended the compiler: no fault of the component.
    #[error("the compiler was killed by signal {signal}")]
    Killed {
        /// The signal, none that a fault of the process itself gives.
        signal: i32,
    },
    /// The compiler crashed on it.
    #[error("the compiler died ({end}) with standard error '{output}'")]
    Died {
        /// Its exit code or signal.
        end: ProcessEnd,
        /// Its output on standard error.
        output: UntrustedText,
    },
    /// The compiler broke the protocol.
    #[error("the compiler broke the protocol: {0}")]
    Protocol(#[source] ProtocolError),
    /// The compiler's process is less confined than is required; it got no byte of the component.
    #[error(transparent)]
    Unconfined(Unconfined),
    /// The compiler could not be started.
    #[error("the compiler could not be started")]
    Spawn(#[source] io::Error),
}

impl Diagnostic for CompileError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Refused { .. } | Self::OutOfMemory { .. } | Self::OutOfTime { .. } | Self::Died { .. } => {
                ExitCode::Refused
            }
            Self::Unconfined(unconfined) => unconfined.exit_code(),
            Self::Killed { .. } | Self::Protocol(_) | Self::Spawn(_) => ExitCode::Host,
        }
    }

    /// A remedy for an author or operator; none when it is this host that failed.
    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Refused { kind, .. } => Some(kind.remedy().into()),
            Self::OutOfMemory { .. } | Self::OutOfTime { .. } => Some(
                "split its largest functions, or build for size (`opt-level = \"s\"`): the runtime of a whole language compiles within \
                 these limits"
                    .into(),
            ),
            Self::Died { .. } => {
                Some("do not use it, and report it to its author: no honest component is known to end a compiler".into())
            }
            Self::Unconfined(unconfined) => unconfined.hint(),
            Self::Killed { .. } => Some(
                "try again; the kernel's log names processes that it kills for want of memory, of which a compiler takes up to 2 GiB".into(),
            ),
            Self::Protocol(_) | Self::Spawn(_) => None,
        }
    }
}

/// The words with which a Rust program that gets no memory aborts.
const NO_MEMORY: &str = "memory allocation of";

impl From<AdmissionError> for CompileError {
    fn from(refusal: AdmissionError) -> Self {
        Self::Refused { kind: refusal.kind(), reason: UntrustedText::new(&refusal.to_string()) }
    }
}

/// Ends a compiler that broke off, and returns the reason.
pub(super) fn autopsy(process: Process, error: ProtocolError, limits: &CompileLimits) -> CompileError {
    if error.is_timeout() {
        return CompileError::OutOfTime { allowed_ms: limits.wall_ms };
    }
    if !error.is_closed() {
        return CompileError::Protocol(error);
    }
    let ended = process.end_after_close();
    match ended.signal() {
        Some(SIGXCPU) => CompileError::OutOfTime { allowed_ms: limits.cpu_seconds.saturating_mul(1_000) },
        Some(SIGABRT) if ended.output.as_str().contains(NO_MEMORY) => {
            CompileError::OutOfMemory { allowed_bytes: limits.memory_bytes }
        }
        Some(signal @ (SIGKILL | SIGTERM | SIGHUP | SIGINT | SIGQUIT)) => CompileError::Killed { signal },
        _ => CompileError::Died { end: ended.end, output: ended.output },
    }
}
