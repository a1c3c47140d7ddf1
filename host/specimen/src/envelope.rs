//! Signed EIP-2718 envelopes, rebuilt from a specimen's fields, and the hashes they give.
//!
//! Exact except for what a codec drops: layout 0.36 has no blob fields, and no layout has authorizations.

use alloy_primitives::{B256, U256, keccak256};
use alloy_rlp::{BufMut, Encodable, Header};

use crate::{Authorization, Block, Specimen, Transaction};

/// A transaction of a type whose envelope is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("transaction type {0} is not known")]
pub struct UnknownTransactionType(pub u8);

/// The hash of one transaction of a specimen.
///
/// # Errors
/// For a type above 4.
///
/// # Panics
/// When the specimen has no transaction of that index.
pub fn transaction_hash(specimen: &Specimen, index: usize) -> Result<B256, UnknownTransactionType> {
    specimen.block.transactions[index].hash()
}

/// The hashes of all transactions, in block order.
///
/// # Errors
/// For a type above 4.
pub fn transaction_hashes(block: &Block) -> Result<Vec<B256>, UnknownTransactionType> {
    let mut envelope = Vec::new();
    let hash = |transaction: &Transaction| {
        envelope.clear();
        transaction.encode_envelope(&mut envelope)?;
        Ok(keccak256(&envelope))
    };
    block.transactions.iter().map(hash).collect()
}

impl Transaction {
    /// The transaction's hash.
    ///
    /// # Errors
    /// For a type above 4.
    pub fn hash(&self) -> Result<B256, UnknownTransactionType> {
        let mut envelope = Vec::new();
        self.encode_envelope(&mut envelope)?;
        Ok(keccak256(&envelope))
    }

    /// Appends the signed EIP-2718 envelope, whose keccak256 is the hash and which is the leaf of the transaction trie.
    ///
    /// A missing signature part is zero, as the producer writes zero as null; a type-3 or type-4 transaction whose
    /// lists the layout dropped gets empty ones, and so another hash than on the chain.
    ///
    /// # Errors
    /// For a type above 4.
    pub fn encode_envelope(&self, out: &mut Vec<u8>) -> Result<(), UnknownTransactionType> {
        let mut fields = Fields(Vec::with_capacity(self.input.len() + FIELDS_TYPICAL_BYTES));
        match self.tx_type {
            0 => self.legacy(&mut fields),
            1 => self.access_list_fields(&mut fields),
            2 => self.fee_market(&mut fields),
            3 => self.blob(&mut fields),
            4 => self.set_code(&mut fields),
            other => return Err(UnknownTransactionType(other)),
        }
        for part in [self.v, self.r, self.s] {
            fields.add(&part.unwrap_or_default());
        }
        if self.tx_type != 0 {
            out.push(self.tx_type);
        }
        fields.list_into(out);
        Ok(())
    }

    fn legacy(&self, fields: &mut Fields) {
        fields.add(&self.nonce);
        fields.add(&self.gas_price);
        self.body(fields);
    }

    fn access_list_fields(&self, fields: &mut Fields) {
        fields.add(&self.chain_id);
        fields.add(&self.nonce);
        fields.add(&self.gas_price);
        self.body(fields);
        fields.add(&self.access_list);
    }

    fn fee_market(&self, fields: &mut Fields) {
        fields.add(&self.chain_id);
        fields.add(&self.nonce);
        fields.add(&self.gas_tip_cap);
        fields.add(&self.gas_fee_cap);
        self.body(fields);
        fields.add(&self.access_list);
    }

    fn blob(&self, fields: &mut Fields) {
        self.fee_market(fields);
        fields.add(&self.blob_fee_cap.unwrap_or_default());
        fields.add_list(self.blob_hashes.as_deref().unwrap_or_default(), |hash, hashes| hashes.add(hash));
    }

    fn set_code(&self, fields: &mut Fields) {
        self.fee_market(fields);
        fields.add_list(self.authorization_list.as_deref().unwrap_or_default(), authorization);
    }

    /// What every type has in the same order: gas limit, recipient, value, input.
    fn body(&self, fields: &mut Fields) {
        fields.add(&self.gas);
        match &self.to {
            Some(address) => fields.add(address),
            None => fields.add::<[u8]>(&[]),
        }
        fields.add(&self.value);
        fields.add(&self.input);
    }
}

/// Everything but the input of a transaction without an access list fits in this.
const FIELDS_TYPICAL_BYTES: usize = 256;

fn authorization(signed: &Authorization, list: &mut Fields) {
    list.add_list(std::slice::from_ref(signed), |signed, fields| {
        fields.add(&signed.chain_id);
        fields.add(&signed.address);
        fields.add(&signed.nonce);
        for part in [signed.y_parity, signed.r, signed.s] {
            fields.add::<U256>(&part);
        }
    });
}

/// The payload of an RLP list.
struct Fields(Vec<u8>);

impl Fields {
    fn add<T: Encodable + ?Sized>(&mut self, field: &T) {
        field.encode(&mut self.0);
    }

    /// Adds a list of what `add` adds for each item.
    fn add_list<T>(&mut self, items: &[T], mut add: impl FnMut(&T, &mut Self)) {
        let mut list = Self(Vec::new());
        for item in items {
            add(item, &mut list);
        }
        list.list_into(&mut self.0);
    }

    fn list_into(&self, out: &mut Vec<u8>) {
        Header { list: true, payload_length: self.0.len() }.encode(out);
        out.put_slice(&self.0);
    }
}
