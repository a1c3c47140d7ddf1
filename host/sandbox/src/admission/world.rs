//! Imports and exports: what a rule may ask for and must offer.

use std::{collections::BTreeSet, fmt};

use super::{error::AdmissionError, scan::Surface};
use crate::UntrustedText;

/// The version of the contract, as in `wit/refiner-rule-1`.
pub(crate) const CONTRACT_VERSION: &str = "1.0";
/// The export that makes a component a rule, without its version.
pub(crate) const RULE_EXPORT: &str = "refiner:rule/rule";
/// Most bytes of a name that a refusal shows.
pub(crate) const NAME_BYTES_SHOWN: usize = 128;
/// The package of the contract.
const PACKAGE: &str = "refiner:rule/";
/// Interfaces every rule may import.
const ALWAYS: [&str; 5] = ["types", "specimen", "output", "log", "params"];
/// The interface of [`Capability::Evm`].
const EVM: &str = "evm";
/// The packages of WASI that are linked sealed, to rules that were granted [`Capability::Wasi`].
const WASI_PACKAGES: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];
/// The versions of WASI that are linked: each 0.2 serves what was built for another.
pub(super) const WASI_VERSION: &str = "0.2.";

/// Something beyond the specimen, output, log and parameters, which every rule gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Capability {
    /// Execution of the block, by the host.
    Evm,
    /// Sealed WASI: what programs of ordinary toolchains import, with nothing behind it.
    Wasi,
}

impl Capability {
    /// Every capability, in order.
    pub const ALL: [Self; 2] = [Self::Evm, Self::Wasi];

    /// Name of the capability, `"evm"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Evm => "evm",
            Self::Wasi => "wasi",
        }
    }

    /// The line of `rule.toml` that asks for it.
    pub const fn request(self) -> &'static str {
        match self {
            Self::Evm => "capabilities = [\"evm\"]",
            Self::Wasi => "wasi = \"sealed\"",
        }
    }

    /// The capability with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.as_str() == name)
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
        if interface == EVM {
            needed.insert(Capability::Evm);
        } else if !ALWAYS.contains(&interface) {
            return Err(AdmissionError::UnknownImport { name: shown() });
        }
        if !is_spoken(version) {
            return Err(AdmissionError::Version { name: shown() });
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
    let names: Vec<_> = ALWAYS.into_iter().chain([EVM]).collect();
    format!("{PACKAGE}{{{}}} and sealed wasi:{{{}}}", names.join(", "), WASI_PACKAGES.join(", "))
}

fn exports_rule(surface: &Surface<'_>) -> Result<(), AdmissionError> {
    let rule = surface.exports.iter().find_map(|name| match contract_name(name)? {
        ("rule", version) => Some((name, version)),
        _ => None,
    });
    match rule {
        None => Err(AdmissionError::NoRule),
        Some((_, version)) if is_spoken(version) => Ok(()),
        Some((name, _)) => Err(AdmissionError::Version { name: UntrustedText::at_most(name, NAME_BYTES_SHOWN) }),
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

/// True for a name of the contract at a later version than the one that is spoken.
pub(crate) fn is_later(name: &str) -> bool {
    let numbers = |version: &str| -> Option<(u32, u32)> {
        let mut parts = version.split('.').map(|part| part.parse().ok());
        Some((parts.next()??, parts.next()??))
    };
    let found = contract_name(name).and_then(|(_, version)| numbers(version));
    found.is_some_and(|found| numbers(CONTRACT_VERSION).is_some_and(|spoken| found > spoken))
}

/// Version 1.0 and its fixes. A later minor version may import functions that are not here.
fn is_spoken(version: &str) -> bool {
    version.strip_prefix(CONTRACT_VERSION).is_some_and(|rest| {
        rest.strip_prefix('.').is_some_and(|fix| !fix.is_empty() && fix.bytes().all(|byte| byte.is_ascii_digit()))
    })
}
