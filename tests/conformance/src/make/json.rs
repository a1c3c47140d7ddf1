//! Tests written as JSON.

use alloy_consensus::Header;
use alloy_primitives::{Bytes, U256};
use serde_json::{Map, Value, json};

use super::{chain::TestChain, draft::Draft};
use crate::world::World;

/// A test in the making.
#[derive(Clone, Debug)]
pub struct Written {
    genesis: Header,
    pre: World,
    blocks: Vec<Value>,
}

impl Written {
    /// A test that begins where the chain is.
    pub fn begin(chain: &TestChain) -> Self {
        Self { genesis: chain.head.clone(), pre: chain.world.clone(), blocks: Vec::new() }
    }

    /// Adds a valid block.
    pub fn valid(&mut self, draft: &Draft) {
        self.blocks.push(json!({
            "rlp": Bytes::from(draft.encode()),
            "blockHeader": header(&draft.header),
            "uncleHeaders": draft.ommers.iter().map(header).collect::<Vec<_>>(),
        }));
    }

    /// Adds an invalid block.
    pub fn invalid(&mut self, rlp: Vec<u8>, class: &str) {
        self.blocks.push(json!({ "rlp": Bytes::from(rlp), "expectException": class }));
    }

    /// The test, with the state after its last valid block.
    pub fn finish(self, chain: &TestChain, comment: &str) -> Value {
        let network = &chain.network;
        json!({
            "_info": { "comment": comment },
            "network": network.name,
            "config": { "network": network.name, "chainid": format!("{:#x}", network.chain_id), "blobSchedule": network.stated_blobs() },
            "sealEngine": "NoProof",
            "genesisBlockHeader": header(&self.genesis),
            "pre": accounts(&self.pre),
            "blocks": self.blocks,
            "lastblockhash": chain.head.hash_slow(),
            "postState": accounts(&chain.world),
        })
    }
}

fn number(number: impl Into<U256>) -> Value {
    format!("{:#x}", number.into()).into()
}

fn header(header: &Header) -> Value {
    let mut fields = json!({
        "parentHash": header.parent_hash,
        "uncleHash": header.ommers_hash,
        "coinbase": header.beneficiary,
        "stateRoot": header.state_root,
        "transactionsTrie": header.transactions_root,
        "receiptTrie": header.receipts_root,
        "bloom": header.logs_bloom,
        "difficulty": number(header.difficulty),
        "number": number(U256::from(header.number)),
        "gasLimit": number(U256::from(header.gas_limit)),
        "gasUsed": number(U256::from(header.gas_used)),
        "timestamp": number(U256::from(header.timestamp)),
        "extraData": header.extra_data,
        "mixHash": header.mix_hash,
        "nonce": header.nonce,
        "hash": header.hash_slow(),
    });
    let quantity = |quantity: Option<u64>| quantity.map(|quantity| number(U256::from(quantity)));
    let later = [
        ("baseFeePerGas", quantity(header.base_fee_per_gas)),
        ("withdrawalsRoot", header.withdrawals_root.map(|root| json!(root))),
        ("blobGasUsed", quantity(header.blob_gas_used)),
        ("excessBlobGas", quantity(header.excess_blob_gas)),
        ("parentBeaconBlockRoot", header.parent_beacon_block_root.map(|root| json!(root))),
        ("requestsHash", header.requests_hash.map(|hash| json!(hash))),
    ];
    for (name, value) in later {
        if let Some(value) = value {
            fields[name] = value;
        }
    }
    fields
}

fn accounts(world: &World) -> Value {
    let accounts: Map<_, _> = world
        .iter()
        .map(|(address, account)| {
            let storage: Map<_, _> =
                account.storage.iter().map(|(slot, value)| (format!("{slot:#x}"), number(*value))).collect();
            let account = json!({
                "nonce": number(U256::from(account.nonce)),
                "balance": number(account.balance),
                "code": account.code,
                "storage": storage,
            });
            (format!("{address:#x}"), account)
        })
        .collect();
    accounts.into()
}
