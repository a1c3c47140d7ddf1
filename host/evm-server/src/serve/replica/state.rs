//! The state that the block read.

use alloy_primitives::{Address, B256, U256};
use refiner_specimen::{AccountRead, BlockHashRead, BytecodeTable, CodeRead, StateReads, StorageRead};
use serde::Deserialize;

use super::text::{Base64, Text, list};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct StateJson {
    #[serde(default, deserialize_with = "list")]
    account_read: Vec<AccountJson>,
    #[serde(default, deserialize_with = "list")]
    storage_read: Vec<StorageJson>,
    #[serde(default, deserialize_with = "list")]
    code_read: Vec<CodeJson>,
    #[serde(default, deserialize_with = "list")]
    blockhash_read: Vec<BlockHashJson>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AccountJson {
    address: Text<Address>,
    nonce: u64,
    balance: Text<U256>,
    code_hash: Text<B256>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct StorageJson {
    account: Text<Address>,
    slot_key: Text<B256>,
    value: Text<B256>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CodeJson {
    hash: Text<B256>,
    code: Text<Base64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct BlockHashJson {
    block_number: u64,
    block_hash: Text<B256>,
}

impl From<StateJson> for StateReads {
    fn from(json: StateJson) -> Self {
        let codes: Vec<CodeRead> = json.code_read.into_iter().map(CodeRead::from).collect();
        Self {
            accounts: json.account_read.into_iter().map(AccountRead::from).collect(),
            storage: json.storage_read.into_iter().map(StorageRead::from).collect(),
            codes: BytecodeTable::from(codes),
            block_hashes: json.blockhash_read.into_iter().map(BlockHashRead::from).collect(),
        }
    }
}

impl From<AccountJson> for AccountRead {
    fn from(json: AccountJson) -> Self {
        Self { address: json.address.0, nonce: json.nonce, balance: json.balance.0, code_hash: json.code_hash.0 }
    }
}

impl From<StorageJson> for StorageRead {
    fn from(json: StorageJson) -> Self {
        Self { account: json.account.0, slot: json.slot_key.0, value: json.value.0 }
    }
}

impl From<CodeJson> for CodeRead {
    fn from(json: CodeJson) -> Self {
        Self { hash: json.hash.0, code: json.code.0.0 }
    }
}

impl From<BlockHashJson> for BlockHashRead {
    fn from(json: BlockHashJson) -> Self {
        Self { number: json.block_number, hash: json.block_hash.0 }
    }
}
