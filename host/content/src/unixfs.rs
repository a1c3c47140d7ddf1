//! The network's UnixFS profile for a file: how bytes become blocks, and which id they have.
//!
//! CIDv1, sha2-256, raw leaves, chunks of 262,144 bytes, balanced layout with 174 links, nothing inlined. A file of one chunk is
//! its raw leaf; a larger one a tree of dag-pb nodes, all leaves at one depth. ipfs-pinner, ewm-das and `ipfs add --cid-version 1`
//! share it. Source: <https://specs.ipfs.tech/unixfs/>, go-unixfs `importer/balanced`.

use std::ops::Range;

use bytes::Bytes;

use crate::{
    dag_pb,
    id::{Codec, ContentId},
};

/// Bytes of a leaf, the last one excepted.
pub const CHUNK_BYTES: usize = 262_144;
/// Links of a node.
pub const LINKS_MAX: usize = 174;

/// The id the network's UnixFS profile gives these bytes.
#[must_use]
pub fn content_id(bytes: &[u8]) -> ContentId {
    let mut builder = Builder::new();
    builder.update(bytes);
    builder.finish()
}

/// A block and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The name, whose digest is the sha2-256 of `bytes`.
    pub id: ContentId,
    /// Bytes of the block.
    pub bytes: Bytes,
}

/// All blocks of a file by the network's UnixFS profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dag {
    root: ContentId,
    blocks: Vec<Block>,
}

impl Dag {
    /// Cuts `bytes` into blocks. The leaves share its memory.
    #[must_use]
    pub fn of(bytes: &Bytes) -> Self {
        let mut nodes = Nodes::default();
        let mut blocks = Vec::with_capacity(bytes.len() / CHUNK_BYTES + 2);
        let mut keep = |id, bytes| blocks.push(Block { id, bytes });
        let mut rest = bytes.clone();
        loop {
            let leaf = rest.split_to(rest.len().min(CHUNK_BYTES));
            let id = ContentId::of_block(Codec::Raw, &leaf);
            nodes.add(Entry::leaf(id, leaf.len()), &mut keep);
            keep(id, leaf);
            if rest.is_empty() {
                break;
            }
        }
        let root = nodes.finish(&mut keep);
        Self { root, blocks }
    }

    pub(crate) const fn from_parts(root: ContentId, blocks: Vec<Block>) -> Self {
        Self { root, blocks }
    }

    /// Content id of the file.
    #[must_use]
    pub const fn root(&self) -> ContentId {
        self.root
    }

    /// The blocks, every one after those it links to; the root is the last.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }
}

/// A block of a file, by the bytes of the file that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) id: ContentId,
    pub(crate) range: Range<usize>,
}

/// The id of a file, and all blocks below its root whose id is that of their part of the file.
pub(crate) fn parts(bytes: &[u8]) -> (ContentId, Vec<Part>) {
    let mut below = Vec::new();
    let mut start = 0;
    let leaf = |chunk: &[u8]| Entry::leaf(ContentId::of_block(Codec::Raw, chunk), chunk.len());
    let mut level: Vec<_> = bytes.chunks(CHUNK_BYTES).map(leaf).collect();
    // A node above a single one has another id than the file of its bytes.
    let mut names_its_part = vec![true; level.len()];
    if level.is_empty() {
        level.push(leaf(&[]));
    }
    while level.len() > 1 {
        for (entry, names_its_part) in level.iter().zip(&names_its_part) {
            let end = start + usize::try_from(entry.file_bytes).unwrap_or(usize::MAX);
            if *names_its_part {
                below.push(Part { id: entry.id, range: start..end });
            }
            start = end;
        }
        start = 0;
        names_its_part = level.chunks(LINKS_MAX).map(|entries| entries.len() > 1).collect();
        level = level.chunks(LINKS_MAX).map(|entries| close(entries, &mut |_, _| {})).collect();
    }
    (level[0].id, below)
}

/// Computes a file's id from bytes that arrive in pieces of any size. Holds at most one chunk and the ids of unfinished nodes.
#[derive(Debug, Default)]
pub struct Builder {
    nodes: Nodes,
    partial: Vec<u8>,
    leaves: usize,
}

impl Builder {
    /// A file without bytes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes to the end of the file.
    pub fn update(&mut self, mut bytes: &[u8]) {
        if !self.partial.is_empty() {
            let (fill, rest) = bytes.split_at(bytes.len().min(CHUNK_BYTES - self.partial.len()));
            self.partial.extend_from_slice(fill);
            bytes = rest;
            if self.partial.len() < CHUNK_BYTES {
                return;
            }
            let chunk = std::mem::take(&mut self.partial);
            self.leaf(&chunk);
            self.partial = chunk;
            self.partial.clear();
        }
        let (chunks, rest) = bytes.as_chunks::<CHUNK_BYTES>();
        for chunk in chunks {
            self.leaf(chunk);
        }
        self.partial.extend_from_slice(rest);
    }

    /// The id of everything that was added.
    #[must_use]
    pub fn finish(mut self) -> ContentId {
        if self.leaves == 0 || !self.partial.is_empty() {
            let last = std::mem::take(&mut self.partial);
            self.leaf(&last);
        }
        self.nodes.finish(&mut |_, _| {})
    }

    fn leaf(&mut self, chunk: &[u8]) {
        self.leaves += 1;
        self.nodes.add(Entry::leaf(ContentId::of_block(Codec::Raw, chunk), chunk.len()), &mut |_, _| {});
    }
}

/// A parent's statement about a child.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) id: ContentId,
    /// Bytes of the file below.
    pub(crate) file_bytes: u64,
    /// Bytes of all blocks below, the child's own included.
    pub(crate) dag_bytes: u64,
}

impl Entry {
    const fn leaf(id: ContentId, bytes: usize) -> Self {
        Self { id, file_bytes: bytes as u64, dag_bytes: bytes as u64 }
    }
}

/// The entries of unfinished nodes, lowest level first.
#[derive(Debug, Default)]
struct Nodes(Vec<Vec<Entry>>);

impl Nodes {
    fn add(&mut self, entry: Entry, keep: &mut impl FnMut(ContentId, Bytes)) {
        self.add_at(0, entry, keep);
    }

    fn add_at(&mut self, level: usize, entry: Entry, keep: &mut impl FnMut(ContentId, Bytes)) {
        if self.0.len() == level {
            self.0.push(Vec::new());
        }
        // A full level closes only when one more comes, so that its node can be the root.
        if self.0[level].len() == LINKS_MAX {
            let node = close(&std::mem::take(&mut self.0[level]), keep);
            self.add_at(level + 1, node, keep);
        }
        self.0[level].push(entry);
    }

    fn finish(mut self, keep: &mut impl FnMut(ContentId, Bytes)) -> ContentId {
        let mut level = 0;
        loop {
            let entries = std::mem::take(&mut self.0[level]);
            if let ([root], true) = (entries.as_slice(), level + 1 == self.0.len()) {
                return root.id;
            }
            let node = close(&entries, keep);
            self.add_at(level + 1, node, keep);
            level += 1;
        }
    }
}

fn close(entries: &[Entry], keep: &mut impl FnMut(ContentId, Bytes)) -> Entry {
    let node = dag_pb::file_node(entries);
    let id = ContentId::of_block(Codec::DagPb, &node);
    let entry = Entry {
        id,
        file_bytes: entries.iter().map(|entry| entry.file_bytes).sum(),
        dag_bytes: entries.iter().map(|entry| entry.dag_bytes).sum::<u64>() + node.len() as u64,
    };
    keep(id, node.into());
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_file_has_the_id_that_a_file_of_its_bytes_has() {
        let bytes: Vec<u8> = (0..(LINKS_MAX + 2) * 64).flat_map(|word| word.to_le_bytes().repeat(512)).collect();
        for (length, below) in [
            (0, 0),
            (CHUNK_BYTES, 0),
            (CHUNK_BYTES + 1, 2),
            (LINKS_MAX * CHUNK_BYTES, LINKS_MAX),
            // The second node has one leaf.
            (LINKS_MAX * CHUNK_BYTES + 1, LINKS_MAX + 2),
            (LINKS_MAX * CHUNK_BYTES + CHUNK_BYTES + 1, LINKS_MAX + 4),
        ] {
            let (id, parts) = parts(&bytes[..length]);
            assert_eq!((id, parts.len()), (content_id(&bytes[..length]), below), "{length} bytes");
            for Part { id, range } in parts {
                assert_eq!(id, content_id(&bytes[range.clone()]), "{range:?} of {length} bytes");
            }
        }
    }

    /// A third level of nodes begins at 174 × 174 chunks, 7.4 GiB; entries alone show it.
    #[test]
    fn nodes_closed_one_by_one_are_those_of_whole_levels() {
        let leaf = |number: usize| Entry::leaf(ContentId::of_block(Codec::Raw, &number.to_le_bytes()), CHUNK_BYTES);
        let full = LINKS_MAX * LINKS_MAX;
        for leaves in [full - 1, full, full + 1, full + LINKS_MAX + 1] {
            let mut nodes = Nodes::default();
            (0..leaves).for_each(|number| nodes.add(leaf(number), &mut |_, _| {}));

            let mut level: Vec<Entry> = (0..leaves).map(leaf).collect();
            while level.len() > 1 {
                level = level.chunks(LINKS_MAX).map(|entries| close(entries, &mut |_, _| {})).collect();
            }
            assert_eq!(nodes.finish(&mut |_, _| {}), level[0].id, "{leaves} leaves");
        }
    }
}
