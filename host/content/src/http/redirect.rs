//! Which redirects are followed.

use reqwest::redirect::{Action, Attempt, Policy};

use crate::{Reach, web};

/// Follows at most `redirects`, never from https to http, and within `reach`.
pub(super) fn policy(redirects: usize, reach: Reach) -> Policy {
    Policy::custom(move |attempt| follow(attempt, redirects, reach))
}

/// Why a redirect is not followed. Travels as a cause within reqwest's error.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("redirect refused")]
pub(super) enum RedirectRefused {
    TooMany,
    Downgrade,
    Private,
}

fn follow(attempt: Attempt<'_>, redirects: usize, reach: Reach) -> Action {
    let was_secured = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
    if attempt.previous().len() > redirects {
        attempt.error(RedirectRefused::TooMany)
    } else if was_secured && attempt.url().scheme() != "https" {
        attempt.error(RedirectRefused::Downgrade)
    } else if reach == Reach::Public && !web::is_public_host(attempt.url()) {
        attempt.error(RedirectRefused::Private)
    } else {
        attempt.follow()
    }
}
