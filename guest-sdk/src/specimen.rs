//! The block specimen under work.

use crate::{
    AccessListItem, AccountRead, B256, BlockHashRead, Counts, Header, Identity, StorageRead, Transaction, Withdrawal,
    host, page,
};

/// One block and every piece of state it read. It stays with the host: each method asks for what it returns, and lists
/// come in pages behind the iterators, so a rule holds in memory only what it keeps.
pub struct Specimen<'a> {
    pub(crate) host: &'a host::BlockSpecimen,
}

impl Specimen<'_> {
    /// The block's identity, and the hashes of the bytes that carry it.
    pub fn identity(&self) -> Identity {
        self.host.identity()
    }

    /// sha256 of the quoted base64 of the specimen's bytes: the hash the network announces. The host works it out when it is
    /// first asked for, which can take as long as the rest of the run.
    pub fn specimen_hash(&self) -> B256 {
        self.host.specimen_hash()
    }

    /// The block header, without the bloom.
    pub fn header(&self) -> Header {
        self.host.header()
    }

    /// The 256 bytes of the header's bloom.
    pub fn logs_bloom(&self) -> Vec<u8> {
        self.host.logs_bloom()
    }

    /// The number of items in each list.
    pub fn counts(&self) -> Counts {
        self.host.counts()
    }

    /// Transactions in block order, without their input and access lists.
    pub fn transactions(&self) -> impl Iterator<Item = Transaction> + use<'_> {
        page::items(|start, count| self.host.transactions(start, count))
    }

    /// Call data or init code of the transaction at `position`. Empty past the last one.
    pub fn input(&self, position: u32) -> Vec<u8> {
        let mut input = Vec::new();
        page::chunks(|offset, len| match u32::try_from(offset) {
            Ok(offset) => self.host.input(position, offset, len),
            // The contract counts input in 32 bits, so nothing lies beyond.
            Err(_) => Vec::new(),
        })
        .for_each(|chunk| input.extend_from_slice(&chunk));
        input
    }

    /// The first `len` bytes of the input of the transaction at `position`, or all of it when it is shorter: for a method's
    /// selector, which needs no more than four of them.
    pub fn input_start(&self, position: u32, len: u32) -> Vec<u8> {
        let mut start = Vec::new();
        let mut have = 0;
        while have < len {
            let chunk = self.host.input(position, have, len - have);
            if chunk.is_empty() {
                break;
            }
            start.extend_from_slice(&chunk);
            have = have.saturating_add(u32::try_from(chunk.len()).unwrap_or(u32::MAX));
        }
        start
    }

    /// The access list of the transaction at `position`. Empty past the last one.
    pub fn access_list(&self, position: u32) -> impl Iterator<Item = AccessListItem> + use<'_> {
        page::items(move |start, count| self.host.access_list(position, start, count))
    }

    /// Withdrawals in block order.
    pub fn withdrawals(&self) -> impl Iterator<Item = Withdrawal> + use<'_> {
        page::items(|start, count| self.host.withdrawals(start, count))
    }

    /// Accounts that the block read, as it found them.
    pub fn account_reads(&self) -> impl Iterator<Item = AccountRead> + use<'_> {
        page::items(|start, count| self.host.account_reads(start, count))
    }

    /// Storage slots that the block read, as it found them.
    pub fn storage_reads(&self) -> impl Iterator<Item = StorageRead> + use<'_> {
        page::items(|start, count| self.host.storage_reads(start, count))
    }

    /// Hashes of recent blocks that the block asked for.
    pub fn block_hash_reads(&self) -> impl Iterator<Item = BlockHashRead> + use<'_> {
        page::items(|start, count| self.host.block_hash_reads(start, count))
    }

    /// Bytecode by its keccak256, or none when the specimen does not carry it.
    pub fn code(&self, hash: B256) -> Option<Vec<u8>> {
        self.host.code(hash)
    }

    /// The specimen's own bytes, in chunks.
    pub fn raw(&self) -> impl Iterator<Item = Vec<u8>> + use<'_> {
        page::chunks(|offset, len| self.host.raw(offset, len))
    }
}

impl Transaction {
    /// EIP-2718 type of a transaction that carries blobs (EIP-4844).
    pub const BLOB: u8 = 3;
    /// EIP-2718 type of a transaction that carries authorizations (EIP-7702).
    pub const SET_CODE: u8 = 4;

    /// True for a blob transaction whose blob hashes the specimen's layout dropped, as 0.36 does: a real one has at least
    /// one.
    pub fn lacks_blob_hashes(&self) -> bool {
        self.tx_type == Self::BLOB && self.blob_hash_count == 0
    }

    /// The transaction's hash on chain, or none where the layout dropped a part of what it is made from and the producer does not state it.
    /// One that the producer states is covered by no check: [`Coverage`](crate::Coverage) tells.
    pub fn chain_hash(&self) -> Option<B256> {
        (self.hash != B256::ZERO).then_some(self.hash)
    }
}
