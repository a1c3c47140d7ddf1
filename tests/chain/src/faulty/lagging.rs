//! Nodes that are behind others, and answer all the same.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::{Behaviour, Fault, Question, Request, behaviour::quantity};

/// Requests or questions that a load balancer passes to a node that lags; the others go to one that does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meets {
    /// All of them.
    Every,
    /// Half of the requests. Which, follows from their number, and not in turn: those of a client come in turn too.
    Half,
    /// Questions for logs, also where they come in one request with others: balancers that take batches apart.
    Logs,
    /// Requests for logs alone, as before headers and logs were asked for together.
    LogsAlone,
}

impl Meets {
    fn is_met_by(self, request: &Request, question: &Question<'_>) -> bool {
        match self {
            Self::Every => true,
            Self::Half => request.number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 == 0,
            Self::Logs => question.method() == "eth_getLogs",
            Self::LogsAlone => request.methods == ["eth_getLogs"],
        }
    }
}

/// A lagging load balancer: a node behind it stands at a block. It has nothing above, and answers `[]` about ranges there, as
/// geth, Frontier and subquery's providers were seen to do: <https://github.com/ethereum/go-ethereum/issues/24078>,
/// <https://github.com/subquery/subql/issues/1999>, <https://github.com/moonbeam-foundation/moonbeam/issues/1281>.
#[derive(Debug)]
pub struct Lagging {
    meets: Meets,
    head: AtomicU64,
}

impl Lagging {
    /// A node that stands at `head`.
    pub const fn at(head: u64, meets: Meets) -> Self {
        Self { meets, head: AtomicU64::new(head) }
    }

    /// The node gets on to another block.
    pub fn set_head(&self, head: u64) {
        self.head.store(head, Ordering::Relaxed);
    }
}

impl Behaviour for Lagging {
    fn answer(&self, request: &Request, question: &Question<'_>, answer: &mut Value) {
        if !self.meets.is_met_by(request, question) {
            return;
        }
        let head = self.head.load(Ordering::Relaxed);
        match question.method() {
            "eth_blockNumber" if quantity(&answer["result"]).is_some_and(|newest| newest > head) => {
                answer["result"] = json!(format!("{head:#x}"));
            }
            "eth_getBlockByNumber" if quantity(&answer["result"]["number"]).is_some_and(|number| number > head) => {
                answer["result"] = Value::Null;
            }
            "eth_getLogs" => keep_logs_up_to(head, question, answer),
            _ => {}
        }
    }
}

/// A node whose headers are there before its logs can be found, by a range or, in the worst case, at all.
#[derive(Debug)]
pub struct LateLogs {
    /// Logs are found up to this block.
    indexed: AtomicU64,
    /// Logs of a block that is asked for by its hash are found before that.
    by_hash: bool,
}

impl LateLogs {
    /// Logs are found up to `indexed`, and with `by_hash` those of a single block at once.
    pub const fn up_to(indexed: u64, by_hash: bool) -> Self {
        Self { indexed: AtomicU64::new(indexed), by_hash }
    }

    /// The index gets on to another block.
    pub fn set_indexed(&self, indexed: u64) {
        self.indexed.store(indexed, Ordering::Relaxed);
    }
}

impl Behaviour for LateLogs {
    fn answer(&self, _: &Request, question: &Question<'_>, answer: &mut Value) {
        if question.method() == "eth_getLogs" && (question.range().is_some() || !self.by_hash) {
            let indexed = self.indexed.load(Ordering::Relaxed);
            if let Some(logs) = answer["result"].as_array_mut() {
                logs.retain(|log| is_up_to(indexed, log));
            }
        }
    }
}

/// A node that refuses `eth_getLogs` by a block's hash, which is as old as EIP-234 and not everywhere.
#[derive(Debug)]
pub struct NoLogsByHash;

impl Behaviour for NoLogsByHash {
    fn fault(&self, _: &Request, question: &Question<'_>) -> Option<Fault> {
        let by_hash = question.method() == "eth_getLogs" && question.parameter(0)["blockHash"].is_string();
        by_hash.then(|| Fault::refuse(-32602, "invalid params: unknown field `blockHash`"))
    }
}

/// The logs bloom of a chain's headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blooms {
    /// No such field.
    Missing,
    /// Zero, as zkSync Era has it.
    Zero,
    /// Every bit set, as in the fullest of blocks.
    Full,
}

impl Behaviour for Blooms {
    fn answer(&self, _: &Request, question: &Question<'_>, answer: &mut Value) {
        if let ("eth_getBlockByNumber", Some(header)) = (question.method(), answer["result"].as_object_mut()) {
            match self {
                Self::Missing => drop(header.remove("logsBloom")),
                Self::Zero => drop(header.insert("logsBloom".to_owned(), json!(format!("0x{}", "00".repeat(256))))),
                Self::Full => drop(header.insert("logsBloom".to_owned(), json!(format!("0x{}", "ff".repeat(256))))),
            }
        }
    }
}

fn keep_logs_up_to(head: u64, question: &Question<'_>, answer: &mut Value) {
    let Some(logs) = answer["result"].as_array_mut() else { return };
    if question.range().is_some() {
        logs.retain(|log| is_up_to(head, log));
    } else if logs.iter().any(|log| !is_up_to(head, log)) {
        *answer = json!({
            "jsonrpc": "2.0", "id": answer["id"], "error": {"code": -32000, "message": "unknown block"}
        });
    }
}

fn is_up_to(head: u64, log: &Value) -> bool {
    quantity(&log["blockNumber"]).is_none_or(|number| number <= head)
}
