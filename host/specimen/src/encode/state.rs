//! The state that a block read.

use alloy_primitives::U256;

use super::{
    error::{Encoded, Locate},
    writer::Writer,
};
use crate::{AccountRead, BlockHashRead, CodeRead, Layout, StateReads, StorageRead};

pub(super) fn write(out: &mut Writer, state: &StateReads) -> Encoded<()> {
    out.array(&state.accounts, account).at("AccountRead")?;
    out.array(&state.storage, storage).at("StorageRead")?;
    out.array(state.codes.iter(), code).at("CodeRead")?;
    out.array(&state.block_hashes, block_hash).at("BlockhashRead")
}

fn account(out: &mut Writer, read: &AccountRead) -> Encoded<()> {
    out.hex(read.address);
    out.long(read.nonce).at("Nonce")?;
    out.number_or_double(read.balance).at("Balance")?;
    out.hex(read.code_hash);
    Ok(())
}

fn storage(out: &mut Writer, read: &StorageRead) -> Encoded<()> {
    out.hex(read.account);
    out.hex(read.slot);
    out.hex(read.value);
    Ok(())
}

fn code(out: &mut Writer, read: &CodeRead) -> Encoded<()> {
    out.hex(read.hash);
    out.base64(&read.code);
    Ok(())
}

fn block_hash(out: &mut Writer, read: &BlockHashRead) -> Encoded<()> {
    match out.layout {
        Layout::V0_3 => out.whole_double(U256::from(read.number)).at("BlockNumber")?,
        _ => out.long(read.number).at("BlockNumber")?,
    }
    out.hex(read.hash);
    Ok(())
}
