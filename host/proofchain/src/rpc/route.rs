//! The nodes that a question may go to.

use super::RpcError;

/// A node, by its position among the addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NodeId(pub(super) usize);

/// A set of nodes. Those after the 64th are in none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NodeSet(u64);

impl NodeSet {
    pub fn contains(self, node: NodeId) -> bool {
        self.0 & bit(node) != 0
    }

    pub fn insert(&mut self, node: NodeId) {
        self.0 |= bit(node);
    }
}

fn bit(node: NodeId) -> u64 {
    u32::try_from(node.0).ok().and_then(|shift| 1_u64.checked_shl(shift)).unwrap_or(0)
}

/// The nodes that a question may go to: any, the others, or one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Route {
    only: Option<NodeId>,
    avoided: NodeSet,
}

impl Route {
    /// Any node but this one.
    pub fn elsewhere(node: NodeId) -> Self {
        Self::default().avoiding(node)
    }

    /// This node and no other.
    pub fn only(node: NodeId) -> Self {
        Self { only: Some(node), ..Self::default() }
    }

    /// The same, without one more node.
    pub fn avoiding(mut self, node: NodeId) -> Self {
        self.avoided.insert(node);
        self
    }

    /// The only node that is permitted.
    pub(super) fn one(&self) -> Option<NodeId> {
        self.only
    }

    pub(super) fn permits(&self, node: NodeId) -> bool {
        self.only.is_none_or(|only| only == node) && !self.avoided.contains(node)
    }
}

/// Answers to several questions, and the node that gave them.
#[derive(Debug)]
pub(crate) struct Answered<T> {
    /// In the order of the questions.
    pub answers: Vec<Result<T, RpcError>>,
    /// The node that can be avoided when its answers are doubted.
    pub node: NodeId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn route_permits_what_it_does_not_avoid() {
        let nodes = [0, 1, 2].map(NodeId);
        for (route, expected) in [
            (Route::default(), [true, true, true]),
            (Route::elsewhere(nodes[1]), [true, false, true]),
            (Route::elsewhere(nodes[1]).avoiding(nodes[0]), [false, false, true]),
            (Route::only(nodes[2]), [false, false, true]),
            (Route::elsewhere(NodeId(64)), [true, true, true]),
        ] {
            assert_eq!(nodes.map(|node| route.permits(node)), expected, "{route:?}");
        }
    }
}
