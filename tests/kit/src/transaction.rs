//! Transactions as they are planned, and as they are once signed.

use alloy_consensus::{
    EthereumTxEnvelope, SignableTransaction, Transaction as _, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy,
    Typed2718,
};
use alloy_eips::{
    eip2930::AccessList,
    eip7702::{RecoveredAuthority, RecoveredAuthorization, SignedAuthorization},
};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use revm::{context::TxEnv, context_interface::either::Either};

use crate::key::Key;

/// A block's transaction: blob transactions come without their blobs.
pub type Envelope = EthereumTxEnvelope<TxEip4844>;

/// A transaction before nonce and signature.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The signer, who pays.
    pub from: Key,
    /// The callee; `None` creates a contract.
    pub to: Option<Address>,
    /// Wei sent along.
    pub value: U256,
    /// Call data or init code.
    pub input: Bytes,
    /// Gas limit.
    pub gas: u64,
    /// In which form it is signed.
    pub form: Form,
}

/// The EIP-2718 form of a transaction.
#[derive(Clone, Debug)]
pub enum Form {
    /// Type 0 signed with the chain id, EIP-155.
    Legacy,
    /// Type 0 signed without it, as before EIP-155.
    LegacyUnprotected,
    /// Type 0 signed for another chain, which no block of this one can hold.
    LegacyForeign(u64),
    /// Type 1.
    AccessList(AccessList),
    /// Type 2.
    DynamicFee(AccessList),
    /// Type 3, with these blob hashes.
    Blobs(Vec<B256>),
    /// Type 4. Each account adopts the code of the address beside it.
    SetCode(Vec<(Key, Address)>),
    /// Type 4 with authorizations of these nonces, valid or not.
    SetCodeAt(Vec<(Key, Address, u64)>),
    /// Type 4 with authorizations of these nonces for these chains, valid or not.
    SetCodeFor(Vec<Delegation>),
}

/// An authorization before it is signed.
#[derive(Clone, Copy, Debug)]
pub struct Delegation {
    /// The signer, whose account adopts code.
    pub authority: Key,
    /// The account whose code is adopted.
    pub delegate: Address,
    /// The nonce that the authority must have.
    pub nonce: u64,
    /// The chain that it is for, 0 for any.
    pub chain_id: u64,
}

/// Prices that every transaction of a block offers, in wei.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// Most paid for a unit of gas.
    pub max_fee: u128,
    /// Most of it that goes to the fee recipient.
    pub tip: u128,
    /// Most paid for a unit of blob gas.
    pub blob_fee: u128,
}

/// A signed transaction with what execution needs beside it.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The transaction itself.
    pub envelope: Envelope,
    /// Its signer.
    pub sender: Address,
    /// Signers of a type-4 transaction's authorizations.
    pub authorities: Vec<Address>,
}

impl Plan {
    /// Signs the plan. `nonce_of` gives the next nonce of an account and counts on.
    pub fn sign(&self, chain_id: u64, offer: Offer, mut nonce_of: impl FnMut(Address) -> u64) -> Signed {
        let nonce = nonce_of(self.from.address());
        let kind = self.to.map_or(TxKind::Create, TxKind::Call);
        // Types 3 and 4 cannot create contracts, so `to` is an address in them.
        let callee = self.to.unwrap_or_default();
        let Self { gas: gas_limit, value, .. } = *self;
        let input = self.input.clone();
        let mut authorities = Vec::new();
        let envelope = match &self.form {
            Form::Legacy | Form::LegacyUnprotected | Form::LegacyForeign(_) => {
                let chain_id = match self.form {
                    Form::LegacyUnprotected => None,
                    Form::LegacyForeign(other) => Some(other),
                    _ => Some(chain_id),
                };
                self.seal(TxLegacy { chain_id, nonce, gas_price: offer.max_fee, gas_limit, to: kind, value, input })
            }
            Form::AccessList(list) => self.seal(TxEip2930 {
                chain_id,
                nonce,
                gas_price: offer.max_fee,
                gas_limit,
                to: kind,
                value,
                access_list: list.clone(),
                input,
            }),
            Form::DynamicFee(list) => self.seal(TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: offer.max_fee,
                max_priority_fee_per_gas: offer.tip,
                to: kind,
                value,
                access_list: list.clone(),
                input,
            }),
            Form::Blobs(hashes) => self.seal(TxEip4844 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: offer.max_fee,
                max_priority_fee_per_gas: offer.tip,
                to: callee,
                value,
                access_list: AccessList::default(),
                blob_versioned_hashes: hashes.clone(),
                max_fee_per_blob_gas: offer.blob_fee,
                input,
            }),
            Form::SetCode(_) | Form::SetCodeAt(_) | Form::SetCodeFor(_) => {
                let of = |authority, delegate, nonce| Delegation { authority, delegate, nonce, chain_id };
                let delegations: Vec<_> = match &self.form {
                    Form::SetCode(list) => {
                        list.iter().map(|(key, delegate)| of(*key, *delegate, nonce_of(key.address()))).collect()
                    }
                    Form::SetCodeAt(list) => {
                        list.iter().map(|(key, delegate, nonce)| of(*key, *delegate, *nonce)).collect()
                    }
                    Form::SetCodeFor(list) => list.clone(),
                    _ => Vec::new(),
                };
                let sign = |Delegation { authority, delegate, nonce, chain_id }| {
                    authorities.push(authority.address());
                    authority.authorize(chain_id, delegate, nonce)
                };
                let authorization_list = delegations.into_iter().map(sign).collect();
                self.seal(TxEip7702 {
                    chain_id,
                    nonce,
                    gas_limit,
                    max_fee_per_gas: offer.max_fee,
                    max_priority_fee_per_gas: offer.tip,
                    to: callee,
                    value,
                    access_list: AccessList::default(),
                    authorization_list,
                    input,
                })
            }
        };
        Signed { envelope, sender: self.from.address(), authorities }
    }

    fn seal<T>(&self, transaction: T) -> Envelope
    where
        T: SignableTransaction<alloy_primitives::Signature>,
        Envelope: From<alloy_consensus::Signed<T>>,
    {
        let signature = self.from.sign(transaction.signature_hash());
        transaction.into_signed(signature).into()
    }
}

impl Signed {
    /// The signature's `v`: 35 and up for a legacy transaction of a chain, 27 or 28 for one of any, the parity for other types.
    pub fn v(&self) -> u64 {
        let parity = u64::from(self.envelope.signature().v());
        match (self.envelope.is_legacy(), self.envelope.chain_id()) {
            (true, Some(chain_id)) => 2 * chain_id + 35 + parity,
            (true, None) => 27 + parity,
            (false, _) => parity,
        }
    }

    /// The transaction as the EVM takes it.
    pub fn environment(&self) -> TxEnv {
        let tx = &self.envelope;
        TxEnv {
            tx_type: tx.ty(),
            caller: self.sender,
            gas_limit: tx.gas_limit(),
            gas_price: tx.max_fee_per_gas(),
            kind: tx.kind(),
            value: tx.value(),
            data: tx.input().clone(),
            nonce: tx.nonce(),
            // Legacy signatures of another chain are executed too, for the blocks that wrongly hold them.
            chain_id: tx.chain_id().filter(|_| !tx.is_legacy()),
            access_list: tx.access_list().cloned().unwrap_or_default(),
            gas_priority_fee: tx.max_priority_fee_per_gas(),
            blob_hashes: tx.blob_versioned_hashes().unwrap_or_default().to_vec(),
            max_fee_per_blob_gas: tx.max_fee_per_blob_gas().unwrap_or_default(),
            authorization_list: self.authorizations().map(Either::Right).collect(),
        }
    }

    fn authorizations(&self) -> impl Iterator<Item = RecoveredAuthorization> {
        let signed: &[SignedAuthorization] = self.envelope.authorization_list().unwrap_or_default();
        signed.iter().zip(&self.authorities).map(|(authorization, authority)| {
            let authority = RecoveredAuthority::Valid(*authority);
            RecoveredAuthorization::new_unchecked(authorization.inner().clone(), authority)
        })
    }
}
