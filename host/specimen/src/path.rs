//! Where in a specimen something is.

use std::fmt;

/// The way to a field: `Transactions[12].accessList[0].address`.
///
/// Fields of the block are named without the `replicaEvent[0].data` that comes before all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldPath(Vec<PathSegment>);

/// One step of a [`FieldPath`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathSegment {
    /// A record's field, by its name in the schema.
    Field(&'static str),
    /// An item of an array.
    Index(usize),
}

use PathSegment::{Field, Index};

impl FieldPath {
    /// The steps, outermost first.
    pub fn segments(&self) -> &[PathSegment] {
        &self.0
    }

    /// Takes steps that were collected while an error travelled up.
    pub(crate) fn from_inside_out(mut steps: Vec<PathSegment>) -> Self {
        steps.reverse();
        if let [Field("replicaEvent"), Index(0), Field("data"), _, ..] = steps[..] {
            steps.drain(..3);
        }
        Self(steps)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the segment");
        }
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Field(name) if position == 0 => f.write_str(name)?,
                Field(name) => write!(f, ".{name}")?,
                Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
