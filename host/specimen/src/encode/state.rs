//! The state that a block read.

use alloy_primitives::U256;
use apache_avro::types::Value;

use super::{
    error::{Locate, Say},
    fields::Fields,
    scalar,
};
use crate::{AccountRead, BlockHashRead, CodeRead, Layout, StateReads, StorageRead};

pub(super) fn value(state: &StateReads, layout: Layout) -> Say<Value> {
    let mut fields = Fields::new(layout);
    fields.array("AccountRead", &state.accounts, |read| account(read, layout))?;
    fields.array("StorageRead", &state.storage, |read| Ok(storage(read, layout)))?;
    fields.array("CodeRead", &state.codes, |read| Ok(code(read, layout)))?;
    fields.array("BlockhashRead", &state.block_hashes, |read| block_hash(read, layout))?;
    Ok(fields.record())
}

fn account(read: &AccountRead, layout: Layout) -> Say<Value> {
    let mut fields = Fields::new(layout);
    fields.hash("Address", read.address);
    fields.long("Nonce", read.nonce)?;
    fields.number_or_double("Balance", read.balance)?;
    fields.hash("CodeHash", read.code_hash);
    Ok(fields.record())
}

fn storage(read: &StorageRead, layout: Layout) -> Value {
    let mut fields = Fields::new(layout);
    fields.hash("Account", read.account);
    fields.hash("SlotKey", read.slot);
    fields.hash("Value", read.value);
    fields.record()
}

fn code(read: &CodeRead, layout: Layout) -> Value {
    let mut fields = Fields::new(layout);
    fields.hash("Hash", read.hash);
    fields.base64("Code", &read.code);
    fields.record()
}

fn block_hash(read: &BlockHashRead, layout: Layout) -> Say<Value> {
    let mut fields = Fields::new(layout);
    match layout {
        Layout::V0_3 => fields.put("BlockNumber", scalar::whole_double(U256::from(read.number)).at("BlockNumber")?),
        _ => fields.long("BlockNumber", read.number)?,
    }
    fields.hash("BlockHash", read.hash);
    Ok(fields.record())
}
