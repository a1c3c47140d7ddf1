//! The rules inside this binary, put there by `build.rs`.

/// Name and component bytes of each built-in rule, by name.
pub const RULES: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// The component of a built-in rule.
pub fn rule(name: &str) -> Option<&'static [u8]> {
    RULES.iter().find(|(known, _)| *known == name).map(|(_, component)| *component)
}

/// The names a user can type, for messages.
pub fn names() -> String {
    RULES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}
