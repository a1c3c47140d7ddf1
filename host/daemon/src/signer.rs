//! The Web3Signer at the start: one that is away is waited for like a node.

use refiner_proofchain::{KeyError, Signer};

use crate::{
    config::{Key, Settings},
    engine::poller::{PollFailure, Poller},
    error::RunError,
    observe::status::Status,
};

/// The part's name in the status.
const PART: &str = "signer";

/// The signer that was loaded, or the Web3Signer once it answers.
///
/// # Errors
///
/// [`RunError::Key`] for a Web3Signer without the key, which no waiting mends.
pub async fn reach(settings: &Settings, loaded: Option<Signer>, status: &Status) -> Result<Option<Signer>, RunError> {
    let source = match (&settings.key, loaded) {
        (Key::From(source), None) => source,
        (_, loaded) => return Ok(loaded),
    };
    let poller = Poller::new(PART, status.clone(), settings.retry);
    let is_transient = |error: &KeyError| matches!(error, KeyError::Signer(_));
    let log = |PollFailure { error, pause, .. }: &PollFailure| {
        tracing::warn!(error, retry_in = ?pause, "signer unreachable");
    };
    Ok(Some(poller.answer(async || Signer::load(source).await, is_transient, log).await?))
}
