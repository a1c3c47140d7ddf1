//! Signed EIP-2718 envelopes, rebuilt from a specimen's fields, and the hashes they give.
//!
//! Exact except for what a codec drops: layout 0.36 has no blob fields, and no layout has authorizations.

use alloy_primitives::{B256, U256, keccak256};
use alloy_rlp::{BufMut, Encodable, Header};
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
    pub fn of<'a>(transactions: impl IntoIterator<Item = &'a Transaction>) -> Result<Self, UnknownTransactionType> {
        let mut envelopes = Messages::default();
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
        let mut fields = self.unsigned()?;
        let mut signed = Vec::with_capacity(fields.0.len() + FIELDS_TYPICAL_BYTES);
        match (self.tx_type, self.signed_chain_id()) {
            (0, None) => {}
            (0, Some(chain_id)) => {
                fields.add(&chain_id);
                fields.add(&0u8);
                fields.add(&0u8);
            }
            (tx_type, _) => signed.push(tx_type),
        }
        fields.list_into(&mut signed);
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
        let mut fields = self.unsigned()?;
        for part in [self.v, self.r, self.s] {
            fields.add(&part.unwrap_or_default());
        }
        if self.tx_type != 0 {
            out.push(self.tx_type);
        }
        fields.list_into(out);
        Ok(())
    }

    /// Every field but the signature.
    fn unsigned(&self) -> Result<Fields, UnknownTransactionType> {
        let mut fields = Fields(Vec::with_capacity(self.input.len() + FIELDS_TYPICAL_BYTES));
        match self.tx_type {
            0 => self.legacy(&mut fields),
            1 => self.access_list_fields(&mut fields),
            2 => self.fee_market(&mut fields),
            3 => self.blob(&mut fields),
            4 => self.set_code(&mut fields),
            other => return Err(UnknownTransactionType(other)),
        }
        Ok(fields)
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

    /// Fields that every type has in the same order: gas limit, recipient, value, input.
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
