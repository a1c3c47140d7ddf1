//! The nodes of the proof chain, in the log and in the status.

use std::time::{Duration, Instant};

use refiner_proofchain::{NodeReport, Rpc};
use serde_json::{Value, json};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    engine::clock::{milliseconds, now_ms},
    observe::status::Status,
};

/// Interval at which the nodes' standing is compared with what is in the log.
const LOOK: Duration = Duration::from_secs(1);
/// A node that is away for less is not worth a line.
const BRIEF: Duration = Duration::from_secs(3);
/// Lines about one node are this far apart: one that comes and goes does not fill the log.
const QUIET: Duration = Duration::from_secs(600);

/// The age from which a newest block is too old: networks that are in use have one every few seconds.
pub const OLD: Duration = Duration::from_secs(600);
/// The part's name in the status for a head that no node moves.
const HEAD: &str = "head";

/// The standing of a node as the log has it.
#[derive(Clone, Copy, Debug, Default)]
struct Logged {
    is_set_aside: bool,
    at: Option<Instant>,
}

/// A change that is worth a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    SetAside,
    Well,
}

impl Logged {
    /// One line when a node is set aside, whatever reasons follow, and one when it is well again.
    fn next(&mut self, report: &NodeReport, now: Instant) -> Option<Line> {
        match &report.set_aside {
            Some(reason) if !self.is_set_aside => {
                let is_quiet = self.at.is_some_and(|at| now.duration_since(at) < QUIET);
                let is_brief = report.unchanged_for < BRIEF && !reason.is_identity();
                if is_quiet || is_brief {
                    return None;
                }
                *self = Self { is_set_aside: true, at: Some(now) };
                Some(Line::SetAside)
            }
            None if self.is_set_aside && report.checked => {
                self.is_set_aside = false;
                Some(Line::Well)
            }
            _ => None,
        }
    }
}

/// Tells of nodes that are set aside, until `stop`.
pub async fn watch(rpc: Rpc, status: Status, stop: CancellationToken) {
    let mut logged = vec![Logged::default(); rpc.nodes().len()];
    let mut seen = None;
    let mut is_frozen = false;
    while !stop.is_cancelled() {
        let frozen = frozen_head(&rpc.nodes());
        match &frozen {
            Some(what) => status.set_blocked(HEAD, what.clone()),
            None => status.clear_blocked(HEAD),
        }
        if frozen.is_some() != is_frozen {
            is_frozen = frozen.is_some();
            match frozen {
                Some(head) => {
                    tracing::warn!(head, hint = "compare the node with another, or add one by --rpc", "head frozen");
                }
                None => tracing::info!("head moves again"),
            }
        }
        // Nothing changes for hours, and what changed may be too young for a line.
        let changes = rpc.changes();
        if seen != Some(changes) || rpc.nodes().iter().any(|report| report.set_aside.is_some()) {
            seen = Some(changes);
            for (report, logged) in rpc.nodes().iter().zip(&mut logged) {
                tell(report, logged.next(report, Instant::now()));
            }
        }
        tokio::select! {
            () = sleep(LOOK) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// The newest head of all nodes, where even that one is too old.
fn frozen_head(reports: &[NodeReport]) -> Option<String> {
    let heads = reports.iter().filter_map(|report| Some((report.head?, report.head_age?)));
    let (head, age) = heads.min_by_key(|(_, age)| *age)?;
    (age >= OLD).then(|| format!("a new block: the newest is {head}, {} min old", age.as_secs() / 60))
}

fn tell(report: &NodeReport, line: Option<Line>) {
    let node = report.endpoint.to_string();
    match (line, &report.set_aside) {
        (Some(Line::SetAside), Some(reason)) if reason.is_identity() => {
            tracing::error!(node, %reason, hint = "compare --network, --proof-chain-id and the contracts with the node behind --rpc",
                "node is of another chain, not asked");
        }
        (Some(Line::SetAside), Some(reason)) => {
            tracing::warn!(node, %reason, "node set aside");
        }
        (Some(Line::Well), _) => tracing::info!(node, "node well again"),
        _ => {}
    }
}

/// Every node for `/status`.
pub fn view(rpc: &Rpc) -> Vec<Value> {
    rpc.nodes().iter().map(view_of).collect()
}

/// The state of a node in a word.
pub const fn state_of(report: &NodeReport) -> &'static str {
    match (&report.set_aside, report.checked) {
        (Some(_), _) => "setAside",
        (None, false) => "unchecked",
        (None, true) => "well",
    }
}

fn view_of(report: &NodeReport) -> Value {
    json!({
        "node": report.endpoint.to_string(),
        "state": state_of(report),
        "reason": report.set_aside.as_ref().map(ToString::to_string),
        "sinceMs": now_ms().saturating_sub(milliseconds(report.unchanged_for)),
        "head": report.head,
        "headAgeS": report.head_age.map(|age| age.as_secs()),
        "notAskedForS": report.wait.map(|wait| wait.as_secs().saturating_add(1)),
    })
}

#[cfg(test)]
mod tests {
    use refiner_proofchain::{Endpoint, NodeFailure, SetAside};

    use super::*;

    fn report(set_aside: Option<SetAside>, unchanged_for: Duration) -> NodeReport {
        let endpoint = Endpoint::new("http://127.0.0.1:1/s3cret".parse().unwrap());
        NodeReport { endpoint, checked: true, set_aside, unchanged_for, head: None, head_age: None, wait: None }
    }

    fn failed(failure: NodeFailure, seconds: u64) -> NodeReport {
        report(Some(SetAside::Failed(failure)), Duration::from_secs(seconds))
    }

    #[test]
    fn node_with_alternating_reasons_is_one_line_until_it_is_well() {
        let (mut logged, now) = (Logged::default(), Instant::now());
        let reasons = [NodeFailure::TimedOut, NodeFailure::RateLimit, NodeFailure::Unreachable].into_iter().cycle();
        let lines: Vec<_> = reasons.take(30).map(|reason| logged.next(&failed(reason, 5), now)).collect();
        assert_eq!(lines.iter().flatten().collect::<Vec<_>>(), [&Line::SetAside]);
        assert_eq!(logged.next(&report(None, Duration::ZERO), now), Some(Line::Well));
        assert_eq!(logged.next(&report(None, Duration::ZERO), now), None);
    }

    #[test]
    fn node_that_comes_and_goes_is_one_line_in_ten_minutes() {
        let (mut logged, start) = (Logged::default(), Instant::now());
        let mut lines = 0;
        for second in 0..1_200 {
            let now = start + Duration::from_secs(second);
            let report = if second % 20 < 10 { failed(NodeFailure::TimedOut, 5) } else { report(None, Duration::ZERO) };
            lines += usize::from(logged.next(&report, now) == Some(Line::SetAside));
        }
        assert_eq!(lines, 2);
    }

    #[test]
    fn head_is_frozen_when_no_node_has_a_recent_one() {
        let at = |head, seconds| {
            let head_age = Some(Duration::from_secs(seconds));
            NodeReport { head: Some(head), head_age, ..report(None, Duration::ZERO) }
        };
        assert_eq!(frozen_head(&[report(None, Duration::ZERO)]), None);
        assert_eq!(frozen_head(&[at(7, 6_000), at(9, 599)]), None);
        let frozen = frozen_head(&[at(7, 6_000), at(9, 720)]);
        assert_eq!(frozen.as_deref(), Some("a new block: the newest is 9, 12 min old"));
    }

    #[test]
    fn short_absence_is_no_line_and_another_chain_is_one_at_once() {
        let now = Instant::now();
        assert_eq!(Logged::default().next(&failed(NodeFailure::TimedOut, 2), now), None);
        let other = SetAside::OtherChain { expected: 1284, found: 1 };
        assert_eq!(Logged::default().next(&report(Some(other), Duration::ZERO), now), Some(Line::SetAside));
    }

    #[test]
    fn status_shows_neither_the_path_nor_more_than_the_state() {
        let shown = view_of(&failed(NodeFailure::TimedOut, 1)).to_string();
        assert!(
            !shown.contains("s3cret") && shown.contains("no answer in time") && shown.contains("setAside"),
            "{shown}"
        );
    }
}
