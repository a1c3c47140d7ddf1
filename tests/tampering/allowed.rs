//! Places whose change leaves a specimen acceptable, each with the reason.
//!
//! docs/checks.md lists the same as unprovable. An entry that no change needs any more fails the test.

/// A place that nothing in a specimen proves.
pub struct Allowed {
    /// As [`Change::place`](crate::change::Change::place) has it.
    pub place: &'static str,
    /// The reason why no check can cover it.
    pub reason: &'static str,
}

const fn allowed(place: &'static str, reason: &'static str) -> Allowed {
    Allowed { place, reason }
}

const STATED: &str = "the layout is found by reading; the stated version is often wrong and decides nothing";
const SIDECAR: &str = "sidecars are no part of a block, and the producer exports them in part or not";
const REPEATED: &str = "null where the field repeats another";
const NOT_RECORDED: &str = "receipts that are not recorded are not compared";
const ZERO: &str = "positions may be zero, which is also the first position";
const STATE: &str = "a value of state on which the outcome does not depend; a specimen has no proofs of state";
const UNUSED: &str = "a row of state that the block can do without";
const ORDER: &str = "rows have no order";
const PARENT: &str = "the hash of the parent is the header's";
const LACKING: &str = "what execution lacks then, the recorded receipts prove";
const NO_STATE: &str = "no state is used where the result rests on the recorded receipts";
const CODE: &str = "one piece of code is written for each account that has it";

/// Of every block, on every basis.
pub const COMMON: &[Allowed] = &[
    allowed("codecVersion", STATED),
    allowed("Receipts/*/Logs/*/logIndex", ZERO),
    allowed("Transactions/*/from null", REPEATED),
    allowed("State/AccountRead/*/Balance", STATE),
    allowed("State/AccountRead/*/Nonce", STATE),
    allowed("State/AccountRead/*/CodeHash", STATE),
    allowed("State/AccountRead/* swapped", ORDER),
    allowed("State/StorageRead/*/Account", STATE),
    allowed("State/StorageRead/*/SlotKey", STATE),
    allowed("State/StorageRead/*/Value", STATE),
    allowed("State/StorageRead/* removed", UNUSED),
    allowed("State/StorageRead/* swapped", ORDER),
    allowed("State/CodeRead/* repeated", CODE),
    allowed("State/CodeRead/* swapped", ORDER),
    allowed("State/BlockhashRead/*/BlockHash", STATE),
    allowed("State/BlockhashRead/* swapped", ORDER),
];

/// Of a block that is executed, which needs no receipts.
pub const EXECUTED: &[Allowed] = &[allowed("Receipts", NOT_RECORDED)];

/// Of a block that reads the hash of its parent.
pub const WITH_PARENT_HASH: &[Allowed] =
    &[allowed("State/BlockhashRead/* removed", PARENT), allowed("State/BlockhashRead/*/BlockNumber", PARENT)];

/// Of a block whose recorded receipts stand in where its execution lacks something.
pub const ON_EITHER_BASIS: &[Allowed] = &[
    allowed("State/AccountRead", LACKING),
    allowed("State/CodeRead", LACKING),
    allowed("State/CodeRead/* removed", LACKING),
    allowed("State/BlockhashRead", LACKING),
];

/// Of a block of which nothing is executed: no row of state is looked at.
pub const ON_RECEIPTS: &[Allowed] = &[
    allowed("codecVersion", STATED),
    allowed("Receipts/*/Logs/*/logIndex", ZERO),
    allowed("Transactions/*/from null", REPEATED),
    allowed("State/AccountRead", NO_STATE),
    allowed("State/AccountRead/*/Address", NO_STATE),
    allowed("State/AccountRead/*/Balance", NO_STATE),
    allowed("State/AccountRead/*/Nonce", NO_STATE),
    allowed("State/AccountRead/*/CodeHash", NO_STATE),
    allowed("State/AccountRead/* removed", NO_STATE),
    allowed("State/AccountRead/* repeated", NO_STATE),
    allowed("State/AccountRead/* swapped", NO_STATE),
    allowed("State/StorageRead", NO_STATE),
    allowed("State/StorageRead/*/Account", NO_STATE),
    allowed("State/StorageRead/*/SlotKey", NO_STATE),
    allowed("State/StorageRead/*/Value", NO_STATE),
    allowed("State/StorageRead/* removed", NO_STATE),
    allowed("State/StorageRead/* repeated", NO_STATE),
    allowed("State/StorageRead/* swapped", NO_STATE),
    allowed("State/CodeRead", NO_STATE),
    allowed("State/CodeRead/*/Hash", NO_STATE),
    allowed("State/CodeRead/*/Code", NO_STATE),
    allowed("State/CodeRead/* removed", NO_STATE),
    allowed("State/CodeRead/* repeated", NO_STATE),
    allowed("State/CodeRead/* swapped", NO_STATE),
    allowed("State/BlockhashRead", NO_STATE),
    allowed("State/BlockhashRead/*/BlockNumber", NO_STATE),
    allowed("State/BlockhashRead/*/BlockHash", NO_STATE),
    allowed("State/BlockhashRead/* removed", NO_STATE),
    allowed("State/BlockhashRead/* repeated", NO_STATE),
    allowed("State/BlockhashRead/* swapped", NO_STATE),
];

/// Of a block with blobs.
pub const WITH_BLOBS: &[Allowed] = &[
    allowed("BlobTxSidecars null", SIDECAR),
    allowed("BlobTxSidecars/* removed", SIDECAR),
    allowed("BlobTxSidecars/* repeated", SIDECAR),
    allowed("BlobTxSidecars/*/Blobs", SIDECAR),
    allowed("BlobTxSidecars/*/Commitments/*", SIDECAR),
    allowed("BlobTxSidecars/*/Commitments/* removed", SIDECAR),
    allowed("BlobTxSidecars/*/Commitments/* repeated", SIDECAR),
    allowed("BlobTxSidecars/*/Proofs/*", SIDECAR),
    allowed("BlobTxSidecars/*/Proofs/* removed", SIDECAR),
    allowed("BlobTxSidecars/*/Proofs/* repeated", SIDECAR),
    allowed("Transactions/*/blobGas null", REPEATED),
];

/// Of a block with one authorization, which is found again by the receipts: what rests on it is null then.
pub const WITH_ONE_AUTHORIZATION: &[Allowed] = &[allowed(DROPPED, "no producer exports authorizations")];

/// Null in the place of authorizations.
pub const DROPPED: &str = "Transactions/*/AuthList null";

/// Of a block whose system contracts leave no trace in its header.
pub const WITH_SYSTEM_CALLS: &[Allowed] =
    &[allowed("State/AccountRead/*/Address", UNUSED), allowed("State/AccountRead/* removed", UNUSED)];

/// Of a block before the merge.
pub const MINED: &[Allowed] =
    &[allowed("TotalDifficulty", "the sum of all difficulties before; no field of the block follows from it")];

/// Of a block whose execution is not compared with its header, as the network's server did not. Without any account it is refused.
pub const NOT_COMPARED: &[Allowed] = &[
    allowed("State/StorageRead", STATE),
    allowed("State/CodeRead", STATE),
    allowed("State/CodeRead/* removed", STATE),
];
