//! The reason why a component is not admitted.

use std::fmt;

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_specimen::Layout;

use super::{found::Found, remedy::RefusalKind, scan_limit::ScanLimit};
use crate::{
    UntrustedText, Verdict,
    contract::Capability,
    limits::{AboveCaps, AboveCeilings, TooLittleTime},
};

/// Where a manifest was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ManifestPlace {
    /// Inside the component itself.
    Inside,
    /// Beside the component, as text.
    Beside,
}

impl fmt::Display for ManifestPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inside => "inside",
            Self::Beside => "beside",
        })
    }
}

/// The reason why a component is not admitted. A property of the component and the grants: trying again gives the same answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionError {
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
        /// Kind of what was found.
        found: Found,
    },
    /// Its bytes cannot be read as a component.
    #[error("malformed at byte {offset}: {message}")]
    Malformed {
        /// Where.
        offset: u64,
        /// The parser's own message.
        message: UntrustedText,
    },
    /// More of something than the compiler should be asked to take.
    #[error("{found} {limit} found, and {} are allowed", .limit.allowed())]
    TooMuch {
        /// Of what.
        limit: ScanLimit,
        /// Number found before the scan stopped.
        found: u64,
    },
    /// A nested component that asks for components or modules at run time: its size cannot be known before.
    #[error("imports '{name}' as a module or component, and a rule's parts must be known before it runs")]
    ImportsCode {
        /// Name of the import.
        name: UntrustedText,
    },
    /// An import that no world has.
    #[error("imports '{name}', which no rule can have; there are {}", crate::contract::importable())]
    UnknownImport {
        /// Name of the import.
        name: UntrustedText,
    },
    /// A later contract than is spoken here.
    #[error(
        "needs '{name}', and this program speaks {} of the contract: upgrade refiner",
        crate::contract::spoken_versions()
    )]
    LaterContract {
        /// Name of the import or export.
        name: UntrustedText,
    },
    /// An import of a version that is not spoken here.
    #[error("imports '{name}', and versions {} of the contract are spoken here", crate::contract::spoken_versions())]
    Version {
        /// Name of the import or export.
        name: UntrustedText,
    },
    /// An import that was not granted.
    #[error("needs the capability '{capability}', which was not granted: grant it, or use a rule without it")]
    Ungranted {
        /// The capability in question.
        capability: Capability,
    },
    /// WASI, which was not granted.
    #[error(
        "imports '{name}', and WASI was not granted: ask for it with `wasi = \"sealed\"` in rule.toml and grant it, or build \
         without it (Rust for wasm32-unknown-unknown, Python with componentize-py --stub-wasi)"
    )]
    UngrantedWasi {
        /// Name of the first such import.
        name: UntrustedText,
    },
    /// A version of WASI that is not linked.
    #[error("imports '{name}', and WASI {}x is linked here", crate::contract::WASI_VERSION)]
    WasiVersion {
        /// Name of the import.
        name: UntrustedText,
    },
    /// The export that makes a component a rule is missing.
    #[error("does not export '{}', and every rule does", crate::contract::RULE_EXPORT)]
    NoRule,
    /// Functions or types of the contract differ from the host's.
    #[error("does not fit the contract: {message}")]
    Contract {
        /// The linker's own message.
        message: UntrustedText,
    },
    /// Functions that return later, or values that come later.
    #[error(
        "has async functions, streams or futures of the component model, and a rule's functions return when they are done"
    )]
    Asynchronous,
    /// The compiler refused it.
    #[error("does not compile: {message}")]
    Compile {
        /// The compiler's own message.
        message: UntrustedText,
    },
    /// `describe` did not return.
    #[error("did not describe itself: {verdict}{}", .log.as_ref().map(|log| format!("; its log: {log}")).unwrap_or_default())]
    Describe {
        /// The outcome that was found.
        verdict: Box<Verdict>,
        /// The last lines that it logged until then, initializers included.
        log: Option<UntrustedText>,
    },
    /// No manifest inside the component, and none beside it.
    #[error("no manifest inside the component, and none beside it{}", .looked_for.as_ref().map(|place| format!(" at {place}")).unwrap_or_default())]
    NoManifest {
        /// The place beside it where one was looked for, where the component came from a place.
        looked_for: Option<UntrustedText>,
    },
    /// A manifest that is none.
    #[error("the manifest {place} the component is refused: {message}")]
    Manifest {
        /// Place of the manifest, of the two.
        place: ManifestPlace,
        /// The fault that was found.
        message: UntrustedText,
    },
    /// Two manifests that differ.
    #[error("two manifests differ in their {field}: '{inside}' inside the component, '{beside}' beside it")]
    ManifestsDiffer {
        /// The first field in which they differ.
        field: &'static str,
        /// Text of the embedded manifest.
        inside: UntrustedText,
        /// Text of the manifest file.
        beside: UntrustedText,
    },
    /// An import that the manifest does not ask for.
    #[error("imports the capability '{capability}' without asking for it: add {} to rule.toml", .capability.request())]
    Unasked {
        /// The capability in question.
        capability: Capability,
    },
    /// A request without an import.
    #[error("asks for the capability '{capability}' without importing it: take it out of rule.toml")]
    Unused {
        /// The capability in question.
        capability: Capability,
    },
    /// A layout that there is not.
    #[error("accepts the layout '{layout}', and there are {}", layouts())]
    Layout {
        /// The layout in question.
        layout: UntrustedText,
    },
    /// More of a limit than there is to grant.
    #[error("asks for too much: {0}")]
    AboveCap(AboveCaps),
    /// Less time than the fuel asked for can take.
    #[error(transparent)]
    TooLittleTime(TooLittleTime),
    /// Components inside that hand text to each other, which the engine converts without fuel.
    #[error("its components hand text to each other ({count} conversions found), which costs no fuel")]
    Transcodes {
        /// Conversions that the engine would link.
        count: usize,
    },
    /// More of a limit than the operator allows.
    #[error("asks for more than is allowed: {0}")]
    AboveCeiling(AboveCeilings),
    /// `describe` differs from the manifest.
    #[error("describes itself with the {field} '{described}', and its manifest states '{stated}'")]
    Disagrees {
        /// The first field in which they differ.
        field: &'static str,
        /// The rule's own description.
        described: UntrustedText,
        /// The description in its manifest.
        stated: UntrustedText,
    },
}

impl Diagnostic for AdmissionError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Refused
    }

    fn hint(&self) -> Option<Hint> {
        let remedy = match self {
            Self::Asynchronous => {
                "export ordinary functions and build for WASI 0.2: what the contract gives a rule is there at once"
            }
            Self::NotAComponent { found } => found.remedy(),
            refusal => refusal.kind().remedy(),
        };
        Some(remedy.into())
    }
}

impl AdmissionError {
    /// The same, with the place where a manifest was looked for, where one is missing.
    #[must_use]
    pub fn looked_for(self, place: Option<&str>) -> Self {
        match self {
            Self::NoManifest { .. } => Self::NoManifest { looked_for: place.map(UntrustedText::new) },
            other => other,
        }
    }

    /// The kind of the refusal.
    pub fn kind(&self) -> RefusalKind {
        match self {
            Self::TooLarge { .. } => RefusalKind::TooLarge,
            Self::NotAComponent { .. } => RefusalKind::NotAComponent,
            Self::Malformed { .. } => RefusalKind::Malformed,
            Self::TooMuch { .. } => RefusalKind::TooMuch,
            Self::ImportsCode { .. } => RefusalKind::ImportsCode,
            Self::UnknownImport { .. } => RefusalKind::UnknownImport,
            Self::LaterContract { .. } => RefusalKind::LaterContract,
            Self::Version { .. } => RefusalKind::Version,
            Self::Ungranted { .. } => RefusalKind::Ungranted,
            Self::UngrantedWasi { .. } => RefusalKind::UngrantedWasi,
            Self::WasiVersion { .. } => RefusalKind::WasiVersion,
            Self::NoRule => RefusalKind::NoRule,
            Self::Contract { .. } => RefusalKind::Contract,
            Self::Compile { message } if is_of_a_proposal(message.as_str()) => RefusalKind::Proposal,
            Self::Compile { .. } => RefusalKind::Compile,
            Self::Asynchronous => RefusalKind::Proposal,
            Self::Describe { .. } => RefusalKind::Describe,
            Self::NoManifest { .. } => RefusalKind::NoManifest,
            Self::Manifest { .. } => RefusalKind::Manifest,
            Self::ManifestsDiffer { .. } => RefusalKind::ManifestsDiffer,
            Self::Unasked { .. } => RefusalKind::Unasked,
            Self::Unused { .. } => RefusalKind::Unused,
            Self::Layout { .. } => RefusalKind::Layout,
            Self::AboveCap(_) => RefusalKind::AboveCap,
            Self::AboveCeiling(_) => RefusalKind::AboveCeiling,
            Self::Disagrees { .. } => RefusalKind::Disagrees,
            Self::TooLittleTime(_) => RefusalKind::TooLittleTime,
            Self::Transcodes { .. } => RefusalKind::Transcodes,
        }
    }
}

/// True for the compiler's words about a proposal that is switched off.
fn is_of_a_proposal(message: &str) -> bool {
    ["enabled", "proposal", "feature", "gc types are disallowed"].iter().any(|word| message.contains(word))
}

/// Every layout, for messages.
fn layouts() -> String {
    Layout::NEWEST_FIRST.map(Layout::as_str).join(", ")
}
