//! Why a component is not let in.

use std::fmt;

use super::{Capability, scan::ScanLimit};
use crate::{GuestText, Verdict};

/// Why a component is not let in. A property of the component and the grants: trying again gives the same answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More bytes than allowed.
    #[error("the component has {found_bytes} bytes, and {allowed_bytes} are allowed")]
    TooLarge {
        /// Bytes it has.
        found_bytes: u64,
        /// Bytes allowed.
        allowed_bytes: u64,
    },
    /// Not a component at all.
    #[error("found {found}, and only a WebAssembly component is a rule")]
    NotAComponent {
        /// What it is.
        found: Found,
    },
    /// Its bytes cannot be read as a component.
    #[error("malformed at byte {offset}: {message}")]
    Malformed {
        /// Where.
        offset: u64,
        /// The parser's words.
        message: GuestText,
    },
    /// More of something than the compiler should be asked to take.
    #[error("{found} {limit} found, and {} are allowed", .limit.allowed())]
    TooMuch {
        /// Of what.
        limit: ScanLimit,
        /// How many were found before the scan stopped.
        found: u64,
    },
    /// A nested component that asks for components or modules at run time: its size cannot be known before.
    #[error("imports '{name}' as a module or component, and a rule's parts must be known before it runs")]
    ImportsCode {
        /// Name of the import.
        name: GuestText,
    },
    /// An import that no world has.
    #[error("imports '{name}', which no rule can have; there are {}", super::world::importable())]
    UnknownImport {
        /// Name of the import.
        name: GuestText,
    },
    /// An import of a version that is not spoken here.
    #[error("imports '{name}', and version {} of the contract is spoken here", super::world::CONTRACT_VERSION)]
    Version {
        /// Name of the import or export.
        name: GuestText,
    },
    /// An import that was not granted.
    #[error("needs the capability '{capability}', which was not granted: grant it, or use a rule without it")]
    Ungranted {
        /// Which.
        capability: Capability,
    },
    /// The export that makes a component a rule is missing.
    #[error("does not export '{}', and every rule does", super::world::RULE_EXPORT)]
    NoRule,
    /// Functions or types of the contract differ from the host's.
    #[error("does not fit the contract: {message}")]
    Contract {
        /// The linker's words.
        message: GuestText,
    },
    /// The compiler refused it.
    #[error("does not compile: {message}")]
    Compile {
        /// The compiler's words.
        message: GuestText,
    },
    /// `describe` did not return.
    #[error("did not describe itself: {verdict}")]
    Describe {
        /// How it ended.
        verdict: Box<Verdict>,
    },
    /// `describe` returned what cannot be.
    #[error("describes itself with a {field} that is not allowed: '{value}'")]
    Description {
        /// Which field.
        field: &'static str,
        /// Its value.
        value: GuestText,
    },
}

/// What was found in place of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// No bytes.
    Nothing,
    /// A core module: what a compiler writes before it is made a component.
    CoreModule,
    /// WebAssembly text.
    Text,
    /// None of these.
    SomethingElse,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "no bytes",
            Self::CoreModule => "a core module",
            Self::Text => "WebAssembly text",
            Self::SomethingElse => "bytes that are not WebAssembly",
        })
    }
}
