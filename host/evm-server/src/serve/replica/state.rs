//! The state that the block read.

use alloy_primitives::{Address, B256, Bytes, U256};
use refiner_specimen::{AccountRead, BlockHashRead, BytecodeTable, CodeRead, StateReads, StorageRead};
use serde::Deserialize;

use super::text::{CodeText, Text, list};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct StateJson<'a> {
    #[serde(default, deserialize_with = "list")]
    account_read: Vec<AccountJson>,
    #[serde(default, deserialize_with = "list")]
    storage_read: Vec<StorageJson>,
    #[serde(borrow, default, deserialize_with = "list")]
    code_read: Vec<CodeJson<'a>>,
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
struct CodeJson<'a> {
    hash: Text<B256>,
    #[serde(borrow)]
    code: CodeText<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct BlockHashJson {
    block_number: u64,
    block_hash: Text<B256>,
}

impl StateJson<'_> {
    /// The reads; their bytecode stays where it stands in `source`, which is the JSON.
    pub(super) fn into_reads(self, source: &Bytes) -> StateReads {
        StateReads {
            accounts: self.account_read.into_iter().map(AccountRead::from).collect(),
            storage: self.storage_read.into_iter().map(StorageRead::from).collect(),
            codes: codes(self.code_read, source),
            block_hashes: self.blockhash_read.into_iter().map(BlockHashRead::from).collect(),
        }
    }
}

fn codes(all: Vec<CodeJson<'_>>, source: &Bytes) -> BytecodeTable {
    match all.iter().map(|json| Some((json.hash.0, json.code.place_in(source)?))).collect() {
        Some(places) => BytecodeTable::of_text(source.clone(), places),
        None => all.into_iter().map(CodeRead::from).collect::<Vec<_>>().into(),
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

impl From<CodeJson<'_>> for CodeRead {
    fn from(json: CodeJson<'_>) -> Self {
        Self { hash: json.hash.0, code: json.code.into_bytes() }
    }
}

impl From<BlockHashJson> for BlockHashRead {
    fn from(json: BlockHashJson) -> Self {
        Self { number: json.block_number, hash: json.block_hash.0 }
    }
}
