//! Turns a sealed block into a specimen, in the producer's manner, losses and oddities included.

use alloy_consensus::{Transaction as _, Typed2718};
use alloy_primitives::{Address, B256, Bytes, U256, uint};
use refiner_specimen::{
    Authorization, BlobSidecar, Block, BlockHashRead, Layout, Log, Receipt, Specimen, StateReads, Transaction,
};

use crate::{chain::SealedBlock, execute, transaction::Signed};

/// Mainnet's total difficulty, frozen at the merge.
const FROZEN_TOTAL_DIFFICULTY: U256 = uint!(0xc70d815d562d3cfa955_U256);

/// Changes that the producer makes to a block beyond the layout it writes.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// The codec version in the file, when it is not the layout's own.
    pub stated_codec_version: Option<f64>,
    /// Contracts of which only the code's size was used: their `CodeRead` is left out.
    pub size_only: Vec<Address>,
    /// Leaves out every row of state.
    pub stateless: bool,
    /// Adds a `BlockhashRead` of the block's own height with a zero hash, as one real file has.
    pub own_height_read: bool,
    /// Fills `AuthList`, which the real producer leaves null.
    pub authorizations: bool,
    /// Blob sidecars, where the layout has them.
    pub sidecars: Option<Vec<BlobSidecar>>,
}

/// Writes a block down as the producer would, in `layout`.
pub fn export(block: &SealedBlock, layout: Layout, manner: Manner) -> Specimen {
    let Manner { stated_codec_version, size_only, stateless, own_height_read, authorizations, sidecars } = manner;
    let base_fee = block.header.base_fee_per_gas;
    let transactions = block.transactions.iter().map(|signed| transaction(signed, base_fee, layout, authorizations));
    let mut header = block.header.clone();
    if layout < Layout::V0_32 {
        header.withdrawals_root = None;
    }
    let number = header.number;
    Specimen {
        layout,
        stated_codec_version: stated_codec_version.unwrap_or_else(|| codec_version(layout)),
        start_block: number,
        end_block: number,
        elements: 1,
        event_hash: block.hash,
        block: Block {
            kind: "block-replica".to_owned(),
            network_id: block.chain_id,
            hash: block.hash,
            total_difficulty: if layout < Layout::V0_38 {
                written(FROZEN_TOTAL_DIFFICULTY, layout)
            } else {
                U256::ZERO
            },
            header,
            transactions: transactions.collect(),
            uncles: (lists_ommers(layout) || !block.ommers.is_empty()).then(|| block.ommers.clone()),
            receipts: block.outcome.receipts.iter().map(receipt).collect(),
            senders: block.transactions.iter().map(|signed| signed.sender).collect(),
            state: if stateless {
                StateReads::default()
            } else {
                state(&block.reads, &size_only, own_height_read.then_some(number), layout)
            },
            withdrawals: block.withdrawals.clone().filter(|_| layout >= Layout::V0_33),
            blob_sidecars: sidecars.filter(|_| layout >= Layout::V0_37),
        },
    }
}

/// Whether a block without ommers has a list without any, because the layout has no null there.
const fn lists_ommers(layout: Layout) -> bool {
    matches!(layout, Layout::V0_3 | Layout::V0_31 | Layout::V0_32 | Layout::V0_33 | Layout::V0_34)
}

/// The number that the producer states for a layout.
const fn codec_version(layout: Layout) -> f64 {
    match layout {
        Layout::V0_2 => 0.2,
        Layout::V0_3 => 0.3,
        Layout::V0_31 => 0.31,
        Layout::V0_32 => 0.32,
        Layout::V0_33 => 0.33,
        Layout::V0_34 => 0.34,
        Layout::V0_35 => 0.35,
        Layout::V0_36 => 0.36,
        Layout::V0_37 => 0.37,
        Layout::V0_38 => 0.38,
    }
}

fn transaction(signed: &Signed, base_fee: Option<u64>, layout: Layout, authorizations: bool) -> Transaction {
    let tx = &signed.envelope;
    let signature = tx.signature();
    let v = signed.v();
    let fee_cap = tx.max_fee_per_gas();
    // The cap in the two oldest layouts, what was paid in the younger ones; types 0 and 1 have one price only.
    let gas_price = if layout <= Layout::V0_32 { fee_cap } else { tx.effective_gas_price(base_fee) };
    let with_blobs = layout >= Layout::V0_37;
    Transaction {
        tx_type: tx.ty(),
        access_list: tx.access_list().cloned().unwrap_or_default(),
        chain_id: tx.chain_id().unwrap_or_default(),
        nonce: tx.nonce(),
        gas_price,
        gas_tip_cap: tx.max_priority_fee_per_gas().unwrap_or(fee_cap),
        gas_fee_cap: fee_cap,
        gas: tx.gas_limit(),
        // What the producer of 0.2 left empty, zeros, is no sender.
        from: layout.has_signatures().then_some(signed.sender),
        to: tx.to(),
        v: (v != 0 && layout.has_signatures()).then(|| U256::from(v)),
        r: layout.has_signatures().then(|| signature.r()),
        s: layout.has_signatures().then(|| signature.s()),
        value: written(tx.value(), layout),
        input: tx.input().clone(),
        blob_fee_cap: with_blobs.then(|| tx.max_fee_per_blob_gas().unwrap_or_default()),
        blob_hashes: with_blobs.then(|| tx.blob_versioned_hashes().unwrap_or_default().to_vec()),
        blob_gas: with_blobs.then(|| tx.blob_gas_used().unwrap_or_default()),
        data: None,
        authorization_list: tx
            .authorization_list()
            .filter(|_| authorizations && layout >= Layout::V0_38)
            .map(|list| list.iter().map(authorization).collect()),
    }
}

fn authorization(signed: &alloy_eips::eip7702::SignedAuthorization) -> Authorization {
    Authorization {
        chain_id: *signed.chain_id(),
        address: *signed.address(),
        nonce: signed.nonce(),
        y_parity: U256::from(signed.y_parity()),
        r: signed.r(),
        s: signed.s(),
    }
}

/// The producer fills in status, cumulative gas and the contents of each log; it leaves all else zero.
fn receipt(receipt: &execute::Receipt) -> Receipt {
    let log = |log: &alloy_primitives::Log| Log {
        address: log.address,
        topics: log.topics().to_vec(),
        data: log.data.data.clone(),
        block_number: 0,
        transaction_hash: B256::ZERO,
        transaction_index: 0,
        block_hash: B256::ZERO,
        log_index: 0,
        removed: false,
    };
    Receipt {
        post_state_or_status: if receipt.success { Bytes::from_static(&[1]) } else { Bytes::new() },
        cumulative_gas_used: receipt.cumulative_gas_used,
        tx_hash: B256::ZERO,
        contract_address: Address::ZERO,
        logs: receipt.logs.iter().map(log).collect(),
        gas_used: 0,
    }
}

fn state(reads: &StateReads, size_only: &[Address], own_height: Option<u64>, layout: Layout) -> StateReads {
    let mut reads = reads.clone();
    let hidden: Vec<B256> = reads
        .accounts
        .iter()
        .filter(|account| size_only.contains(&account.address))
        .map(|account| account.code_hash)
        .collect();
    reads.accounts.iter_mut().for_each(|account| account.balance = written(account.balance, layout));
    reads.codes.retain(|code| !hidden.contains(&code.hash));
    reads.block_hashes.extend(own_height.map(|number| BlockHashRead { number, hash: B256::ZERO }));
    reads
}

/// A number as a layout writes it: 53 significant bits where it is a double.
fn written(number: U256, layout: Layout) -> U256 {
    if !layout.has_rounded_numbers() {
        return number;
    }
    // Both conversions of the standard library are exact to the last digit.
    let double = number.to_string().parse::<f64>().unwrap_or_default();
    format!("{double:.0}").parse().unwrap_or_default()
}
