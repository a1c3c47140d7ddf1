//! The fork's part of a canonical document.

use alloy_eips::eip7840::BlobParams;
use alloy_primitives::Bloom;

use crate::fork_profile::ForkProfile;

/// All that the canonical document needs beside the specimen, its receipts and checks.
#[derive(Clone, Debug)]
pub(crate) struct Canonical {
    pub(super) chain_id: u64,
    /// True when the block's fork has withdrawals.
    pub(super) withdrawals: bool,
    /// True when the fork's receipts hold state roots, and no status.
    pub(super) receipts_hold_states: bool,
    pub(super) blobs: Option<BlobParams>,
    /// One a receipt.
    pub(super) blooms: Vec<Bloom>,
}

impl Canonical {
    pub(super) fn new(rules: &ForkProfile, blooms: Vec<Bloom>) -> Self {
        Self {
            chain_id: rules.chain_id,
            withdrawals: rules.withdrawals,
            receipts_hold_states: rules.receipts_hold_states,
            blobs: rules.blobs,
            blooms,
        }
    }
}
