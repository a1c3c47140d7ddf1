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

/// State that `/health` reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Mood {
    Good,
    Bad,
    Hanging,
}

/// The mood that a tester set last.
#[derive(Debug, Default)]
pub(super) struct Health(AtomicU8);

impl Health {
    /// Changes the mood, and answers with the new one.
    pub(super) fn turn(&self, mood: Mood) -> Response {
        self.0.store(mood as u8, Ordering::Relaxed);
        match mood {
            Mood::Good => say(StatusCode::OK, "Recovered."),
            Mood::Bad => say(StatusCode::OK, "Sabotage ON"),
            Mood::Hanging => say(StatusCode::OK, "Configured to timeout."),
        }
    }

    /// The answer of `/health`; a server that is stuck is not healthy.
    pub(super) async fn answer(&self, is_stuck: bool) -> Response {
        const BAD: u8 = Mood::Bad as u8;
        const HANGING: u8 = Mood::Hanging as u8;
        match self.0.load(Ordering::Relaxed) {
            BAD => say(StatusCode::INTERNAL_SERVER_ERROR, "Internal Error"),
            HANGING => {
                tokio::time::sleep(HANGS).await;
                say(StatusCode::OK, "")
            }
            _ if is_stuck => {
                say(StatusCode::SERVICE_UNAVAILABLE, "No execution has ended for longer than one may take.")
            }
            _ => say(StatusCode::OK, "I'm healthy"),
        }
    }
}

fn say(status: StatusCode, text: &'static str) -> Response {
    (status, [(CONTENT_TYPE, TEXT)], text).into_response()
}
