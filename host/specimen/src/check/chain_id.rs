//! The chain that the specimen names against the chains that its signatures are for.

use alloy_primitives::U256;

use super::{Check, CheckName, Outcome, Quantity, Subject};
use crate::{Specimen, Transaction};

/// Every signature that names a chain (EIP-155, and all types above 0) names the specimen's, and so does the exported
/// chain id of every transaction.
pub fn chain_id(specimen: &Specimen) -> Check {
    let name = CheckName::ChainId;
    let network = U256::from(specimen.block.network_id);
    let mut named = false;
    for (index, transaction) in specimen.block.transactions.iter().enumerate() {
        let signed = signed_chain(transaction, specimen);
        let exported = U256::from(transaction.chain_id);
        // The export repeats the signature's chain, or 0 where it names none.
        let expected = signed.unwrap_or_default();
        let wrong = [(signed.unwrap_or(network), network), (exported, expected)].into_iter().find(|(a, b)| a != b);
        if let Some((stated, computed)) = wrong {
            let subject = Subject::Item { list: "Transactions", index };
            return Check::failure(name, subject, Quantity::Big(stated), Quantity::Big(computed));
        }
        named |= signed.is_some();
    }
    if named {
        return Check::passed(name);
    }
    Check { name, outcome: Outcome::NotCheckable("no signature of the block names a chain") }
}

/// The chain that a signature is for. Layouts without signatures state what they were exported with.
fn signed_chain(transaction: &Transaction, specimen: &Specimen) -> Option<U256> {
    if transaction.tx_type == 0 && specimen.layout.has_signatures() {
        return transaction.signed_chain_id();
    }
    let exported = U256::from(transaction.chain_id);
    (transaction.tx_type != 0 || !exported.is_zero()).then_some(exported)
}
