//! The root of the partial state after a block: what the evm-server prints as `Hash`.

use alloy_primitives::{B256, U256, keccak256};
use alloy_rlp::Encodable;
use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder, Nibbles, TrieAccount};
use revm::state::{Account, EvmStorage};

use crate::outcome::PostState;

/// Root of the secure trie over every account that exists after the block, as far as the specimen and its execution
/// know it.
///
/// Keys are keccak256 of addresses and slots; an account's value is the RLP of its nonce, balance, storage root and
/// code hash. Slots that are zero are absent.
pub(super) fn state_root(state: &PostState) -> B256 {
    let mut accounts: Vec<(B256, &Account)> =
        state.accounts().map(|(address, account)| (keccak256(address), account)).collect();
    accounts.sort_unstable_by_key(|(key, _)| *key);

    let mut trie = HashBuilder::default();
    let mut slots = Vec::new();
    let mut value = Vec::new();
    for (key, account) in accounts {
        let leaf = TrieAccount {
            nonce: account.info.nonce,
            balance: account.info.balance,
            storage_root: storage_root(&account.storage, &mut slots, &mut value),
            code_hash: account.info.code_hash,
        };
        value.clear();
        leaf.encode(&mut value);
        trie.add_leaf_unchecked(Nibbles::unpack_array(&key.0), &value);
    }
    trie.root()
}

/// Root of one account's storage. `slots` and `value` are scratch space.
fn storage_root(storage: &EvmStorage, slots: &mut Vec<(B256, U256)>, value: &mut Vec<u8>) -> B256 {
    slots.clear();
    slots.extend(
        storage
            .iter()
            .filter(|(_, slot)| !slot.present_value.is_zero())
            .map(|(key, slot)| (keccak256(key.to_be_bytes::<32>()), slot.present_value)),
    );
    if slots.is_empty() {
        return EMPTY_ROOT_HASH;
    }
    slots.sort_unstable_by_key(|(key, _)| *key);

    let mut trie = HashBuilder::default();
    for (key, present) in slots {
        value.clear();
        present.encode(value);
        trie.add_leaf_unchecked(Nibbles::unpack_array(&key.0), value);
    }
    trie.root()
}
