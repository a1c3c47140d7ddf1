//! A JSON-RPC proxy that misbehaves on command. A file holds a kind of fault: single answers in `fault.rs`, and
//! [`Behaviour`]s of whole providers, in the providers' own words, in the others.

mod behaviour;
mod fault;
mod lagging;
mod limits;
mod met;
mod other;
mod outage;
mod pool;
mod pruned;
mod server;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

pub use behaviour::{Behaviour, Question, Request, quantity};
pub use fault::Fault;
pub use lagging::{Blooms, Lagging, LateLogs, Meets, NoLogsByHash};
pub use limits::{LimitedRange, Provider};
pub use met::Met;
pub use other::{OtherChain, OtherReceipts, Stale, Swapped};
pub use outage::{Out, Outage};
pub use pool::{AlreadyImported, PoolWords};
pub use pruned::Pruned;

use crate::TestChainError;

/// The mark of an `eth_call` with a sender: it tries a transaction, where others look something up.
pub const TRIAL: &str = "eth_call of a transaction";

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
    faults: BTreeMap<String, Planned>,
    behaviours: Vec<Playing>,
    asked: BTreeMap<String, u64>,
    /// The most questions in one request; `None` for any number.
    together: Option<usize>,
    /// The most questions in one request before it is answered 429.
    tires: Option<usize>,
    requests: u64,
    /// By method: requests that asked for it at least once.
    asking: BTreeMap<String, u64>,
}

/// A fault of a method.
#[derive(Debug)]
struct Planned {
    fault: Fault,
    /// How often it still happens, `None` for ever.
    left: Option<u64>,
    met: Met,
}

/// A behaviour of the proxy, and how often it made a difference.
#[derive(Clone, Debug)]
struct Playing {
    behaviour: Arc<dyn Behaviour>,
    met: Met,
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
        let proxy =
            server::Proxy { upstream: upstream.to_owned(), http: reqwest::Client::new(), plan: Arc::clone(&plan) };
        let server = tokio::spawn(server::serve(listener, proxy));
        Ok(Self { url, plan, server })
    }

    /// Where it listens, `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes a method go wrong until [`FaultyRpc::heal`].
    pub fn fail(&self, method: &str, fault: Fault) -> Met {
        self.plan(method, fault, None)
    }

    /// Makes a method go wrong so many times.
    pub fn fail_times(&self, method: &str, times: u64, fault: Fault) -> Met {
        self.plan(method, fault, Some(times))
    }

    fn plan(&self, method: &str, fault: Fault, left: Option<u64>) -> Met {
        let met = Met::default();
        open(&self.plan).faults.insert(method.to_owned(), Planned { fault, left, met: met.clone() });
        met
    }

    /// Takes a method's fault away.
    pub fn heal(&self, method: &str) {
        open(&self.plan).faults.remove(method);
    }

    /// Behaves so from now on, until [`FaultyRpc::behave_well`].
    pub fn behave<B: Behaviour + 'static>(&self, behaviour: &Arc<B>) -> Met {
        let met = Met::default();
        open(&self.plan).behaviours.push(Playing { behaviour: Arc::<B>::clone(behaviour), met: met.clone() });
        met
    }

    /// Takes all behaviours away, and bounds of questions in one request.
    pub fn behave_well(&self) {
        let mut plan = open(&self.plan);
        plan.behaviours.clear();
        (plan.together, plan.tires) = (None, None);
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

    fn arrived(&mut self, body: &Value) -> (Request, Vec<Playing>) {
        let questions = body.as_array().map_or(std::slice::from_ref(body), Vec::as_slice);
        let methods = questions.iter().map(|question| method(question).to_owned()).collect();
        let request = Request { number: self.requests, methods };
        self.requests += 1;
        for method in request.methods.iter().collect::<BTreeSet<_>>() {
            *self.asking.entry(method.clone()).or_default() += 1;
        }
        (request, self.behaviours.clone())
    }

    fn next(&mut self, question: &Question<'_>) -> Option<Fault> {
        *self.asked.entry(question.method().to_owned()).or_default() += 1;
        let Planned { fault, left, met } = self.faults.get_mut(question.method())?;
        if let (Fault::LongestRange { blocks, .. }, range) = (&*fault, question.range())
            && range.is_none_or(|(first, last)| last - first < *blocks)
        {
            return None;
        }
        match left {
            Some(0) => return None,
            Some(left) => *left -= 1,
            None => {}
        }
        met.count();
        Some(fault.clone())
    }
}

/// Method of a question, or [`TRIAL`].
fn method(question: &Value) -> &str {
    let method = question["method"].as_str().unwrap_or_default();
    if method == "eth_call" && question["params"][0]["from"].is_string() { TRIAL } else { method }
}
