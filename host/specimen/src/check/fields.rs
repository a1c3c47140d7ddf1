//! Transaction fields that repeat others, and so are covered by no root and no signature.

use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use alloy_primitives::U256;

use super::{Check, CheckName, Quantity, Subject};
use crate::{Block, Specimen, Transaction};

const LEGACY: u8 = 0;
const DYNAMIC_FEE: u8 = 2;
const BLOB: u8 = 3;
const SET_CODE: u8 = 4;

/// There is one sender for each transaction, and every field that a transaction has twice, or that its type does not
/// have, agrees with the rest of it.
pub fn transaction_fields(specimen: &Specimen) -> Check {
    let name = CheckName::TransactionFields;
    let Block { transactions, senders, .. } = &specimen.block;
    if transactions.len() != senders.len() {
        let count = |items: usize| Quantity::Number(items as u64);
        return Check::failure(name, Subject::Field("Senders"), count(senders.len()), count(transactions.len()));
    }
    for (index, (transaction, sender)) in transactions.iter().zip(senders).enumerate() {
        if let Some(from) = transaction.from.filter(|from| from != sender) {
            let subject = Subject::Item { list: "Senders", index };
            return Check::failure(name, subject, Quantity::Address(*sender), Quantity::Address(from));
        }
        if let Some((stated, computed)) = disagreement(transaction, specimen) {
            return Check::failure(name, Subject::Item { list: "Transactions", index }, stated, computed);
        }
    }
    Check::passed(name)
}

/// The first field that disagrees: what it states, and what it can be.
fn disagreement(transaction: &Transaction, specimen: &Specimen) -> Option<(Quantity, Quantity)> {
    let words = Quantity::Words;
    if transaction.tx_type == LEGACY && !transaction.access_list.is_empty() {
        return Some((words("an access list"), words("none in a transaction of type 0")));
    }
    if transaction.tx_type != BLOB {
        let hashes = transaction.blob_hashes.as_ref().is_some_and(|hashes| !hashes.is_empty());
        let others = [transaction.blob_fee_cap.map(U256::from), transaction.blob_gas.map(U256::from)];
        if hashes || others.into_iter().flatten().any(|value| !value.is_zero()) {
            return Some((words("blob fields"), words("none but in a transaction of type 3")));
        }
    } else if let (Some(stated), Some(hashes)) = (transaction.blob_gas, &transaction.blob_hashes) {
        let computed = DATA_GAS_PER_BLOB * hashes.len() as u64;
        if stated != computed {
            return Some((Quantity::Number(stated), Quantity::Number(computed)));
        }
    }
    if transaction.tx_type != SET_CODE && transaction.authorization_list.as_ref().is_some_and(|list| !list.is_empty()) {
        return Some((words("authorizations"), words("none but in a transaction of type 4")));
    }
    if transaction.data.as_ref().is_some_and(|data| !data.is_empty()) {
        return Some((words("call data in Data"), words("call data in input alone")));
    }
    prices(transaction, specimen).or_else(|| parity(transaction, specimen))
}

/// Types 0 and 1 repeat their price as both caps. From type 2 on the price is the fee cap or the effective price, by the
/// age of the producer.
fn prices(transaction: &Transaction, specimen: &Specimen) -> Option<(Quantity, Quantity)> {
    let Transaction { gas_price, gas_tip_cap, gas_fee_cap, .. } = *transaction;
    let big = |number: u128| Quantity::Big(U256::from(number));
    if transaction.tx_type < DYNAMIC_FEE {
        let other = [gas_tip_cap, gas_fee_cap].into_iter().find(|cap| *cap != gas_price)?;
        return Some((big(other), big(gas_price)));
    }
    let base_fee = u128::from(specimen.block.header.base_fee_per_gas.unwrap_or_default());
    let effective = gas_fee_cap.min(base_fee.saturating_add(gas_tip_cap));
    (gas_price != gas_fee_cap && gas_price != effective).then(|| (big(gas_price), big(effective)))
}

/// A parity is one bit, of an authorization at most one byte.
fn parity(transaction: &Transaction, specimen: &Specimen) -> Option<(Quantity, Quantity)> {
    if transaction.tx_type != LEGACY && specimen.layout.has_signatures() {
        let parity = transaction.v.unwrap_or_default();
        if parity > U256::ONE {
            return Some((Quantity::Big(parity), Quantity::AtMost(1)));
        }
    }
    has_long_parity(transaction).then_some((
        Quantity::Words("an authorization's yParity of more than one byte"),
        Quantity::AtMost(u8::MAX.into()),
    ))
}

/// Whether an authorization has a parity that does not fit its byte, so that there is no encoding of the transaction.
pub(super) fn has_long_parity(transaction: &Transaction) -> bool {
    transaction.authorization_list.iter().flatten().any(|signed| signed.y_parity > U256::from(u8::MAX))
}
