//! The block of a replica.

use alloy_consensus::Header;
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, B256, Bytes, U256};
use refiner_specimen::{BlobSidecar, Block, Layout, Receipt, Transaction};
use serde::Deserialize;

use super::{
    ReplicaError,
    header::HeaderJson,
    receipt::ReceiptJson,
    state::StateJson,
    text::{Hex, Since, Text, UpTo, list, since, values},
    transaction::{NoAccessList, TransactionJson},
};

/// Transactions of a block, and receipts: as the wire form's reader has it, and far above what gas allows.
const TRANSACTIONS_LIMIT: usize = 1 << 17;
/// Transactions with blobs in a block; each has one or more, and mainnet allows fewer.
const SIDECARS_LIMIT: usize = 1 << 7;
/// Blobs, commitments or proofs of one of them; six blobs have 768 cell proofs.
const BLOB_PARTS_LIMIT: usize = 1 << 10;

/// The chain of a replica that names none.
const MAINNET: u64 = 1;

/// A block replica as its JSON has it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Replica<'a> {
    #[serde(rename = "Type")]
    kind: Option<String>,
    network_id: Option<u64>,
    hash: Option<Text<B256>>,
    total_difficulty: Option<Text<U256>>,
    header: Option<HeaderJson>,
    #[serde(default)]
    transactions: UpTo<TransactionJson, TRANSACTIONS_LIMIT>,
    #[serde(default, rename = "uncles")]
    uncles: Option<Vec<HeaderJson>>,
    #[serde(default)]
    receipts: UpTo<ReceiptJson, TRANSACTIONS_LIMIT>,
    #[serde(default, deserialize_with = "list")]
    senders: Vec<Text<Address>>,
    #[serde(borrow)]
    state: Option<StateJson<'a>>,
    #[serde(default, deserialize_with = "since")]
    withdrawals: Since<Vec<WithdrawalJson>>,
    #[serde(default, rename = "BlobTxSidecars", deserialize_with = "since")]
    sidecars: Since<UpTo<SidecarJson, SIDECARS_LIMIT>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WithdrawalJson {
    index: u64,
    validator_index: u64,
    address: Text<Address>,
    amount: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SidecarJson {
    blobs: UpTo<Text<Hex>, BLOB_PARTS_LIMIT>,
    commitments: UpTo<Text<Hex>, BLOB_PARTS_LIMIT>,
    proofs: UpTo<Text<Hex>, BLOB_PARTS_LIMIT>,
}

impl Replica<'_> {
    /// The block, and the oldest layout that has every key that is there. `source` is the JSON.
    pub(super) fn into_block(self, source: &Bytes) -> Result<(Block, Layout), ReplicaError> {
        let missing = |field| ReplicaError::Missing { field };
        let header = self.header.ok_or(missing("Header"))?;
        let state = self.state.ok_or(missing("State"))?;
        let mut layout = header.layout();
        for transaction in &self.transactions.0 {
            layout = layout.max(transaction.layout());
        }
        if self.withdrawals.is_some() {
            // 0.33 and 0.34 differ from it in how they write a block without uncles, and in nothing that is read.
            layout = layout.max(Layout::V0_35);
        }
        if self.sidecars.is_some() {
            layout = layout.max(Layout::V0_37);
        }
        let headers = |all: Vec<HeaderJson>| all.into_iter().map(Header::from).collect();
        let withdrawals = |all: Vec<WithdrawalJson>| all.into_iter().map(Withdrawal::from).collect();
        let sidecars = |all: UpTo<SidecarJson, SIDECARS_LIMIT>| all.0.into_iter().map(BlobSidecar::from).collect();
        let transactions = self.transactions.0.into_iter().enumerate().map(|(index, json)| {
            Transaction::try_from(json).map_err(|NoAccessList| ReplicaError::Field {
                path: format!("Transactions[{index}].accessList"),
                wrong: "null or missing, expected a list, as every specimen has one".to_owned(),
            })
        });
        let transactions = transactions.collect::<Result<_, _>>()?;
        let block = Block {
            kind: self.kind.unwrap_or_default(),
            // The Go server never reads it: it executes mainnet.
            network_id: self.network_id.unwrap_or(MAINNET),
            hash: self.hash.map_or(B256::ZERO, |hash| hash.0),
            total_difficulty: self.total_difficulty.map_or(U256::ZERO, |total| total.0),
            header: header.into(),
            transactions,
            uncles: self.uncles.map(headers),
            receipts: self.receipts.0.into_iter().map(Receipt::from).collect(),
            senders: values(self.senders),
            state: state.into_reads(source),
            withdrawals: self.withdrawals.flatten().map(withdrawals),
            blob_sidecars: self.sidecars.flatten().map(sidecars),
        };
        Ok((block, layout))
    }
}

impl From<WithdrawalJson> for Withdrawal {
    fn from(json: WithdrawalJson) -> Self {
        Self { index: json.index, validator_index: json.validator_index, address: json.address.0, amount: json.amount }
    }
}

impl From<SidecarJson> for BlobSidecar {
    fn from(json: SidecarJson) -> Self {
        let bytes = |texts: UpTo<Text<Hex>, BLOB_PARTS_LIMIT>| texts.0.into_iter().map(|text| text.0.0).collect();
        Self { blobs: bytes(json.blobs), commitments: bytes(json.commitments), proofs: bytes(json.proofs) }
    }
}
