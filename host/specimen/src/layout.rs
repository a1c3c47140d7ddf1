//! The Avro layouts by which a specimen can be written: 0.2, 0.3, and 0.31 to 0.38.

use std::fmt;

/// One Avro layout. Ordered by age, so `layout >= Layout::V0_36` reads as "has blob gas in its header".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Layout {
    V0_2,
    V0_3,
    V0_31,
    V0_32,
    V0_33,
    V0_34,
    V0_35,
    V0_36,
    V0_37,
    V0_38,
}

impl Layout {
    /// Every layout, newest first: the order in which decoding tries them.
    pub const NEWEST_FIRST: [Self; 10] = [
        Self::V0_38,
        Self::V0_37,
        Self::V0_36,
        Self::V0_35,
        Self::V0_34,
        Self::V0_33,
        Self::V0_32,
        Self::V0_31,
        Self::V0_3,
        Self::V0_2,
    ];

    /// The version number as text, `"0.38"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V0_2 => "0.2",
            Self::V0_3 => "0.3",
            Self::V0_31 => "0.31",
            Self::V0_32 => "0.32",
            Self::V0_33 => "0.33",
            Self::V0_34 => "0.34",
            Self::V0_35 => "0.35",
            Self::V0_36 => "0.36",
            Self::V0_37 => "0.37",
            Self::V0_38 => "0.38",
        }
    }

    /// The layout with this version number, if there is one.
    pub fn from_version(version: &str) -> Option<Self> {
        Self::NEWEST_FIRST.into_iter().find(|layout| layout.as_str() == version)
    }

    /// True unless the layout drops every transaction's `v`, `r` and `s`, as 0.2 does.
    pub const fn has_signatures(self) -> bool {
        !self.has_rounded_numbers()
    }

    /// True when total difficulty, difficulty, base fee, values and balances are Avro doubles, as in 0.2.
    ///
    /// Such a number is unknown from 2^53 on: see [`Specimen::is_rounded`](crate::Specimen::is_rounded).
    pub const fn has_rounded_numbers(self) -> bool {
        matches!(self, Self::V0_2)
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
