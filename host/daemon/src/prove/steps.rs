//! The steps on chain that proving takes, each with what it needs and gives.

use alloy_primitives::{Address, B256, U256};
use futures_util::future::BoxFuture;
use refiner_proofchain::{
    ChainSnapshot, FeeQuote, Fees, NonceAt, Preparation, Prepared, Proof, Prover, RpcError, Sent, Settlement,
    SignError, Signed,
};

/// Single steps with the operator's key. [`Prover`] takes them, and its page says more of each.
pub trait ProofSteps: Send + Sync {
    /// Address of the operator.
    fn address(&self) -> Address;

    /// A transaction that does nothing but use up a nonce.
    fn filler(&self) -> Prepared;

    /// Looks at the chain once.
    fn outlook<'a>(&'a self) -> BoxFuture<'a, Result<ChainSnapshot, RpcError>>;

    /// Looks at receipts together.
    fn look_at<'a>(&'a self, outlook: &'a mut ChainSnapshot, hashes: &'a [B256])
    -> BoxFuture<'a, Result<(), RpcError>>;

    /// The fate of the transactions of one nonce.
    fn settlement<'a>(
        &'a self,
        outlook: &'a ChainSnapshot,
        hashes: &'a [B256],
        nonce: u64,
        depth: u64,
    ) -> BoxFuture<'a, Result<Settlement, RpcError>>;

    /// Fees that suit the market.
    fn fees<'a>(&'a self) -> BoxFuture<'a, Result<FeeQuote, RpcError>>;

    /// The same with the next nonce.
    fn fees_and_nonce<'a>(&'a self, at: NonceAt) -> BoxFuture<'a, Result<(FeeQuote, u64), RpcError>>;

    /// The next nonce.
    fn nonce<'a>(&'a self, at: NonceAt) -> BoxFuture<'a, Result<u64, RpcError>>;

    /// Fees that replace a transaction; none where the cap allows none.
    fn bump<'a>(&'a self, signed: &'a Signed) -> BoxFuture<'a, Result<Option<Fees>, RpcError>>;

    /// Lets the node try proofs.
    fn prepare_all<'a>(
        &'a self,
        proofs: &'a [Proof],
    ) -> BoxFuture<'a, Result<Vec<Result<Preparation, RpcError>>, RpcError>>;

    /// Lets the node try to finalize a session.
    fn prepare_finalize<'a>(&'a self, chain: u64, height: u64) -> BoxFuture<'a, Result<Preparation, RpcError>>;

    /// Signs a transaction.
    fn sign<'a>(
        &'a self,
        prepared: &'a Prepared,
        nonce: u64,
        fees: &'a Fees,
    ) -> BoxFuture<'a, Result<Signed, SignError>>;

    /// Sends a transaction.
    fn send<'a>(&'a self, signed: &'a Signed) -> BoxFuture<'a, Sent>;

    /// Sends several.
    fn send_all<'a>(&'a self, signed: &'a [Signed]) -> BoxFuture<'a, Result<Vec<Sent>, RpcError>>;

    /// The operator's balance in wei.
    fn balance<'a>(&'a self) -> BoxFuture<'a, Result<U256, RpcError>>;

    /// The number of the newest block.
    fn head<'a>(&'a self) -> BoxFuture<'a, Result<u64, RpcError>>;

    /// Blocks for which a session is open.
    fn session_blocks<'a>(&'a self) -> BoxFuture<'a, Result<u64, RpcError>>;
}

impl ProofSteps for Prover {
    fn address(&self) -> Address {
        self.address()
    }

    fn filler(&self) -> Prepared {
        self.filler()
    }

    fn outlook<'a>(&'a self) -> BoxFuture<'a, Result<ChainSnapshot, RpcError>> {
        Box::pin(self.outlook())
    }

    fn look_at<'a>(
        &'a self,
        outlook: &'a mut ChainSnapshot,
        hashes: &'a [B256],
    ) -> BoxFuture<'a, Result<(), RpcError>> {
        Box::pin(self.look_at(outlook, hashes))
    }

    fn settlement<'a>(
        &'a self,
        outlook: &'a ChainSnapshot,
        hashes: &'a [B256],
        nonce: u64,
        depth: u64,
    ) -> BoxFuture<'a, Result<Settlement, RpcError>> {
        Box::pin(self.settlement(outlook, hashes, nonce, depth))
    }

    fn fees<'a>(&'a self) -> BoxFuture<'a, Result<FeeQuote, RpcError>> {
        Box::pin(self.fees())
    }

    fn fees_and_nonce<'a>(&'a self, at: NonceAt) -> BoxFuture<'a, Result<(FeeQuote, u64), RpcError>> {
        Box::pin(self.fees_and_nonce(at))
    }

    fn nonce<'a>(&'a self, at: NonceAt) -> BoxFuture<'a, Result<u64, RpcError>> {
        Box::pin(self.nonce(at))
    }

    fn bump<'a>(&'a self, signed: &'a Signed) -> BoxFuture<'a, Result<Option<Fees>, RpcError>> {
        Box::pin(self.bump(signed))
    }

    fn prepare_all<'a>(
        &'a self,
        proofs: &'a [Proof],
    ) -> BoxFuture<'a, Result<Vec<Result<Preparation, RpcError>>, RpcError>> {
        Box::pin(self.prepare_all(proofs))
    }

    fn prepare_finalize<'a>(&'a self, chain: u64, height: u64) -> BoxFuture<'a, Result<Preparation, RpcError>> {
        Box::pin(self.prepare_finalize(chain, height))
    }

    fn sign<'a>(
        &'a self,
        prepared: &'a Prepared,
        nonce: u64,
        fees: &'a Fees,
    ) -> BoxFuture<'a, Result<Signed, SignError>> {
        Box::pin(self.sign(prepared, nonce, fees))
    }

    fn send<'a>(&'a self, signed: &'a Signed) -> BoxFuture<'a, Sent> {
        Box::pin(self.send(signed))
    }

    fn send_all<'a>(&'a self, signed: &'a [Signed]) -> BoxFuture<'a, Result<Vec<Sent>, RpcError>> {
        Box::pin(self.send_all(signed))
    }

    fn balance<'a>(&'a self) -> BoxFuture<'a, Result<U256, RpcError>> {
        Box::pin(self.balance())
    }

    fn head<'a>(&'a self) -> BoxFuture<'a, Result<u64, RpcError>> {
        Box::pin(self.chain().head())
    }

    fn session_blocks<'a>(&'a self) -> BoxFuture<'a, Result<u64, RpcError>> {
        Box::pin(async { Ok(self.chain().metadata().await?.sessionDuration) })
    }
}
