//! The status page at `/` and its history: what journal, status, nodes and workers have, gathered for `refiner-status-page`.

mod hosts;
mod quarantine;
mod sample;

pub use self::sample::{Spending, watch};

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use alloy_primitives::B256;
use axum::{Json, extract::RawQuery, extract::State as Shared, response::IntoResponse};
use refiner_journal::{Filter, Item, JournalError, State};
use refiner_proofchain::{NodeReport, Rpc};
use refiner_status_page::{
    Check, Earnings, Level, Node, Page, Pause, Quarantine, Setting, Wait, Waiting, Window, Worker, Workers, headers,
    render,
};

use crate::{
    config::{Settings, Shown},
    execute::WorkQueue,
    observe::{
        health::Health,
        heartbeat::items_in,
        nodes,
        status::{Compared, Now, Status},
    },
    preflight,
    prove::coins,
};

/// Items of a list; the journal has all.
const ITEMS_SHOWN: usize = 10;

/// The parts of the page that do not change.
#[derive(Clone)]
pub struct PageSource {
    network: String,
    data: PathBuf,
    workers: usize,
    /// Set once the chain was reached.
    running: Arc<OnceLock<RunningRules>>,
    spending: Spending,
}

/// Answers of the journal for one page.
struct Asked {
    numbers: Vec<(State, u64)>,
    quarantined: Vec<Item>,
    waiting: Vec<Item>,
    sessions: Vec<(String, u64)>,
}

impl PageSource {
    pub fn new(settings: &Settings, running: Arc<OnceLock<RunningRules>>) -> Self {
        Self {
            network: format!("chain {}", settings.network.chain_id),
            data: std::path::absolute(&settings.data).unwrap_or_else(|_| settings.data.clone()),
            workers: settings.workers,
            running,
            spending: Spending::default(),
        }
    }

    pub const fn spending(&self) -> &Spending {
        &self.spending
    }

    /// Workers with the names of their rules.
    fn running(&self) -> Vec<Worker> {
        let Some(RunningRules { queue, names }) = self.running.get() else { return Vec::new() };
        let worker = |worker: refiner_worker::WorkerStatus| Worker {
            pid: worker.pid,
            rule: names.get(&worker.rule).cloned().unwrap_or_else(|| "a rule of before".to_owned()),
            attempt: worker.attempt,
        };
        queue.workers().into_iter().map(worker).collect()
    }
}

/// Where rules run, and their names by the digests of their components.
#[derive(Clone)]
pub struct RunningRules {
    pub queue: Arc<dyn WorkQueue>,
    pub names: BTreeMap<B256, String>,
}

/// The effective settings, as `refiner config show` prints them.
pub fn settings(shown: Vec<Shown>) -> Arc<[Setting]> {
    let text = |value: toml::Value| match value {
        toml::Value::String(text) => text,
        other => other.to_string(),
    };
    let setting = |Shown { key, value, origin }| Setting { key: key.to_owned(), value: value.map(text), origin };
    shown.into_iter().map(setting).collect()
}

/// `/`
pub async fn page(Shared(health): Shared<Arc<Health>>, RawQuery(query): RawQuery) -> impl IntoResponse {
    let page = gather(&health, Window::of_query(query.as_deref()));
    (headers(), render(&page, &health.status.history))
}

/// `/history`
pub async fn history(Shared(health): Shared<Arc<Health>>, RawQuery(query): RawQuery) -> impl IntoResponse {
    Json(health.status.history.to_json(Window::of_query(query.as_deref())))
}

fn gather(health: &Health, window: Window) -> Page {
    let asked = health.journal.with(|journal| {
        let list = |state| journal.list(&Filter { state: Some(state), ..Filter::default() }, ITEMS_SHOWN);
        Ok::<_, JournalError>(Asked {
            numbers: journal.items_by_state()?,
            quarantined: list(State::Quarantined)?,
            waiting: list(State::Waiting)?,
            sessions: journal.session_counts()?.into_iter().collect(),
        })
    });
    let source = &health.page;
    let mut page = of_status(&health.status, &health.rpc);
    page.network.clone_from(&source.network);
    page.workers = Workers { configured: source.workers, running: source.running() };
    page.earnings.spent_day = source.spending.get();
    page.window = window;
    match asked {
        Ok(asked) => of_journal(&mut page, asked, source),
        Err(error) => page.journal_error = Some(error.to_string()),
    }
    page
}

fn of_status(status: &Status, rpc: &Rpc) -> Page {
    let now = status.now().clone();
    let health = match (now.stopping, now.ready) {
        (true, _) => refiner_status_page::Health::Stopping,
        (false, true) => refiner_status_page::Health::Ready,
        (false, false) => refiner_status_page::Health::Starting,
    };
    let Compared { agreed, differed, alone, .. } = now.compared;
    Page {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        now_ms: crate::engine::clock::now_ms(),
        operator: now.operator.map(|operator| operator.to_string()),
        health,
        proofs_left: now.proofs_left(),
        balance: now.balance_wei.map(|wei| coins(wei.saturating_to())),
        earnings: Earnings { agreed, differed, alone, ..Earnings::default() },
        waits: waits(&now),
        hosts: now.queue.as_ref().map(hosts::hosts),
        paused: now.paused.map(|pause| Pause { reason: pause.reason, remedy: pause.hint, since_ms: pause.since_ms }),
        last_failure: now.last_failure,
        last_failure_ms: now.last_failure_ms.unwrap_or_default(),
        head: now.head,
        cursor: now.cursor,
        nodes: rpc.nodes().iter().map(node).collect(),
        checks: now.preflight.into_iter().map(check).collect(),
        checked_ms: now.preflight_ms,
        settings: status.settings.to_vec(),
        ..Page::default()
    }
}

fn waits(now: &Now) -> Vec<Wait> {
    let waits = now.waits_for.iter().map(|(part, waiting)| Wait {
        part: (*part).to_owned(),
        what: waiting.what.clone(),
        remedy: waiting.hint.to_owned(),
        since_ms: waiting.since_ms,
    });
    let foreign = now.foreign.iter().map(|foreign| Wait {
        part: "key".to_owned(),
        what: foreign.what.clone(),
        remedy: foreign.hint.to_owned(),
        since_ms: crate::engine::clock::now_ms(),
    });
    waits.chain(foreign).collect()
}

fn of_journal(page: &mut Page, asked: Asked, source: &PageSource) {
    let items = |state| items_in(&asked.numbers, state);
    let count = |state: &State| refiner_status_page::Count { state: state.to_string(), items: items(*state) };
    page.counts = State::ALL.iter().map(count).collect();
    page.earnings.sessions = asked.sessions;
    page.quarantine = Quarantine {
        total: items(State::Quarantined),
        first: asked.quarantined.into_iter().map(|item| quarantine::item(item, &source.data)).collect(),
        list_command: quarantine::list_command(&source.data),
    };
    let waiting = |item: Item| Waiting {
        item: item.id.to_string(),
        height: item.height,
        reason: item.reason.unwrap_or_default(),
        next_ms: item.due_ms,
    };
    page.waiting = asked.waiting.into_iter().map(waiting).collect();
}

fn node(report: &NodeReport) -> Node {
    Node {
        name: report.endpoint.to_string(),
        state: if report.set_aside.is_some() { "set aside".to_owned() } else { nodes::state_of(report).to_owned() },
        reason: report.set_aside.as_ref().map(ToString::to_string),
        head: report.head,
        head_age_s: report.head_age.map(|age| age.as_secs()),
    }
}

fn check(check: preflight::Check) -> Check {
    let level = match check.state {
        preflight::State::Ok => Level::Ok,
        preflight::State::Warning => Level::Warning,
        preflight::State::Error => Level::Error,
    };
    Check { name: check.name, level, detail: check.detail, remedy: check.remedy }
}
