//! State rows against each other: one row for each account, slot and block hash.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
};

use alloy_primitives::map::DefaultHashBuilder;

use super::{Check, CheckName, Quantity, Subject};
use crate::{Specimen, StateReads};

/// No two rows have the same key, whether they agree or not: the producer writes each once. Code is the exception: it writes
/// one piece for each account that has it, and each is checked against its own hash. The hash of the parent is the header's.
pub fn state_rows(specimen: &Specimen) -> Check {
    let StateReads { accounts, storage, block_hashes, .. } = &specimen.block.state;
    let in_accounts = || repeated(accounts, accounts.iter().map(|row| &row.address));
    let in_storage = || repeated(storage, storage.iter().map(|row| (&row.account, &row.slot)));
    let in_hashes = || repeated(block_hashes, block_hashes.iter().map(|row| row.number));
    let found = in_accounts()
        .map(|found| ("AccountRead", found))
        .or_else(|| Some(("StorageRead", in_storage()?)))
        .or_else(|| Some(("BlockhashRead", in_hashes()?)));
    match found {
        None => parent_hash(specimen).unwrap_or(Check::passed(CheckName::StateRows)),
        Some((list, Repeated { index, agrees })) => {
            let stated = if agrees { "a second row of one key" } else { "a second row that contradicts the first" };
            let allowed = Quantity::Words("one row for each key");
            Check::failure(CheckName::StateRows, Subject::Item { list, index }, Quantity::Words(stated), allowed)
        }
    }
}

/// The one row of a block hash that the block itself states too.
fn parent_hash(specimen: &Specimen) -> Option<Check> {
    let header = &specimen.block.header;
    let mut rows = specimen.block.state.block_hashes.iter().enumerate();
    let (index, row) = rows.find(|(_, row)| row.number.checked_add(1) == Some(header.number))?;
    let subject = Subject::Item { list: "BlockhashRead", index };
    // The producer records zero for a hash that it did not find.
    let contradicts = !row.hash.is_zero() && row.hash != header.parent_hash;
    let [stated, parent] = [row.hash, header.parent_hash].map(Quantity::Hash);
    contradicts.then(|| Check::failure(CheckName::StateRows, subject, stated, parent))
}

/// A row whose key an earlier one has.
struct Repeated {
    index: usize,
    agrees: bool,
}

/// The first row whose key, one a row, an earlier one has. Keys are references: what is looked up then fits the processor's caches.
fn repeated<T: PartialEq, K: Eq + Hash>(rows: &[T], keys: impl Iterator<Item = K>) -> Option<Repeated> {
    let mut seen = HashMap::with_capacity_and_hasher(rows.len(), DefaultHashBuilder::default());
    keys.enumerate().find_map(|(index, key)| match seen.entry(key) {
        Entry::Occupied(first) => Some(Repeated { index, agrees: rows[*first.get()] == rows[index] }),
        Entry::Vacant(place) => {
            place.insert(index);
            None
        }
    })
}
