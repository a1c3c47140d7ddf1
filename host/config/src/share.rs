//! A share of many, as a user writes it.

use std::fmt;

use crate::value::Scalar;

/// So many of so many: `1/100`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The part.
    pub of_them: u64,
    /// The whole.
    pub all: u64,
}

impl Scalar for Share {
    const EXPECTED: &'static str = "a share such as 1/100, from 1/1000000 to 1/1";

    fn scalar(text: &str) -> Option<Self> {
        let (of_them, all) = text.split_once('/')?;
        let (of_them, all) = (of_them.parse().ok()?, all.parse().ok()?);
        let is_share = (1..=all).contains(&of_them) && all <= 1_000_000;
        is_share.then_some(Self { of_them, all })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.of_them, self.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_is_a_part_of_a_whole() {
        assert_eq!(Share::scalar("1/100"), Some(Share { of_them: 1, all: 100 }));
        assert_eq!(Share::scalar("3/3").map(|share| share.to_string()).as_deref(), Some("3/3"));
        for text in ["", "1", "0/5", "2/1", "1/0", "1/1000001", "-1/2", "1/100%"] {
            assert_eq!(Share::scalar(text), None, "{text}");
        }
    }
}
