//! A block out of its encoding.

use alloy_consensus::Header;
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{B256, Bytes, hex, keccak256};
use alloy_rlp::Decodable as _;

use crate::{
    rlp::{self, Item, Malformed},
    transaction::{self, Decoded},
};

/// A block decoded from RLP.
#[derive(Clone, Debug)]
pub struct Block {
    /// Header of the block.
    pub header: Header,
    /// keccak256 of the header's encoding.
    pub hash: B256,
    /// Transactions in block order.
    pub transactions: Vec<Decoded>,
    /// Headers of the block's ommers.
    pub ommers: Vec<Header>,
    /// `None` when the block has no fourth item.
    pub withdrawals: Option<Vec<Withdrawal>>,
}

/// A header whose encoding can be read, of a block of which nothing else need be readable.
pub fn header(block: &str) -> Option<Header> {
    let bytes = bytes(block)?;
    let (block, _) = rlp::split(&bytes).ok()?;
    let items = block.items("block").ok()?;
    decode_header(items.first()?).ok()
}

/// The bytes of a block in hex; `None` for text that is no hex.
pub fn bytes(text: &str) -> Option<Bytes> {
    hex::decode(text).ok().map(Bytes::from)
}

/// Decodes a block.
///
/// # Errors
/// [`Malformed`]: no specimen can carry what is wrong with it.
pub fn decode(bytes: &[u8]) -> Result<Block, Malformed> {
    let items = rlp::whole(bytes)?.items("block")?;
    let (header, transactions, ommers, withdrawals) = match items[..] {
        [header, transactions, ommers] => (header, transactions, ommers, None),
        [header, transactions, ommers, withdrawals] => (header, transactions, ommers, Some(withdrawals)),
        _ => return Err(Malformed::Items { name: "block", items: items.len() }),
    };
    let transactions = transactions.items("transactions")?;
    let ommers = ommers.items("ommers")?;
    let withdrawals = withdrawals.map(|item| {
        let items = item.items("withdrawals")?;
        items.iter().map(withdrawal).collect::<Result<Vec<_>, _>>()
    });
    Ok(Block {
        hash: keccak256(header.raw),
        header: decode_header(&header)?,
        transactions: transactions.iter().map(transaction::decode).collect::<Result<_, _>>()?,
        ommers: ommers.iter().map(decode_header).collect::<Result<_, _>>()?,
        withdrawals: withdrawals.transpose()?,
    })
}

fn decode_header(item: &Item<'_>) -> Result<Header, Malformed> {
    let mut rest = item.raw;
    let header = Header::decode(&mut rest)?;
    // A field more than any fork defines would be dropped silently, and the hash with it.
    if header.hash_slow() == keccak256(item.raw) { Ok(header) } else { Err(Malformed::Value("header")) }
}

fn withdrawal(item: &Item<'_>) -> Result<Withdrawal, Malformed> {
    let [index, validator, address, amount] = item.record("withdrawal")?;
    Ok(Withdrawal {
        index: index.small("withdrawal.index")?,
        validator_index: validator.small("withdrawal.validatorIndex")?,
        address: address.address("withdrawal.address")?,
        amount: amount.small("withdrawal.amount")?,
    })
}
