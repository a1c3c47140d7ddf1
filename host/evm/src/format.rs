//! In which format a block result is written.

use std::{fmt, str::FromStr};

/// The format of a block result. It decides the bytes, and for the compatibility formats the execution too: each era
/// of the network's evm-server had faults of its own, and operators agree by the hash of what it wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResultFormat {
    /// The chain's own result, checked against the header.
    Canonical,
    /// The exact bytes of the network's evm-server in one of its eras.
    EvmServer(Era),
}

/// An era of the network's evm-server: a span of time in which its bytes followed the same rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Era {
    /// November 2022 to March 2023: London rules, no withdrawals, 2 ETH to the coinbase.
    A,
    /// From 14 April 2023: mainnet's forks and withdrawals.
    B,
    /// From 14 March 2024: Cancun; blob transactions treated as type 2.
    C,
    /// From 24 April 2024: blob transactions as they are.
    D,
    /// May 2025: still Cancun's rules, with Prague's keys; type-4 transactions are rejected.
    E,
}

/// The text names no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown result format; known are {}", ResultFormat::ALL.map(|format| format.to_string()).join(", "))]
pub struct UnknownFormat;

impl ResultFormat {
    /// Every format, in order.
    pub const ALL: [Self; 6] = [
        Self::Canonical,
        Self::EvmServer(Era::A),
        Self::EvmServer(Era::B),
        Self::EvmServer(Era::C),
        Self::EvmServer(Era::D),
        Self::EvmServer(Era::E),
    ];

    /// The name a user types, `"evm-server@b"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Canonical => "canonical",
            Self::EvmServer(Era::A) => "evm-server@a",
            Self::EvmServer(Era::B) => "evm-server@b",
            Self::EvmServer(Era::C) => "evm-server@c",
            Self::EvmServer(Era::D) => "evm-server@d",
            Self::EvmServer(Era::E) => "evm-server@e",
        }
    }
}

impl fmt::Display for ResultFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ResultFormat {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or(UnknownFormat)
    }
}
