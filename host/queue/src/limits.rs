//! Every bound of the queue, with its reason.

use std::time::Duration;

/// Bytes of a task. One with the longest names has some hundred.
pub(crate) const TASK_BYTES_MAX: usize = 16 << 10;
/// Bytes of a result, which lists artifacts and the times of a trace.
pub(crate) const RESULT_BYTES_MAX: usize = 256 << 10;
/// Bytes of the record of all rules, whose parameters are texts of the operator.
pub(crate) const RULES_BYTES_MAX: usize = 256 << 10;
/// Bytes of a heartbeat: that of a host which serves every rule, with room for its texts and for reasons why others do not serve.
pub(crate) const HEARTBEAT_BYTES_MAX: usize = RULES_MAX * IDENTITY_JSON_BYTES + (16 << 10);
/// Bytes of an identity in a list: in hexadecimal, with its prefix, quotes and comma.
const IDENTITY_JSON_BYTES: usize = 2 * 32 + 5;
/// The least `max_payload` of a NATS server: the largest message with its headers.
pub(crate) const PAYLOAD_BYTES_MIN: usize = RESULT_BYTES_MAX + 4_096;
/// Tasks that wait in NATS, above which publishing is refused there.
pub(crate) const TASKS_MAX: i64 = 10_000;
/// Tasks and results delivered and not yet acknowledged.
pub(crate) const ACK_PENDING_MAX: i64 = 1_024;
/// Age at which NATS forgets a task: its coordinator publishes what it still wants.
pub(crate) const TASK_AGE_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Time within which NATS drops a message with an id that it has seen.
pub(crate) const DUPLICATE_WINDOW: Duration = Duration::from_secs(600);
/// Replicas where NATS is a cluster: one server of three may be lost.
pub(crate) const REPLICAS: usize = 3;
/// Time after which a task that is not acknowledged, nor reported as in progress, is given to another host.
pub const ACK_WAIT: Duration = Duration::from_secs(60);
/// Reports of progress within the time above.
pub(crate) const PROGRESS_PER_ACK_WAIT: u32 = 4;
/// Tasks under way at once: as many as dozens of hosts with some cores each take from the queue. Of a replay: specimens.
pub const DEPTH: usize = 256;
/// Deliveries after which a task is not run any more: it may be what ended the hosts before.
pub const POISON_DELIVERIES: u32 = 5;
/// Pause before a second opinion is wanted again that came to the host of the first.
pub(crate) const PASS_ON_AFTER: Duration = Duration::from_secs(1);
/// The longest such pause, while no other host takes it.
pub(crate) const PASS_ON_AFTER_MAX: Duration = Duration::from_secs(10);
/// Pause before a task of another build is given to a host again.
pub(crate) const MISMATCH_AFTER: Duration = Duration::from_secs(30);
/// Time between two signs of life of a host.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(5);
/// Time after which a host without one is not there.
pub(crate) const HOST_GONE: Duration = Duration::from_secs(16);
/// Hosts that a coordinator knows at once.
pub(crate) const HOSTS_MAX: usize = 4_096;
/// Life of a coordinator's lease without renewal.
pub(crate) const LEASE: Duration = Duration::from_secs(10);
/// Time between two renewals.
pub(crate) const LEASE_RENEWAL: Duration = Duration::from_secs(3);
/// Time for one request to NATS.
pub(crate) const REQUEST: Duration = Duration::from_secs(5);
/// Pause between two tries of a request that NATS did not answer, as through an election.
pub(crate) const AGAIN: Duration = Duration::from_millis(500);
/// Time between two looks at streams and consumers.
pub(crate) const LOOK: Duration = Duration::from_secs(5);
/// Results in a row whose artifacts cannot be fetched, or are not what they are named, after which a task counts as failed.
pub(crate) const UNUSABLE_RESULTS_MAX: u32 = 6;
/// Artifacts fetched at once.
pub(crate) const FETCHES: usize = 8;
/// Finished tasks whose results are remembered, so that a second result is compared with the first.
pub(crate) const REMEMBERED: usize = 4_096;
/// Entries of lists in messages: artifacts, origins, spans.
pub(crate) const LIST_MAX: usize = 64;
/// Bytes of a short text in a message: names, ids, media types, URLs.
pub(crate) const TEXT_BYTES_MAX: usize = 512;
/// Bytes of a reason in a message.
pub(crate) const REASON_BYTES_MAX: usize = 8 << 10;
/// Bytes of the reason why a host does not serve a rule; its log has the whole.
pub(crate) const REFUSAL_BYTES_MAX: usize = 500;
/// Bytes of the report of a run. One that is longer loses its log, then the lists of its evidence.
pub(crate) const REPORT_BYTES_MAX: usize = 72 << 10;
/// The same in base64.
pub(crate) const REPORT_TEXT_BYTES_MAX: usize = 96 << 10;
/// Results that came before their tasks were waited for, as after a restart. Beyond, the first are given up: unacknowledged results are
/// bounded by [`ACK_PENDING_MAX`], and others must come.
pub(crate) const EARLY_MAX: usize = 512;
/// Specimens that a host keeps for the tasks of other rules, which come soon after.
pub(crate) const SPECIMENS_KEPT: usize = 32;
/// Their bytes.
pub(crate) const SPECIMENS_KEPT_BYTES: usize = 96 << 20;
/// Bytes of artifacts that a host has in memory for its coordinator.
pub(crate) const ARTIFACTS_KEPT_BYTES: usize = 64 << 20;
/// Artifacts among them that were fetched, for a coordinator that asks once more, as after a broken connection.
pub(crate) const ARTIFACTS_FETCHED_KEPT: usize = 16;
/// Rules of one coordinator.
pub(crate) const RULES_MAX: usize = 256;
