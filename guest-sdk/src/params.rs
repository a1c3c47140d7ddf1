//! Parameters that the operator gave the rule. They are part of its identity.

use crate::host;

/// The value of a parameter, or none when the operator gave none.
pub fn get(name: &str) -> Option<String> {
    host::param(name)
}
