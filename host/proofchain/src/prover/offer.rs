//! Fees for the next transaction.

use alloy_primitives::U256;
use serde_json::{Value, json};

use super::{NonceAt, Prover, Signed};
use crate::{
    chain::Header,
    fees::{FeeQuote, Fees},
    quantity::Quantity,
    rpc::{Question, RpcError},
};

/// Asked together, they are of one moment.
fn fee_questions() -> [Question; 2] {
    [
        Question::new("eth_getBlockByNumber", json!(["latest", false])),
        Question::new("eth_maxPriorityFeePerGas", json!([])),
    ]
}

impl Prover {
    /// An offer that suits the market: EIP-1559 where the chain has a base fee, else a gas price.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn fees(&self) -> Result<FeeQuote, RpcError> {
        let mut answers = self.chain.rpc().call_all(&fee_questions()).await?;
        let (tip, header) = (answers.remove(1), answers.remove(0));
        self.quote(header?, tip).await
    }

    /// [`fees`](Self::fees) and [`nonce`](Self::nonce) in one request: what signing needs.
    ///
    /// # Errors
    ///
    /// [`RpcError`].
    pub async fn fees_and_nonce(&self, at: NonceAt) -> Result<(FeeQuote, u64), RpcError> {
        let [header, tip] = fee_questions();
        let nonce = self.nonce_question(at.tag());
        let mut answers = self.chain.rpc().call_all(&[header, tip, nonce]).await?;
        let (nonce, tip, header) = (answers.remove(2)?, answers.remove(1), answers.remove(0)?);
        let Quantity(nonce) = self.chain.rpc().typed("eth_getTransactionCount", nonce)?;
        Ok((self.quote(header, tip).await?, nonce))
    }

    async fn quote(&self, header: Value, tip: Result<Value, RpcError>) -> Result<FeeQuote, RpcError> {
        let latest: Option<Header> = self.chain.rpc().typed("eth_getBlockByNumber", header)?;
        let Some(base_fee) = latest.and_then(|header| header.base_fee_per_gas) else {
            let price: U256 = self.chain.rpc().call("eth_gasPrice", json!([])).await?;
            return Ok(self.policy.legacy(price.saturating_to()));
        };
        let tip = match tip {
            Ok(tip) => self.chain.rpc().typed::<U256>("eth_maxPriorityFeePerGas", tip)?.saturating_to(),
            // Not every node has an opinion.
            Err(RpcError::Refused { .. }) => self.policy.tip_floor_wei,
            Err(error) => return Err(error),
        };
        Ok(self.policy.dynamic(base_fee.saturating_to(), tip))
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
