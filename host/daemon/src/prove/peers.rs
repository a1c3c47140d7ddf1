//! Proofs of other operators on chain, as far as proving needs them.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use futures_util::future::BoxFuture;
use refiner_proofchain::{OpenedSession, OpenedSessions, PeerProofs, RpcError};

/// Proofs of other operators.
pub trait PeerSource: Send {
    /// Reads those that were not read before.
    fn read(&mut self) -> BoxFuture<'_, Result<(), RpcError>>;

    /// The results that were proved for a specimen, and the number of operators for each.
    fn of(&self, specimen: B256) -> BTreeMap<B256, usize>;
}

/// Sessions that were opened.
pub trait SessionSource: Send {
    /// Reads those that were not read before.
    fn read(&mut self) -> BoxFuture<'_, Result<Vec<OpenedSession>, RpcError>>;
}

impl PeerSource for PeerProofs {
    fn read(&mut self) -> BoxFuture<'_, Result<(), RpcError>> {
        Box::pin(self.read())
    }

    fn of(&self, specimen: B256) -> BTreeMap<B256, usize> {
        self.of(specimen)
    }
}

impl SessionSource for OpenedSessions {
    fn read(&mut self) -> BoxFuture<'_, Result<Vec<OpenedSession>, RpcError>> {
        Box::pin(self.read())
    }
}
