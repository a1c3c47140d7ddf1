//! `/`, `/livez`, `/readyz`, `/status`, `/history` and `/metrics`, for orchestrators and people.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use axum::{
    Json, Router,
    extract::State as Shared,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use refiner_journal::{Filter, State};
use refiner_listener::{Access, BindError, Limits};
use refiner_proofchain::Rpc;
use refiner_rule_model::{BasisReport, ReasonClass};
use refiner_text::OneLine;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    observe::{
        metrics::{Scrape, free_bytes},
        nodes,
        page::{self, PageSource},
        status::Status,
    },
    state::journal_handle::JournalHandle,
};

/// Quarantined and waiting items that the status lists; `refiner journal list` has all.
const ITEMS_SHOWN: usize = 10;

/// Version of the form of `/status`.
const SCHEMA_VERSION: u32 = 2;

/// The basis of results that the status counts.
const FROM_RECEIPTS: &str = (BasisReport::Receipts { reason: None }).as_str();

/// Most bytes of a text from outside that the status shows; `refiner journal show` and the log have all of it.
const TEXT_BYTES_MAX: usize = 1_000;

/// The parts of the answers. It outlives the stages, so that a daemon that waits for its chain answers too.
#[derive(Clone)]
pub struct Health {
    pub journal: JournalHandle,
    pub status: Status,
    /// The nodes of the proof chain.
    pub rpc: Rpc,
    /// The directory of the journal, whose disk is looked at.
    pub data: PathBuf,
    /// Proofs left that are too few.
    pub low_balance: u64,
    pub page: PageSource,
}

/// Listens; on a loopback address only unless more is permitted, as the answers show what an operator earns.
pub async fn bind(address: SocketAddr, anywhere: bool) -> Result<TcpListener, BindError> {
    refiner_listener::bind(address, anywhere).await
}

/// Answers until `stop`.
pub async fn serve(health: Health, listener: TcpListener, access: Access, stop: CancellationToken) {
    let router = Router::new()
        .route("/", get(page::page))
        .route("/history", get(page::history))
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(readyz))
        .route("/status", get(status))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(health));
    refiner_listener::serve(vec![listener], router, Limits::of_monitoring(), access, stop).await;
}

/// 200 once the chain was reached and the preflight found no error, until the daemon is being stopped; with the reasons, one a line, for
/// which it is not ready, or for which a part waits although it is.
async fn readyz(Shared(health): Shared<Arc<Health>>) -> impl IntoResponse {
    let (ready, stopping) = {
        let now = health.status.now();
        (now.ready, now.stopping)
    };
    let (code, word) = match (ready, stopping) {
        (_, true) => return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned()),
        (true, false) => (StatusCode::OK, "ready"),
        (false, false) => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
    };
    let reasons = health.status.reasons();
    let lines: String = reasons.iter().map(|reason| format!("waits for {}\n", OneLine(reason))).collect();
    (code, format!("{word}\n{lines}"))
}

/// Prometheus' text format; without the journal's part when the journal cannot be asked.
async fn metrics(Shared(health): Shared<Arc<Health>>) -> impl IntoResponse {
    let scrape = Scrape {
        items: health.journal.with(|journal| journal.items_by_state()).unwrap_or_default(),
        now: health.status.now().clone(),
        low_balance: health.low_balance,
        free_bytes: free_bytes(&health.data),
    };
    match health.journal.metrics.render(&scrape) {
        Ok(text) => ([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

async fn status(Shared(health): Shared<Arc<Health>>) -> Json<Value> {
    let asked = health.journal.with(|journal| {
        let filter = Filter { state: Some(State::Quarantined), ..Filter::default() };
        Ok::<_, refiner_journal::JournalError>((
            journal.items_by_state()?,
            journal.oldest_unfinished_ms()?,
            journal.list(&filter, ITEMS_SHOWN)?,
            journal.waiting()?,
            journal.list(&Filter { state: Some(State::Waiting), ..Filter::default() }, ITEMS_SHOWN)?,
            journal.open_transactions()?,
            journal.count_of_basis(FROM_RECEIPTS)?,
            journal.count_of_class(ReasonClass::NoState.as_str())?,
            journal.session_counts()?,
        ))
    });
    let now = health.status.now().clone();
    let journal = match asked {
        Ok((
            counts,
            oldest,
            quarantined,
            waiting,
            waiting_items,
            unsettled,
            from_receipts,
            without_state,
            sessions,
        )) => {
            let items: serde_json::Map<_, _> =
                counts.iter().map(|(state, items)| (state.to_string(), (*items).into())).collect();
            let quarantined: Vec<_> = quarantined
                .iter()
                .map(|item| json!({ "item": item.id, "height": item.height, "reason": shortened(item.reason.as_deref()) }))
                .collect();
            let waiting_items: Vec<_> = waiting_items
                .iter()
                .map(|item| json!({ "item": item.id, "height": item.height, "reason": shortened(item.reason.as_deref()), "nextLookMs": item.due_ms }))
                .collect();
            json!({
                "items": items,
                "waiting": { "items": waiting.items, "oldestMs": waiting.oldest_ms, "nextLookMs": waiting.next_ms, "first": waiting_items },
                "oldestUnfinishedMs": oldest,
                "quarantined": quarantined,
                "unsettled": unsettled,
                "fromReceipts": from_receipts,
                "withoutState": without_state,
                "sessions": sessions,
            })
        }
        Err(error) => json!({ "error": error.to_string() }),
    };
    Json(
        json!({ "schemaVersion": SCHEMA_VERSION, "version": env!("CARGO_PKG_VERSION"), "now": now, "nodes": nodes::view(&health.rpc), "journal": journal }),
    )
}

/// A text of which the status shows the beginning.
fn shortened(text: Option<&str>) -> Option<String> {
    let text = text?;
    if text.len() <= TEXT_BYTES_MAX {
        return Some(text.to_owned());
    }
    Some(format!("{}…", &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]))
}
