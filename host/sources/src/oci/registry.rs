//! Requests to one repository of a registry, with an anonymous token where the registry wants one.

use oci_client::Reference;
use refiner_content::HttpLimits;
use refiner_http_client::Egress;
use reqwest::{Client, Response, StatusCode, header, redirect::Policy};
use serde::Deserialize;
use url::Url;

use super::{OciError, shown};
use crate::source::is_loopback_registry;

/// Most bytes of a token's answer; tokens of public registries have some 3 KiB.
const TOKEN_BYTES_MAX: usize = 64 << 10;

/// The repository of one reference.
pub(super) struct Registry {
    client: Client,
    egress: Egress,
    /// Ends before `manifests` and `blobs`.
    base: String,
    is_local: bool,
}

/// An anonymous token, under either of its names.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Registry {
    pub(super) fn of(egress: &Egress, reference: &Reference, limits: HttpLimits) -> Result<Self, OciError> {
        let host = reference.resolve_registry().trim_end_matches('/');
        let is_local = is_loopback_registry(reference.registry());
        let builder = egress
            .builder()
            .connect_timeout(limits.connect)
            .read_timeout(limits.idle)
            .redirect(Policy::limited(limits.redirects));
        let builder = if is_local { builder.tls_certs_only([]) } else { builder.https_only(true) };
        let scheme = if is_local { "http" } else { "https" };
        let base = format!("{scheme}://{host}/v2/{}", reference.repository());
        let client = builder.build().map_err(OciError::Client)?;
        Ok(Self { client, egress: egress.clone(), base, is_local })
    }

    /// The body of a 200, at most `limit_bytes` of it.
    pub(super) async fn get(
        &self,
        path: &str,
        accept: &str,
        limit_bytes: usize,
        reference: &Reference,
    ) -> Result<Vec<u8>, OciError> {
        let transport = |source| self.transport(source, reference);
        let request = || self.client.get(format!("{}/{path}", self.base)).header(header::ACCEPT, accept);
        let mut response = request().send().await.map_err(transport)?;
        if response.status() == StatusCode::UNAUTHORIZED {
            let token = self.token(&response, reference).await?;
            response = request().bearer_auth(token).send().await.map_err(transport)?;
        }
        self.body(response, limit_bytes, reference).await
    }

    async fn token(&self, response: &Response, reference: &Reference) -> Result<String, OciError> {
        let login = || OciError::Login { reference: shown(reference) };
        let challenge = response.headers().get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let url = challenge.and_then(token_url).filter(|url| self.is_local || url.scheme() == "https");
        let response = self.client.get(url.ok_or_else(login)?).send().await;
        let response = response.map_err(|source| self.transport(source, reference))?;
        let body = self.body(response, TOKEN_BYTES_MAX, reference).await?;
        let token: Option<Token> = serde_json::from_slice(&body).ok();
        token.and_then(|token| token.token.or(token.access_token)).ok_or_else(login)
    }

    async fn body(
        &self,
        mut response: Response,
        limit_bytes: usize,
        reference: &Reference,
    ) -> Result<Vec<u8>, OciError> {
        if let Some(source) = self.egress.refusal_or_page(&response) {
            return Err(OciError::Proxy { reference: shown(reference), source });
        }
        if response.status() != StatusCode::OK {
            return Err(OciError::Status { reference: shown(reference), status: response.status().as_u16() });
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|source| self.transport(source, reference))? {
            if piece.len() > limit_bytes - body.len() {
                return Err(OciError::TooLarge { reference: shown(reference), limit_bytes });
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// The error without its URL: that of a redirect can hold a signature.
    fn transport(&self, source: reqwest::Error, reference: &Reference) -> OciError {
        let reference = shown(reference);
        match self.egress.failure(source) {
            Ok(source) => OciError::Proxy { reference, source },
            Err(source) => OciError::Transport { reference, source },
        }
    }
}

/// The address of a token from `Bearer realm="…",service="…",scope="…"`.
fn token_url(challenge: &str) -> Option<Url> {
    let (scheme, parameters) = challenge.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let parameters = parameters_of(parameters);
    let value = |name: &str| parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
    let mut url = Url::parse(value("realm")?).ok()?;
    for name in ["service", "scope"] {
        if let Some(value) = value(name) {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    Some(url)
}

/// Pairs of a name and a quoted value, between commas. A value may hold commas itself.
fn parameters_of(text: &str) -> Vec<(&str, &str)> {
    let mut rest = text;
    let mut parameters = Vec::new();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('"').map(|quoted| quoted.split_once('"')) {
            Some(Some(split)) => split,
            Some(None) => break,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        parameters.push((name.trim(), value));
        rest = after.trim_start_matches([',', ' ']);
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_token_is_read_from_the_challenge() {
        let url = |challenge: &str| token_url(challenge).map(String::from);
        assert_eq!(
            url("Bearer realm=\"https://auth.example/token\",service=\"r.example\",scope=\"repository:a/b:pull,push\"")
                .as_deref(),
            Some("https://auth.example/token?service=r.example&scope=repository%3Aa%2Fb%3Apull%2Cpush")
        );
        assert_eq!(url("bearer realm=\"https://a/t\"").as_deref(), Some("https://a/t"));
        for other in [
            "",
            "Basic realm=\"https://a/t\"",
            "Bearer",
            "Bearer realm=\"https://a",
            "Bearer service=\"a\"",
            "Bearer realm=\"x\"",
        ] {
            assert_eq!(url(other), None, "{other}");
        }
    }
}
