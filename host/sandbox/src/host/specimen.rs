//! `specimen`: the block specimen under work, read lazily and in pages.

mod code;

use alloy_primitives::{B256, U256};
use refiner_rule_model::{Misuse, Thing};
use refiner_specimen::Transaction;
use wasmtime::component::Resource;

use super::{BlockSpecimen, BudgetExceeded, HostState, SpecimenView};
use crate::bindings::refiner::rule::{
    specimen::{
        self, AccessListItem, AccountRead, BlockHashRead, Counts, Header, HostBlockSpecimen, Identity, StorageRead,
        Withdrawal,
    },
    types,
};

/// Bytes of each item in the canonical ABI, lists apart.
mod item_bytes {
    pub(super) const HASH: usize = 32;
    pub(super) const TRANSACTION: usize = 240;
    pub(super) const ACCESS_LIST_ITEM: usize = 32;
    pub(super) const STORAGE_KEY: usize = 32;
    pub(super) const WITHDRAWAL: usize = 48;
    pub(super) const ACCOUNT_READ: usize = 96;
    pub(super) const STORAGE_READ: usize = 88;
    pub(super) const BLOCK_HASH_READ: usize = 40;
    /// Also what is charged for `identity` and `counts`.
    pub(super) const HEADER: usize = 640;
}

impl SpecimenView {
    fn transaction(&self, hashes: &[B256], position: usize, transaction: &Transaction) -> specimen::Transaction {
        let typed_fees = transaction.tx_type >= 2;
        let fee = |typed: u128| U256::from(if typed_fees { typed } else { transaction.gas_price }).into();
        let sender = self.specimen.block.senders.get(position).copied().unwrap_or_default();
        specimen::Transaction {
            tx_type: transaction.tx_type,
            hash: hashes.get(position).copied().unwrap_or_default().into(),
            sender: sender.into(),
            to: transaction.to.map(Into::into),
            nonce: transaction.nonce,
            value: transaction.value.into(),
            gas_limit: transaction.gas,
            max_fee_per_gas: fee(transaction.gas_fee_cap),
            max_priority_fee_per_gas: fee(transaction.gas_tip_cap),
            input_len: len(&transaction.input),
            access_list_len: len(&transaction.access_list.0),
            blob_hash_count: transaction.blob_hashes.as_deref().map_or(0, len),
        }
    }
}

/// A length as the contract counts. Specimens are far smaller than 4 GiB, and everything in one is smaller still.
fn len<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}

impl HostState {
    /// Counts the call and gives the specimen of this run.
    fn specimen(&mut self, function: &'static str) -> Result<&SpecimenView, BudgetExceeded> {
        self.budget.call(function)?;
        self.specimen.as_ref().ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::Specimen }))
    }
}

/// Stops the guest that asks for state by `function` where the producer exported none. The counts tell a guest beforehand.
fn exported_state(view: Option<&SpecimenView>, function: &'static str) -> Result<(), BudgetExceeded> {
    match view.map(|view| &view.specimen.block) {
        Some(block) if block.lacks_state() => {
            Err(BudgetExceeded::NoState { function, transactions: block.transactions.len() })
        }
        _ => Ok(()),
    }
}

/// Counts the call, then pages through a list of the block: `page!(self, function, start, count, |block| list, bytes, convert)`.
macro_rules! page {
    ($state:ident, $function:literal, $start:ident, $count:ident, |$block:ident| $items:expr, $bytes:expr, $convert:expr) => {{
        $state.budget.call($function)?;
        let view =
            $state.specimen.as_ref().ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::Specimen }))?;
        let $block = &view.specimen.block;
        Ok($state.budget.page($items, $start, $count, $bytes, $convert)?)
    }};
}

impl specimen::Host for HostState {}

impl HostBlockSpecimen for HostState {
    fn identity(&mut self, _: Resource<BlockSpecimen>) -> wasmtime::Result<Identity> {
        let view = self.specimen("specimen.identity")?;
        let block = &view.specimen.block;
        let identity = Identity {
            chain_id: block.network_id,
            height: block.header.number,
            block_hash: block.hash.into(),
            layout: view.specimen.layout.as_str().to_owned(),
            raw_len: view.raw.len() as u64,
        };
        self.budget.copy(item_bytes::HEADER)?;
        Ok(identity)
    }

    fn specimen_hash(&mut self, _: Resource<BlockSpecimen>) -> wasmtime::Result<types::B256> {
        let hash = self.specimen("specimen.specimen-hash")?.hash();
        self.budget.copy(item_bytes::HASH)?;
        Ok(hash.into())
    }

    fn header(&mut self, _: Resource<BlockSpecimen>) -> wasmtime::Result<Header> {
        let header = &self.specimen("specimen.header")?.specimen.block.header;
        let header = Header {
            parent_hash: header.parent_hash.into(),
            ommers_hash: header.ommers_hash.into(),
            beneficiary: header.beneficiary.into(),
            state_root: header.state_root.into(),
            transactions_root: header.transactions_root.into(),
            receipts_root: header.receipts_root.into(),
            difficulty: header.difficulty.into(),
            number: header.number,
            gas_limit: header.gas_limit,
            gas_used: header.gas_used,
            timestamp: header.timestamp,
            extra_data: header.extra_data.to_vec(),
            mix_hash: header.mix_hash.into(),
            nonce: header.nonce.into(),
            base_fee_per_gas: header.base_fee_per_gas,
            withdrawals_root: header.withdrawals_root.map(Into::into),
            blob_gas_used: header.blob_gas_used,
            excess_blob_gas: header.excess_blob_gas,
            parent_beacon_block_root: header.parent_beacon_block_root.map(Into::into),
            requests_hash: header.requests_hash.map(Into::into),
        };
        self.budget.copy(item_bytes::HEADER + header.extra_data.len())?;
        Ok(header)
    }

    fn logs_bloom(&mut self, _: Resource<BlockSpecimen>) -> wasmtime::Result<Vec<u8>> {
        let bloom = self.specimen("specimen.logs-bloom")?.specimen.block.header.logs_bloom.to_vec();
        self.budget.copy(bloom.len())?;
        Ok(bloom)
    }

    fn counts(&mut self, _: Resource<BlockSpecimen>) -> wasmtime::Result<Counts> {
        let block = &self.specimen("specimen.counts")?.specimen.block;
        let counts = Counts {
            transactions: len(&block.transactions),
            withdrawals: block.withdrawals.as_deref().map_or(0, len),
            account_reads: len(&block.state.accounts),
            storage_reads: len(&block.state.storage),
            // Their number is known without decoding them.
            code_reads: u32::try_from(block.state.codes.len()).unwrap_or(u32::MAX),
            block_hash_reads: len(&block.state.block_hashes),
        };
        self.budget.copy(item_bytes::HEADER)?;
        Ok(counts)
    }

    fn transactions(
        &mut self,
        _: Resource<BlockSpecimen>,
        start: u32,
        count: u32,
    ) -> wasmtime::Result<Vec<specimen::Transaction>> {
        self.budget.call("specimen.transactions")?;
        self.check_senders()?;
        let view =
            self.specimen.as_ref().ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::Specimen }))?;
        let block = &view.specimen.block;
        let (transactions, senders) = (block.transactions.len(), block.senders.len());
        if transactions != senders {
            return Err(BudgetExceeded::SenderCount { transactions, senders }.into());
        }
        let values = block.transactions.iter().map(|transaction| transaction.value);
        view.check_exact("transactions", "the value of a transaction", values)?;
        let hashes = view.transaction_hashes()?;
        let bytes_of = |_: &Transaction| item_bytes::TRANSACTION;
        Ok(self.budget.page(&block.transactions, start, count, bytes_of, |position, transaction| {
            view.transaction(hashes, position, transaction)
        })?)
    }

    fn input(
        &mut self,
        _: Resource<BlockSpecimen>,
        transaction: u32,
        offset: u32,
        len: u32,
    ) -> wasmtime::Result<Vec<u8>> {
        self.budget.call("specimen.input")?;
        let view =
            self.specimen.as_ref().ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::Specimen }))?;
        let transaction = view.specimen.block.transactions.get(transaction as usize);
        let input = transaction.map_or(&[][..], |transaction| &transaction.input);
        Ok(self.budget.bytes(input, u64::from(offset), len)?)
    }

    fn access_list(
        &mut self,
        _: Resource<BlockSpecimen>,
        transaction: u32,
        start: u32,
        count: u32,
    ) -> wasmtime::Result<Vec<AccessListItem>> {
        page!(
            self,
            "specimen.access-list",
            start,
            count,
            |block| block.transactions.get(transaction as usize).map_or(&[][..], |found| &found.access_list.0),
            |item| item_bytes::ACCESS_LIST_ITEM + item.storage_keys.len() * item_bytes::STORAGE_KEY,
            |_, item| AccessListItem {
                address: item.address.into(),
                storage_keys: item.storage_keys.iter().map(|key| (*key).into()).collect(),
            }
        )
    }

    fn withdrawals(&mut self, _: Resource<BlockSpecimen>, start: u32, count: u32) -> wasmtime::Result<Vec<Withdrawal>> {
        page!(
            self,
            "specimen.withdrawals",
            start,
            count,
            |block| block.withdrawals.as_deref().unwrap_or_default(),
            |_| item_bytes::WITHDRAWAL,
            |_, withdrawal| Withdrawal {
                index: withdrawal.index,
                validator_index: withdrawal.validator_index,
                address: withdrawal.address.into(),
                amount: withdrawal.amount,
            }
        )
    }

    fn account_reads(
        &mut self,
        _: Resource<BlockSpecimen>,
        start: u32,
        count: u32,
    ) -> wasmtime::Result<Vec<AccountRead>> {
        exported_state(self.specimen.as_ref(), "account-reads")?;
        if let Some(view) = &self.specimen {
            let balances = view.specimen.block.state.accounts.iter().map(|account| account.balance);
            view.check_exact("account-reads", "the balance of an account", balances)?;
        }
        page!(
            self,
            "specimen.account-reads",
            start,
            count,
            |block| &block.state.accounts,
            |_| item_bytes::ACCOUNT_READ,
            |_, account| {
                AccountRead {
                    address: account.address.into(),
                    nonce: account.nonce,
                    balance: account.balance.into(),
                    code_hash: account.code_hash.into(),
                }
            }
        )
    }

    fn storage_reads(
        &mut self,
        _: Resource<BlockSpecimen>,
        start: u32,
        count: u32,
    ) -> wasmtime::Result<Vec<StorageRead>> {
        exported_state(self.specimen.as_ref(), "storage-reads")?;
        page!(
            self,
            "specimen.storage-reads",
            start,
            count,
            |block| &block.state.storage,
            |_| item_bytes::STORAGE_READ,
            |_, read| StorageRead { account: read.account.into(), slot: read.slot.into(), value: read.value.into() }
        )
    }

    fn block_hash_reads(
        &mut self,
        _: Resource<BlockSpecimen>,
        start: u32,
        count: u32,
    ) -> wasmtime::Result<Vec<BlockHashRead>> {
        page!(
            self,
            "specimen.block-hash-reads",
            start,
            count,
            |block| &block.state.block_hashes,
            |_| item_bytes::BLOCK_HASH_READ,
            |_, read| { BlockHashRead { number: read.number, hash: read.hash.into() } }
        )
    }

    fn code(&mut self, _: Resource<BlockSpecimen>, hash: specimen::B256) -> wasmtime::Result<Option<Vec<u8>>> {
        self.budget.call("specimen.code")?;
        Ok(self.specimen_code(hash.into())?)
    }

    fn raw(&mut self, _: Resource<BlockSpecimen>, offset: u64, len: u32) -> wasmtime::Result<Vec<u8>> {
        self.budget.call("specimen.raw")?;
        let view =
            self.specimen.as_ref().ok_or(BudgetExceeded::Misuse(Misuse::NothingThere { what: Thing::Specimen }))?;
        Ok(self.budget.bytes(&view.raw, offset, len)?)
    }

    fn drop(&mut self, _: Resource<BlockSpecimen>) -> wasmtime::Result<()> {
        // A guest only ever borrows the specimen.
        Ok(())
    }
}
