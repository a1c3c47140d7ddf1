//! A block with its reads as a specimen, in the newest layout that can carry it.

use alloy_consensus::{Eip658Value, Header};
use alloy_primitives::{Address, B256, Bytes, U256};
use refiner_specimen::{
    Block as SpecimenBlock, EncodeError, Layout, Log, Receipt as RecordedReceipt, Specimen, StateReads, Transaction,
    encode,
};

use crate::{block::Block, receipt::Receipt};

/// Writes a block down.
///
/// # Errors
/// When the layout has no room for a value; the error names the field.
pub fn bytes(
    block: &Block,
    chain_id: u64,
    transactions: Vec<(Transaction, Address)>,
    reads: StateReads,
    receipts: &[Receipt],
) -> Result<Vec<u8>, EncodeError> {
    let layout = Layout::NEWEST_FIRST[0];
    let number = block.header.number;
    let (transactions, senders) = transactions.into_iter().unzip();
    let specimen = Specimen {
        layout,
        stated_codec_version: layout.as_str().parse().unwrap_or_default(),
        start_block: number,
        end_block: number,
        elements: 1,
        event_hash: block.hash,
        block: SpecimenBlock {
            kind: if receipts.is_empty() { "block-specimen" } else { "block-replica" }.to_owned(),
            network_id: chain_id,
            hash: block.hash,
            total_difficulty: U256::ZERO,
            header: header(&block.header),
            transactions,
            uncles: (!block.ommers.is_empty()).then(|| block.ommers.iter().map(header).collect()),
            receipts: receipts.iter().map(receipt).collect(),
            senders,
            state: reads,
            withdrawals: block.withdrawals.clone(),
            blob_sidecars: None,
        },
    };
    encode(&specimen, layout)
}

/// The wire form cannot state that there is no base fee: it has zero.
fn header(header: &Header) -> Header {
    Header { base_fee_per_gas: header.base_fee_per_gas.or(Some(0)), ..header.clone() }
}

/// Status or state root, cumulative gas and logs, as the network's producer states them; it leaves all else zero.
fn receipt(receipt: &Receipt) -> RecordedReceipt {
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
    RecordedReceipt {
        post_state_or_status: match receipt.status {
            Eip658Value::Eip658(true) => Bytes::from_static(&[1]),
            Eip658Value::Eip658(false) => Bytes::new(),
            Eip658Value::PostState(root) => root.into(),
        },
        cumulative_gas_used: receipt.cumulative_gas_used,
        tx_hash: B256::ZERO,
        contract_address: Address::ZERO,
        logs: receipt.logs.iter().map(log).collect(),
        gas_used: 0,
    }
}
