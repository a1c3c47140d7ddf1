//! The header's roots of what the block lists.

use alloy_primitives::B256;
use alloy_trie::root::{ordered_trie_root, ordered_trie_root_encoded};

use super::{Check, CheckName, Outcome, Quantity};
use crate::{Specimen, Transaction, UnknownTransactionType};

/// The root of the transactions is the header's.
///
/// Fails for a block with type-3 transactions in layout 0.36 and for any with authorizations: the codec drops them.
pub fn transactions_root(specimen: &Specimen) -> Check {
    let name = CheckName::TransactionsRoot;
    match root_of(&specimen.block.transactions) {
        Ok(root) => Check::compare(name, Quantity::Hash(specimen.block.header.transactions_root), Quantity::Hash(root)),
        Err(UnknownTransactionType(_)) => {
            Check { name, outcome: Outcome::NotApplicable("the block has a transaction of an unknown type") }
        }
    }
}

/// The root of the withdrawals is the header's.
pub fn withdrawals_root(specimen: &Specimen) -> Check {
    let name = CheckName::WithdrawalsRoot;
    let (stated, withdrawals) = (specimen.block.header.withdrawals_root, specimen.block.withdrawals.as_deref());
    match (stated, withdrawals) {
        (None, None) => Check { name, outcome: Outcome::NotApplicable("the block has no withdrawals") },
        (Some(stated), Some(withdrawals)) => {
            Check::compare(name, Quantity::Hash(stated), Quantity::Hash(ordered_trie_root(withdrawals)))
        }
        (None, Some([])) => Check { name, outcome: Outcome::NotApplicable("the block has no withdrawals") },
        (None, Some(withdrawals)) => {
            Check::compare(name, Quantity::Absent, Quantity::Hash(ordered_trie_root(withdrawals)))
        }
        (Some(stated), None) => Check::compare(name, Quantity::Hash(stated), Quantity::Absent),
    }
}

fn root_of(transactions: &[Transaction]) -> Result<B256, UnknownTransactionType> {
    let envelope = |transaction: &Transaction| {
        let mut envelope = Vec::new();
        transaction.encode_envelope(&mut envelope)?;
        Ok(envelope)
    };
    let envelopes = transactions.iter().map(envelope).collect::<Result<Vec<_>, _>>()?;
    Ok(ordered_trie_root_encoded(&envelopes))
}
