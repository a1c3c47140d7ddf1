//! The pinner: whether it answers, and names content as the network does.

use alloy_primitives::Bytes;
use refiner_content::{Content, FetchBackend as _, KeepError, Pinner};
use refiner_diagnostics::ErrorChain;

use super::Check;

const NAME: &str = "pinner";
/// More than one chunk, so that the import profile shows in the id.
const SAMPLE_BYTES: usize = (256 << 10) + 1;

/// Asks it how it is, and has it name a sample.
pub async fn check(pinner: Option<&Pinner>) -> Check {
    let Some(pinner) = pinner else { return Check::ok(NAME, "none: results stay in the local store") };
    let origin = pinner.origin();
    if let Err(error) = pinner.health().await {
        let remedy = "start it, or name another by --pinner; until then results wait";
        return Check::error(NAME, ErrorChain(&error).to_string(), remedy);
    }
    match pinner.name(&Content::of(Bytes::from_static(&[0x5a; SAMPLE_BYTES]).0)).await {
        Ok(_) => Check::ok(NAME, format!("{origin} answers, and names content as the network does")),
        Err(error @ KeepError::WrongId { .. }) => Check::error(
            NAME,
            ErrorChain(&error).to_string(),
            "the pinner must import as the network does: CIDv1, raw leaves, chunks of 262144 bytes; or name another by --pinner",
        ),
        Err(error) => Check::error(
            NAME,
            ErrorChain(&error).to_string(),
            "look into the pinner's log, or name another by --pinner; until then results wait",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::State;

    #[test]
    fn no_pinner_is_ok() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let found = runtime.block_on(check(None));
        assert_eq!((found.state, found.detail.as_str()), (State::Ok, "none: results stay in the local store"));
    }
}
