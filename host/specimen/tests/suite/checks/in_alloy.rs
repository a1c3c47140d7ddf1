//! Transactions in the types that alloy has for them.

use alloy_consensus::{SignableTransaction, Signed, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxEnvelope, TxLegacy};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Signature, TxKind};
use refiner_specimen::Transaction;

pub fn in_alloy(from: &Transaction) -> TxEnvelope {
    let v = from.v.unwrap_or_default().to::<u64>();
    let odd = if from.tx_type == 0 && v >= 35 { (v - 35) % 2 == 1 } else { v == 1 || v == 28 };
    let signature = Signature::new(from.r.unwrap_or_default(), from.s.unwrap_or_default(), odd);
    let to = from.to.map_or(TxKind::Create, TxKind::Call);
    let access_list = from.access_list.clone();
    let (chain_id, nonce, gas_limit, value, input) =
        (from.chain_id, from.nonce, from.gas, from.value, from.input.clone());
    let (gas_price, max_fee_per_gas, max_priority_fee_per_gas) = (from.gas_price, from.gas_fee_cap, from.gas_tip_cap);
    match from.tx_type {
        0 => {
            let chain_id = (v >= 35).then_some(chain_id);
            signed(TxLegacy { chain_id, nonce, gas_price, gas_limit, to, value, input }, signature).into()
        }
        1 => {
            signed(TxEip2930 { chain_id, nonce, gas_price, gas_limit, to, value, access_list, input }, signature).into()
        }
        2 => {
            let transaction = TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to,
                value,
                access_list,
                input,
            };
            signed(transaction, signature).into()
        }
        3 => {
            let transaction = TxEip4844 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                value,
                access_list,
                input,
                to: from.to.unwrap(),
                blob_versioned_hashes: from.blob_hashes.clone().unwrap_or_default(),
                max_fee_per_blob_gas: from.blob_fee_cap.unwrap_or_default(),
            };
            signed(transaction, signature).into()
        }
        _ => {
            let transaction = TxEip7702 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                value,
                access_list,
                input,
                to: from.to.unwrap(),
                authorization_list: from.authorization_list.iter().flatten().map(authorization).collect(),
            };
            signed(transaction, signature).into()
        }
    }
}

fn authorization(from: &refiner_specimen::Authorization) -> SignedAuthorization {
    let authorization = Authorization { chain_id: from.chain_id, address: from.address, nonce: from.nonce };
    SignedAuthorization::new_unchecked(authorization, from.y_parity.to(), from.r, from.s)
}

fn signed<T: SignableTransaction<Signature>>(transaction: T, signature: Signature) -> Signed<T> {
    transaction.into_signed(signature)
}
