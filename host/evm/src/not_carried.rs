//! Reads of a block beyond its specimen.

use revm::context::DBErrorMarker;

use crate::{
    error::Rejected,
    what_if::{Departure, StateItem},
};

/// Something the block read that the specimen does not carry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub(crate) struct NotCarried(pub(crate) Rejected);

impl NotCarried {
    pub(crate) fn left(place: StateItem) -> Self {
        Self(Rejected::LeftSpecimen(Departure { transaction: None, place }))
    }
}

impl DBErrorMarker for NotCarried {}
