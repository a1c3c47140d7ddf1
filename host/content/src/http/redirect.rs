//! Redirects that are followed: a bounded number, never from https to http, and within an address policy.

use reqwest::{
    Client, Request, RequestBuilder, Response, header,
    redirect::{Action, Attempt, Policy},
};
use url::Url;

use super::error::{Failure, TransportError};
use crate::addresses;

/// Follows at most `redirects`, to any address.
pub(super) fn policy(redirects: usize) -> Policy {
    Policy::custom(move |attempt| follow(attempt, redirects))
}

/// Refuses a redirect beyond the limit. Like the other refusals, it travels as a cause within reqwest's error.
#[derive(Debug, thiserror::Error)]
#[error("too many redirects")]
pub(super) struct TooMany;

/// Refuses a redirect from https to http.
#[derive(Debug, thiserror::Error)]
#[error("a redirect from https to http")]
pub(super) struct Downgrade;

fn follow(attempt: Attempt<'_>, redirects: usize) -> Action {
    let is_downgrade = attempt.previous().last().is_some_and(|from| is_downgrade(from, attempt.url()));
    if attempt.previous().len() > redirects {
        attempt.error(TooMany)
    } else if is_downgrade {
        attempt.error(Downgrade)
    } else {
        attempt.follow()
    }
}

/// Sends a request to public addresses only, with a client that follows no redirects itself.
///
/// Names are looked up here for each hop: behind a proxy it is the proxy that connects, and the client's own resolver is not asked.
pub(super) async fn send_publicly(
    client: &Client,
    request: RequestBuilder,
    redirects: usize,
    failure: impl Fn(reqwest::Error) -> Failure,
) -> Result<Response, Failure> {
    let mut request = request.build().map_err(&failure)?;
    for hop in 0.. {
        addresses::check_is_public(request.url()).await.map_err(Failure::Transport)?;
        let (from, again) = (request.url().clone(), request.try_clone());
        let response = client.execute(request).await.map_err(&failure)?;
        let (Some(target), Some(again)) = (target(&from, &response), again) else { return Ok(response) };
        if hop >= redirects {
            return Err(Failure::Transport(TransportError::Redirects { redirects }));
        }
        if is_downgrade(&from, &target) {
            return Err(Failure::Transport(TransportError::Downgrade));
        }
        request = at(again, target);
    }
    unreachable!("the redirects are bounded")
}

/// The address that a redirect leads to.
fn target(from: &Url, response: &Response) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
    from.join(location).ok()
}

fn at(mut request: Request, url: Url) -> Request {
    *request.url_mut() = url;
    request
}

fn is_downgrade(from: &Url, to: &Url) -> bool {
    from.scheme() == "https" && to.scheme() != "https"
}
