//! Signed EIP-2718 envelopes, rebuilt from a specimen's fields, and the hashes they give.
//!
//! Exact except for what a codec drops: layout 0.36 has no blob fields, and no layout has authorizations.

use alloy_primitives::{B256, U256, keccak256};
use alloy_rlp::{Encodable, Header};
use refiner_keccak::{Messages, ordered_trie_root};

use crate::{Authorization, Block, Layout, Specimen, Transaction};

/// EIP-155: `v` is twice the chain id and this, or one more.
const EIP155_OFFSET: u64 = 35;

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
    Envelopes::of(&block.transactions).map(|envelopes| envelopes.hashes())
}

/// The signed envelopes of a block's transactions, in block order and in one buffer.
#[derive(Clone, Debug, Default)]
pub struct Envelopes(Messages);

impl Envelopes {
    /// Encodes every transaction.
    ///
    /// # Errors
    /// For a type above 4.
    pub fn of(transactions: &[Transaction]) -> Result<Self, UnknownTransactionType> {
        let bytes = transactions.iter().map(|transaction| transaction.input.len() + FIELDS_TYPICAL_BYTES).sum();
        let mut envelopes = Messages::with_capacity(transactions.len(), bytes);
        for transaction in transactions {
            envelopes.try_add(|bytes| transaction.encode_envelope(bytes))?;
        }
        Ok(Self(envelopes))
    }

    /// Each envelope, in block order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.0.iter()
    }

    /// The root of the transaction trie.
    pub fn root(&self) -> B256 {
        ordered_trie_root(&self.0)
    }

    /// keccak256 of each envelope: the transaction hashes.
    pub fn hashes(&self) -> Vec<B256> {
        self.0.hashes()
    }
}

/// A part of a transaction that its layout drops, so that its envelope cannot be rebuilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DroppedPart {
    /// Signature and exact numbers, layout 0.2.
    Signature,
    /// Blob hashes and blob fee cap of type 3, layouts before 0.37.
    BlobHashes,
    /// EIP-7702 authorizations of type 4, which no producer exports.
    Authorizations,
}

impl DroppedPart {
    /// The name of the field, or of the first of several, in the schema.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Signature => "r",
            Self::BlobHashes => "blobHashes",
            Self::Authorizations => "AuthList",
        }
    }

    /// The reason it gives for a check that cannot be made.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "layout 0.2 carries no signatures and rounds large numbers",
            Self::BlobHashes => "layouts before 0.37 drop the blob hashes of type-3 transactions",
            Self::Authorizations => "the producer exports no authorizations of type-4 transactions",
        }
    }
}

impl Transaction {
    /// The part that `layout` drops of this transaction, if any.
    pub fn dropped(&self, layout: Layout) -> Option<DroppedPart> {
        match self.tx_type {
            _ if !layout.has_signatures() => Some(DroppedPart::Signature),
            3 if layout < Layout::V0_37 => Some(DroppedPart::BlobHashes),
            4 if self.authorization_list.is_none() => Some(DroppedPart::Authorizations),
            _ => None,
        }
    }

    /// EIP-155: the chain that the signature is for. `None` for a legacy transaction of any chain.
    pub fn signed_chain_id(&self) -> Option<U256> {
        if self.tx_type != 0 {
            return Some(U256::from(self.chain_id));
        }
        let doubled = self.v.unwrap_or_default().checked_sub(U256::from(EIP155_OFFSET))?;
        Some(doubled >> 1)
    }

    /// The hash that the sender signed.
    ///
    /// # Errors
    /// For a type above 4.
    pub fn signing_hash(&self) -> Result<B256, UnknownTransactionType> {
        let mut signed = Vec::with_capacity(self.input.len() + FIELDS_TYPICAL_BYTES);
        let chain_id = self.signed_chain_id().filter(|_| self.tx_type == 0);
        self.encode_with(&mut signed, |fields| {
            if let Some(chain_id) = chain_id {
                fields.add(&chain_id);
                fields.add(&0u8);
                fields.add(&0u8);
            }
        })?;
        Ok(keccak256(signed))
    }

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
        self.encode_with(out, |fields| {
            for part in [self.v, self.r, self.s] {
                fields.add(&part.unwrap_or_default());
            }
        })
    }

    /// Appends the type, but for a legacy transaction, and the list of every field but the signature and what `add` adds.
    fn encode_with(&self, out: &mut Vec<u8>, add: impl FnOnce(&mut Fields<'_>)) -> Result<(), UnknownTransactionType> {
        let fields_of_type = match self.tx_type {
            0 => Self::legacy,
            1 => Self::access_list_fields,
            2 => Self::fee_market,
            3 => Self::blob,
            4 => Self::set_code,
            other => return Err(UnknownTransactionType(other)),
        };
        if self.tx_type != 0 {
            out.push(self.tx_type);
        }
        Fields(out).add_list(|fields| {
            fields_of_type(self, fields);
            add(fields);
        });
        Ok(())
    }

    fn legacy(&self, fields: &mut Fields<'_>) {
        fields.add(&self.nonce);
        fields.add(&self.gas_price);
        self.body(fields);
    }

    fn access_list_fields(&self, fields: &mut Fields<'_>) {
        fields.add(&self.chain_id);
        fields.add(&self.nonce);
        fields.add(&self.gas_price);
        self.body(fields);
        fields.add(&self.access_list);
    }

    fn fee_market(&self, fields: &mut Fields<'_>) {
        fields.add(&self.chain_id);
        fields.add(&self.nonce);
        fields.add(&self.gas_tip_cap);
        fields.add(&self.gas_fee_cap);
        self.body(fields);
        fields.add(&self.access_list);
    }

    fn blob(&self, fields: &mut Fields<'_>) {
        self.fee_market(fields);
        fields.add(&self.blob_fee_cap.unwrap_or_default());
        fields.add_list(|hashes| {
            for hash in self.blob_hashes.iter().flatten() {
                hashes.add(hash);
            }
        });
    }

    fn set_code(&self, fields: &mut Fields<'_>) {
        self.fee_market(fields);
        fields.add_list(|list| {
            for authorization in self.authorization_list.iter().flatten() {
                list.add_list(|fields| authorization_fields(authorization, fields));
            }
        });
    }

    /// Fields that every type has in the same order: gas limit, recipient, value, input.
    fn body(&self, fields: &mut Fields<'_>) {
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

fn authorization_fields(authorization: &Authorization, fields: &mut Fields<'_>) {
    fields.add(&authorization.chain_id);
    fields.add(&authorization.address);
    fields.add(&authorization.nonce);
    for part in [authorization.y_parity, authorization.r, authorization.s] {
        fields.add(&part);
    }
}

/// The fields of an RLP list, which are appended to what is there.
struct Fields<'a>(&'a mut Vec<u8>);

impl Fields<'_> {
    fn add<T: Encodable + ?Sized>(&mut self, field: &T) {
        field.encode(self.0);
    }

    /// Adds a list of what `add` adds to it.
    fn add_list(&mut self, add: impl FnOnce(&mut Fields<'_>)) {
        let start = self.0.len();
        add(&mut Fields(self.0));
        // The length that the head states is known now. To move a payload of some hundred bytes costs less than a buffer for it.
        let payload_length = self.0.len() - start;
        Header { list: true, payload_length }.encode(self.0);
        self.0[start..].rotate_left(payload_length);
    }
}
