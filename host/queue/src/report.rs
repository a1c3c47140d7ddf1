//! `refiner queue status`: a queue as NATS and its hosts show it.

use std::{fmt::Write as _, time::Duration};

use async_nats::jetstream::consumer::pull;
use futures_util::{StreamExt as _, TryStreamExt as _};
use refiner_config::Values;
use refiner_text::UntrustedText;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::{
    Connection, HostView, QueueError, connection,
    host::{discover, queue_id},
    lease,
    message::Heartbeat,
    names::{QueueId, rule_of},
};

/// Time for hosts to answer the roll call.
const ROLL_CALL: Duration = Duration::from_secs(1);
/// Time for NATS to answer at all.
const CONNECT: Duration = Duration::from_secs(10);

/// Looks at every queue of the server, or at the one that is named: as text, or as JSON.
///
/// # Errors
///
/// [`QueueError`]
pub fn report(values: &Values, as_json: bool) -> Result<String, QueueError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(gather(values, as_json))
}

async fn gather(values: &Values, as_json: bool) -> Result<String, QueueError> {
    let connection = Connection::of(values)?.ok_or(QueueError::NoServer)?;
    let client = connection.client("refiner queue status", None).await?;
    let connected = tokio::time::timeout(CONNECT, connection::connected(&client)).await;
    if let Err(elapsed) = connected {
        return Err(connection.fault().await.unwrap_or_else(|| QueueError::of("connecting")(elapsed)));
    }
    let context = connection::streams(&client)?;
    let queues = match queue_id(values)? {
        Some(queue) => vec![queue],
        None => discover::all(&context).await?,
    };
    let mut views = Vec::new();
    for queue in queues {
        views.push(view(&client, &context, queue).await?);
    }
    if as_json {
        return Ok(format!("{}\n", json!({ "queues": views })));
    }
    Ok(text(&views))
}

async fn view(
    client: &async_nats::Client,
    context: &async_nats::jetstream::Context,
    queue: QueueId,
) -> Result<Value, QueueError> {
    let stream =
        |name: String| async move { context.get_stream(name).await.map_err(QueueError::of("looking at a stream")) };
    let (tasks, results) = (stream(queue.tasks()).await?, stream(queue.results()).await?);
    let store = context.get_key_value(queue.bucket()).await.map_err(QueueError::of("opening the bucket"))?;
    let holder = lease::look(&store).await?.and_then(|(_, holder)| holder);
    let mut consumers = Vec::new();
    let names: Vec<String> = tasks.consumer_names().try_collect().await.map_err(QueueError::of("listing consumers"))?;
    for name in names {
        let Ok(consumer) = tasks.get_consumer::<pull::Config>(&name).await else { continue };
        let info = consumer.cached_info();
        consumers.push(json!({
            "rule": rule_of(&name), "waiting": info.num_pending, "running": info.num_ack_pending, "redelivered": info.num_redelivered,
        }));
    }
    let hosts = hosts(client, queue).await?;
    Ok(json!({
        "id": queue.to_string(),
        "coordinator": holder.map(|holder| json!({ "host": holder.who().to_string(), "since": holder.since })),
        "tasks": tasks.cached_info().state.messages,
        "results": results.cached_info().state.messages,
        "replicas": tasks.cached_info().config.num_replicas,
        "rules": consumers,
        "hosts": hosts,
    }))
}

/// The hosts that answer a roll call.
async fn hosts(client: &async_nats::Client, queue: QueueId) -> Result<Vec<HostView>, QueueError> {
    let mut answers = client.subscribe(queue.all_hosts()).await.map_err(QueueError::of("following hosts"))?;
    client.publish(queue.roll_call(), Vec::new().into()).await.map_err(QueueError::of("calling hosts"))?;
    let (until, mut hosts) = (Instant::now() + ROLL_CALL, std::collections::BTreeMap::new());
    while let Ok(Some(message)) = timeout_at(until, answers.next()).await {
        if let Ok(heartbeat) = Heartbeat::read_from(&message.subject, &message.payload) {
            // Which origins are permitted, its coordinator knows.
            hosts.insert(heartbeat.worker.clone(), HostView::of(&heartbeat, true, Duration::ZERO));
        }
    }
    Ok(hosts.into_values().collect())
}

fn text(views: &[Value]) -> String {
    let mut out = String::new();
    if views.is_empty() {
        out.push_str("no queue on this server\n");
    }
    let plain =
        |value: &Value| value.as_str().map_or_else(|| value.to_string(), |text| UntrustedText::new(text).to_string());
    for view in views {
        let coordinator = match &view["coordinator"] {
            Value::Null => "no coordinator".to_owned(),
            holder => format!("coordinator {}", plain(&holder["host"])),
        };
        // A String takes everything.
        let _ = writeln!(
            out,
            "queue {}: {coordinator}, {} tasks, {} results, {} replicas",
            plain(&view["id"]),
            view["tasks"],
            view["results"],
            view["replicas"]
        );
        for rule in view["rules"].as_array().into_iter().flatten() {
            let _ = writeln!(
                out,
                "  rule {}: {} waiting, {} with hosts, {} redelivered",
                plain(&rule["rule"]),
                rule["waiting"],
                rule["running"],
                rule["redelivered"]
            );
        }
        for host in view["hosts"].as_array().into_iter().flatten() {
            let _ = writeln!(
                out,
                "  host {}: version {}, {} workers, {} tasks in hand, {} done, artifacts at {}",
                plain(&host["name"]),
                plain(&host["version"]),
                host["workers"],
                host["running"],
                host["done"],
                plain(&host["origin"])
            );
            if !host["unpublished"].is_null() {
                let _ = writeln!(out, "    results are not published: {}", plain(&host["unpublished"]));
            }
            for refuses in host["refuses"].as_array().into_iter().flatten() {
                let _ = writeln!(out, "    does not serve {}", plain(refuses));
            }
        }
    }
    out
}
