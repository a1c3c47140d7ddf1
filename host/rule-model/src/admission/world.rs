//! Imports and exports: what a rule may ask for and must offer.

use std::{cmp::Ordering, collections::BTreeSet, fmt};

use super::{error::AdmissionError, scan::Surface};
use crate::UntrustedText;

/// The major version of the contract.
const MAJOR: u64 = 1;
/// The minor version of the contract, as in `wit/refiner-rule-1`. Earlier ones are served too.
const MINOR: u64 = 1;
/// The export that makes a component a rule, without its version.
pub(crate) const RULE_EXPORT: &str = "refiner:rule/rule";
/// Most bytes of a name that a refusal shows.
pub(crate) const NAME_BYTES_SHOWN: usize = 128;
/// The package of the contract.
const PACKAGE: &str = "refiner:rule/";
/// Interfaces every rule may import.
const ALWAYS: [&str; 5] = ["types", "specimen", "output", "log", "params"];
/// The interface that belongs to every capability of recordings, and offers nothing but types.
const RECORDINGS: &str = "recordings";
/// The packages of WASI that are linked sealed, to rules that were granted [`Capability::Wasi`].
const WASI_PACKAGES: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];
/// The versions of WASI that are linked: each 0.2 serves what was built for another.
pub(super) const WASI_VERSION: &str = "0.2.";

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
    /// Sealed WASI: what programs of ordinary toolchains import, with nothing behind it.
    Wasi,
}

impl Capability {
    /// Every capability, in order.
    pub const ALL: [Self; 5] = [Self::Evm, Self::Receipts, Self::Traces, Self::StateChanges, Self::Wasi];

    /// Name of the capability, `"evm"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Evm => "evm",
            Self::Receipts => "receipts",
            Self::Traces => "traces",
            Self::StateChanges => "state-changes",
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
            Self::Wasi => "wasi = \"sealed\"",
        }
    }

    /// The capability with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.as_str() == name)
    }

    /// The capability that an interface of the contract is, if it is one.
    fn of_interface(name: &str) -> Option<Self> {
        Self::from_name(name).filter(|capability| *capability != Self::Wasi)
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Holds imports and exports against the world and the grants, and gives the capabilities needed.
pub(crate) fn check(
    surface: &Surface<'_>,
    granted: &BTreeSet<Capability>,
) -> Result<BTreeSet<Capability>, AdmissionError> {
    let mut needed = BTreeSet::new();
    for name in &surface.imports {
        let shown = || UntrustedText::at_most(name, NAME_BYTES_SHOWN);
        if let Some(version) = wasi_version(name) {
            if !version.starts_with(WASI_VERSION) {
                return Err(AdmissionError::WasiVersion { name: shown() });
            }
            if !granted.contains(&Capability::Wasi) {
                return Err(AdmissionError::UngrantedWasi { name: shown() });
            }
            needed.insert(Capability::Wasi);
            continue;
        }
        let (interface, version) =
            contract_name(name).ok_or_else(|| AdmissionError::UnknownImport { name: shown() })?;
        match spoken(version) {
            Spoken::Yes => {}
            Spoken::Later => return Err(AdmissionError::LaterContract { name: shown() }),
            Spoken::No => return Err(AdmissionError::Version { name: shown() }),
        }
        if let Some(capability) = Capability::of_interface(interface) {
            needed.insert(capability);
        } else if !ALWAYS.contains(&interface) && interface != RECORDINGS {
            return Err(AdmissionError::UnknownImport { name: shown() });
        }
    }
    if let Some(capability) = needed.difference(granted).next() {
        return Err(AdmissionError::Ungranted { capability: *capability });
    }
    exports_rule(surface)?;
    Ok(needed)
}

/// Interfaces that can be imported, for messages.
pub(super) fn importable() -> String {
    let capabilities = Capability::ALL.map(Capability::as_str).into_iter().filter(|name| *name != "wasi");
    let names: Vec<_> = ALWAYS.into_iter().chain(capabilities).collect();
    format!("{PACKAGE}{{{}}} and sealed wasi:{{{}}}", names.join(", "), WASI_PACKAGES.join(", "))
}

fn exports_rule(surface: &Surface<'_>) -> Result<(), AdmissionError> {
    let rule = surface.exports.iter().find_map(|name| match contract_name(name)? {
        ("rule", version) => Some((name, version)),
        _ => None,
    });
    match rule {
        None => Err(AdmissionError::NoRule),
        Some((name, version)) => {
            let name = || UntrustedText::at_most(name, NAME_BYTES_SHOWN);
            match spoken(version) {
                Spoken::Yes => Ok(()),
                Spoken::Later => Err(AdmissionError::LaterContract { name: name() }),
                Spoken::No => Err(AdmissionError::Version { name: name() }),
            }
        }
    }
}

/// Splits `refiner:rule/specimen@1.0.0` into interface and version.
fn contract_name(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PACKAGE)?.split_once('@')
}

/// The version in a name such as `wasi:clocks/wall-clock@0.2.0`, of a package that is linked.
fn wasi_version(name: &str) -> Option<&str> {
    let (package, interface) = name.strip_prefix("wasi:")?.split_once('/')?;
    let (_, version) = interface.split_once('@')?;
    WASI_PACKAGES.contains(&package).then_some(version)
}

/// The versions that are spoken here, for messages.
pub(super) fn spoken_versions() -> String {
    format!("{MAJOR}.0 to {MAJOR}.{MINOR}")
}

/// The standing of a version of the contract here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoken {
    Yes,
    /// By a later program.
    Later,
    No,
}

/// A minor version serves what was built for an earlier one. A later one may import functions that are not here.
fn spoken(version: &str) -> Spoken {
    let number = |part: &str| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u64>().unwrap_or(u64::MAX))
    };
    let parts: Vec<Option<u64>> = version.split('.').map(number).collect();
    match parts[..] {
        [Some(major), Some(minor), Some(_)] => match (major.cmp(&MAJOR), minor <= MINOR) {
            (Ordering::Equal, true) => Spoken::Yes,
            (Ordering::Equal, false) | (Ordering::Greater, _) => Spoken::Later,
            (Ordering::Less, _) => Spoken::No,
        },
        _ => Spoken::No,
    }
}
