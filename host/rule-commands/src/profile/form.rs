//! The forms of a profile's file.

use std::str::FromStr;

/// A form that a viewer reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProfileForm {
    /// The form that speedscope reads.
    #[default]
    Speedscope,
    /// The form that the Firefox Profiler reads: a processed profile.
    Firefox,
}

/// The name of another form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown form of a profile: expected \"speedscope\" or \"firefox\", found {found:?}")]
pub struct UnknownForm {
    /// The name that was given.
    pub found: String,
}

impl ProfileForm {
    /// Its name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Speedscope => "speedscope",
            Self::Firefox => "firefox",
        }
    }
}

impl FromStr for ProfileForm {
    type Err = UnknownForm;

    fn from_str(text: &str) -> Result<Self, UnknownForm> {
        let found = [Self::Speedscope, Self::Firefox].into_iter().find(|form| form.as_str() == text);
        found.ok_or_else(|| UnknownForm { found: text.to_owned() })
    }
}
