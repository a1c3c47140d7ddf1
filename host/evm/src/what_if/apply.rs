//! Overrides applied to a block.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, keccak256};
use refiner_specimen::{AccountRead, Block, StateReads, StorageRead};
use revm::{
    bytecode::Bytecode,
    precompile::{PrecompileSpecId, Precompiles},
    primitives::hardfork::SpecId,
};

use super::{
    Known, WhatIfBasis,
    overrides::{AccountOverride, InvalidOverrides, OverriddenCode, Overrides},
};
use crate::{
    fork_profile::{ForkProfile, InvalidTransaction},
    transaction::Supplement,
};

/// A block and its rules under the conditions of overrides.
pub(super) struct Conditions {
    pub(super) block: Block,
    pub(super) rules: ForkProfile,
    /// One a transaction.
    pub(super) hashes: Vec<B256>,
    pub(super) supplement: Supplement,
    /// Positions of the transactions in the block as it is.
    pub(super) indices: Vec<u32>,
    pub(super) known: Known,
    pub(super) codes: Vec<OverriddenCode>,
}

impl Conditions {
    pub(super) fn of(block: &Block, basis: &WhatIfBasis, overrides: &Overrides) -> Result<Self, InvalidOverrides> {
        let indices = overrides.indices(block.transactions.len())?;
        let spec = overrides.spec()?.unwrap_or(basis.rules.spec);
        let rules = ForkProfile { spec, invalid_transaction: InvalidTransaction::IsExcluded, ..basis.rules.clone() };
        let mut known = basis.known.clone();
        // No block before that fork can have looked at these.
        known.accounts.extend(precompiles_since(basis.rules.spec, spec));
        let mut codes = Vec::new();
        let state = state(&block.state, overrides, &mut known, &mut codes)?;

        let mut header = block.header.clone();
        header.base_fee_per_gas = overrides.base_fee.or(header.base_fee_per_gas);
        header.gas_limit = overrides.gas_limit.unwrap_or(header.gas_limit);
        let mut supplement = Supplement::default();
        for (position, index) in indices.iter().enumerate() {
            if let Some(fields) = basis.supplement.of(*index as usize) {
                supplement.set(position, fields.clone());
            }
        }
        let block = Block {
            kind: block.kind.clone(),
            network_id: block.network_id,
            hash: block.hash,
            total_difficulty: block.total_difficulty,
            header,
            transactions: picked(&block.transactions, &indices),
            uncles: block.uncles.clone(),
            receipts: Vec::new(),
            senders: picked(&block.senders, &indices),
            state,
            withdrawals: block.withdrawals.clone(),
            blob_sidecars: None,
        };
        Ok(Self { block, rules, hashes: picked(&basis.hashes, &indices), supplement, indices, known, codes })
    }
}

fn picked<T: Clone>(items: &[T], indices: &[u32]) -> Vec<T> {
    indices.iter().filter_map(|index| items.get(*index as usize)).cloned().collect()
}

/// Addresses that are precompiles in the second fork and not in the first.
fn precompiles_since(from: SpecId, to: SpecId) -> Vec<Address> {
    let of = |spec| Precompiles::new(PrecompileSpecId::from_spec_id(spec));
    of(to).addresses().filter(|address| !of(from).contains(address)).copied().collect()
}

/// The state before the block, with its overrides.
fn state(
    reads: &StateReads,
    overrides: &Overrides,
    known: &mut Known,
    codes: &mut Vec<OverriddenCode>,
) -> Result<StateReads, InvalidOverrides> {
    let complete = |address: &Address| overrides.accounts.get(address).is_some_and(|account| account.complete);
    let mut accounts: BTreeMap<Address, AccountRead> = reads
        .accounts
        .iter()
        .filter(|read| !complete(&read.address))
        .map(|read| (read.address, read.clone()))
        .collect();
    for (address, account) in &overrides.accounts {
        let AccountOverride { balance, nonce, code, complete } = account;
        if *complete {
            known.complete.insert(*address);
        }
        let whole = balance.is_some() && nonce.is_some() && code.is_some();
        if !(whole || *complete || accounts.contains_key(address) || known.is_absent(address)) {
            return Err(InvalidOverrides::UnknownAccount { address: *address });
        }
        let absent = || AccountRead { address: *address, nonce: 0, balance: U256::ZERO, code_hash: KECCAK256_EMPTY };
        let read = accounts.entry(*address).or_insert_with(absent);
        read.balance = balance.unwrap_or(read.balance);
        read.nonce = nonce.unwrap_or(read.nonce);
        if let Some(code) = code {
            read.code_hash = keccak256(code);
            let analysed = Bytecode::new_raw_checked(code.clone());
            codes.push((read.code_hash, analysed.unwrap_or_else(|_| Bytecode::new_legacy(code.clone()))));
        }
    }
    let mut storage: BTreeMap<(Address, B256), B256> = reads
        .storage
        .iter()
        .filter(|read| !complete(&read.account))
        .map(|read| ((read.account, read.slot), read.value))
        .collect();
    for ((address, slot), value) in &overrides.slots {
        if !accounts.contains_key(address) {
            return Err(InvalidOverrides::UnknownAccount { address: *address });
        }
        storage.insert((*address, *slot), *value);
    }
    let storage = storage.into_iter().map(|((account, slot), value)| StorageRead { account, slot, value });
    Ok(StateReads {
        accounts: accounts.into_values().collect(),
        storage: storage.collect(),
        codes: reads.codes.clone(),
        block_hashes: reads.block_hashes.clone(),
    })
}
