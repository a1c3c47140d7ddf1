//! Remedies for refusals, one sentence a kind.

/// The kinds of [`AdmissionError`](super::AdmissionError), for programs and for other processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is documented at the refusal of its name")]
pub enum RefusalKind {
    TooLarge,
    NotAComponent,
    Malformed,
    TooMuch,
    ImportsCode,
    UnknownImport,
    Version,
    Ungranted,
    UngrantedWasi,
    WasiVersion,
    NoRule,
    Contract,
    Compile,
    Describe,
    NoManifest,
    Manifest,
    ManifestsDiffer,
    Unasked,
    Unused,
    Layout,
    AboveCap,
    Disagrees,
    AboveCeiling,
    TooLittleTime,
    Transcodes,
    LaterContract,
    Proposal,
}

impl RefusalKind {
    /// Every kind, each at the place of its number.
    pub const ALL: [Self; 27] = [
        Self::TooLarge,
        Self::NotAComponent,
        Self::Malformed,
        Self::TooMuch,
        Self::ImportsCode,
        Self::UnknownImport,
        Self::Version,
        Self::Ungranted,
        Self::UngrantedWasi,
        Self::WasiVersion,
        Self::NoRule,
        Self::Contract,
        Self::Compile,
        Self::Describe,
        Self::NoManifest,
        Self::Manifest,
        Self::ManifestsDiffer,
        Self::Unasked,
        Self::Unused,
        Self::Layout,
        Self::AboveCap,
        Self::Disagrees,
        Self::AboveCeiling,
        Self::TooLittleTime,
        Self::Transcodes,
        Self::LaterContract,
        Self::Proposal,
    ];

    /// Advice for an author or operator.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::TooLarge => {
                "build for release (`refiner rule build` does) and leave out what is not needed, or ask for more \
                 `component_bytes` in [limits] of rule.toml"
            }
            Self::NotAComponent => {
                "`refiner rule build` in the rule's folder makes a component with its manifest inside"
            }
            Self::Malformed => {
                "the file is damaged: build or fetch it again, and compare its sha256 with the publisher's"
            }
            Self::TooMuch => {
                "split what is too large, or leave out what is not needed: no toolchain we know makes such a component of an \
                 ordinary rule"
            }
            Self::ImportsCode => {
                "link its parts into one component before it is published (`wac plug`, `wasm-tools compose`)"
            }
            Self::UnknownImport => {
                "remove what needs it: a rule has no files, clock, network or randomness, and with the SDK and \
                 wasm32-unknown-unknown it imports none"
            }
            Self::LaterContract => {
                "upgrade refiner, or use a version of the rule that was built for an earlier contract"
            }
            Self::Version => {
                "build it anew for the contract of this program: with the SDK that `refiner rule new` writes, or with bindings of the \
                 same WIT (`rule new` puts it into sdk/wit)"
            }
            Self::Ungranted => "leave out the `--deny` that names the capability, or use a rule without it",
            Self::UngrantedWasi => {
                "ask for `wasi = \"sealed\"` in rule.toml and have the operator grant it, or build without WASI \
                 (wasm32-unknown-unknown, componentize-py --stub-wasi)"
            }
            Self::WasiVersion => "build with a toolchain or an adapter of the version named",
            Self::NoRule => {
                "in Rust export it with export_transform! or export_transform_with_evm!; in Python, JavaScript and C build for the world \
                 `transform` or `transform-with-evm` and export its interface `rule`"
            }
            Self::Contract => {
                "build it with the SDK that `refiner rule new` writes, or generate its bindings anew from the contract's WIT"
            }
            Self::Compile => {
                "its toolchain made code that is not valid, or more than the compiler takes: build it again with a current version of the toolchain, and \
                 report to its makers what fails still"
            }
            Self::Proposal => {
                "build it without the WebAssembly proposal named: the engine has threads, 64-bit memories, exceptions, garbage collection and relaxed SIMD \
                 switched off"
            }
            Self::Describe => {
                "return constants from `describe`, as the SDK's macros do, and do nothing before it is called"
            }
            Self::NoManifest => {
                "`refiner rule embed FILE rule.toml` puts it inside, whatever toolchain made the component; `refiner rule build` does so by itself"
            }
            Self::Manifest => {
                "correct rule.toml, and build again or `refiner rule embed --replace` it; guest-sdk/README.md lists its keys"
            }
            Self::ManifestsDiffer => "remove the manifest beside the component, or build again",
            Self::Unasked => "ask for it in rule.toml and build again",
            Self::Unused => "take it out of rule.toml and build again",
            Self::Layout => "correct `layouts` in rule.toml; an empty list accepts all",
            Self::AboveCap => "ask for less in [limits] of rule.toml; `refiner rule info` shows the caps",
            Self::AboveCeiling => {
                "raise the ceiling by `--rule-limit NAME=VALUE`, or `--rule-limit RULE:NAME=VALUE` for this rule alone, or ask for less \
                 in [limits] of rule.toml"
            }
            Self::Disagrees => {
                "in Rust build it again with `refiner rule build`, which takes both from rule.toml; in other languages correct `describe`, or \
                 rule.toml and then `refiner rule embed --replace`"
            }
            Self::TooLittleTime => "correct `wall_ms` or `fuel` in [limits] of rule.toml, and build again",
            Self::Transcodes => {
                "link its parts into one module before it is published, or have them exchange lists of bytes in place of text"
            }
        }
    }
}
