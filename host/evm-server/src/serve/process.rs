//! `/process`: a form with a block replica in, a block result out.

use std::{sync::Arc, time::Instant};

use axum::{extract::Request, response::IntoResponse as _, response::Response};
use bytes::Bytes;
use refiner_evm::Interrupt as _;
use refiner_listener::form::{Boundary, BrokenForm, Part};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::{
    Serving,
    answer::Answer,
    body::{Incoming, Received},
    error::{Full, ServerError},
    metrics::OK,
    replica,
    time_share::TimeShare,
};

/// Answers one request.
pub(super) async fn process(serving: &Arc<Serving>, request: Request) -> Response {
    let begun = Instant::now();
    let (head, body) = request.into_parts();
    let mut incoming = Incoming::new(&head.headers, body, &serving.buffers, &serving.limits);
    let answer = match Boundary::of(&head.headers) {
        Ok(boundary) => in_turn(serving, boundary, &mut incoming).await,
        Err(error) => Err(error.into()),
    };
    let response = match answer {
        Ok(answer) => {
            serving.metrics.request(OK, begun.elapsed());
            return answer.into_response_to(&head.headers);
        }
        Err(refusal) => {
            serving.metrics.request(refusal.outcome(), begun.elapsed());
            tracing::info!(outcome = refusal.outcome(), reason = %refusal, "request refused");
            refusal.into_response()
        }
    };
    incoming.discard(&serving.limits).await;
    response
}

/// Reads the body, waits for room, and has the work done where it may block.
async fn in_turn(serving: &Arc<Serving>, boundary: Boundary, incoming: &mut Incoming) -> Result<Answer, ServerError> {
    if serving.admission.is_full() {
        return Err(Full::Queue.into());
    }
    let Received { body, mut reserved, slot } = incoming.read(&serving.admission, &serving.limits).await?;
    let read_bytes = body.len();
    let slot = slot.map_or_else(|| serving.admission.queue_slot(), Ok)?;
    let room = slot.room().await;
    let worker = Arc::clone(serving);
    // Dropped with this future, which is when the client hangs up. The work looks at it, and holds its room itself until it ends.
    let client_gone = CancellationToken::new();
    let _hangs_up = client_gone.clone().drop_guard();
    let work = move || {
        let _room = room;
        let share = TimeShare::begin(Arc::clone(&worker.admission), client_gone, worker.limits.processor_time)?;
        let begun = Instant::now();
        let block_result = block_result(&worker, &boundary, body, &share);
        worker.metrics.execution(begun.elapsed());
        drop(share);
        let block_result = block_result?;
        if !worker.admission.in_flight.try_enlarge(&mut reserved, block_result.len().saturating_sub(read_bytes)) {
            return Err(Full::Bytes.into());
        }
        Ok(Answer::new(block_result, reserved))
    };
    match spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!(%error, "executor panicked");
            Err(ServerError::Panicked)
        }
    }
}

/// The contents of the parts of a form, one after the other, as the Go server reads them.
///
/// The network's refiner sends one part that has neither name nor file name, curl one that has both; neither matters. One part, which is
/// every form met so far, is not copied.
fn contents(boundary: &Boundary, form: &Bytes) -> Result<Bytes, BrokenForm> {
    let mut parts: Vec<_> = boundary.parts(form)?.into_iter().map(Part::into_raw).collect();
    match parts.len() {
        0 => Ok(Bytes::new()),
        1 => Ok(parts.remove(0)),
        _ => Ok(parts.concat().into()),
    }
}

/// The work itself. Of the body, bytecode stays where it stands until it is looked at.
fn block_result(serving: &Serving, boundary: &Boundary, body: Bytes, share: &TimeShare) -> Result<Bytes, ServerError> {
    let json = contents(boundary, &body)?;
    drop(body);
    share.check()?;
    let specimen = replica::read(&json.into())?;
    share.check()?;
    let execution = serving.executor.answer(&specimen, serving.format, share)??;
    share.check()?;
    Ok(execution.block_result_within(&specimen, share)??.0)
}
