//! From a log to the transfers it states.
//!
//! | event | topics | data |
//! |---|---|---|
//! | ERC-20 `Transfer(address,address,uint256)` | name, from, to | amount |
//! | ERC-721 `Transfer(address,address,uint256)` | name, from, to, token id | none |
//! | ERC-1155 `TransferSingle(address,address,address,uint256,uint256)` | name, operator, from, to | token id, amount |
//! | ERC-1155 `TransferBatch(address,address,address,uint256[],uint256[])` | name, operator, from, to | token ids, amounts |
//!
//! ERC-20 and ERC-721 share a name; what is indexed tells them apart.
//!
//! Of contracts that are known to wrap ether, these are transfers too, from and to nobody:
//!
//! | event | topics | data |
//! |---|---|---|
//! | `Deposit(address,uint256)` | name, to | amount |
//! | `Withdrawal(address,uint256)` | name, from | amount |

use std::fmt;

use refiner_sdk::{Address, B256, Log, U256};

/// keccak256 of `Transfer(address,address,uint256)`.
pub const TRANSFER: B256 = B256::from_hex("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// keccak256 of `TransferSingle(address,address,address,uint256,uint256)`.
pub const TRANSFER_SINGLE: B256 = B256::from_hex("c3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62");
/// keccak256 of `TransferBatch(address,address,address,uint256[],uint256[])`.
pub const TRANSFER_BATCH: B256 = B256::from_hex("4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb");

/// keccak256 of `Deposit(address,uint256)`.
pub const DEPOSIT: B256 = B256::from_hex("e1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c");
/// keccak256 of `Withdrawal(address,uint256)`.
pub const WITHDRAWAL: B256 = B256::from_hex("7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65");

/// Bytes of a value in ABI-encoded data.
const WORD: usize = 32;

/// A standard of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// All tokens are alike.
    Erc20,
    /// Each token id is one thing.
    Erc721,
    /// Each token id is a number of things.
    Erc1155,
    /// The chain's own currency, which a contract keeps and gives back.
    WrappedEther,
}

/// One event, of one transfer or of a batch between the same two accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The standard, by its shape.
    pub standard: Standard,
    /// The account that moved the tokens; only ERC-1155 states it.
    pub operator: Option<Address>,
    /// Zero when the tokens are new.
    pub from: Address,
    /// Zero when the tokens are no more.
    pub to: Address,
    moved: Moved<'a>,
}

/// The tokens that an event reports as moved.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Moved<'a> {
    One {
        token_id: Option<U256>,
        amount: U256,
    },
    /// Words of equal number.
    Many {
        token_ids: &'a [u8],
        amounts: &'a [u8],
    },
}

/// One kind of token that moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Position in a batch; none outside of one.
    pub batch_index: Option<u32>,
    /// None for ERC-20.
    pub token_id: Option<U256>,
    /// In the token's smallest unit; 1 for ERC-721.
    pub amount: U256,
}

/// Reasons for which a log with the name of a transfer is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misshapen {
    /// More or fewer topics than the standard has.
    Topics,
    /// A topic that should be an address does not start with twelve zero bytes.
    Address,
    /// Data longer or shorter than the standard has.
    Data,
    /// A batch whose arrays are not within the data.
    Array,
    /// A batch with another number of token ids than amounts.
    Lengths,
}

/// Reads the token event in a log, if there is one.
///
/// # Errors
/// The log has the name of a transfer and another shape.
pub fn read(log: &Log) -> Result<Option<Event<'_>>, Misshapen> {
    let Some((name, topics)) = log.topics.split_first() else { return Ok(None) };
    match *name {
        TRANSFER => transfer(topics, &log.data).map(Some),
        TRANSFER_SINGLE => multi(topics, single(&log.data)).map(Some),
        TRANSFER_BATCH => multi(topics, batch(&log.data)).map(Some),
        _ => Ok(None),
    }
}

/// Reads the event of a contract that wraps ether, if it is one by which ether comes or goes.
///
/// # Errors
/// The log has the name of such an event and another shape.
pub fn read_wrapping(log: &Log) -> Result<Option<Event<'_>>, Misshapen> {
    let Some((name, topics)) = log.topics.split_first() else { return Ok(None) };
    let is_deposit = *name == DEPOSIT;
    if !is_deposit && *name != WITHDRAWAL {
        return Ok(None);
    }
    let [account] = *topics else { return Err(Misshapen::Topics) };
    let ([amount], account) = (words(&log.data)?, address(account)?);
    let (from, to) = if is_deposit { (Address::ZERO, account) } else { (account, Address::ZERO) };
    let moved = Moved::One { token_id: None, amount };
    Ok(Some(Event { standard: Standard::WrappedEther, operator: None, from, to, moved }))
}

fn transfer<'a>(topics: &[B256], data: &[u8]) -> Result<Event<'a>, Misshapen> {
    let (standard, [from, to], moved) = match *topics {
        [from, to] => {
            let [amount] = words(data)?;
            (Standard::Erc20, [from, to], Moved::One { token_id: None, amount })
        }
        [from, to, token_id] => {
            let [] = words(data)?;
            let moved = Moved::One { token_id: Some(token_id.into()), amount: U256::from(1) };
            (Standard::Erc721, [from, to], moved)
        }
        _ => return Err(Misshapen::Topics),
    };
    Ok(Event { standard, operator: None, from: address(from)?, to: address(to)?, moved })
}

fn multi<'a>(topics: &[B256], moved: Result<Moved<'a>, Misshapen>) -> Result<Event<'a>, Misshapen> {
    let [operator, from, to] = *topics else { return Err(Misshapen::Topics) };
    let (operator, from, to) = (Some(address(operator)?), address(from)?, address(to)?);
    Ok(Event { standard: Standard::Erc1155, operator, from, to, moved: moved? })
}

fn single<'a>(data: &[u8]) -> Result<Moved<'a>, Misshapen> {
    let [token_id, amount] = words(data)?;
    Ok(Moved::One { token_id: Some(token_id), amount })
}

fn batch(data: &[u8]) -> Result<Moved<'_>, Misshapen> {
    let token_ids = array(data, 0).ok_or(Misshapen::Array)?;
    let amounts = array(data, 1).ok_or(Misshapen::Array)?;
    if token_ids.len() != amounts.len() {
        return Err(Misshapen::Lengths);
    }
    Ok(Moved::Many { token_ids, amounts })
}

/// The words of the array whose offset is argument `position`. It may lie anywhere in the data, as the ABI allows, but
/// wholly within: so a batch has never more items than its data has words, which the emitter paid for.
fn array(data: &[u8], position: usize) -> Option<&[u8]> {
    let size = |data: &[u8], position| usize::try_from(U256::from_abi_word(data, position)?.to_u64()?).ok();
    let tail = data.get(size(data, position)?..)?;
    let length = size(tail, 0)?.checked_mul(WORD)?;
    tail.get(WORD..)?.get(..length)
}

/// Data of exactly `N` words.
fn words<const N: usize>(data: &[u8]) -> Result<[U256; N], Misshapen> {
    if data.len() != N * WORD {
        return Err(Misshapen::Data);
    }
    let mut words = [U256::ZERO; N];
    for (position, word) in words.iter_mut().enumerate() {
        *word = U256::from_abi_word(data, position).ok_or(Misshapen::Data)?;
    }
    Ok(words)
}

fn address(topic: B256) -> Result<Address, Misshapen> {
    topic.to_address().ok_or(Misshapen::Address)
}

impl Event<'_> {
    /// Everything the event moved, in its order.
    pub fn items(&self) -> impl Iterator<Item = Item> + '_ {
        let (one, many) = match &self.moved {
            Moved::One { token_id, amount } => {
                (Some(Item { batch_index: None, token_id: *token_id, amount: *amount }), None)
            }
            Moved::Many { token_ids, amounts } => (
                None,
                Some((0_u32..).zip(0..).map_while(|(index, position)| {
                    let token_id = U256::from_abi_word(token_ids, position)?;
                    let amount = U256::from_abi_word(amounts, position)?;
                    Some(Item { batch_index: Some(index), token_id: Some(token_id), amount })
                })),
            ),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}

impl Standard {
    /// Its name in a row.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Erc20 => "ERC-20",
            Self::Erc721 => "ERC-721",
            Self::Erc1155 => "ERC-1155",
            Self::WrappedEther => "wrapped ether",
        }
    }
}

impl fmt::Display for Misshapen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Topics => "another number of topics",
            Self::Address => "a topic that is no address",
            Self::Data => "data of another length",
            Self::Array => "arrays that leave the data",
            Self::Lengths => "not as many token ids as amounts",
        })
    }
}

#[cfg(test)]
mod tests;
