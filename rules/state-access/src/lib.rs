//! The accounts and storage slots that a block read, as it found them before its first transaction.
//!
//! `accounts.ndjson` has one row an account, `storage-slots.ndjson` one row a slot; `address` joins them. Rows stand in the
//! specimen's order, which is that of the first reads.
//!
//! **Read** means what the specimen's producer recorded while it executed the block: what execution had to look up in the
//! state, each thing once, with its value from before the block. So there are senders, recipients, the fee recipient and
//! recipients of withdrawals, whatever a call, `BALANCE` or `EXTCODE…` looked at, what system calls used, and slots that were
//! only written, because the price of a write depends on the old value. A failed transaction's reads count. What an access
//! list names and nothing looks up does not.
//!
//! An account that did not exist before the block is in no specimen, so a new recipient has no row, nor has a contract that
//! the block creates; slots looked up in such a contract have theirs. A slot whose value is zero was not in the trie: a
//! witness proves its absence.

use std::collections::BTreeMap;

use refiner_sdk::{
    Address, B256, Output, Rule, RuleError, Specimen, Summary, export_transform,
    ndjson::{MEDIA_TYPE, Rows},
};

const ACCOUNTS: (&str, &str) = ("accounts.ndjson", "schemas/state-access/accounts.v1.schema.json");
const SLOTS: (&str, &str) = ("storage-slots.ndjson", "schemas/state-access/storage-slots.v1.schema.json");

/// keccak256 of no bytes: the code hash of an account without code.
const EMPTY_CODE: B256 = B256::from_hex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");

struct StateAccess;

impl Rule for StateAccess {
    fn refine(specimen: &Specimen, out: &mut Output) -> Result<Summary, RuleError> {
        let rows_of = |out: &mut Output, (name, schema): (&str, &str)| {
            Rows::of_block(out.artifact_with_schema(name, MEDIA_TYPE, schema), specimen)
        };
        let mut slots = rows_of(out, SLOTS);
        let slots_of = write_slots(specimen, &mut slots);
        let mut accounts = rows_of(out, ACCOUNTS);
        write_accounts(specimen, &slots_of, &mut accounts);
        Ok(Summary::records(accounts.finish() + slots.finish()))
    }
}

export_transform!(StateAccess);

/// Writes the slots and counts them by account.
fn write_slots(specimen: &Specimen, rows: &mut Rows) -> BTreeMap<Address, u32> {
    let mut slots_of = BTreeMap::new();
    for read in specimen.storage_reads() {
        *slots_of.entry(read.account).or_default() += 1;
        rows.row(|row| {
            row.field("address", read.account);
            row.field("slot", read.slot);
            row.field("value", read.value);
        });
    }
    slots_of
}

fn write_accounts(specimen: &Specimen, slots_of: &BTreeMap<Address, u32>, rows: &mut Rows) {
    let mut codes = BytecodeRows { specimen, lengths: BTreeMap::new() };
    for read in specimen.account_reads() {
        rows.row(|row| {
            row.field("address", read.address);
            row.field("nonce", read.nonce);
            row.field("balance", read.balance);
            row.field("codeHash", read.code_hash);
            row.field("codeBytes", codes.length(read.code_hash));
            row.field("slots", slots_of.get(&read.address).copied().unwrap_or_default());
        });
    }
}

/// Lengths of bytecode. Many accounts share one code, and to learn its length it is copied out of the host.
struct BytecodeRows<'a> {
    specimen: &'a Specimen<'a>,
    lengths: BTreeMap<B256, Option<u64>>,
}

impl BytecodeRows<'_> {
    fn length(&mut self, hash: B256) -> Option<u64> {
        if hash == EMPTY_CODE {
            return Some(0);
        }
        let specimen = self.specimen;
        *self.lengths.entry(hash).or_insert_with(|| specimen.code(hash).map(|code| code.len() as u64))
    }
}

#[cfg(test)]
mod tests;
