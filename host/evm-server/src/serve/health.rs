//! `/health`, and the three routes by which a tester makes it lie.

use std::{
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use axum::{
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};

use super::error::TEXT;

/// The time for which `/health` hangs after `/timeout`.
const HANGS: Duration = Duration::from_secs(30);

/// The answer of `/health` that a tester chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Reported {
    Healthy,
    Failing,
    Hanging,
}

/// The answer that was chosen last.
#[derive(Debug, Default)]
pub(super) struct Health(AtomicU8);

impl Health {
    /// Chooses the answer, and confirms it in the words of the network's evm-server.
    pub(super) fn choose(&self, reported: Reported) -> Response {
        self.0.store(reported as u8, Ordering::Relaxed);
        match reported {
            Reported::Healthy => text(StatusCode::OK, "Recovered."),
            Reported::Failing => text(StatusCode::OK, "Sabotage ON"),
            Reported::Hanging => text(StatusCode::OK, "Configured to timeout."),
        }
    }

    /// The answer of `/health`; a server that is stuck is not healthy.
    pub(super) async fn answer(&self, is_stuck: bool) -> Response {
        const FAILING: u8 = Reported::Failing as u8;
        const HANGING: u8 = Reported::Hanging as u8;
        match self.0.load(Ordering::Relaxed) {
            FAILING => text(StatusCode::INTERNAL_SERVER_ERROR, "Internal Error"),
            HANGING => {
                tokio::time::sleep(HANGS).await;
                text(StatusCode::OK, "")
            }
            _ if is_stuck => {
                text(StatusCode::SERVICE_UNAVAILABLE, "No execution has ended for longer than one may take.")
            }
            _ => text(StatusCode::OK, "I'm healthy"),
        }
    }
}

fn text(status: StatusCode, text: &'static str) -> Response {
    (status, [(CONTENT_TYPE, TEXT)], text).into_response()
}
