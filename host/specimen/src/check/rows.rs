//! State rows against each other: one row for each account, slot and block hash.

use std::{collections::HashMap, hash::Hash};

use alloy_primitives::map::DefaultHashBuilder;

use super::{Check, CheckName, Quantity, Subject};
use crate::Specimen;

/// No two rows have the same key, whether they agree or not: the producer writes each once. Code is the exception: it writes
/// one piece for each account that has it, and each is checked against its own hash. The hash of the parent is the header's.
pub fn state_rows(specimen: &Specimen) -> Check {
    let state = &specimen.block.state;
    let accounts = repeated(state.accounts.iter().map(|row| (row.address, (row.nonce, row.balance, row.code_hash))));
    let storage = || repeated(state.storage.iter().map(|row| ((row.account, row.slot), row.value)));
    let hashes = || repeated(state.block_hashes.iter().map(|row| (row.number, row.hash)));
    let found = accounts
        .map(|found| ("AccountRead", found))
        .or_else(|| Some(("StorageRead", storage()?)))
        .or_else(|| Some(("BlockhashRead", hashes()?)));
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

fn repeated<K: Eq + Hash, V: PartialEq>(rows: impl Iterator<Item = (K, V)>) -> Option<Repeated> {
    let mut seen = HashMap::with_capacity_and_hasher(rows.size_hint().0, DefaultHashBuilder::default());
    for (index, (key, value)) in rows.enumerate() {
        match seen.entry(key) {
            std::collections::hash_map::Entry::Occupied(first) => {
                return Some(Repeated { index, agrees: *first.get() == value });
            }
            std::collections::hash_map::Entry::Vacant(place) => place.insert(value),
        };
    }
    None
}
