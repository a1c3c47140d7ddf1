//! Streams, consumers and the bucket: made where they are missing, compared where they are there.

use std::{collections::BTreeSet, fmt::Debug, time::Duration};

use async_nats::jetstream::{
    Context, ErrorCode,
    consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull},
    context::{CreateStreamErrorKind, GetStreamErrorKind},
    kv,
    stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream},
};
use futures_util::TryStreamExt as _;
use refiner_text::UntrustedText;

use crate::{
    QueueError,
    limits::{
        ACK_PENDING_MAX, DUPLICATE_WINDOW, REPLICAS, RESULT_BYTES_MAX, RULES_BYTES_MAX, TASK_AGE_MAX, TASK_BYTES_MAX,
        TASKS_MAX,
    },
    message::{Message as _, RuleRecord, Rules, VERSION},
    names::{Generation, QueueId, consumer, consumer_of_results, rule_of},
};

/// The key under which hosts find the rules.
pub(crate) const RULES: &str = "rules";
/// Room in a stream's bound for the headers of a message.
const HEADERS: usize = 1_024;
/// The prefix of a bucket's stream.
const BUCKET_STREAM: &str = "KV_";

/// Streams and bucket of a queue, as they are now.
#[derive(Clone)]
pub(crate) struct Declared {
    pub tasks: Stream,
    pub results: PullConsumer,
    /// A stream was made: what was in it is gone, if there was one.
    pub is_new: bool,
}

/// Makes or compares everything of a coordinator, and publishes its rules. Tasks and results are kept in this storage.
pub(crate) async fn declare(
    streams: &Context,
    queue: QueueId,
    rules: &[RuleRecord],
    ack_wait: Duration,
    storage: StorageType,
) -> Result<Declared, QueueError> {
    let (tasks, new_tasks) = stream(streams, Config { storage, ..tasks(queue) }).await?;
    let (results, new_results) = stream(streams, Config { storage, ..results(queue) }).await?;
    let generation = generation_of(&tasks);
    let (store, new_store) = bucket(streams, queue).await?;
    let wanted: BTreeSet<_> = rules.iter().map(|rule| consumer(&rule.identity, &generation)).collect();
    retire(&tasks, queue, &wanted).await?;
    for rule in rules {
        let name = consumer(&rule.identity, &generation);
        pull_consumer(
            &tasks,
            &name,
            pull::Config { filter_subject: queue.tasks_of(&rule.identity), ..durable(&name, ack_wait) },
        )
        .await?;
    }
    let name = consumer_of_results(&generation_of(&results));
    retire_all_but(&results, &name).await?;
    let results = pull_consumer(&results, &name, durable(&name, ack_wait)).await?;
    let record = Rules { v: VERSION, generation, rules: rules.to_vec() }.write()?;
    let there = store.get(RULES).await.map_err(QueueError::of("reading the rules"))?;
    if there.is_none_or(|there| there != record) {
        store.put(RULES, record.into()).await.map_err(QueueError::of("publishing the rules"))?;
    }
    Ok(Declared { tasks, results, is_new: new_tasks || new_results || new_store })
}

/// Drops the tasks that an earlier coordinator left.
pub(crate) async fn drop_tasks(streams: &Context, queue: QueueId) -> Result<(), QueueError> {
    match streams.get_stream(queue.tasks()).await {
        Ok(stream) => {
            let purged = stream.purge().await.map_err(QueueError::of("dropping tasks"))?;
            tracing::info!(tasks = purged.purged, "tasks of an earlier run were dropped");
            Ok(())
        }
        Err(error) if is_missing(&error) => Ok(()),
        Err(error) => Err(QueueError::of("looking at a stream")(error)),
    }
}

/// Removes everything of a queue; what is gone already is no error.
pub(crate) async fn remove(streams: &Context, queue: QueueId) -> Result<(), QueueError> {
    for name in [queue.tasks(), queue.results(), format!("{BUCKET_STREAM}{}", queue.bucket())] {
        match streams.delete_stream(&name).await {
            Err(error) if !is_missing(&error) => return Err(QueueError::of("removing a stream")(error)),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

fn tasks(queue: QueueId) -> Config {
    Config {
        max_messages: TASKS_MAX,
        max_message_size: size(TASK_BYTES_MAX),
        max_age: TASK_AGE_MAX,
        ..work_queue(queue.tasks(), queue.all_tasks())
    }
}

fn results(queue: QueueId) -> Config {
    Config { max_message_size: size(RESULT_BYTES_MAX), ..work_queue(queue.results(), queue.all_results()) }
}

/// Messages are there until they are acknowledged. `-1` is how a server writes what has no bound.
fn work_queue(name: String, subjects: String) -> Config {
    Config {
        name,
        subjects: vec![subjects],
        retention: RetentionPolicy::WorkQueue,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        duplicate_window: DUPLICATE_WINDOW,
        max_messages: -1,
        max_bytes: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        num_replicas: REPLICAS,
        ..Config::default()
    }
}

fn size(payload: usize) -> i32 {
    i32::try_from(payload + HEADERS).unwrap_or(i32::MAX)
}

/// Deliveries have no limit: a server that stops delivering loses the message (nats-server#7817).
fn durable(name: &str, ack_wait: Duration) -> pull::Config {
    pull::Config {
        durable_name: Some(name.to_owned()),
        ack_policy: AckPolicy::Explicit,
        deliver_policy: DeliverPolicy::All,
        ack_wait,
        max_deliver: -1,
        max_ack_pending: ACK_PENDING_MAX,
        ..pull::Config::default()
    }
}

/// The stream, and whether it was made now.
async fn stream(streams: &Context, wanted: Config) -> Result<(Stream, bool), QueueError> {
    match streams.get_stream(&wanted.name).await {
        Ok(found) => {
            compare_streams(&found.cached_info().config, &wanted)?;
            Ok((found, false))
        }
        Err(error) if is_missing(&error) => Ok((create(streams, wanted).await?, true)),
        Err(error) => Err(QueueError::of("looking at a stream")(error)),
    }
}

fn is_missing(error: &async_nats::jetstream::context::GetStreamError) -> bool {
    matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// With a replica on three servers, or on one where there is no cluster.
async fn create(streams: &Context, wanted: Config) -> Result<Stream, QueueError> {
    let made = match streams.create_stream(wanted.clone()).await {
        Err(error) if has_no_cluster(&error) => {
            tracing::warn!(
                stream = wanted.name,
                "NATS is no cluster: one replica, and what is queued is lost with its disk"
            );
            streams.create_stream(Config { num_replicas: 1, ..wanted }).await
        }
        made => made,
    };
    made.map_err(QueueError::of("making a stream"))
}

fn has_no_cluster(error: &async_nats::jetstream::context::CreateStreamError) -> bool {
    matches!(error.kind(), CreateStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_REPLICAS_NOT_SUPPORTED)
}

/// The bucket, made where it is missing.
pub(crate) async fn open_bucket(streams: &Context, queue: QueueId) -> Result<kv::Store, QueueError> {
    Ok(bucket(streams, queue).await?.0)
}

/// A bucket that keeps the last value of each key. Made as a stream, because the client's own way asks for more permissions.
async fn bucket(streams: &Context, queue: QueueId) -> Result<(kv::Store, bool), QueueError> {
    let name = queue.bucket();
    let wanted = Config {
        name: format!("{BUCKET_STREAM}{name}"),
        subjects: vec![format!("$KV.{name}.>")],
        retention: RetentionPolicy::Limits,
        max_messages_per_subject: 1,
        max_message_size: size(RULES_BYTES_MAX),
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        duplicate_window: Duration::from_secs(120),
        ..work_queue(String::new(), String::new())
    };
    let (_, is_new) = stream(streams, wanted).await?;
    let store = streams.get_key_value(name).await.map_err(QueueError::of("opening the bucket"))?;
    Ok((store, is_new))
}

/// The consumer, made where it is missing.
async fn pull_consumer(stream: &Stream, name: &str, wanted: pull::Config) -> Result<PullConsumer, QueueError> {
    let there = stream.get_consumer::<pull::Config>(name).await;
    let Ok(found) = there else {
        return stream.create_consumer(wanted).await.map_err(QueueError::of("making a consumer"));
    };
    let config = &found.cached_info().config;
    differs(name, "filter_subject", &config.filter_subject, &wanted.filter_subject)?;
    differs(name, "ack_policy", config.ack_policy, wanted.ack_policy)?;
    differs(name, "ack_wait", config.ack_wait, wanted.ack_wait)?;
    differs(name, "max_deliver", config.max_deliver, wanted.max_deliver)?;
    differs(name, "max_ack_pending", config.max_ack_pending, wanted.max_ack_pending)?;
    Ok(found)
}

/// Ends the consumers of rules that are not served any more, and drops their tasks, which no host would take.
async fn retire(tasks: &Stream, queue: QueueId, wanted: &BTreeSet<String>) -> Result<(), QueueError> {
    let subjects: BTreeSet<_> = wanted.iter().map(|name| queue.tasks_of_consumer(name)).collect();
    for name in names_of_consumers(tasks).await?.iter().filter(|name| !wanted.contains(*name)) {
        let subject = queue.tasks_of_consumer(name);
        tasks.delete_consumer(name).await.map_err(QueueError::of("ending a consumer"))?;
        if subjects.contains(&subject) {
            continue;
        }
        let purged = tasks.purge().filter(subject).await.map_err(QueueError::of("dropping tasks"))?;
        tracing::info!(
            rule = rule_of(name),
            tasks = purged.purged,
            "tasks of a rule that is not served any more were dropped"
        );
    }
    Ok(())
}

/// Ends the other consumers of results.
async fn retire_all_but(results: &Stream, wanted: &str) -> Result<(), QueueError> {
    for name in names_of_consumers(results).await?.iter().filter(|name| *name != wanted) {
        results.delete_consumer(name).await.map_err(QueueError::of("ending a consumer"))?;
    }
    Ok(())
}

async fn names_of_consumers(stream: &Stream) -> Result<Vec<String>, QueueError> {
    stream.consumer_names().try_collect().await.map_err(QueueError::of("listing consumers"))
}

fn generation_of(stream: &Stream) -> Generation {
    Generation::made_at(stream.cached_info().created.unix_timestamp_nanos())
}

fn compare_streams(found: &Config, wanted: &Config) -> Result<(), QueueError> {
    let name = &wanted.name;
    differs(name, "subjects", &found.subjects, &wanted.subjects)?;
    differs(name, "retention", found.retention, wanted.retention)?;
    differs(name, "storage", found.storage, wanted.storage)?;
    differs(name, "discard", found.discard, wanted.discard)?;
    differs(name, "max_msgs", found.max_messages, wanted.max_messages)?;
    differs(name, "max_bytes", found.max_bytes, wanted.max_bytes)?;
    differs(name, "max_msgs_per_subject", found.max_messages_per_subject, wanted.max_messages_per_subject)?;
    differs(name, "max_msg_size", found.max_message_size, wanted.max_message_size)?;
    differs(name, "max_age", found.max_age, wanted.max_age)?;
    differs(name, "duplicate_window", found.duplicate_window, wanted.duplicate_window)?;
    differs(name, "allow_direct", found.allow_direct, wanted.allow_direct)?;
    differs(name, "deny_delete", found.deny_delete, wanted.deny_delete)?;
    differs(name, "deny_purge", found.deny_purge, wanted.deny_purge)?;
    differs(name, "no_ack", found.no_ack, wanted.no_ack)?;
    differs(name, "sealed", found.sealed, wanted.sealed)?;
    // One replica is what a server without a cluster has.
    if found.num_replicas != wanted.num_replicas && found.num_replicas != 1 {
        differs(name, "num_replicas", found.num_replicas, wanted.num_replicas)?;
    }
    Ok(())
}

fn differs<T: PartialEq + Debug>(name: &str, setting: &'static str, found: T, expected: T) -> Result<(), QueueError> {
    if found == expected {
        return Ok(());
    }
    let text = |value: T| UntrustedText::at_most(&format!("{value:?}"), 200);
    Err(QueueError::Differs { name: UntrustedText::new(name), setting, found: text(found), expected: text(expected) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_with_other_settings_is_named_with_both_values() {
        let queue = QueueId::of(1, [0; 20], None);
        let wanted = tasks(queue);
        assert!(compare_streams(&wanted, &wanted).is_ok());
        assert!(compare_streams(&Config { num_replicas: 1, ..wanted.clone() }, &wanted).is_ok());
        let found = Config { max_messages: 5, ..wanted.clone() };
        let error = compare_streams(&found, &wanted).unwrap_err();
        assert_eq!(error.to_string(), format!("RFN_{queue}_TASKS has max_msgs 5, expected 10000"));
        for found in [
            Config { retention: RetentionPolicy::Limits, ..wanted.clone() },
            Config { storage: StorageType::Memory, ..wanted.clone() },
            Config { subjects: vec!["rfn.>".to_owned()], ..wanted.clone() },
            Config { num_replicas: 2, ..wanted.clone() },
            Config { deny_purge: true, ..wanted.clone() },
        ] {
            assert!(compare_streams(&found, &wanted).is_err(), "{found:?}");
        }
    }
}
