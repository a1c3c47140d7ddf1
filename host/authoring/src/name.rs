//! The name of a rule: of its crate, its component and its artifact at once.

use std::{fmt, str::FromStr};

use crate::language::Language;

/// Longest name: with `.ndjson` after it, it is the name of an artifact, and those have 64 characters at most.
pub const NAME_BYTES_MAX: usize = 48;

/// Names that cargo gives to no library: what Rust itself calls something, and what cargo's folders are called.
const TAKEN_IN_RUST: [&str; 60] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "sdk",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// A name that a rule can have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleName(String);

/// Reasons for which a name cannot be a rule's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Other characters, too many or none.
    #[error("{0:?} is no name for a rule: 1 to {NAME_BYTES_MAX} of a-z, 0-9 and '-', a letter first and no '-' last")]
    Form(String),
}

impl RuleName {
    /// The name that was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for a name that means something to a rule's language already. Of other languages than Rust, none takes the name of a rule
    /// for one of its own: what they name is a file or a package.
    pub(crate) fn is_taken_in(&self, language: Language) -> bool {
        match language {
            Language::Rust => TAKEN_IN_RUST.contains(&self.as_str()),
            Language::Go | Language::Python | Language::JavaScript | Language::C => false,
        }
    }
}

impl FromStr for RuleName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let formed = (1..=NAME_BYTES_MAX).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && !text.ends_with('-')
            && text.bytes().all(plain);
        if !formed {
            return Err(NameError::Form(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_one_that_cargo_rust_and_the_host_take() {
        let good = |text: &str| assert_eq!(text.parse::<RuleName>().map(|name| name.to_string()), Ok(text.to_owned()));
        let malformed = |text: &str| assert_eq!(text.parse::<RuleName>(), Err(NameError::Form(text.to_owned())));
        good("a");
        good("erc20-transfers");
        good(&"a".repeat(NAME_BYTES_MAX));
        malformed(&"a".repeat(NAME_BYTES_MAX + 1));
        for text in ["", "-a", "a-", "1a", "A", "a_b", "a.b", "a/b", "../a", "a b", "größe"] {
            malformed(text);
        }
    }

    #[test]
    fn word_of_rust_or_cargo_is_taken_in_rust_alone() {
        for text in ["fn", "test", "std", "sdk", "while", "erc20"] {
            let name: RuleName = text.parse().expect(text);
            for language in Language::ALL {
                let expected = language == Language::Rust && text != "erc20";
                assert_eq!(name.is_taken_in(language), expected, "{text} {language:?}");
            }
        }
    }
}
