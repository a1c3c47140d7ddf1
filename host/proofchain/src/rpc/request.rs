//! A request, before it is sent.

use serde_json::Value;

use super::route::Route;

/// A request and the nodes that it may go to.
pub(super) struct Request {
    pub route: Route,
    /// Method of the first question.
    pub method: &'static str,
    pub questions: usize,
    pub body: Value,
}
