//! The nodes, and which of them is asked.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    Endpoint, NodeReport, RpcError, RpcLimits, SetAside,
    health::BLOCKS_BEHIND,
    node::{Head, Node, Suitability},
    route::{NodeId, NodeSet, Route},
};

/// Nodes in the order in which they are asked.
#[derive(Debug)]
pub(super) struct Pool {
    nodes: Vec<Node>,
    /// The highest head that a header proved, and when a node had it last.
    seen: Mutex<Option<(u64, Instant)>>,
    /// Counts changes of any node's standing.
    changes: AtomicU64,
}

/// The next step of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Ask(NodeId),
    /// Check it, then choose again.
    Check(NodeId),
    /// The only ones left asked for this time.
    Later(NodeId, Duration),
    None,
}

impl Pool {
    pub fn new(endpoints: Vec<Endpoint>, limits: &RpcLimits) -> Self {
        let nodes = endpoints.into_iter().map(|endpoint| Node::new(endpoint, limits)).collect();
        Self { nodes, seen: Mutex::default(), changes: AtomicU64::new(0) }
    }

    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId)
    }

    pub fn is_single(&self) -> bool {
        self.nodes.len() == 1
    }

    pub fn reports(&self) -> Vec<NodeReport> {
        self.nodes.iter().map(Node::report).collect()
    }

    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// Counts a change of a node's standing, if there was one.
    pub fn changed(&self, changed: bool) {
        self.changes.fetch_add(u64::from(changed), Ordering::Relaxed);
    }

    /// The best node for a question. `checks` is whether there is anything to check a node against.
    pub fn choose(&self, route: Route, method: &str, checks: bool, tried: NodeSet) -> Choice {
        let now = Instant::now();
        let candidates = self.ids().filter(|id| route.permits(*id) && !tried.contains(*id));
        let rated = candidates.map(|id| (self.node(id).standing().suitability(method, checks, now), id));
        let Some((suitability, id)) = rated.min_by_key(|(suitability, _)| *suitability) else { return Choice::None };
        match suitability {
            Suitability::Ready | Suitability::Unfit | Suitability::Behind => Choice::Ask(id),
            Suitability::Failed if checks && self.node(id).standing().is_unchecked() => Choice::Check(id),
            Suitability::Failed => Choice::Ask(id),
            Suitability::Due => Choice::Check(id),
            Suitability::Later(wait) => Choice::Later(id, wait),
            Suitability::No => Choice::None,
        }
    }

    /// The node that would be asked, without a question: the best that is not to be avoided.
    pub fn first(&self, route: Route, checks: bool) -> NodeId {
        let now = Instant::now();
        let candidates = self.ids().filter(|id| route.permits(*id));
        candidates.min_by_key(|id| self.node(*id).standing().suitability("", checks, now)).unwrap_or(NodeId(0))
    }

    /// Nodes that may be asked at once, the best first.
    pub fn usable(&self, checks: bool) -> Vec<NodeId> {
        let now = Instant::now();
        let rated = self.ids().map(|id| (self.node(id).standing().suitability("eth_getLogs", checks, now), id));
        let is_usable = |(rank, _): &(Suitability, NodeId)| {
            matches!(rank, Suitability::Ready | Suitability::Unfit | Suitability::Behind)
        };
        let mut usable: Vec<_> = rated.filter(is_usable).collect();
        usable.sort_by_key(|(suitability, _)| *suitability);
        usable.into_iter().map(|(_, id)| id).collect()
    }

    /// Whether another node is well.
    pub fn has_another(&self, node: NodeId) -> bool {
        self.ids().any(|id| id != node && self.node(id).standing().is_well())
    }

    /// Why no node can be asked: the reason of the one that is the least unsuitable.
    pub fn refusal(&self, route: Route, method: &'static str) -> RpcError {
        let reason = |id: NodeId| {
            let node = self.node(id);
            let reason = node.standing().set_aside().cloned()?;
            Some(RpcError::SetAside { endpoint: node.endpoint.clone(), method, reason })
        };
        let permitted = self.ids().filter(|id| route.permits(*id));
        permitted.filter_map(reason).next().unwrap_or(RpcError::NoOther)
    }

    /// The highest head that counts: one that no node had for `memory` was taken back.
    pub fn seen(&self, memory: Duration) -> Option<u64> {
        let mut seen = self.lock_seen();
        if seen.is_some_and(|(_, confirmed)| confirmed.elapsed() > memory) {
            *seen = None;
        }
        seen.map(|(number, _)| number)
    }

    /// Takes note of a node's head, which was asked for when `seen` was the highest. The reason if the node is behind.
    pub fn saw(&self, id: NodeId, head: Head, seen: Option<u64>, still_after: Duration) -> Option<SetAside> {
        let mut highest = self.lock_seen();
        if highest.is_none_or(|(number, _)| head.number >= number) {
            *highest = Some((head.number, Instant::now()));
        }
        drop(highest);
        self.node(id).standing().saw(head);
        self.judge(id, head.number, seen, still_after)
    }

    /// Takes note of a head that no header proves; the same.
    pub fn claimed(&self, id: NodeId, head: u64, seen: Option<u64>, still_after: Duration) -> Option<SetAside> {
        self.node(id).standing().claimed(head);
        self.judge(id, head, seen, still_after)
    }

    fn judge(&self, id: NodeId, head: u64, seen: Option<u64>, still_after: Duration) -> Option<SetAside> {
        let seen = seen.filter(|seen| *seen > head)?;
        let still_for = self.node(id).standing().head_still_for();
        if still_for >= still_after && !self.is_single() {
            return Some(SetAside::StandsStill { head, for_s: still_for.as_secs(), seen });
        }
        Some(SetAside::Behind { head, seen })
    }

    fn lock_seen(&self) -> MutexGuard<'_, Option<(u64, Instant)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a node is so far behind that it is set aside, and not only passed over for a question that needs the newest block.
pub(super) fn is_far(reason: &SetAside) -> bool {
    match reason {
        SetAside::Behind { head, seen } => seen - head > BLOCKS_BEHIND,
        _ => true,
    }
}
