//! The languages that `refiner rule new` writes rules in.

use std::str::FromStr;

/// A language with an SDK.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// Rust, a crate for cargo.
    #[default]
    Rust,
    /// Go, a module for its own toolchain.
    Go,
    /// Python, by componentize-py.
    Python,
    /// JavaScript, by componentize-js.
    JavaScript,
    /// C, by the compiler of Zig.
    C,
}

/// The name of a language without an SDK.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no SDK for {found:?}; a rule is written in {}", Language::ALL.map(|language| format!("{:?}", language.as_str())).join(", "))]
pub struct UnknownLanguage {
    /// The name that was given.
    pub found: String,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 5] = [Self::Rust, Self::Go, Self::Python, Self::JavaScript, Self::C];

    /// Its name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Go => "go",
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::C => "c",
        }
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        Self::ALL
            .into_iter()
            .find(|language| language.as_str() == text)
            .ok_or_else(|| UnknownLanguage { found: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_has_one_name_and_others_are_named_in_the_error() {
        for language in Language::ALL {
            assert_eq!(language.as_str().parse(), Ok(language));
        }
        let error = "Go".parse::<Language>().expect_err("names are in lower case").to_string();
        assert_eq!(
            error,
            "no SDK for \"Go\"; a rule is written in \"rust\", \"go\", \"python\", \"javascript\", \"c\""
        );
    }
}
