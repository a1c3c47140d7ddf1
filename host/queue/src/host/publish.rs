//! A result, published until NATS has it.

use async_nats::jetstream::message::PublishMessage;
use refiner_diagnostics::ErrorChain;
use tokio::time::sleep;

use super::{Host, run::Ended};
use crate::{
    connection,
    limits::AGAIN,
    message::{Message as _, Task, TaskResult, VERSION},
};

/// Publishes the result of a task, again and again through elections and outages: without it the work would be done for nothing.
pub(super) async fn result(host: &Host, task: &Task, delivered: u32, ended: Ended) {
    let Ended { outcome, elapsed, fuel, memory_bytes, spans, report } = ended;
    let result = TaskResult {
        v: VERSION,
        task: task.id(),
        attempt: task.attempt.clone(),
        chain: task.chain,
        specimen: task.specimen.hash,
        rule: task.rule,
        worker: host.settings.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        outcome,
        from: vec![host.origin.clone()],
        delivered,
        elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        fuel,
        memory_bytes,
        spans,
        report,
    };
    let bytes = match result.write() {
        Ok(bytes) => bytes,
        Err(error) => {
            // The task is delivered again, and set aside in the end.
            tracing::error!(error = %ErrorChain(&error), task = %task.id(), "result cannot be published");
            return;
        }
    };
    let message_id = format!("{}.{}.{}", result.task, result.attempt, result.worker);
    let subject = host.queue.results_of(&result.worker);
    loop {
        let message = PublishMessage::build().payload(bytes.clone().into()).message_id(&message_id);
        let published = async { host.context.send_publish(subject.clone(), message).await?.await }.await;
        match published {
            Ok(_) => return host.publications.succeeded(),
            Err(error) => {
                host.publications.failed(&error, connection::is_connected(&host.client));
                tracing::debug!(error = %ErrorChain(&error), task = %result.task, "result not published, tried again");
                sleep(AGAIN).await;
            }
        }
    }
}
