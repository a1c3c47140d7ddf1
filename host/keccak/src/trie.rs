//! Tries whose keys are positions, built from the leaves up: the nodes of one height are hashed together.

use alloy_primitives::B256;
use alloy_rlp::Encodable;
use alloy_trie::{
    EMPTY_ROOT_HASH, Nibbles, TrieMask,
    nodes::{BranchNodeRef, ExtensionNodeRef, LeafNodeRef, RlpNode},
};

use crate::{Messages, keccak256_each};

/// The least bytes of a node for which its hash stands in its parent.
const HASHED_BYTES_MIN: usize = 32;

/// The root of the trie that has each value under the RLP of its position (yellow paper, appendix D).
pub fn ordered_trie_root(values: &Messages) -> B256 {
    let values: Vec<&[u8]> = values.iter().collect();
    let mut trie = Trie::default();
    if !values.is_empty() {
        trie.add(&keys(values.len()), 0);
    }
    trie.root(&values)
}

/// A position under its key.
struct Key {
    nibbles: Nibbles,
    position: usize,
}

/// The keys of so many positions, in their order: zero is `0x80`, behind those of one byte and before those of more.
fn keys(count: usize) -> Vec<Key> {
    const ONE_BYTE_END: usize = 0x80;
    let key = |position: usize| Key { nibbles: Nibbles::unpack(alloy_rlp::encode_fixed_size(&position)), position };
    (1..count.min(ONE_BYTE_END)).chain([0]).chain(ONE_BYTE_END..count).map(key).collect()
}

enum Node {
    Leaf { path: Nibbles, position: usize },
    Extension { path: Nibbles, child: NodeIndex },
    Branch { mask: TrieMask, children: Vec<NodeIndex> },
}

/// The index of a node: its height over the leaves below it, and its number among the nodes of that height.
#[derive(Clone, Copy)]
struct NodeIndex {
    height: usize,
    number: usize,
}

#[derive(Default)]
struct Trie {
    /// Nodes by their height. The only node of the last is the root.
    levels: Vec<Vec<Node>>,
}

impl Trie {
    /// Adds the nodes for sorted keys, whose first `depth` nibbles are the same. No key is the beginning of another.
    fn add(&mut self, keys: &[Key], depth: usize) -> NodeIndex {
        let first = keys[0].nibbles;
        if let [Key { position, .. }] = keys {
            return self.push(0, Node::Leaf { path: first.slice(depth..), position: *position });
        }
        let common = first.common_prefix_length(&keys[keys.len() - 1].nibbles);
        if common > depth {
            let child = self.add(keys, common);
            return self.push(child.height + 1, Node::Extension { path: first.slice(depth..common), child });
        }
        let nibble = |key: &Key| key.nibbles.get(depth);
        let mut mask = TrieMask::default();
        let mut children = Vec::new();
        for keys in keys.chunk_by(|one, other| nibble(one) == nibble(other)) {
            mask.set_bit(nibble(&keys[0]).unwrap_or_default());
            children.push(self.add(keys, depth + 1));
        }
        let height = children.iter().map(|child| child.height + 1).max().unwrap_or_default();
        self.push(height, Node::Branch { mask, children })
    }

    fn push(&mut self, height: usize, node: Node) -> NodeIndex {
        if self.levels.len() <= height {
            self.levels.resize_with(height + 1, Vec::new);
        }
        self.levels[height].push(node);
        NodeIndex { height, number: self.levels[height].len() - 1 }
    }

    fn root(&self, values: &[&[u8]]) -> B256 {
        let Some((top, levels)) = self.levels.split_last() else { return EMPTY_ROOT_HASH };
        let mut below: Vec<Vec<RlpNode>> = Vec::new();
        for level in levels {
            let references = references(&encoded(level, values, &below));
            below.push(references);
        }
        encoded(top, values, &below).hashes()[0]
    }
}

/// The RLP of nodes of one height. `below` has the references to the nodes of each lower one.
fn encoded(level: &[Node], values: &[&[u8]], below: &[Vec<RlpNode>]) -> Messages {
    let bytes = level.iter().map(|node| node.bytes_max(values)).sum();
    let mut encoded = Messages::with_capacity(level.len(), bytes);
    for node in level {
        encoded.add(|out| node.encode(values, below, out));
    }
    encoded
}

/// Bytes of a list's head, an item's head and the most that a path of a position takes.
const PATH_AND_HEADS_BYTES_MAX: usize = 32;
/// Sixteen hashes with their heads, an empty value and the head of the list.
const BRANCH_BYTES_MAX: usize = 16 * 33 + 1 + 3;

impl Node {
    /// Bytes that the node's RLP has at most.
    fn bytes_max(&self, values: &[&[u8]]) -> usize {
        match self {
            Self::Leaf { position, .. } => values[*position].len() + PATH_AND_HEADS_BYTES_MAX,
            Self::Extension { .. } => 2 * PATH_AND_HEADS_BYTES_MAX,
            Self::Branch { .. } => BRANCH_BYTES_MAX,
        }
    }

    /// Appends the node's RLP.
    fn encode(&self, values: &[&[u8]], below: &[Vec<RlpNode>], out: &mut Vec<u8>) {
        let reference = |NodeIndex { height, number }: &NodeIndex| below[*height][*number].clone();
        match self {
            Self::Leaf { path, position } => LeafNodeRef::new(path, values[*position]).encode(out),
            Self::Extension { path, child } => ExtensionNodeRef::new(path, &reference(child)).encode(out),
            Self::Branch { mask, children } => {
                let children: Vec<RlpNode> = children.iter().map(reference).collect();
                BranchNodeRef::new(&children, *mask).encode(out);
            }
        }
    }
}

/// The reference to each node that stands in its parent: its hash, or a short node itself.
fn references(encoded: &Messages) -> Vec<RlpNode> {
    let hashed = encoded.iter().filter(|node| node.len() >= HASHED_BYTES_MIN);
    let mut hashes = keccak256_each(&hashed.collect::<Vec<_>>()).into_iter();
    let reference = |node: &[u8]| match node.len() {
        HASHED_BYTES_MIN.. => hashes.next().map(|hash| RlpNode::word_rlp(&hash)),
        _ => RlpNode::from_raw(node),
    };
    encoded.iter().filter_map(reference).collect()
}

#[cfg(test)]
mod tests {
    use alloy_trie::root::ordered_trie_root_encoded;
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn check(values: &[Vec<u8>]) {
        let messages: Messages = values.iter().collect();
        assert_eq!(ordered_trie_root(&messages), ordered_trie_root_encoded(values), "{} values", values.len());
    }

    #[test]
    fn tries_of_every_size_have_the_root_that_they_have_leaf_by_leaf() {
        for count in (0..=300).chain([0xffff, 0x1_0000, 0x1_0001]) {
            check(&(0..count).map(|number: usize| number.to_be_bytes().repeat(number % 7)).collect::<Vec<_>>());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn short_and_long_values_have_their_root(values in vec(vec(any::<u8>(), 0..80), 0..300)) {
            check(&values);
        }
    }
}
