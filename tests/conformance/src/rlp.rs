//! RLP, strict, keeping the bytes of each item: signing hashes are made of them.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rlp::Header;

/// A fault of an encoding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The bytes are no RLP.
    #[error("{0}")]
    Rlp(#[from] alloy_rlp::Error),
    /// A list where bytes are expected, or the other way round.
    #[error("{0} is of the wrong kind")]
    Kind(&'static str),
    /// A list of another length than the structure has.
    #[error("{name} has {items} items")]
    Items {
        /// Name of the structure.
        name: &'static str,
        /// The number of items found.
        items: usize,
    },
    /// A number with leading zeros, or a fixed-size field of another size.
    #[error("{0} is not encoded canonically")]
    Value(&'static str),
    /// A number that no layout of a specimen has room for.
    #[error("{0} is larger than a specimen can carry")]
    TooLarge(&'static str),
    /// Bytes after the end.
    #[error("{0} bytes follow the block")]
    Trailing(usize),
    /// An EIP-2718 type that no fork defines.
    #[error("transaction type {0} is not known")]
    TransactionType(u8),
}

/// One item of a list.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    list: bool,
    payload: &'a [u8],
    /// The whole item, its head included.
    pub raw: &'a [u8],
}

/// The first item of `bytes`, and what follows it.
pub fn split(bytes: &[u8]) -> Result<(Item<'_>, &[u8]), Malformed> {
    let mut rest = bytes;
    let head = Header::decode(&mut rest)?;
    let (payload, after) = rest.split_at(head.payload_length);
    let raw = &bytes[..bytes.len() - after.len()];
    Ok((Item { list: head.list, payload, raw }, after))
}

/// The one item that `bytes` are.
pub fn whole(bytes: &[u8]) -> Result<Item<'_>, Malformed> {
    match split(bytes)? {
        (item, []) => Ok(item),
        (_, rest) => Err(Malformed::Trailing(rest.len())),
    }
}

impl<'a> Item<'a> {
    /// Whether the item is a list.
    pub const fn is_list(&self) -> bool {
        self.list
    }

    /// The items of a list.
    pub fn items(&self, name: &'static str) -> Result<Vec<Self>, Malformed> {
        if !self.list {
            return Err(Malformed::Kind(name));
        }
        let mut items = Vec::new();
        let mut rest = self.payload;
        while !rest.is_empty() {
            let (item, after) = split(rest)?;
            items.push(item);
            rest = after;
        }
        Ok(items)
    }

    /// The items of a list of known length.
    pub fn record<const N: usize>(&self, name: &'static str) -> Result<[Self; N], Malformed> {
        let items = self.items(name)?;
        let found = items.len();
        items.try_into().map_err(|_| Malformed::Items { name, items: found })
    }

    /// A string of bytes.
    pub fn bytes(&self, name: &'static str) -> Result<&'a [u8], Malformed> {
        if self.list { Err(Malformed::Kind(name)) } else { Ok(self.payload) }
    }

    /// A string of bytes, copied.
    pub fn owned(&self, name: &'static str) -> Result<Bytes, Malformed> {
        self.bytes(name).map(Bytes::copy_from_slice)
    }

    /// A number of at most 256 bits.
    pub fn number(&self, name: &'static str) -> Result<U256, Malformed> {
        let bytes = self.bytes(name)?;
        if bytes.first() == Some(&0) || bytes.len() > 32 {
            return Err(Malformed::Value(name));
        }
        Ok(U256::from_be_slice(bytes))
    }

    /// A number that must fit `T`.
    pub fn small<T: TryFrom<U256>>(&self, name: &'static str) -> Result<T, Malformed> {
        T::try_from(self.number(name)?).map_err(|_| Malformed::TooLarge(name))
    }

    /// Reads an address of 20 bytes.
    pub fn address(&self, name: &'static str) -> Result<Address, Malformed> {
        Address::try_from(self.bytes(name)?).map_err(|_| Malformed::Value(name))
    }

    /// An address, or nothing for a creation.
    pub fn callee(&self, name: &'static str) -> Result<Option<Address>, Malformed> {
        if self.bytes(name)?.is_empty() { Ok(None) } else { self.address(name).map(Some) }
    }

    /// Reads a hash of 32 bytes.
    pub fn hash(&self, name: &'static str) -> Result<B256, Malformed> {
        B256::try_from(self.bytes(name)?).map_err(|_| Malformed::Value(name))
    }
}

/// The encoding of a list of items that are encoded already.
pub fn list<'a>(items: impl Iterator<Item = &'a [u8]> + Clone) -> Vec<u8> {
    let payload_length = items.clone().map(<[u8]>::len).sum();
    let mut out = Vec::with_capacity(payload_length + 9);
    Header { list: true, payload_length }.encode(&mut out);
    items.for_each(|item| out.extend_from_slice(item));
    out
}
