//! Hashes, numbers and addresses as the contract carries them: words, most significant first.

mod address;
mod b256;
mod hex;
mod u256;

pub use address::{Address, NoAddress};
pub use b256::B256;
pub use u256::U256;
