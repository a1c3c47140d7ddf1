//! Providers that give no usable answer, each in its own words.

use serde_json::json;

use super::{Behaviour, Fault, Question, Request};

/// A way in which a provider, or the gateway before it, answers without a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// Infura, a project id that is none: 401 with a text.
    InvalidProject,
    /// dRPC and others, a key that is none: 401 with a JSON-RPC error.
    Unauthorized,
    /// QuickNode, an account that has not paid: 402.
    Payment,
    /// Cloudflare, which takes the client for a robot: 403 with a page.
    Forbidden,
    /// Alchemy, a network that the app has not: 403 with a JSON-RPC error.
    NetworkNotEnabled,
    /// A gateway without a route: 404.
    NotFound,
    /// An endpoint that was taken down: 410.
    Gone,
    /// A gateway that moved: 301 to another address.
    Moved,
    /// A parked domain: a page of HTML with status 200.
    ParkedDomain,
    /// A proxy that lost its upstream: 200 without a body.
    Empty,
    /// A gateway's own JSON, which is no JSON-RPC, with status 200.
    OtherJson,
    /// geth without the namespace.
    UnknownMethod,
    /// Old Frontier nodes, and gateways that hide what they do not understand: null for a number.
    Null,
}

impl Outage {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::InvalidProject,
        Self::Unauthorized,
        Self::Payment,
        Self::Forbidden,
        Self::NetworkNotEnabled,
        Self::NotFound,
        Self::Gone,
        Self::Moved,
        Self::ParkedDomain,
        Self::Empty,
        Self::OtherJson,
        Self::UnknownMethod,
        Self::Null,
    ];

    fn fault(self, method: &str) -> Fault {
        let refusal = |code: i64, message: &str| {
            json!({"jsonrpc": "2.0", "id": null, "error": {"code": code, "message": message}}).to_string()
        };
        match self {
            Self::InvalidProject => Fault::page(401, "invalid project id\n"),
            Self::Unauthorized => Fault::page(401, refusal(-32001, "Must be authenticated!")),
            Self::Payment => Fault::page(402, refusal(-32003, "account is past due, please visit your billing page")),
            Self::Forbidden => Fault::page(403, "<!DOCTYPE html><title>Just a moment...</title>"),
            Self::NetworkNotEnabled => {
                Fault::page(403, refusal(-32600, "MOONBEAM_MAINNET is not enabled for this app"))
            }
            Self::NotFound => Fault::page(404, "404 page not found\n"),
            Self::Gone => Fault::page(410, "This endpoint has been deprecated"),
            Self::Moved => Fault::Page {
                status: 301,
                headers: vec![("location".to_owned(), "https://rpc.example/".to_owned())],
                body: String::new(),
            },
            Self::ParkedDomain => Fault::page(200, "<html><body>This domain is for sale</body></html>"),
            Self::Empty => Fault::Bytes(Vec::new()),
            Self::OtherJson => Fault::page(200, r#"{"message":"no healthy upstream"}"#),
            Self::UnknownMethod => {
                Fault::refuse(-32601, format!("the method {method} does not exist/is not available"))
            }
            Self::Null => Fault::Answer(json!(null)),
        }
    }
}

/// A provider that answers so, whatever it is asked.
#[derive(Debug)]
pub struct Out(pub Outage);

impl Behaviour for Out {
    fn fault(&self, _: &Request, question: &Question<'_>) -> Option<Fault> {
        Some(self.0.fault(question.method()))
    }
}
