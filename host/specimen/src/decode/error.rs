//! Faults of a specimen's bytes, with their places.

use std::fmt;

use super::other::OtherFormat;
use crate::{FieldPath, Layout, PathSegment};

/// A number of items, in words.
struct Items(u64);

impl fmt::Display for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} item{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

/// Reasons for which bytes are not a specimen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More bytes than are looked at.
    #[error("{size_bytes} bytes, and a specimen may have {limit_bytes}")]
    TooLarge {
        /// Size of the input in bytes.
        size_bytes: usize,
        /// The most bytes allowed.
        limit_bytes: usize,
    },
    /// Its beginning is that of another format.
    #[error("not a specimen: {0}")]
    Other(OtherFormat),
    /// No layout fits; the one that fits furthest.
    #[error("not a specimen: {0}")]
    Malformed(Box<LayoutMismatch>),
}

/// Where and why the bytes stopped fitting a layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("layout {layout} fits up to byte {offset}, at {path}: {wrong}")]
pub struct LayoutMismatch {
    /// The layout that was being read.
    pub layout: Layout,
    /// Byte offset in the input of what is wrong.
    pub offset: usize,
    /// The field being read.
    pub path: FieldPath,
    /// The fault at that place.
    pub wrong: FieldError,
}

/// The fault of one field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The input ends inside the field.
    #[error("{needed_bytes} bytes are needed and {left_bytes} are left")]
    Truncated {
        /// Bytes that the field needs.
        needed_bytes: u64,
        /// Bytes that are left.
        left_bytes: usize,
    },
    /// A varint has more than ten bytes or more than 64 bits.
    #[error("the number does not fit in 64 bits")]
    VarintTooLong,
    /// A text or a block states fewer than no bytes.
    #[error("the length is {0}")]
    NegativeLength(i64),
    /// An array states more items than the remaining input can hold.
    #[error("{} cannot come in the {left_bytes} bytes that are left", Items(*count))]
    TooManyItems {
        /// The count it states.
        count: u64,
        /// Bytes that are left.
        left_bytes: usize,
    },
    /// An array has more items than there can be.
    #[error("{}, and there can be at most {limit}", Items(*count))]
    OverLimit {
        /// Items stated so far.
        count: u64,
        /// The most items allowed.
        limit: usize,
    },
    /// An array has a fixed number of items, and this is another.
    #[error("{} where {expected} are due", Items(*found))]
    WrongCount {
        /// Items that the field needs.
        expected: usize,
        /// Items that it has.
        found: u64,
    },
    /// An array block states a byte size that is not what its items take.
    #[error("the block states {stated_bytes} bytes and its items take {used_bytes}")]
    BlockSize {
        /// Bytes that the block states.
        stated_bytes: u64,
        /// Bytes that its items took.
        used_bytes: u64,
    },
    /// A union has no such branch.
    #[error("the union has no branch {0}")]
    UnknownBranch(i64),
    /// A boolean is neither 0 nor 1.
    #[error("{0} is not a boolean")]
    NotBoolean(u8),
    /// A floating-point number is infinite or not a number.
    #[error("the number is not finite")]
    NotFinite,
    /// Text is not UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// Hex text does not begin with `0x`.
    #[error("hex text begins with 0x, and this does not")]
    NoHexPrefix,
    /// A character that is no hex digit.
    #[error("{:?} is not a hex digit", char::from(*.0))]
    NotHexDigit(u8),
    /// Hex text of whole bytes has an odd number of digits.
    #[error("{0} hex digits are not whole bytes")]
    HalfByte(usize),
    /// A hash or an address has another length.
    #[error("{found} characters where {expected} are due")]
    WrongLength {
        /// Characters the field has, with `0x`.
        expected: usize,
        /// The number of characters.
        found: usize,
    },
    /// Text is not padded, canonical, standard base64.
    #[error("the text is not padded standard base64")]
    NotBase64,
    /// A number is below zero.
    #[error("the number is {0}")]
    Negative(i64),
    /// A double of a field that counts something is below zero.
    #[error("the number is below zero")]
    NegativeDouble,
    /// A double of a field that counts something has a fraction.
    #[error("the number is not whole")]
    NotWhole,
    /// A number is larger than the field can mean.
    #[error("the number has more than the {limit_bits} bits it may have")]
    OutOfRange {
        /// Bits the field has.
        limit_bits: u32,
    },
    /// The segment holds no block.
    #[error("the segment holds no block")]
    NoBlock,
    /// The layout is complete and bytes are left.
    #[error("{0} bytes are left over")]
    LeftOver(usize),
}

/// A [`LayoutMismatch`] in the making: the path is collected inside out while the error travels up.
#[derive(Debug)]
pub(super) struct Fault {
    offset: usize,
    wrong: FieldError,
    inside_out: Vec<PathSegment>,
}

/// The result of a reader. The error is boxed so that success costs no more than the value.
pub(super) type Read<T> = Result<T, Box<Fault>>;

impl Fault {
    #[cold]
    pub(super) fn new(offset: usize, wrong: FieldError) -> Box<Self> {
        Box::new(Self { offset, wrong, inside_out: Vec::new() })
    }

    #[cold]
    pub(super) fn within(mut self: Box<Self>, segment: PathSegment) -> Box<Self> {
        self.inside_out.push(segment);
        self
    }

    pub(super) fn into_misfit(self, layout: Layout) -> LayoutMismatch {
        let path = FieldPath::from_inside_out(self.inside_out);
        LayoutMismatch { layout, offset: self.offset, path, wrong: self.wrong }
    }
}

/// Names the field that a result belongs to.
pub(super) trait Locate {
    /// Adds the field's name when the result is an error.
    fn at(self, field: &'static str) -> Self;
}

impl<T> Locate for Read<T> {
    #[inline(always)]
    fn at(self, field: &'static str) -> Self {
        match self {
            Ok(value) => Ok(value),
            Err(fault) => Err(fault.within(PathSegment::Field(field))),
        }
    }
}
