//! Values that are one of a few words.

use std::fmt;

use super::Scalar;

/// The sessions that an operator finalizes once they are past their deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FinalizePolicy {
    /// None: others do.
    #[default]
    None,
    /// Those with a proof of this operator.
    Own,
    /// Those of every operator.
    All,
}

impl Scalar for FinalizePolicy {
    const EXPECTED: &'static str = "none, own or all";

    fn scalar(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "own" => Some(Self::Own),
            "all" => Some(Self::All),
            _ => None,
        }
    }
}

/// The confinement without which rules that are not built in do not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfinementLevel {
    /// Every layer that a worker can have without root.
    Full,
    /// The filter of system calls.
    Filter,
    /// No layer has to be there.
    None,
}

impl Scalar for ConfinementLevel {
    const EXPECTED: &'static str = "full, filter or none";

    fn scalar(text: &str) -> Option<Self> {
        match text {
            "full" => Some(Self::Full),
            "filter" => Some(Self::Filter),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// The executor of blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Executor {
    /// This program.
    #[default]
    Embedded,
    /// An evm-server.
    Remote,
    /// The two, compared.
    Both,
}

impl Executor {
    /// Every executor.
    pub const ALL: [Self; 3] = [Self::Embedded, Self::Remote, Self::Both];

    /// The name that a user writes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Remote => "remote",
            Self::Both => "both",
        }
    }
}

impl fmt::Display for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Scalar for Executor {
    const EXPECTED: &'static str = "embedded, remote or both";

    fn scalar(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|executor| executor.as_str() == text)
    }
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// An object of JSON a line.
    Json,
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

impl Scalar for LogFormat {
    const EXPECTED: &'static str = "text or json";

    fn scalar(text: &str) -> Option<Self> {
        [Self::Text, Self::Json].into_iter().find(|format| format.to_string() == text)
    }
}
