//! The contract between host and rules: its version, its interfaces, and the capabilities among them.

use std::fmt;

/// The file whose first line states the version of the contract, the one place that does.
const WORLDS: &str = include_str!("../../../wit/refiner-rule-1/worlds.wit");
/// The version of the contract, `"1.1.0"`. Earlier minor versions are served too.
pub const VERSION: &str = version_of(WORLDS);
/// The major version of the contract.
pub(crate) const MAJOR: u64 = part_of(VERSION, 0);
/// The minor version of the contract.
pub(crate) const MINOR: u64 = part_of(VERSION, 1);

/// The export that makes a component a rule, without its version.
pub(crate) const RULE_EXPORT: &str = "refiner:rule/rule";
/// Most bytes of a name that a refusal shows.
pub(crate) const NAME_BYTES_SHOWN: usize = 128;
/// The package of the contract.
pub(crate) const PACKAGE: &str = "refiner:rule/";
/// Interfaces every rule may import.
pub(crate) const ALWAYS: [&str; 5] = ["types", "specimen", "output", "log", "params"];
/// The interface that belongs to every capability of recordings, and offers nothing but types.
pub(crate) const RECORDINGS: &str = "recordings";
/// The packages of WASI that are linked sealed, to rules that were granted [`Capability::Wasi`].
pub(crate) const WASI_PACKAGES: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];
/// The versions of WASI that are linked: each 0.2 serves what was built for another.
pub(crate) const WASI_VERSION: &str = "0.2.";

/// Something beyond the specimen, output, log and parameters, which every rule gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Capability {
    /// Execution of the block, by the host.
    Evm,
    /// Receipts from wherever they are proven.
    Receipts,
    /// The calls of an execution.
    Traces,
    /// The differences of state of an execution.
    StateChanges,
    /// The gas of an execution by opcode and contract.
    GasProfile,
    /// Execution of the block under other conditions.
    WhatIf,
    /// Sealed WASI: what programs of ordinary toolchains import, with nothing behind it.
    Wasi,
}

impl Capability {
    /// Every capability, in order.
    pub const ALL: [Self; 7] =
        [Self::Evm, Self::Receipts, Self::Traces, Self::StateChanges, Self::GasProfile, Self::WhatIf, Self::Wasi];

    /// Name of the capability, `"evm"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Evm => "evm",
            Self::Receipts => "receipts",
            Self::Traces => "traces",
            Self::StateChanges => "state-changes",
            Self::GasProfile => "gas-profile",
            Self::WhatIf => "what-if",
            Self::Wasi => "wasi",
        }
    }

    /// The line of `rule.toml` that asks for it.
    pub const fn request(self) -> &'static str {
        match self {
            Self::Evm => "capabilities = [\"evm\"]",
            Self::Receipts => "capabilities = [\"evm\", \"receipts\"]",
            Self::Traces => "capabilities = [\"evm\", \"traces\"]",
            Self::StateChanges => "capabilities = [\"evm\", \"state-changes\"]",
            Self::GasProfile => "capabilities = [\"evm\", \"gas-profile\"]",
            Self::WhatIf => "capabilities = [\"evm\", \"what-if\"]",
            Self::Wasi => "wasi = \"sealed\"",
        }
    }

    /// The capability with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.as_str() == name)
    }

    /// The capability that an interface of the contract is, if it is one.
    pub(crate) fn of_interface(name: &str) -> Option<Self> {
        Self::from_name(name).filter(|capability| *capability != Self::Wasi)
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Interfaces that can be imported, for messages.
pub(crate) fn importable() -> String {
    let capabilities = Capability::ALL.map(Capability::as_str).into_iter().filter(|name| *name != "wasi");
    let names: Vec<_> = ALWAYS.into_iter().chain(capabilities).collect();
    format!("{PACKAGE}{{{}}} and sealed wasi:{{{}}}", names.join(", "), WASI_PACKAGES.join(", "))
}

/// The versions that are spoken here, for messages.
pub(crate) fn spoken_versions() -> String {
    format!("{MAJOR}.0 to {MAJOR}.{MINOR}")
}

/// The version in the first line of a WIT file, `package refiner:rule@1.1.0;`.
const fn version_of(worlds: &'static str) -> &'static str {
    const LINE: &[u8] = b"package refiner:rule@";
    let text = worlds.as_bytes();
    let mut start = 0;
    while start < LINE.len() {
        assert!(text[start] == LINE[start], "the file begins with its package");
        start += 1;
    }
    let mut end = start;
    while text[end] != b';' {
        end += 1;
    }
    worlds.split_at(end).0.split_at(start).1
}

/// A number of a version, counted from 0.
const fn part_of(version: &str, place: usize) -> u64 {
    let text = version.as_bytes();
    let (mut at, mut points, mut number) = (0, 0, 0);
    while at < text.len() {
        match text[at] {
            b'.' => points += 1,
            digit if points == place => {
                assert!(digit.is_ascii_digit(), "a version is numbers and points");
                number = number * 10 + (digit - b'0') as u64;
            }
            _ => {}
        }
        at += 1;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_the_one_in_the_first_line_of_the_worlds() {
        assert_eq!(version_of("package refiner:rule@12.3.45;\n\nworld x {}"), "12.3.45");
        assert_eq!([0, 1, 2].map(|place| part_of("12.3.45", place)), [12, 3, 45]);
        assert_eq!(spoken_versions(), format!("{MAJOR}.0 to {MAJOR}.{MINOR}"));
        assert!(WORLDS.starts_with(&format!("package refiner:rule@{VERSION};\n")));
    }
}
