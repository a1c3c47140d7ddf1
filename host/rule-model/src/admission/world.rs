//! Imports and exports: what a rule may ask for and must offer.

use std::{cmp::Ordering, collections::BTreeSet};

use super::{error::AdmissionError, scan::Surface};
use crate::{
    UntrustedText,
    contract::{ALWAYS, Capability, MAJOR, MINOR, NAME_BYTES_SHOWN, PACKAGE, RECORDINGS, WASI_PACKAGES, WASI_VERSION},
};

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
