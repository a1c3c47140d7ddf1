//! The Web3Signer at the start: one that is away is waited for like a node.

use std::time::Duration;

use refiner_diagnostics::ErrorChain;
use refiner_proofchain::{KeyError, Signer};

use crate::{
    config::{Key, Settings},
    engine::{outage::Outage, policy::pause_ms},
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
    let (mut failures, mut outage) = (0, Outage::default());
    loop {
        match Signer::load(source).await {
            Err(error @ KeyError::Signer(_)) => {
                let pause = Duration::from_millis(pause_ms(settings.retry, failures));
                failures += 1;
                let error = ErrorChain(&error).to_string();
                if outage.failed() {
                    tracing::warn!(error, retry_in = ?pause, "signer unreachable");
                }
                status.set_blocked(PART, error);
                tokio::time::sleep(pause).await;
            }
            loaded => {
                status.clear_blocked(PART);
                return Ok(Some(loaded?));
            }
        }
    }
}
