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

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, KECCAK256_EMPTY};
    use revm::state::{AccountInfo, EvmState, EvmStorageSlot, TransactionId};

    use super::*;

    /// An account that exists, with content that follows from its address.
    fn account(seed: u8, slots: &[(u64, u64)]) -> Account {
        let info = AccountInfo {
            balance: U256::from(seed) << (seed % 100),
            nonce: u64::from(seed) * 1000,
            code_hash: if seed.is_multiple_of(3) { KECCAK256_EMPTY } else { B256::repeat_byte(seed) },
            ..AccountInfo::default()
        };
        let mut account = Account::default().with_info(info);
        for (slot, value) in slots {
            let value = EvmStorageSlot::new(U256::from(*value) << (*slot % 200), TransactionId::ZERO);
            account.storage.insert(U256::from(*slot), value);
        }
        account
    }

    fn root(accounts: impl IntoIterator<Item = (u8, Account)>) -> B256 {
        let accounts = accounts.into_iter().map(|(seed, account)| (Address::repeat_byte(seed), account));
        state_root(&PostState(accounts.collect::<EvmState>()))
    }

    /// The root by the definition in the yellow paper, appendix D: no builder, no order, no scratch space.
    fn by_definition(accounts: &[(u8, Account)]) -> B256 {
        let leaves = accounts.iter().map(|(seed, account)| {
            let slots = account.storage.iter().map(|(slot, value)| {
                (nibbles(keccak256(slot.to_be_bytes::<32>())), alloy_rlp::encode(value.present_value))
            });
            let fields: [&dyn Encodable; 4] = [
                &account.info.nonce,
                &account.info.balance,
                &keccak256(node(&slots.collect::<Vec<_>>(), 0)),
                &account.info.code_hash,
            ];
            (nibbles(keccak256(Address::repeat_byte(*seed))), list(&fields.map(alloy_rlp::encode)))
        });
        keccak256(node(&leaves.collect::<Vec<_>>(), 0))
    }

    type Leaf = (Vec<u8>, Vec<u8>);

    fn node(leaves: &[Leaf], depth: usize) -> Vec<u8> {
        match leaves {
            [] => vec![alloy_rlp::EMPTY_STRING_CODE],
            [(key, value)] => list(&[path(&key[depth..], true), alloy_rlp::encode(value.as_slice())]),
            [(first, _), rest @ ..] => {
                let common = |key: &[u8]| first[depth..].iter().zip(&key[depth..]).take_while(|(a, b)| a == b).count();
                let shared = rest.iter().map(|(key, _)| common(key)).min().unwrap();
                if shared > 0 {
                    return list(&[path(&first[depth..depth + shared], false), child(leaves, depth + shared)]);
                }
                let of = |nibble| leaves.iter().filter(|(key, _)| key[depth] == nibble).cloned().collect::<Vec<_>>();
                let mut children: Vec<_> = (0..16).map(|nibble| child(&of(nibble), depth + 1)).collect();
                children.push(vec![alloy_rlp::EMPTY_STRING_CODE]);
                list(&children)
            }
        }
    }

    fn child(leaves: &[Leaf], depth: usize) -> Vec<u8> {
        let node = node(leaves, depth);
        if node.len() < 32 { node } else { alloy_rlp::encode(keccak256(node)) }
    }

    fn path(nibbles: &[u8], is_leaf: bool) -> Vec<u8> {
        let flag = 2 * u8::from(is_leaf);
        let odd = nibbles.len() % 2;
        let head = if odd == 1 { (flag + 1) << 4 | nibbles[0] } else { flag << 4 };
        let tail = nibbles[odd..].chunks(2).map(|pair| pair[0] << 4 | pair[1]);
        alloy_rlp::encode([vec![head], tail.collect()].concat().as_slice())
    }

    fn list(items: &[Vec<u8>]) -> Vec<u8> {
        let payload = items.concat();
        let mut out = Vec::new();
        alloy_rlp::Header { list: true, payload_length: payload.len() }.encode(&mut out);
        out.extend(payload);
        out
    }

    fn nibbles(hash: B256) -> Vec<u8> {
        hash.iter().flat_map(|byte| [byte >> 4, byte & 0xf]).collect()
    }

    #[test]
    fn the_root_is_the_one_the_yellow_paper_defines() {
        for count in [0, 1, 2, 3, 17, 100] {
            let slots = |seed: u8| (0..u64::from(seed % 40)).map(|slot| (slot * 7, slot + 1)).collect::<Vec<_>>();
            let accounts: Vec<_> = (1..=count).map(|seed| (seed, account(seed, &slots(seed)))).collect();
            assert_eq!(root(accounts.clone()), by_definition(&accounts), "{count} accounts");
        }
        assert_eq!(root([]), EMPTY_ROOT_HASH);
    }

    #[test]
    fn what_does_not_exist_leaves_no_trace() {
        let bare = root([(1, account(1, &[]))]);
        let one_slot = root([(1, account(1, &[(5, 6)]))]);
        assert_ne!(bare, one_slot);
        assert_eq!(root([(1, account(1, &[(5, 6), (7, 0)]))]), one_slot);
        assert_eq!(root([(1, account(1, &[(7, 0)]))]), bare);

        // Empty by EIP-161, whether only read or touched, and whatever its storage.
        let empty = Account::default();
        let mut touched = empty.clone();
        touched.mark_touch();
        let mut destroyed = account(2, &[(1, 1)]);
        destroyed.mark_selfdestruct();
        destroyed.mark_selfdestructed_locally();
        for absent in [empty, touched, destroyed] {
            assert_eq!(root([(1, account(1, &[])), (2, absent)]), bare);
        }
        for (nonce, balance) in [(1, 0), (0, 1)] {
            let info = AccountInfo { nonce, balance: U256::from(balance), ..AccountInfo::default() };
            assert_ne!(root([(1, account(1, &[])), (2, Account::default().with_info(info))]), bare);
        }
    }
}
