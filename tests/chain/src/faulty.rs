//! A JSON-RPC proxy that misbehaves on command.

use std::{
    collections::{BTreeMap, BTreeSet},
    future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use alloy_primitives::{Bytes, U64, keccak256};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::TestChainError;

/// The mark of an `eth_call` with a sender: it tries a transaction, where others look something up.
pub const TRIAL: &str = "eth_call of a transaction";

/// A fault that replaces the true answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// An HTTP status and nothing else.
    Status(u16),
    /// A JSON-RPC error.
    Refuse {
        /// Code of the error.
        code: i64,
        /// Message of the error.
        message: String,
    },
    /// Another result than the node's.
    Answer(Value),
    /// These bytes, with status 200.
    Bytes(Vec<u8>),
    /// No answer at all.
    Hang,
    /// The question is passed on, and the answer is not.
    Deaf,
    /// `eth_sendRawTransaction` is answered with the hash, and the transaction is dropped.
    Swallow,
    /// `eth_getLogs` over more blocks than this is refused.
    LongestRange {
        /// Most blocks in one range.
        blocks: u64,
        /// Code of the refusal.
        code: i64,
        /// Message of the refusal.
        message: String,
    },
}

/// The proxy. Ends with its value.
#[derive(Debug)]
pub struct FaultyRpc {
    url: String,
    plan: Plan,
    server: JoinHandle<()>,
}

/// Requests so far and the faults to come. Behind a lock because test and server both write it.
type Plan = Arc<Mutex<Faults>>;

#[derive(Debug, Default)]
struct Faults {
    /// By method: a fault and how often it still happens, `None` for ever.
    faults: BTreeMap<String, (Fault, Option<u64>)>,
    asked: BTreeMap<String, u64>,
    /// The most questions in one request; `None` for any number.
    together: Option<usize>,
    /// The most questions in one request before it is answered 429.
    tires: Option<usize>,
    requests: u64,
    /// By method: requests that asked for it at least once.
    asking: BTreeMap<String, u64>,
}

#[derive(Clone)]
struct Proxy {
    upstream: String,
    http: reqwest::Client,
    plan: Plan,
}

impl FaultyRpc {
    /// Listens on a free port of loopback, in front of `upstream`.
    ///
    /// # Errors
    ///
    /// [`TestChainError::File`] where nothing can listen.
    pub async fn start(upstream: &str) -> Result<Self, TestChainError> {
        let no_port = |source| TestChainError::File { path: "127.0.0.1:0".into(), source };
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(no_port)?;
        let url = format!("http://{}", listener.local_addr().map_err(no_port)?);
        // One provider a process; that another crate installed it first is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let plan = Plan::default();
        let proxy = Proxy { upstream: upstream.to_owned(), http: reqwest::Client::new(), plan: Arc::clone(&plan) };
        let router = Router::new().fallback(answer).with_state(proxy);
        let server = tokio::spawn(async move {
            // Ends when it is aborted.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, plan, server })
    }

    /// Where it listens, `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes a method go wrong until [`FaultyRpc::heal`].
    pub fn fail(&self, method: &str, fault: Fault) {
        open(&self.plan).faults.insert(method.to_owned(), (fault, None));
    }

    /// Makes a method go wrong so many times.
    pub fn fail_times(&self, method: &str, times: u64, fault: Fault) {
        open(&self.plan).faults.insert(method.to_owned(), (fault, Some(times)));
    }

    /// Takes a method's fault away.
    pub fn heal(&self, method: &str) {
        open(&self.plan).faults.remove(method);
    }

    /// Refuses requests of more than so many questions, in one answer for all of them, as free plans of providers do.
    pub fn take_together(&self, questions: usize) {
        open(&self.plan).together = Some(questions);
    }

    /// The number of times that a method was asked for.
    pub fn asked(&self, method: &str) -> u64 {
        open(&self.plan).asked.get(method).copied().unwrap_or_default()
    }

    /// The number of questions of any method.
    pub fn asked_in_all(&self) -> u64 {
        open(&self.plan).asked.values().sum()
    }

    /// Answers requests of more than so many questions with HTTP 429, as rate limits do that count questions.
    pub fn tire_of(&self, questions: usize) {
        open(&self.plan).tires = Some(questions);
    }

    /// The number of requests that asked for a method, once or more.
    pub fn requests_for(&self, method: &str) -> u64 {
        open(&self.plan).asking.get(method).copied().unwrap_or_default()
    }

    /// The number of requests, whatever they asked for.
    pub fn requests(&self) -> u64 {
        open(&self.plan).requests
    }
}

impl Drop for FaultyRpc {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn open(plan: &Plan) -> MutexGuard<'_, Faults> {
    plan.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Faults {
    fn refuse_together(&self, questions: usize) -> Option<Value> {
        let most = self.together.filter(|most| questions > *most)?;
        let message = format!("batch of more than {most} requests are not allowed on free tier");
        Some(json!({"jsonrpc": "2.0", "id": null, "error": {"code": 31, "message": message}}))
    }

    fn arrived(&mut self, body: &Value) {
        self.requests += 1;
        let questions = body.as_array().map_or(std::slice::from_ref(body), Vec::as_slice);
        let methods: BTreeSet<_> = questions.iter().map(method).collect();
        for method in methods {
            *self.asking.entry(method.to_owned()).or_default() += 1;
        }
    }

    fn next(&mut self, method: &str) -> Option<Fault> {
        *self.asked.entry(method.to_owned()).or_default() += 1;
        let (fault, left) = self.faults.get_mut(method)?;
        let fault = fault.clone();
        match left {
            Some(0) => return None,
            Some(left) => *left -= 1,
            None => {}
        }
        Some(fault)
    }
}

/// The outcome of a question: an answer among others, or a fate of the whole request.
enum Outcome {
    Answer(Value),
    Response(Response),
}

async fn answer(State(proxy): State<Proxy>, body: String) -> Response {
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    open(&proxy.plan).arrived(&body);
    match body {
        Value::Array(questions) => {
            if let Some(refusal) = open(&proxy.plan).refuse_together(questions.len()) {
                return in_json(&refusal);
            }
            if open(&proxy.plan).tires.is_some_and(|most| questions.len() > most) {
                return StatusCode::TOO_MANY_REQUESTS.into_response();
            }
            let mut answers = Vec::with_capacity(questions.len());
            for question in questions {
                match proxy.outcome(question).await {
                    Outcome::Answer(answer) => answers.push(answer),
                    Outcome::Response(response) => return response,
                }
            }
            in_json(&answers.into())
        }
        question => match proxy.outcome(question).await {
            Outcome::Answer(answer) => in_json(&answer),
            Outcome::Response(response) => response,
        },
    }
}

impl Proxy {
    async fn outcome(&self, question: Value) -> Outcome {
        let fault = open(&self.plan).next(method(&question));
        let id = question["id"].clone();
        let refusal = |code: i64, message: String| {
            Outcome::Answer(json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}))
        };
        let result = |result: Value| Outcome::Answer(json!({"jsonrpc": "2.0", "id": id, "result": result}));
        match fault {
            None => self.forward(&question).await,
            Some(Fault::Status(status)) => Outcome::Response(
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response(),
            ),
            Some(Fault::Refuse { code, message }) => refusal(code, message),
            Some(Fault::Answer(answer)) => result(answer),
            Some(Fault::Bytes(bytes)) => Outcome::Response(bytes.into_response()),
            Some(Fault::Hang) => future::pending().await,
            Some(Fault::Deaf) => {
                self.forward(&question).await;
                future::pending().await
            }
            Some(Fault::Swallow) => result(hash_of(&question)),
            Some(Fault::LongestRange { blocks, .. }) if range(&question).is_none_or(|asked| asked <= blocks) => {
                self.forward(&question).await
            }
            Some(Fault::LongestRange { code, message, .. }) => refusal(code, message),
        }
    }

    async fn forward(&self, question: &Value) -> Outcome {
        let answer = match self.http.post(&self.upstream).json(question).send().await {
            Ok(response) => response.json().await,
            Err(error) => Err(error),
        };
        answer.map_or_else(|_| Outcome::Response(StatusCode::BAD_GATEWAY.into_response()), Outcome::Answer)
    }
}

fn in_json(value: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn method(question: &Value) -> &str {
    let method = question["method"].as_str().unwrap_or_default();
    if method == "eth_call" && question["params"][0]["from"].is_string() { TRIAL } else { method }
}

fn hash_of(question: &Value) -> Value {
    let raw = question["params"][0].as_str().and_then(|text| text.parse::<Bytes>().ok()).unwrap_or_default();
    json!(keccak256(raw))
}

fn range(question: &Value) -> Option<u64> {
    let number = |field: &str| question["params"][0][field].as_str()?.parse::<U64>().ok().map(|n| n.to::<u64>());
    Some(number("toBlock")? - number("fromBlock")? + 1)
}
