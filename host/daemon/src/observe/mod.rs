//! Views of the daemon for people and their tools: status, page, metrics, traces, health and the heartbeat in the log.

pub mod gas;
pub mod health;
pub mod heartbeat;
pub mod metrics;
pub mod nodes;
pub mod page;
pub mod readiness;
pub mod remedy;
pub mod status;
pub mod trace;
