//! The end of a run, as data that is the same on every machine.

use std::fmt;

use alloy_primitives::{B256, Bytes};

use crate::{Limit, PerLimit, UntrustedText, evidence::Evidence};

/// The end of a run. Everything here follows from the component, its parameters, the limits that count in its identity and
/// the specimen; nothing from the machine or its clock. What the machine did wrong is a [`crate::HostFailure`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The rule finished and gave a summary.
    Produced {
        /// The artifacts of the run, in the order in which they were opened.
        artifacts: Vec<Artifact>,
        /// The number of records in them, in the rule's own sense.
        records: u64,
    },
    /// The specimen contradicts itself, by a check of the host or by the rule's judgement.
    Rejected {
        /// The check that fails, or the rule's words.
        reason: UntrustedText,
    },
    /// The rule cannot handle this specimen, or does not accept its layout.
    Unsupported {
        /// The rule's words, or the layout and those that it accepts.
        reason: UntrustedText,
    },
    /// The rule did what no rule may do.
    Trapped(TrapKind),
    /// The fuel ran out.
    OutOfFuel {
        /// The fuel that was granted.
        granted: u64,
    },
    /// A memory or table would have grown past what was granted.
    OutOfMemory {
        /// The bytes that were granted.
        granted_bytes: u64,
    },
    /// Another limit was reached.
    OverBudget {
        /// The limit that was reached.
        limit: Limit,
        /// The amount that was granted.
        granted: u64,
    },
}

impl Verdict {
    /// The kind of verdict in one word, `"out-of-fuel"`: for tables, metrics and statements.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Produced { .. } => "produced",
            Self::Rejected { .. } => "rejected",
            Self::Unsupported { .. } => "unsupported",
            Self::Trapped(_) => "trapped",
            Self::OutOfFuel { .. } => "out-of-fuel",
            Self::OutOfMemory { .. } => "out-of-memory",
            Self::OverBudget { .. } => "over-budget",
        }
    }
}

/// A named file that a rule produced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// 1 to 64 characters of a-z, 0-9, `-`, `_` and `.`, starting with a letter or a digit; unique in the run.
    pub name: String,
    /// A media type, `"application/json"`.
    pub media_type: String,
    /// The name of the schema its bytes follow.
    pub schema: Option<String>,
    /// Bytes of the artifact.
    pub bytes: Bytes,
}

impl Artifact {
    /// sha256 of the bytes, computed here: a worker's own is not trusted.
    pub fn sha256(&self) -> B256 {
        refiner_specimen::sha256(&self.bytes)
    }
}

/// A violation that no rule may commit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrapKind {
    /// An `unreachable` instruction: how a panic or an abort ends.
    #[error("the rule panicked or aborted (wasm unreachable)")]
    Unreachable,
    /// The guest's stack is full.
    #[error("call stack exhausted after {} bytes", crate::engine::WASM_STACK_BYTES)]
    StackOverflow,
    /// A memory access out of bounds.
    #[error("memory access out of bounds")]
    MemoryOutOfBounds,
    /// A table access out of bounds, of a null entry or of another type.
    #[error("indirect call through a bad table entry")]
    IndirectCall,
    /// A division by zero, an overflowing division or a conversion out of range.
    #[error("arithmetic without a result")]
    Arithmetic,
    /// Another trap that the WebAssembly specification defines.
    #[error("{0}")]
    Other(UntrustedText),
    /// A value that crossed the boundary breaks the component model's rules: a bad pointer, text that is not UTF-8, an
    /// unknown handle.
    #[error("broke the component model's calling rules: {0}")]
    Abi(UntrustedText),
    /// A call to the host with an argument that the contract does not allow.
    #[error(transparent)]
    Misuse(#[from] Misuse),
}

impl TrapKind {
    /// True where the fuel that is reported as used is all that was burned. The engine keeps the count of the function that runs in a register, and
    /// writes it down at a call, a return and an `unreachable`: of a function that traps elsewhere, what it burned since is not counted.
    pub const fn counts_all_fuel(&self) -> bool {
        match self {
            Self::Unreachable | Self::StackOverflow | Self::Abi(_) | Self::Misuse(_) => true,
            // Also an access to a table outside of any call.
            Self::IndirectCall | Self::MemoryOutOfBounds | Self::Arithmetic | Self::Other(_) => false,
        }
    }
}

macro_rules! things {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A thing that a rule can ask for where there is none.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Thing {
            $($(#[$doc])* $name,)*
        }

        impl Thing {
            /// Every thing.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The thing in words, `"recording of gas"`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

// A macro, so that no thing can be left out of the list, by which a worker's word for it is read.
things! {
    /// An artifact that was opened.
    Artifact = "artifact",
    /// An error of a stream.
    Error = "error",
    /// An execution that was asked for.
    Execution = "execution",
    /// The executor of the run.
    Executor = "executor",
    /// A name that was resolved.
    Name = "name",
    /// Overrides for an execution under other conditions.
    Overrides = "overrides",
    /// Receipts that were asked for.
    Receipts = "receipts",
    /// A recording of the calls of an execution.
    CallRecording = "recording of calls",
    /// A recording of the gas of each step.
    GasRecording = "recording of gas",
    /// A recording of the state before and after each step.
    StateRecording = "recording of state",
    /// The specimen of the run.
    Specimen = "specimen",
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Times that a rule with WASI may hold pollables for at once. Go's runtime holds one.
pub const WAITS_MAX: u32 = 1024;

/// A call that the contract does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// The name of an artifact.
    #[error(
        "artifact name '{name}' is not 1 to 64 characters of a-z, 0-9, '-', '_' and '.', starting with a letter or a digit"
    )]
    ArtifactName {
        /// The name that was given.
        name: UntrustedText,
    },
    /// Two artifacts of one name.
    #[error("artifact '{name}' was opened before in this run")]
    ArtifactTwice {
        /// The name that was given.
        name: UntrustedText,
    },
    /// A media type that is not one.
    #[error("media type '{media_type}' is not of the form type/subtype in at most 127 visible characters")]
    MediaType {
        /// The media type given.
        media_type: UntrustedText,
    },
    /// The name of a schema.
    #[error("schema '{schema}' is not 1 to 255 visible characters")]
    Schema {
        /// The schema that was given.
        schema: UntrustedText,
    },
    /// A write to, or a second finish of, a finished artifact.
    #[error("artifact '{name}' is finished")]
    ArtifactFinished {
        /// Name of the artifact.
        name: UntrustedText,
    },
    /// An artifact that the manifest does not list, or lists with another media type or schema.
    #[error("artifact {artifact} is not among the outputs in the rule's manifest")]
    ArtifactUnlisted {
        /// Its name, media type and schema.
        artifact: UntrustedText,
    },
    /// A finished artifact with a row that does not fit the columns of its output.
    #[error("a row does not fit its columns: {misfit}")]
    Row {
        /// Name of the artifact, number and key of the row, what was expected and what was found.
        misfit: UntrustedText,
    },
    /// A specimen or an execution where there is none: `describe` has neither.
    #[error("there is no {what} here")]
    NothingThere {
        /// The thing that was asked for.
        what: Thing,
    },
    /// Through WASI: an exit in place of a result.
    #[error("exited with status {status} before it returned a result")]
    Exited {
        /// The status, nought for success.
        status: u8,
    },
    /// Through WASI: a wait for the first of no events.
    #[error("waits for nothing: the list of events to wait for is empty")]
    EmptyWait,
    /// Through WASI: more times to wait for than a rule may hold.
    #[error("holds more than {WAITS_MAX} times to wait for; each is given back when its wait is over")]
    TooManyWaits,
}

impl Verdict {
    /// Its name for programs, `"outOfFuel"`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Produced { .. } => "produced",
            Self::Rejected { .. } => "rejected",
            Self::Unsupported { .. } => "unsupported",
            Self::Trapped(_) => "trapped",
            Self::OutOfFuel { .. } => "outOfFuel",
            Self::OutOfMemory { .. } => "outOfMemory",
            Self::OverBudget { .. } => "overBudget",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Produced { artifacts, records } => {
                let count = artifacts.len();
                let words = if count == 1 { "artifact" } else { "artifacts" };
                let of_records = if *records == 1 { "record" } else { "records" };
                write!(f, "produced {count} {words}, {records} {of_records}")
            }
            Self::Rejected { reason } => write!(f, "rejected: {reason}"),
            Self::Unsupported { reason } => write!(f, "unsupported: {reason}"),
            Self::Trapped(kind) => write!(f, "trapped: {kind}"),
            Self::OutOfFuel { granted } => write!(f, "out of fuel: {granted} granted"),
            Self::OutOfMemory { granted_bytes } => write!(f, "out of memory: {granted_bytes} bytes granted"),
            Self::OverBudget { limit, granted } => write!(f, "over budget: {granted} {limit} granted"),
        }
    }
}

/// One run that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The end of the run.
    pub verdict: Verdict,
    /// The use of each limit.
    pub usage: Usage,
    /// The rule's log, as far as the limits allow.
    pub log: Vec<LogLine>,
    /// The checks that the host made for it.
    pub evidence: Evidence,
}

/// Each limit as the rule asked for it, as it was granted and as it was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The amounts that the manifest asks for, and the default where it asks for nothing.
    pub asked: PerLimit,
    /// The amounts that were granted, with the fuel for the specimen's length and the time for that fuel.
    pub granted: PerLimit,
    /// The amounts that were used: the peak of memory, the sum of everything else. Fuel is a lower bound after a trap for which
    /// [`TrapKind::counts_all_fuel`] is false.
    pub used: PerLimit,
    /// Log lines thrown away or cut short because a log limit was reached. The log is no part of the output, so this does not
    /// end a run.
    pub log_lines_lost: u64,
}

impl Usage {
    /// Every limit, in table order.
    pub fn iter(&self) -> impl Iterator<Item = LimitUse> {
        self.asked.iter().map(|(limit, asked)| LimitUse {
            limit,
            asked,
            granted: self.granted.get(limit),
            used: self.used.get(limit),
        })
    }
}

/// One limit in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitUse {
    /// The limit in question.
    pub limit: Limit,
    /// The amount that the rule asked for.
    pub asked: u64,
    /// The amount that the run was granted.
    pub granted: u64,
    /// The amount that was used.
    pub used: u64,
}

/// One line of a rule's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The weight of the line, as the rule sees it.
    pub level: LogLevel,
    /// Text of the line.
    pub message: UntrustedText,
}

/// The weight of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For the rule's author.
    Debug,
    /// A normal event worth knowing.
    Info,
    /// Unexpected, but it was handled.
    Warn,
    /// Unexpected, and not handled.
    Error,
}

impl LogLevel {
    /// Name of the level, `"warn"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}
