//! Settlement of transactions on the chain.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use alloy_sol_types::SolCall;

use super::Prover;
use crate::{
    announcement::BlockRef,
    bindings::submitBlockResultProofCall,
    quantity::{self, Quantity},
    revert::Revert,
    rpc::{NodeId, Route, RpcError},
};

/// The chain at one moment.
#[derive(Debug)]
pub struct ChainSnapshot {
    /// Number of the newest block.
    pub head: u64,
    /// The number of the operator's transactions in blocks: the first nonce that is not.
    pub next_nonce: u64,
    /// Hashes of the blocks that were asked for.
    blocks: Mutex<HashMap<u64, Option<B256>>>,
    /// Receipts that were asked for together.
    pub(super) receipts: HashMap<B256, Option<Receipt>>,
    /// The node that gave them.
    pub(super) node: NodeId,
    /// The same receipts by another node, where there is one.
    pub(super) seconds: HashMap<B256, Option<Receipt>>,
    /// Proofs that are deep enough, and of which another node has no receipt or another one.
    pub(super) disputed: AtomicU64,
}

impl ChainSnapshot {
    /// A snapshot of which no receipt was asked for yet.
    pub fn at(head: u64, next_nonce: u64) -> Self {
        Self {
            head,
            next_nonce,
            blocks: Mutex::default(),
            receipts: HashMap::new(),
            node: NodeId::default(),
            seconds: HashMap::new(),
            disputed: AtomicU64::new(0),
        }
    }

    /// The number of proofs that would be final if a second node had the same receipt.
    pub fn disputed(&self) -> u64 {
        self.disputed.load(Ordering::Relaxed)
    }
}

/// The fate of the transactions that were signed for one nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// In the pool, or its block is too young to decide more.
    Pending,
    /// In a block that is not deep enough.
    Mined {
        /// The transaction that was mined.
        hash: B256,
        /// Block of the transaction.
        block: BlockRef,
        /// The number of blocks on top.
        depth: u64,
    },
    /// The proof is on chain, deep enough.
    Final {
        /// The transaction that was mined.
        hash: B256,
        /// Block of the transaction.
        block: BlockRef,
        /// Wei that it cost, where the node tells the price.
        paid_wei: Option<u128>,
    },
    /// Deep enough, paid for, and refused by the contract.
    Reverted {
        /// The transaction that was mined.
        hash: B256,
        /// Block of the transaction.
        block: BlockRef,
        /// Wei that it cost, where the node tells the price.
        paid_wei: Option<u128>,
        /// The reason, found by calling it again at that block, where a node still can.
        revert: Revert,
    },
    /// Nowhere, and the nonce is free: send it again.
    Dropped,
    /// The nonce was used, deep enough, by a transaction that is none of these: sign for a new nonce.
    Replaced,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Receipt {
    pub block_hash: B256,
    #[serde(deserialize_with = "quantity::read")]
    block_number: u64,
    #[serde(deserialize_with = "quantity::read")]
    pub status: u64,
    #[serde(deserialize_with = "quantity::read")]
    gas_used: u64,
    #[serde(default)]
    effective_gas_price: Option<U256>,
}

impl Receipt {
    fn paid_wei(&self) -> Option<u128> {
        let price: u128 = self.effective_gas_price?.saturating_to();
        Some(price.saturating_mul(u128::from(self.gas_used)))
    }
}

#[derive(Deserialize)]
struct Sender {
    from: Address,
    to: Option<Address>,
    input: Bytes,
    #[serde(deserialize_with = "quantity::read")]
    gas: u64,
}

impl Prover {
    /// Looks at the chain once, for [`settlement`](Self::settlement) of any number of transactions.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn outlook(&self) -> Result<ChainSnapshot, RpcError> {
        // The nonce last: what it counts as mined is at or below the head, or newer than it and then not deep.
        let nonce = self.nonce_question("latest");
        let rpc = self.chain.rpc();
        let mut fresh = rpc.call_all_fresh(Route::default(), std::slice::from_ref(&nonce)).await?;
        let Quantity(next_nonce) = rpc.typed_from(fresh.node, nonce.method, &fresh.answers.remove(0)?)?;
        Ok(ChainSnapshot { node: fresh.node, ..ChainSnapshot::at(fresh.head, next_nonce) })
    }

    /// Looks at several transactions in as few requests as the node takes, for their [`settlement`](Self::settlement).
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn look_at(&self, outlook: &mut ChainSnapshot, hashes: &[B256]) -> Result<(), RpcError> {
        if hashes.is_empty() {
            return Ok(());
        }
        // Who has no answer is asked about alone, so that one receipt does not hold up the others.
        let answered = |hashes: &[B256], receipts: Vec<Result<Option<Receipt>, RpcError>>| {
            let receipts = hashes.iter().zip(receipts).filter_map(|(hash, receipt)| Some((*hash, receipt.ok()?)));
            receipts.collect::<HashMap<_, _>>()
        };
        let (receipts, node) = self.receipts(Route::default(), hashes).await?;
        let receipts = answered(hashes, receipts);
        outlook.node = node;
        if self.chain.rpc().has_another(node) {
            let found = receipts.iter().filter_map(|(hash, receipt)| receipt.as_ref().map(|_| *hash));
            let found: Vec<_> = found.collect();
            if !found.is_empty()
                && let Ok((seconds, _)) = self.receipts(Route::elsewhere(node), &found).await
            {
                outlook.seconds.extend(answered(&found, seconds));
            }
        }
        outlook.receipts.extend(receipts);
        Ok(())
    }

    /// The fate of the transactions signed for `nonce`, of which at most one can be mined. `depth` is how many
    /// blocks must be on top of its block. Asks one question for most transactions, whatever became of them.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn settlement(
        &self,
        outlook: &ChainSnapshot,
        hashes: &[B256],
        nonce: u64,
        depth: u64,
    ) -> Result<Settlement, RpcError> {
        if nonce >= outlook.next_nonce {
            return Ok(if self.is_known(hashes).await? { Settlement::Pending } else { Settlement::Dropped });
        }
        if let Some(settlement) = self.mined(outlook, hashes, depth, &outlook.receipts).await? {
            return Ok(settlement);
        }
        // Whether another's transaction has the nonce for good, or a reorganisation may give it back.
        let deep = self.nonce_at(&quantity::hex(outlook.head.saturating_sub(depth))).await?;
        if deep <= nonce {
            return Ok(Settlement::Pending);
        }
        // A node counts a nonce before it finds the receipt, and behind one address there may be several nodes.
        match self.mined(outlook, hashes, depth, &HashMap::new()).await? {
            Some(settlement) => Ok(settlement),
            None if self.is_known(hashes).await? => Ok(Settlement::Pending),
            None => Ok(Settlement::Replaced),
        }
    }

    pub(super) async fn is_known(&self, hashes: &[B256]) -> Result<bool, RpcError> {
        for hash in hashes {
            if self.transaction(*hash).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Asks for the receipts that were not `seen` before.
    async fn mined(
        &self,
        outlook: &ChainSnapshot,
        hashes: &[B256],
        depth: u64,
        seen: &HashMap<B256, Option<Receipt>>,
    ) -> Result<Option<Settlement>, RpcError> {
        for hash in hashes {
            let (receipt, node) = match seen.get(hash) {
                Some(receipt) => (receipt.clone(), outlook.node),
                None => {
                    let (mut receipts, node) = self.receipts(Route::default(), &[*hash]).await?;
                    (receipts.remove(0)?, node)
                }
            };
            if let Some(receipt) = receipt {
                return self.settled(outlook, *hash, &receipt, node, depth).await.map(Some);
            }
        }
        Ok(None)
    }

    async fn settled(
        &self,
        outlook: &ChainSnapshot,
        hash: B256,
        receipt: &Receipt,
        node: NodeId,
        depth: u64,
    ) -> Result<Settlement, RpcError> {
        let block = BlockRef { number: receipt.block_number, hash: receipt.block_hash };
        // A receipt can outlive its block in a node's cache.
        if self.block_hash(outlook, block.number).await? != Some(block.hash) {
            return Ok(Settlement::Pending);
        }
        let on_top = outlook.head.saturating_sub(block.number);
        if on_top < depth {
            return Ok(Settlement::Mined { hash, block, depth: on_top });
        }
        if !self.is_agreed(outlook, hash, receipt, node).await? {
            return Ok(Settlement::Mined { hash, block, depth: on_top });
        }
        if receipt.status == 1 {
            return Ok(Settlement::Final { hash, block, paid_wei: receipt.paid_wei() });
        }
        let revert = self.reason(hash, receipt).await;
        Ok(Settlement::Reverted { hash, block, paid_wei: receipt.paid_wei(), revert })
    }

    /// Proofs share blocks, so each is asked for once an outlook.
    async fn block_hash(&self, outlook: &ChainSnapshot, number: u64) -> Result<Option<B256>, RpcError> {
        let mut blocks = outlook.blocks.lock().await;
        if let Some(hash) = blocks.get(&number) {
            return Ok(*hash);
        }
        let hash = self.chain.header(number).await?.map(|header| header.hash);
        blocks.insert(number, hash);
        Ok(hash)
    }

    /// Calls a reverted transaction again: on the state before its block, where it stood first, then after it, where it
    /// stood after others. A node that no longer has the state refuses the call, then the next one is asked.
    ///
    /// The receipt has proved the revert, so that an error here only costs the reason: a settlement that waits for what no node
    /// has would never come.
    async fn reason(&self, hash: B256, receipt: &Receipt) -> Revert {
        let Ok(Some(sent)) = self.transaction(hash).await else { return Revert::Unexplained };
        if receipt.gas_used >= sent.gas {
            return Revert::OutOfGas;
        }
        let call = json!({"from": sent.from, "to": sent.to, "data": sent.input, "gas": quantity::hex(sent.gas)});
        let nodes: Vec<_> = self.chain.rpc().each().collect();
        for node in nodes {
            for block in [receipt.block_number.saturating_sub(1), receipt.block_number] {
                let again = node.call::<Bytes>("eth_call", json!([call, quantity::hex(block)])).await;
                let Some(revert) = again.err().as_ref().and_then(RpcError::refusal).and_then(Revert::of) else {
                    continue;
                };
                return match submitBlockResultProofCall::abi_decode(&sent.input) {
                    Ok(proof) => self.located(revert, proof.chainId, proof.blockHeight).await,
                    Err(_) => revert,
                };
            }
        }
        Revert::Unexplained
    }

    async fn transaction(&self, hash: B256) -> Result<Option<Sender>, RpcError> {
        self.chain.rpc().call("eth_getTransactionByHash", json!([hash])).await
    }
}
