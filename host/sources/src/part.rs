//! The parts of a rule, each with its bounds and its errors.

use crate::{COMPONENT_BYTES_MAX, Instead, MANIFEST_BYTES_MAX, RuleSource, Sha256, SourceError, source::Address};

/// Most bytes that are read of what a web server has in the manifest's place: enough to tell a page, which many hosts answer with, from a manifest.
const MANIFEST_PAGE_BYTES_MAX: usize = 1 << 20;

/// The part of a rule that is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Component,
    /// The manifest beside it.
    Manifest,
}

impl Part {
    pub(crate) const fn bytes_max(self) -> usize {
        match self {
            Self::Component => COMPONENT_BYTES_MAX,
            Self::Manifest => MANIFEST_BYTES_MAX,
        }
    }

    /// Bytes that are read before it is known what they are.
    pub(crate) const fn read_bytes_max(self) -> usize {
        match self {
            Self::Component => COMPONENT_BYTES_MAX,
            Self::Manifest => MANIFEST_PAGE_BYTES_MAX,
        }
    }

    /// The error of something else at the address of this part.
    pub(crate) fn replaced(self, address: Address, instead: Instead) -> SourceError {
        match self {
            Self::Component => SourceError::Instead { source_name: address.to_string(), instead },
            Self::Manifest => SourceError::ManifestInstead { address, instead },
        }
    }

    /// The error of other bytes than agreed on.
    pub(crate) fn changed(self, source: &RuleSource, agreed: Sha256, found: Sha256) -> SourceError {
        let source_name = source.shown();
        match self {
            Self::Component => {
                SourceError::Changed { source_name, pinned: agreed.to_string(), found: found.to_string() }
            }
            Self::Manifest => SourceError::ManifestChanged { source_name, agreed: Some(agreed), found: Some(found) },
        }
    }
}
