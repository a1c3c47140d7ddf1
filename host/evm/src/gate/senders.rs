//! The stated senders against the signatures.

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, B512, U256, uint};
use refiner_specimen::{
    Specimen, Transaction,
    check::{Check, CheckName, Outcome, Quantity, Subject},
};
use revm::{precompile::crypto, primitives::hardfork::SpecId};

use crate::{chain::ChainSpec, policy::SenderPolicy};

/// Half the order of secp256k1: since Homestead (EIP-2) a larger `s` makes a transaction invalid.
const HALF_ORDER: U256 = uint!(0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0_U256);

/// The terms on which senders are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderTerms {
    policy: SenderPolicy,
    /// EIP-2 holds: `s` is in the lower half.
    low_s: bool,
}

impl SenderTerms {
    /// The terms for a block of a chain. Where the block's fork is not known, it is taken for one since Homestead.
    pub fn of(policy: SenderPolicy, chain: Option<&ChainSpec>, header: &Header) -> Self {
        let fork = chain.and_then(|chain| chain.spec_of(header).ok());
        Self { policy, low_s: fork.is_none_or(|fork| fork.is_enabled_in(SpecId::HOMESTEAD)) }
    }

    /// The origin of the senders.
    pub const fn policy(self) -> SenderPolicy {
        self.policy
    }
}

/// The stated senders against those that the signatures give. The costliest check, made only for who states senders.
///
/// A transaction whose signed message cannot be rebuilt is left out, and the check is then not checkable unless another
/// sender is wrong.
pub fn senders(specimen: &Specimen, terms: SenderTerms) -> Check {
    let name = CheckName::Senders;
    let block = &specimen.block;
    if terms.policy == SenderPolicy::Stated {
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
        let recovered = recover(transaction, terms.low_s);
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
fn recover(transaction: &Transaction, low_s: bool) -> Option<Address> {
    let (r, s) = (transaction.r.unwrap_or_default(), transaction.s.unwrap_or_default());
    if s > HALF_ORDER && low_s {
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
