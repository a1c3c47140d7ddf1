//! Which redirects are followed.

use reqwest::redirect::{Action, Attempt, Policy};

use crate::{AddressPolicy, url_fetcher};

/// Follows at most `redirects`, never from https to http, and within `policy`.
pub(super) fn policy(redirects: usize, policy: AddressPolicy) -> Policy {
    Policy::custom(move |attempt| follow(attempt, redirects, policy))
}

/// Refuses a redirect beyond the limit. Like the other refusals, it travels as a cause within reqwest's error.
#[derive(Debug, thiserror::Error)]
#[error("too many redirects")]
pub(super) struct TooMany;

/// Refuses a redirect from https to http.
#[derive(Debug, thiserror::Error)]
#[error("a redirect from https to http")]
pub(super) struct Downgrade;

fn follow(attempt: Attempt<'_>, redirects: usize, policy: AddressPolicy) -> Action {
    let was_secured = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
    if attempt.previous().len() > redirects {
        attempt.error(TooMany)
    } else if was_secured && attempt.url().scheme() != "https" {
        attempt.error(Downgrade)
    } else if policy == AddressPolicy::Public && !url_fetcher::is_public_host(attempt.url()) {
        attempt.error(url_fetcher::NotPublic)
    } else {
        attempt.follow()
    }
}
