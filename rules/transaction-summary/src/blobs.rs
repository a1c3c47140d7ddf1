//! Blobs of EIP-4844 transactions: their number and price.

use refiner_sdk::{Execution, Specimen, Transaction, U256};

/// Gas of a blob, in every fork.
const GAS_PER_BLOB: u64 = 1 << 17;

/// The key of the price in the block result. Nothing else in it can hold these characters: all other text there is names,
/// and hexadecimal digits.
const PRICE: &[u8] = b"\"blobGasPrice\":\"0x";

/// Most digits of the price, which is less than 2^128, and the quote behind them.
const PRICE_END_BYTES: usize = 32 + 1;

/// The blobs of a block.
pub struct Blobs {
    /// Blobs of the transaction that lacks its blob hashes, when there is only one.
    lacking: Option<u64>,
    /// Wei for each unit of blob gas. None in a block without blob transactions.
    price: Option<U256>,
}

impl Blobs {
    /// Looks up what a block's blobs cost.
    ///
    /// The price follows from the header by constants that change with the chain's forks. The host knows those and states
    /// the price in the block result, so it is read there: the contract has no function for it.
    pub fn of(specimen: &Specimen, execution: &Execution) -> Self {
        let mut blob_transactions = 0;
        let mut lacks = false;
        for transaction in specimen.transactions().filter(|transaction| transaction.tx_type == Transaction::BLOB) {
            blob_transactions += 1;
            lacks |= transaction.lacks_blob_hashes();
        }
        let lacking = if lacks && blob_transactions == 1 { specimen.header().blob_gas_used } else { None };
        let price = if blob_transactions > 0 { price(execution.block_result()) } else { None };
        Self { lacking: lacking.map(|gas| gas / GAS_PER_BLOB), price }
    }

    /// The number of blobs that the transaction carries. None when its specimen dropped them and other transactions of the block
    /// could have carried them too.
    pub fn count(&self, transaction: &Transaction) -> Option<u64> {
        if transaction.lacks_blob_hashes() { self.lacking } else { Some(transaction.blob_hash_count.into()) }
    }

    /// The wei that the sender paid for the transaction's blobs. None where [`Self::count`] is none, and for transactions
    /// of other types.
    pub fn fee(&self, transaction: &Transaction) -> Option<U256> {
        if transaction.tx_type != Transaction::BLOB {
            return None;
        }
        self.price?.checked_mul(self.count(transaction)?.checked_mul(GAS_PER_BLOB)?)
    }
}

/// The first price in a block result that comes in chunks.
fn price(chunks: impl Iterator<Item = Vec<u8>>) -> Option<U256> {
    let mut window = Vec::new();
    for chunk in chunks {
        // What is kept of the chunks before could be the beginning of the price, never the whole.
        let keep = window.len().saturating_sub(PRICE.len() + PRICE_END_BYTES);
        window.drain(..keep);
        window.extend_from_slice(&chunk);
        if let Some(price) = price_in(&window) {
            return Some(price);
        }
    }
    None
}

fn price_in(text: &[u8]) -> Option<U256> {
    let start = text.windows(PRICE.len()).position(|window| window == PRICE)? + PRICE.len();
    let digits = text.get(start..)?;
    let digits = digits.get(..digits.iter().take(PRICE_END_BYTES).position(|byte| *byte == b'"')?)?;
    let price = u128::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?.to_be_bytes();
    let mut word = [0; 32];
    word[16..].copy_from_slice(&price);
    Some(U256::from_bytes(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn price_is_found_however_the_block_result_is_cut() {
        let check = |text: &str, expected: Option<u64>| {
            for size in [1, 2, 7, 17, 18, 19, 40, 51, 52, 1_000] {
                let chunks = text.as_bytes().chunks(size).map(<[u8]>::to_vec);
                assert_eq!(price(chunks), expected.map(U256::from), "{text} in pieces of {size}");
            }
        };
        let far = "0".repeat(200);
        check(r#"{"receipts":[{"blobGasUsed":"0x20000","blobGasPrice":"0x1","contractAddress":null}]}"#, Some(1));
        check(&format!(r#"{{"data":"0x{far}","blobGasPrice":"0xff","logs":"{far}"}}"#), Some(255));
        check(r#"{"blobGasPrice":"0x10","and":{"blobGasPrice":"0x11"}}"#, Some(16));
        check(r#"{"receipts":[]}"#, None);
        check(r#"{"blobGasPrice":"0x1"#, None);
        check(r#"{"blobGasPrice":"0x","next":"0x1"}"#, None);
        check("", None);
    }

    #[test]
    fn largest_price_is_read_whole_and_a_larger_one_not_at_all() {
        let check = |digits: &str, expected: Option<U256>| {
            for size in [1, 5, 60] {
                let text = format!("{{\"blobGasPrice\":\"0x{digits}\"}}");
                assert_eq!(price(text.as_bytes().chunks(size).map(<[u8]>::to_vec)), expected, "{digits}");
            }
        };
        check(&"f".repeat(32), Some(U256::from_words([0, 0, u64::MAX, u64::MAX])));
        check(&"f".repeat(33), None);
    }
}
