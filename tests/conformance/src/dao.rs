//! The accounts whose balances move at the DAO fork.

use alloy_primitives::{Address, address, hex::FromHex as _};

/// The contract that gets them.
pub const REFUND: Address = address!("0xbf4ed7b27f1d666546e30d74d50d173d20bca754");

/// The DAO, its children and their extra balances: the state of mainnet, one address a line.
pub fn accounts() -> impl Iterator<Item = Address> {
    include_str!("dao-accounts.txt").lines().filter_map(|line| Address::from_hex(line).ok())
}
