//! Fees for the next transaction.

use alloy_primitives::U256;
use serde::Deserialize;
use serde_json::json;

use super::{NonceAt, Prover, Signed};
use crate::{
    chain::Header,
    fees::{FeeQuote, Fees},
    quantity::Quantity,
    rpc::{AtMost, Fresh, NodeId, Question, RawAnswer, Route, RpcError},
};

/// Blocks whose tips are looked at where the node suggests none.
const HISTORY_BLOCKS: &str = "0x5";
/// Most blocks of a history that are read: as many as nodes give when more are asked for.
const BLOCKS_MAX: usize = 1_024;
/// Most tips of a block; one is asked for.
const PERCENTILES_MAX: usize = 100;

/// The part of a fee history that counts.
#[derive(Deserialize)]
struct History {
    /// For each block, oldest first, the tips at the percentiles that were asked for.
    #[serde(default)]
    reward: Option<AtMost<BLOCKS_MAX, AtMost<PERCENTILES_MAX, U256>>>,
}

fn tip_question() -> Question {
    Question::new("eth_maxPriorityFeePerGas", json!([]))
}

impl Prover {
    /// An offer that suits the market: EIP-1559 where the chain has a base fee, else a gas price.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn fees(&self) -> Result<FeeQuote, RpcError> {
        let Fresh { latest, mut answers, node, .. } =
            self.chain.rpc().call_all_fresh(Route::default(), &[tip_question()]).await?;
        self.quote(node, latest, answers.remove(0)).await
    }

    /// [`fees`](Self::fees) and [`nonce`](Self::nonce) in one request: what signing needs.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn fees_and_nonce(&self, at: NonceAt) -> Result<(FeeQuote, u64), RpcError> {
        let questions = [tip_question(), self.nonce_question(at.tag())];
        let Fresh { latest, mut answers, node, .. } =
            self.chain.rpc().call_all_fresh(Route::default(), &questions).await?;
        let (nonce, tip) = (answers.remove(1)?, answers.remove(0));
        let Quantity(nonce) = self.chain.rpc().typed_from(node, "eth_getTransactionCount", &nonce)?;
        Ok((self.quote(node, latest, tip).await?, nonce))
    }

    async fn quote(
        &self,
        node: NodeId,
        header: RawAnswer,
        tip: Result<RawAnswer, RpcError>,
    ) -> Result<FeeQuote, RpcError> {
        let rpc = self.chain.rpc();
        let latest: Header = rpc.typed_from(node, "eth_getBlockByNumber", &header)?;
        let Some(base_fee) = latest.base_fee_per_gas else {
            let price: U256 = rpc.call("eth_gasPrice", json!([])).await?;
            return Ok(self.policy.legacy(price.saturating_to()));
        };
        let tip = match tip.and_then(|tip| rpc.typed_from::<U256>(node, "eth_maxPriorityFeePerGas", &tip)) {
            Ok(tip) => tip,
            Err(error) if error.is_transient() => return Err(error),
            // Not every node has an opinion.
            Err(_) => self.tip_elsewhere(node, base_fee).await?,
        };
        Ok(self.policy.dynamic(base_fee.saturating_to(), tip.saturating_to()))
    }

    /// The tip where `node` suggests none: another node's, the median of the newest blocks, or what the gas price has above the base
    /// fee; else nothing, to which the policy adds its floor.
    async fn tip_elsewhere(&self, node: NodeId, base_fee: U256) -> Result<U256, RpcError> {
        let rpc = self.chain.rpc();
        if rpc.has_another(node) {
            let Question { method, params } = tip_question();
            if let Ok((tip, _)) = rpc.call_by(Route::elsewhere(node), method, params).await {
                return Ok(tip);
            }
        }
        let history = rpc.call::<History>("eth_feeHistory", json!([HISTORY_BLOCKS, "latest", [50]])).await;
        let tips =
            history.map(|history| history.reward.into_iter().flat_map(|blocks| blocks.0).flat_map(|tips| tips.0));
        match tips.map(|tips| median(tips.collect())) {
            Ok(Some(tip)) => return Ok(tip),
            Err(error) if error.is_transient() => return Err(error),
            Ok(None) | Err(_) => {}
        }
        match rpc.call::<U256>("eth_gasPrice", json!([])).await {
            Ok(price) => Ok(price.saturating_sub(base_fee)),
            Err(error) if error.is_transient() => Err(error),
            Err(_) => Ok(U256::ZERO),
        }
    }

    /// The offer to replace a transaction that waits too long; `None` where the cap does not allow one. Sign
    /// `signed.prepared` anew at `signed.nonce`.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn bump(&self, signed: &Signed) -> Result<Option<Fees>, RpcError> {
        Ok(signed.fees.bumped(&self.fees().await?, &self.policy))
    }
}

/// Of the tips that are more than nothing: blocks without transactions show none.
fn median(mut tips: Vec<U256>) -> Option<U256> {
    tips.retain(|tip| !tip.is_zero());
    tips.sort_unstable();
    tips.get(tips.len() / 2).copied()
}
