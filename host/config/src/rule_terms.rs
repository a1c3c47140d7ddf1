//! The operator's terms for rules: ceilings, denials, and the confinement and signatures that they need.

use std::{path::PathBuf, time::Duration};

use refiner_manifest::LIMIT_NAMES;

use crate::value::{Bytes, Scalar};

/// A ceiling of one limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleLimit {
    /// The name of the one rule that it is for; `None` for all.
    pub rule: Option<String>,
    /// Name of the limit, one of [`LIMIT_NAMES`].
    pub name: String,
    /// The ceiling, in the limit's own unit.
    pub value: u64,
}

impl Scalar for RuleLimit {
    const EXPECTED: &'static str = "NAME=VALUE or RULE:NAME=VALUE with a limit's name as in `refiner rule info`, such as \
                                    fuel=20_000_000_000, memory_bytes=512MiB or my-rule:wall_ms=60s";

    fn scalar(text: &str) -> Option<Self> {
        let (place, value) = text.split_once('=')?;
        let (rule, name) = place_of(place)?;
        let value = LIMIT_NAMES.contains(&name).then(|| Self::amount(name, value)).flatten()?;
        Some(Self { rule, name: name.to_owned(), value })
    }
}

impl RuleLimit {
    /// A number in the limit's own unit, which its name ends with, or a size or a duration with another, such as `512MiB` or `60s`.
    pub fn amount(name: &str, text: &str) -> Option<u64> {
        if let Ok(number) = text.replace('_', "").parse() {
            return Some(number);
        }
        if name.ends_with("_bytes") {
            return Bytes::scalar(text).map(|bytes| bytes.0);
        }
        let duration = name.ends_with("_ms").then(|| Duration::scalar(text)).flatten()?;
        u64::try_from(duration.as_millis()).ok()
    }
}

/// A capability that rules do not get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The name of the one rule that it is for; `None` for all.
    pub rule: Option<String>,
    /// The capability that is denied.
    pub capability: DeniedCapability,
}

/// The capabilities that can be denied, which are all there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeniedCapability {
    /// Execution of the block.
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
    /// Sealed WASI.
    Wasi,
}

impl Scalar for Denial {
    const EXPECTED: &'static str =
        "evm, receipts, traces, state-changes, gas-profile, what-if or wasi, alone or as RULE:evm";

    fn scalar(text: &str) -> Option<Self> {
        let (rule, name) = place_of(text)?;
        let capability = match name {
            "evm" => DeniedCapability::Evm,
            "receipts" => DeniedCapability::Receipts,
            "traces" => DeniedCapability::Traces,
            "state-changes" => DeniedCapability::StateChanges,
            "gas-profile" => DeniedCapability::GasProfile,
            "what-if" => DeniedCapability::WhatIf,
            "wasi" => DeniedCapability::Wasi,
            _ => return None,
        };
        Some(Self { rule, capability })
    }
}

/// A signer of which rules that are not built in need a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleSigner {
    /// The file with a public key.
    Key(PathBuf),
    /// The identity in a certificate, and the issuer that attests it.
    Identity {
        /// Mail address, or URI of a workflow.
        identity: String,
        /// URL of the issuer.
        issuer: String,
    },
}

impl Scalar for RuleSigner {
    const EXPECTED: &'static str = "the file of a public key, or identity=IDENTITY,issuer=URL";

    fn scalar(text: &str) -> Option<Self> {
        let Some(rest) = text.strip_prefix("identity=") else {
            return (!text.is_empty()).then(|| Self::Key(text.into()));
        };
        let (identity, issuer) = rest.rsplit_once(",issuer=")?;
        let is_whole = !identity.is_empty() && issuer.starts_with("https://");
        is_whole.then(|| Self::Identity { identity: identity.to_owned(), issuer: issuer.to_owned() })
    }
}

/// A name, and the rule that stands before it. A rule's name has no colon.
fn place_of(text: &str) -> Option<(Option<String>, &str)> {
    match text.split_once(':') {
        Some((rule, name)) => (!rule.is_empty()).then(|| (Some(rule.to_owned()), name)),
        None => Some((None, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceiling_is_for_all_rules_or_for_one_in_units_or_without() {
        for (text, expected) in [
            ("fuel=20_000_000_000", Some((None, "fuel", 20_000_000_000))),
            ("memory_bytes=512MiB", Some((None, "memory_bytes", 512 << 20))),
            ("memory_bytes=7", Some((None, "memory_bytes", 7))),
            ("my-rule:wall_ms=60s", Some((Some("my-rule"), "wall_ms", 60_000))),
            ("fuel=20G", None),
            ("fuel=1MiB", None),
            ("wall_ms=1MiB", None),
            ("memory_bytes=1s", None),
            ("memory=1MiB", None),
            (":fuel=1", None),
            ("a:b:fuel=1", None),
            ("fuel=", None),
            ("fuel=_", None),
            ("fuel", None),
            ("fuel=-1", None),
            ("fuel=18446744073709551616", None),
        ] {
            let read = RuleLimit::scalar(text);
            let read = read.as_ref().map(|limit| (limit.rule.as_deref(), limit.name.as_str(), limit.value));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn signer_is_a_key_or_an_identity_with_its_issuer() {
        assert_eq!(RuleSigner::scalar("keys/a.pub"), Some(RuleSigner::Key("keys/a.pub".into())));
        let (identity, issuer) = ("a@example.org".to_owned(), "https://accounts.example.org".to_owned());
        let text = "identity=a@example.org,issuer=https://accounts.example.org";
        assert_eq!(RuleSigner::scalar(text), Some(RuleSigner::Identity { identity, issuer }));
        for text in ["", "identity=a@example.org", "identity=,issuer=https://a", "identity=a,issuer=b"] {
            assert_eq!(RuleSigner::scalar(text), None, "{text}");
        }
    }

    #[test]
    fn capability_is_denied_to_all_rules_or_to_one() {
        let denial = |rule: Option<&str>, capability| Some(Denial { rule: rule.map(str::to_owned), capability });
        assert_eq!(Denial::scalar("evm"), denial(None, DeniedCapability::Evm));
        for (name, capability) in [
            ("state-changes", DeniedCapability::StateChanges),
            ("gas-profile", DeniedCapability::GasProfile),
            ("what-if", DeniedCapability::WhatIf),
        ] {
            assert_eq!(Denial::scalar(name), denial(None, capability));
        }
        assert_eq!(Denial::scalar("my-rule:wasi"), denial(Some("my-rule"), DeniedCapability::Wasi));
        for text in ["", "evm:", ":evm", "EVM", "files", "a:b:evm"] {
            assert_eq!(Denial::scalar(text), None, "{text}");
        }
    }
}
