//! The stated senders against the signatures.

use alloy_primitives::{Address, B256, B512, U256, uint};
use refiner_specimen::{
    Specimen, Transaction,
    check::{Check, CheckName, Outcome, Quantity, Subject},
};
use revm::precompile::crypto;

use crate::policy::SenderPolicy;

/// Half the order of secp256k1: since Homestead (EIP-2) a larger `s` makes a transaction invalid.
const HALF_ORDER: U256 = uint!(0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0_U256);

/// The last mainnet block before Homestead is 1,149,999; no testnet that is built in began before it.
const HOMESTEAD: u64 = 1_150_000;

/// The stated senders against those that the signatures give. The costliest check, made only for who states senders.
///
/// A transaction whose signed message cannot be rebuilt is left out, and the check is then not checkable unless another
/// sender is wrong.
pub fn senders(specimen: &Specimen, policy: SenderPolicy) -> Check {
    let name = CheckName::Senders;
    let block = &specimen.block;
    if policy == SenderPolicy::Stated {
        return Check { name, outcome: Outcome::NotCheckable("senders are taken as stated, by the operator's choice") };
    }
    if block.transactions.len() != block.senders.len() {
        let count = |items: usize| Quantity::Number(items as u64);
        let subject = Subject::Field("Senders");
        return Check::failure(name, subject, count(block.senders.len()), count(block.transactions.len()));
    }
    let mut not_checkable = None;
    for (index, (transaction, stated)) in block.transactions.iter().zip(&block.senders).enumerate() {
        if let Some(dropped) = transaction.dropped(specimen.layout) {
            not_checkable = Some(dropped);
            continue;
        }
        let recovered = recover(transaction, block.header.number);
        if recovered != Some(*stated) {
            let computed = recovered.map_or(Quantity::Words("no valid signature"), Quantity::Address);
            let subject = Subject::Item { list: "Senders", index };
            return Check::failure(name, subject, Quantity::Address(*stated), computed);
        }
    }
    match not_checkable {
        None => Check::passed(name),
        Some(dropped) => Check { name, outcome: Outcome::NotCheckable(dropped.as_str()) },
    }
}

/// The address that signed a transaction; `None` where the signature is not valid.
fn recover(transaction: &Transaction, height: u64) -> Option<Address> {
    let (r, s) = (transaction.r.unwrap_or_default(), transaction.s.unwrap_or_default());
    if s > HALF_ORDER && height >= HOMESTEAD {
        return None;
    }
    let parity = parity(transaction)?;
    let message = transaction.signing_hash().ok()?;
    let signature = B512::from_slice(&[r.to_be_bytes::<32>(), s.to_be_bytes::<32>()].concat());
    let key = crypto().secp256k1_ecrecover(&signature.0, parity, &message.0).ok()?;
    Some(Address::from_word(B256::from(key)))
}

/// 27 and 28 for a legacy transaction of any chain, 35 and up for one of a chain, 0 and 1 for all other types.
fn parity(transaction: &Transaction) -> Option<u8> {
    let v = transaction.v.unwrap_or_default();
    let bit = match (transaction.tx_type, transaction.signed_chain_id()) {
        (0, Some(_)) => (v - U256::from(35)) & U256::ONE,
        (0, None) => v.checked_sub(U256::from(27))?,
        _ => v,
    };
    u8::try_from(bit).ok().filter(|parity| *parity <= 1)
}
