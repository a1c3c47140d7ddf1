//! Uses of code.

use std::fmt;

/// The use that a block makes of a piece of code. EXTCODEHASH is none of these: the account row answers it. Nor is EXTCODESIZE where
/// all that comes of it is whether there is code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CodeUse {
    /// EXTCODESIZE asks for its size.
    Size,
    /// The instruction EXTCODECOPY copies it.
    Copy,
    /// A transaction or a system call runs it.
    Target,
    /// An instruction of this name runs it.
    Call(&'static str),
}

impl fmt::Display for CodeUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size => f.write_str("its size is asked for (EXTCODESIZE)"),
            Self::Copy => f.write_str("is copied (EXTCODECOPY)"),
            Self::Target => f.write_str("is run as the target of a transaction"),
            Self::Call(instruction) => write!(f, "is run ({instruction})"),
        }
    }
}
