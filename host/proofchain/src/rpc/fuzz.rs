//! Any bytes in the place of a node's answer.

use alloy_primitives::Bytes;
use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::{Endpoint, RawAnswer, question::Question, reply::Reply};
use crate::{announcement::Logs, chain::Header, quantity::Quantity};

/// Reads an answer as one of each kind, and as the answers to two questions.
pub fn read_answer(status: u16, body: &[u8]) {
    let (Ok(status), Ok(url)) = (StatusCode::from_u16(status), Url::parse("http://127.0.0.1/")) else { return };
    let endpoint = Endpoint::new(url);
    let reply = |method| Reply { endpoint: endpoint.clone(), method, status, bytes: body.to_vec() };
    one::<Option<Header>>(reply("eth_getBlockByNumber"));
    one::<Quantity>(reply("eth_blockNumber"));
    one::<Bytes>(reply("eth_call"));
    if let Ok(logs) = reply("eth_getLogs").one::<Logs>() {
        for log in &logs.0 {
            let _ = log.decode();
        }
    }
    let questions = ["eth_getLogs", "eth_getBlockByNumber"].map(|method| Question::new(method, Value::Null));
    let _ = reply("eth_getLogs").many::<RawAnswer>(&questions);
}

fn one<T: DeserializeOwned>(reply: Reply) {
    if let Err(error) = reply.one::<T>() {
        assert!(!error.to_string().is_empty());
    }
}
