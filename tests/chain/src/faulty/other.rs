//! Nodes that answer well, and of something else than they should.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{Behaviour, Fault, Question, Request, behaviour::quantity};

/// A node of another chain, at which the operator has sent transactions too.
#[derive(Debug)]
pub struct OtherChain {
    /// Chain id of the node.
    pub chain_id: u64,
    /// The operator's next nonce there.
    pub nonce: u64,
}

impl Behaviour for OtherChain {
    fn fault(&self, _: &Request, question: &Question<'_>) -> Option<Fault> {
        let hex = |number: u64| Some(Fault::Answer(json!(format!("{number:#x}"))));
        match question.method() {
            "eth_chainId" => hex(self.chain_id),
            "eth_getTransactionCount" => hex(self.nonce),
            "eth_getLogs" => Some(Fault::Answer(json!([]))),
            "eth_getTransactionReceipt" => Some(Fault::Answer(Value::Null)),
            "eth_getCode" => Some(Fault::Answer(json!("0x"))),
            "eth_sendRawTransaction" => Some(Fault::refuse(-32000, "invalid chain id for signer")),
            _ => None,
        }
    }
}

/// Questions by which a client relies on a node, beside those by which it checks one.
const RELIANCE: [&str; 4] =
    ["eth_getTransactionCount", "eth_getLogs", "eth_getTransactionReceipt", "eth_sendRawTransaction"];
/// Time for questions that were under way when the node gave its chain id.
const UNDER_WAY: Duration = Duration::from_millis(200);

/// A node that is away for some requests and comes back as one of another chain, as behind a load balancer that was set up wrongly.
#[derive(Debug)]
pub struct Swapped {
    /// Requests that are refused before and after.
    refused: AtomicU64,
    /// It is away until it is asked for its chain.
    until_asked: bool,
    /// The moment at which it gave its chain id.
    asked: OnceLock<Instant>,
    relied_on: AtomicU64,
    chain: OtherChain,
}

impl Swapped {
    /// A node that refuses so many questions before it is of the other chain.
    pub const fn after(refusals: u64, chain: OtherChain) -> Self {
        Self::new(refusals, false, chain)
    }

    /// A node that is away until it is asked for its chain id, and gives the other one.
    pub const fn until_asked(chain: OtherChain) -> Self {
        Self::new(0, true, chain)
    }

    const fn new(refusals: u64, until_asked: bool, chain: OtherChain) -> Self {
        let (refused, relied_on) = (AtomicU64::new(refusals), AtomicU64::new(0));
        Self { refused, until_asked, asked: OnceLock::new(), relied_on, chain }
    }

    /// Questions that rely on it, by clients that could know its chain.
    pub fn relied_on(&self) -> u64 {
        self.relied_on.load(Ordering::Relaxed)
    }
}

impl Behaviour for Swapped {
    fn fault(&self, request: &Request, question: &Question<'_>) -> Option<Fault> {
        if self.until_asked && self.asked.get().is_none() && !request.asks_for("eth_chainId") {
            return Some(Fault::Status(502));
        }
        if self.asked.get().is_some_and(|asked| asked.elapsed() > UNDER_WAY) && RELIANCE.contains(&question.method()) {
            self.relied_on.fetch_add(1, Ordering::Relaxed);
        }
        if question.method() == "eth_chainId" {
            self.asked.get_or_init(Instant::now);
        }
        let left = self.refused.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_ok() { Some(Fault::Status(502)) } else { self.chain.fault(request, question) }
    }

    fn shows_in(&self, fault: &Fault) -> bool {
        *fault != Fault::Status(502)
    }
}

/// A node that stands still: its newest block is an old one, the operator's nonce is that of then, and later receipts are unknown.
#[derive(Debug)]
pub struct Stale {
    head: AtomicU64,
    nonce: u64,
}

impl Stale {
    /// A node that stands at `head`, where the operator's nonce is `nonce`.
    pub const fn at(head: u64, nonce: u64) -> Self {
        Self { head: AtomicU64::new(head), nonce }
    }

    /// The node gets on to another block.
    pub fn set_head(&self, head: u64) {
        self.head.store(head, Ordering::Relaxed);
    }
}

impl Behaviour for Stale {
    fn answer(&self, _: &Request, question: &Question<'_>, answer: &mut Value) {
        let head = self.head.load(Ordering::Relaxed);
        let result = &mut answer["result"];
        match question.method() {
            "eth_blockNumber" if quantity(result).is_some_and(|newest| newest > head) => {
                *result = json!(format!("{head:#x}"));
            }
            "eth_getTransactionCount" => *result = json!(format!("{:#x}", self.nonce)),
            "eth_getTransactionReceipt" if quantity(&result["blockNumber"]).is_some_and(|block| block > head) => {
                *result = Value::Null;
            }
            "eth_getBlockByNumber" if quantity(&result["number"]).is_some_and(|number| number > head) => {
                if question.parameter(0) == "latest" {
                    result["number"] = json!(format!("{head:#x}"));
                } else {
                    *result = Value::Null;
                }
            }
            _ => {}
        }
    }
}

/// A node that tells receipts of another chain of blocks, or none.
#[derive(Debug)]
pub struct OtherReceipts {
    /// Receipts are of another block, or there are none.
    pub of_another_block: bool,
    on: AtomicBool,
}

impl OtherReceipts {
    /// Such a node from now on.
    pub const fn new(of_another_block: bool) -> Self {
        Self { of_another_block, on: AtomicBool::new(true) }
    }

    /// Ends it.
    pub fn end(&self) {
        self.on.store(false, Ordering::Relaxed);
    }
}

impl Behaviour for OtherReceipts {
    fn answer(&self, _: &Request, question: &Question<'_>, answer: &mut Value) {
        if question.method() != "eth_getTransactionReceipt" || !self.on.load(Ordering::Relaxed) {
            return;
        }
        match &mut answer["result"] {
            receipt @ Value::Object(_) if self.of_another_block => {
                receipt["blockHash"] = json!(format!("0x{}", "0b".repeat(32)));
            }
            receipt => *receipt = Value::Null,
        }
    }
}
