//! The state that a block read.

use std::ops::Range;

use alloy_primitives::B256;

use super::{
    error::{Locate, Read},
    text::{ADDRESS_BYTES, HASH_BYTES, HEX_MIN_BYTES},
    wire::{Before, Wire},
};
use crate::{AccountRead, BlockHashRead, BytecodeTable, CodeRead, StateReads, StorageRead, code::EncodedCodes};

const ACCOUNT_MIN_BYTES: usize = ADDRESS_BYTES + 1 + HEX_MIN_BYTES + HASH_BYTES;
const STORAGE_BYTES: usize = ADDRESS_BYTES + 2 * HASH_BYTES;
const CODE_MIN_BYTES: usize = HASH_BYTES + 1;
const BLOCK_HASH_MIN_BYTES: usize = 1 + HASH_BYTES;

/// Everything but the block hashes, which 0.3 alone writes otherwise.
pub(super) fn read(wire: &mut Wire<'_>) -> Read<StateReads> {
    Ok(StateReads {
        accounts: wire.array(ACCOUNT_MIN_BYTES, account).at("AccountRead")?,
        storage: storage(wire).at("StorageRead")?,
        codes: codes(wire).at("CodeRead")?,
        block_hashes: Vec::new(),
    })
}

pub(super) fn block_hashes(wire: &mut Wire<'_>) -> Read<Vec<BlockHashRead>> {
    wire.array(BLOCK_HASH_MIN_BYTES, block_hash)
}

fn account(wire: &mut Wire<'_>) -> Read<AccountRead> {
    Ok(AccountRead {
        address: wire.address().at("Address")?,
        nonce: wire.long().at("Nonce")?,
        balance: wire.u256_or_double().at("Balance")?,
        code_hash: wire.hash().at("CodeHash")?,
    })
}

fn storage(wire: &mut Wire<'_>) -> Read<Vec<StorageRead>> {
    // Most slots are of the account of the slot before.
    let mut account = Before::default();
    wire.array(STORAGE_BYTES, |wire| {
        Ok(StorageRead {
            account: wire.repeated(&mut account, Wire::address).at("Account")?,
            slot: wire.hash().at("SlotKey")?,
            value: wire.hash().at("Value")?,
        })
    })
}

fn codes(wire: &mut Wire<'_>) -> Read<BytecodeTable> {
    match wire.shared {
        Some(source) => {
            let codes = wire.array(CODE_MIN_BYTES, encoded_code)?;
            Ok(BytecodeTable::encoded(EncodedCodes { source: source.clone(), codes }))
        }
        None => wire.array(CODE_MIN_BYTES, code).map(BytecodeTable::from),
    }
}

fn encoded_code(wire: &mut Wire<'_>) -> Read<(B256, Range<usize>)> {
    Ok((wire.hash().at("Hash")?, wire.base64_text().at("Code")?))
}

fn code(wire: &mut Wire<'_>) -> Read<CodeRead> {
    Ok(CodeRead { hash: wire.hash().at("Hash")?, code: wire.base64().at("Code")? })
}

fn block_hash(wire: &mut Wire<'_>) -> Read<BlockHashRead> {
    Ok(BlockHashRead { number: wire.long_or_double().at("BlockNumber")?, hash: wire.hash().at("BlockHash")? })
}
