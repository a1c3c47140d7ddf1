//! Rows of the operator's terms for rules.

use std::path::PathBuf;

use super::RULES;
use crate::{
    row::{Row, Setting},
    rule_terms::{Denial, RuleLimit, RuleSigner},
    scopes::RUNNING,
    value::ConfinementLevel,
};

settings! {
    /// Ceiling of a limit that rules may ask for, such as `fuel=20_000_000_000`, `memory_bytes=512MiB` or, for the rule of that name
    /// alone, `my-rule:wall_ms=60s`; one that asks for more is refused. Can be repeated [default: for rules that are not built in, the
    /// ceilings that `refiner rule info` shows].
    RULE_LIMIT: Vec<RuleLimit> = "rule-limit" <"[RULE:]NAME=VALUE"> .under(RULES).on(RUNNING);

    /// Capability that rules do not get, `evm` or `wasi`, or `my-rule:evm` for the rule of that name alone; one that asks for it is
    /// refused. Can be repeated.
    DENY: Vec<Denial> = "deny" <"[RULE:]CAPABILITY"> .under(RULES).on(RUNNING);

    /// Confinement without which rules that are not built in do not run: `filter` for the filter of system calls, `full` for every
    /// layer that `refiner doctor` lists except the mount namespace (and, without root, the change of user), or `none`.
    REQUIRE_CONFINEMENT: ConfinementLevel = "require-confinement" <"LEVEL"> .under(RULES).on(RUNNING).default("filter");

    /// Signer of which every rule that is not built in needs a signature: the file of a public key, or
    /// `identity=IDENTITY,issuer=URL` of a certificate. Can be repeated, and then one of them is enough.
    REQUIRE_SIGNER: Vec<RuleSigner> = "require-signer" <"SIGNER"> .under(RULES).on(RUNNING);

    /// Trust root of Sigstore, by which certificates of signers are checked: its `trusted_root.json`.
    TRUST_ROOT: Option<PathBuf> = "trust-root" <"FILE"> .under(RULES).on(RUNNING);
}
