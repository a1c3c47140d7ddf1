//! The header's roots of what the block lists.

use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::B256;
use refiner_keccak::{Messages, ordered_trie_root};

use super::{Check, CheckName, Outcome, Quantity, fields::has_long_parity};
use crate::{Envelopes, Specimen, UnknownTransactionType};

/// The root of the transactions is the header's.
///
/// Not checkable where a transaction has a part that its layout drops: signatures (0.2), blob hashes (before 0.37) or
/// authorizations.
pub fn transactions_root(specimen: &Specimen) -> Check {
    match Envelopes::of(&specimen.block.transactions) {
        Ok(envelopes) => transactions_root_of(specimen, &envelopes),
        Err(UnknownTransactionType(_)) => Check {
            name: CheckName::TransactionsRoot,
            outcome: Outcome::NotCheckable("the block has a transaction of an unknown type"),
        },
    }
}

/// [`transactions_root`] with envelopes that are encoded already.
pub fn transactions_root_of(specimen: &Specimen, envelopes: &Envelopes) -> Check {
    let name = CheckName::TransactionsRoot;
    if specimen.block.transactions.iter().any(has_long_parity) {
        // transactionFields fails and tells which; the root of another transaction would hide that.
        return Check { name, outcome: Outcome::NotCheckable("an authorization has a yParity of more than one byte") };
    }
    match specimen.block.transactions.iter().find_map(|transaction| transaction.dropped(specimen.layout)) {
        Some(dropped) => Check { name, outcome: Outcome::NotCheckable(dropped.as_str()) },
        None => Check::compare(
            name,
            Quantity::Hash(specimen.block.header.transactions_root),
            Quantity::Hash(envelopes.root()),
        ),
    }
}

/// The root of the withdrawals is the header's.
pub fn withdrawals_root(specimen: &Specimen) -> Check {
    let name = CheckName::WithdrawalsRoot;
    let (stated, withdrawals) = (specimen.block.header.withdrawals_root, specimen.block.withdrawals.as_deref());
    match (stated, withdrawals) {
        (None, None) => Check { name, outcome: Outcome::NotApplicable("the block has no withdrawals") },
        (Some(stated), Some(withdrawals)) => {
            Check::compare(name, Quantity::Hash(stated), Quantity::Hash(root_of(withdrawals)))
        }
        (None, Some([])) => Check { name, outcome: Outcome::NotApplicable("the block has no withdrawals") },
        (None, Some(withdrawals)) => Check::compare(name, Quantity::Absent, Quantity::Hash(root_of(withdrawals))),
        (Some(stated), None) => Check::compare(name, Quantity::Hash(stated), Quantity::Absent),
    }
}

fn root_of(withdrawals: &[Withdrawal]) -> B256 {
    ordered_trie_root(&Messages::of_rlp(withdrawals))
}
