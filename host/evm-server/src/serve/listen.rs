//! The listener's bounds for this server.

use std::time::Duration;

use super::Limits;

/// Beside the time of a body: for its place in the queue, its execution among others, and its answer.
const REQUEST_TIME: Duration = Duration::from_secs(20 * 60);

/// For a head, from its first byte.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// The bounds of connections and of whole requests.
pub(super) fn limits(limits: &Limits) -> refiner_listener::Limits {
    refiner_listener::Limits {
        connections: limits.connections,
        head: limits.idle.min(HEAD_TIME),
        idle: limits.idle,
        write: limits.idle,
        request: limits.body_time.saturating_add(limits.room_time).saturating_add(REQUEST_TIME),
        drain: limits.drain,
    }
}
