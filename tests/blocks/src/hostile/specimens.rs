//! Specimens of 64 MiB made to take as much time and memory to be decoded and checked as they can: each is full of one kind of item.

use alloy_consensus::Header;
use alloy_eips::{
    eip2930::{AccessList, AccessListItem},
    eip4895::Withdrawal,
};
use alloy_primitives::{Address, B256, Bytes, U256, uint};
use refiner_specimen::{
    AccountRead, Authorization, BlobSidecar, Block, BlockHashRead, CodeRead, Layout, Log, Receipt, Specimen,
    StorageRead, Transaction, encode,
};
use revm::precompile::crypto;

use crate::devnet::{CANCUN, CHAIN_ID, CONTRACT, TestBlock, call};

/// A whole specimen, as large as the README allows.
pub const BYTES: usize = 64 << 20;
/// A signature that recovers some signer of any message.
const R: U256 = uint!(0x28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276_U256);
const S: U256 = uint!(0x67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83_U256);

/// A hostile specimen by its name.
pub struct Full {
    pub name: &'static str,
    /// The most items that a specimen can have.
    most: usize,
    /// A block with so many of the item.
    with: fn(&mut Block, usize),
}

/// Every hostile specimen.
pub fn all() -> Vec<Full> {
    let full = |name, with| Full { name, most: usize::MAX, with };
    let at_most = |most, name, with| Full { name, most, with };
    vec![
        at_most(TRANSACTIONS, "signed transactions", |block, count| sign(block, count, 2_800)),
        at_most(TRANSACTIONS, "signed transactions without input", |block, count| sign(block, count, 0)),
        full("one input", |block, bytes| sign(block, 1, bytes)),
        full("access list of addresses", |block, items| listed(block, items, 0)),
        full("access list of keys", |block, keys| listed(block, 1, keys)),
        full("authorizations", authorizations),
        full("blob hashes", |block, count| {
            let hashes = numbered(count).collect();
            let transaction = Transaction { tx_type: 3, blob_hashes: Some(hashes), ..call(CONTRACT) };
            push(block, transaction);
        }),
        full("account rows", |block, count| {
            let row = |hash: B256| AccountRead {
                address: Address::from_word(hash),
                nonce: 0,
                balance: U256::ZERO,
                code_hash: B256::ZERO,
            };
            block.state.accounts = numbered(count).map(row).collect();
        }),
        full("storage rows", |block, count| {
            block.state.storage =
                numbered(count).map(|slot| StorageRead { account: CONTRACT, slot, value: slot }).collect();
        }),
        full("storage rows of as many accounts", |block, count| {
            let row =
                |slot: B256| StorageRead { account: Address::from_word(slot), slot: B256::ZERO, value: B256::ZERO };
            block.state.storage = numbered(count).map(row).collect();
        }),
        full("block hashes", |block, count| {
            let row = |(number, hash)| BlockHashRead { number, hash };
            block.state.block_hashes = (0..).zip(numbered(count)).map(row).collect();
        }),
        full("pieces of code", |block, count| {
            let code = Bytes::from_static(&[0]);
            let piece = CodeRead { hash: alloy_primitives::keccak256(&code), code };
            block.state.codes = vec![piece; count].into();
        }),
        full("one piece of code", |block, bytes| {
            let code = Bytes::from(vec![0x5b; bytes]);
            block.state.codes = vec![CodeRead { hash: alloy_primitives::keccak256(&code), code }].into();
        }),
        full("logs", |block, count| logs(block, vec![Log { data: Bytes::new(), ..log() }; count])),
        full("topics", |block, count| logs(block, vec![Log { topics: numbered(count).collect(), ..log() }])),
        full("logs of four topics", |block, count| {
            let topics: Vec<B256> = numbered(4 * count).collect();
            logs(block, topics.chunks(4).map(|topics| Log { topics: topics.to_vec(), ..log() }).collect());
        }),
        full("one log", |block, bytes| logs(block, vec![Log { data: vec![1; bytes].into(), ..log() }])),
        at_most(WITHDRAWALS, "withdrawals", |block, count| {
            block.withdrawals = Some(vec![Withdrawal::default(); count]);
        }),
        full("ommers", |block, count| block.uncles = Some(vec![Header::default(); count])),
        at_most(SIDECARS * 3 * BLOBS, "blobs", |block, count| {
            let of = |count: usize| vec![Bytes::new(); count.min(BLOBS)];
            let sidecar = |position: usize| BlobSidecar {
                blobs: of(count.saturating_sub(3 * position * BLOBS)),
                commitments: of(count.saturating_sub((3 * position + 1) * BLOBS)),
                proofs: of(count.saturating_sub((3 * position + 2) * BLOBS)),
            };
            block.blob_sidecars = Some((0..count.div_ceil(3 * BLOBS)).map(sidecar).collect());
        }),
        full("extra data", |block, bytes| block.header.extra_data = vec![0x22; bytes].into()),
    ]
}

/// The limit that decoding sets.
const TRANSACTIONS: usize = 12_288;
const WITHDRAWALS: usize = 1 << 16;
const SIDECARS: usize = 256;
const BLOBS: usize = 2_048;

impl Full {
    /// The specimen's bytes: as many items as `bytes` hold, or as there can be.
    pub fn bytes(&self, bytes: usize) -> Vec<u8> {
        const SAMPLE: usize = 3_000;
        let empty = encoded(&self.specimen(0)).len();
        let sample = encoded(&self.specimen(SAMPLE)).len() - empty;
        encoded(&self.specimen(((bytes - empty) * SAMPLE / sample).min(self.most)))
    }

    fn specimen(&self, count: usize) -> Specimen {
        TestBlock::at(CANCUN)
            .with(|block| {
                // What a header states must not end the checks early.
                block.header.gas_limit = i64::MAX as u64;
                block.header.gas_used = block.header.gas_limit;
                (self.with)(block, count);
            })
            .sealed()
    }
}

fn encoded(specimen: &Specimen) -> Vec<u8> {
    encode(specimen, Layout::V0_38).expect("a specimen that the layout has room for")
}

/// Hashes that begin and end with their number.
fn numbered(count: usize) -> impl Iterator<Item = B256> {
    (0..count as u64).map(|number| {
        let mut hash = [0x11; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        hash[24..].copy_from_slice(&number.to_be_bytes());
        hash.into()
    })
}

/// Appends transactions that differ in their nonce, each with its signer.
fn sign(block: &mut Block, count: usize, input: usize) {
    for nonce in 0..count as u64 {
        push(block, Transaction { nonce, input: vec![0xff; input].into(), ..call(CONTRACT) });
    }
}

/// Appends a transaction with its signer.
fn push(block: &mut Block, transaction: Transaction) {
    let transaction = Transaction {
        chain_id: CHAIN_ID,
        v: Some(U256::ZERO),
        r: Some(R),
        s: Some(S),
        gas_price: transaction.gas_fee_cap,
        ..transaction
    };
    let message = transaction.signing_hash().expect("a known type");
    let signature = [R.to_be_bytes::<32>(), S.to_be_bytes::<32>()].concat().try_into().expect("64 bytes");
    let signer = crypto().secp256k1_ecrecover(&signature, 0, &message.0).expect("a signer");
    block.transactions.push(transaction);
    block.senders.push(Address::from_word(signer.into()));
}

fn listed(block: &mut Block, items: usize, keys: usize) {
    let storage_keys: Vec<B256> = numbered(keys).collect();
    let item = |hash| AccessListItem { address: Address::from_word(hash), storage_keys: storage_keys.clone() };
    push(block, Transaction { access_list: AccessList(numbered(items).map(item).collect()), ..call(CONTRACT) });
}

fn authorizations(block: &mut Block, count: usize) {
    let authorization = Authorization {
        chain_id: U256::ZERO,
        address: CONTRACT,
        nonce: 0,
        y_parity: U256::ZERO,
        r: U256::ONE,
        s: U256::ONE,
    };
    push(block, Transaction { tx_type: 4, authorization_list: Some(vec![authorization; count]), ..call(CONTRACT) });
}

/// One transaction with these logs.
fn logs(block: &mut Block, logs: Vec<Log>) {
    push(block, call(CONTRACT));
    block.receipts = vec![Receipt {
        post_state_or_status: Bytes::from_static(&[1]),
        cumulative_gas_used: block.header.gas_used,
        tx_hash: B256::ZERO,
        contract_address: Address::ZERO,
        logs,
        gas_used: 0,
    }];
}

fn log() -> Log {
    Log {
        address: CONTRACT,
        topics: Vec::new(),
        data: Bytes::new(),
        block_number: 0,
        transaction_hash: B256::ZERO,
        transaction_index: 0,
        block_hash: B256::ZERO,
        log_index: 0,
        removed: false,
    }
}
