//! Values that a layout cannot represent.

use crate::{FieldPath, Layout, PathSegment};

/// Reasons for which a specimen has no bytes in a layout.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The layout has no place for something that matters.
    #[error(transparent)]
    Unrepresentable(Unrepresentable),
    /// The value does not follow its schema.
    #[error("the value does not follow the layout's schema")]
    Avro(#[from] Box<apache_avro::Error>),
}

impl From<apache_avro::Error> for EncodeError {
    fn from(error: apache_avro::Error) -> Self {
        Self::Avro(Box::new(error))
    }
}

/// A value that a layout cannot represent, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("layout {layout} cannot represent {path}: {refusal}")]
pub struct Unrepresentable {
    /// The layout asked for.
    pub layout: Layout,
    /// The field in question.
    pub path: FieldPath,
    /// The reason for which it cannot be represented.
    pub refusal: EncodeObstacle,
}

/// The obstacle to writing a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeObstacle {
    /// The layout has no such field and the specimen does.
    #[error("it has no such field")]
    NoSuchField,
    /// The number is larger than the field's type.
    #[error("the number has more than {limit_bits} bits")]
    OutOfRange {
        /// Bits the field has.
        limit_bits: u32,
    },
    /// The number is none that a double can be, and would come back as another.
    #[error("no double is the number")]
    Inexact,
    /// The number is infinite or not a number.
    #[error("the number is not finite")]
    NotFinite,
}

/// An [`Unrepresentable`] in the making: the path is collected inside out.
pub(super) struct FieldObstacle {
    refusal: EncodeObstacle,
    inside_out: Vec<PathSegment>,
}

pub(super) type Encoded<T> = Result<T, FieldObstacle>;

impl FieldObstacle {
    pub(super) const fn new(refusal: EncodeObstacle) -> Self {
        Self { refusal, inside_out: Vec::new() }
    }

    pub(super) fn within(mut self, step: PathSegment) -> Self {
        self.inside_out.push(step);
        self
    }

    pub(super) fn into_unsayable(self, layout: Layout) -> Unrepresentable {
        Unrepresentable { layout, path: FieldPath::from_inside_out(self.inside_out), refusal: self.refusal }
    }
}

/// Names the field that a result belongs to.
pub(super) trait Locate {
    /// Adds the field's name when the result is an error.
    fn at(self, field: &'static str) -> Self;
}

impl<T> Locate for Encoded<T> {
    fn at(self, field: &'static str) -> Self {
        self.map_err(|unsaid| unsaid.within(PathSegment::Field(field)))
    }
}
