//! Content put together from the blocks of a DAS root, in whatever order they come.

use std::collections::{HashMap, HashSet, VecDeque};

use bytes::Bytes;

use super::{
    DasError,
    data::{data_of, recover},
    erasure::Recovery,
    layout::{
        CELL_BYTES, DATA_CELLS, LIST_BYTES_MAX, NODE_BYTES_MAX, NodesPerBlob, ROOT_BYTES_MAX, Root, blob_range,
        read_list, read_node,
    },
    parallel,
};
use crate::{Codec, ContentId, blocking::Interrupt};

/// Bytes of blocks kept that nothing links to yet, as an archive may have any order.
const UNLINKED_BYTES_MAX: usize = 16 << 20;
/// Memory of such a block beside its bytes. An archive of 200 MiB has room for five million empty ones.
const UNLINKED_EXTRA_BYTES: usize = 256;

/// The state of one root's blocks.
pub(crate) struct Assembly {
    id: ContentId,
    limit_bytes: usize,
    size: usize,
    nodes: NodesPerBlob,
    blobs: Vec<Blob>,
    /// Blobs without enough cells.
    open: usize,
    /// Blocks that are linked to, with what they are.
    wanted: HashMap<ContentId, Vec<Position>>,
    /// Blocks that are linked to and not needed.
    spare: HashSet<ContentId>,
    unlinked: HashMap<ContentId, Bytes>,
    unlinked_bytes: usize,
    /// Blocks to ask for next.
    queue: VecDeque<ContentId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Root,
    List { blob: usize },
    Node { blob: usize, node: usize },
}

enum Blob {
    Unlisted,
    Open {
        links: Vec<ContentId>,
        /// The cells of each node that came.
        nodes: Vec<Option<Bytes>>,
        /// True when the nodes beyond the data are asked for as well.
        widened: bool,
    },
    Data(Vec<u8>),
}

/// Content whose every block was checked.
pub(crate) struct Assembled {
    pub(crate) bytes: Bytes,
    /// True when some of it was computed from other cells than those that hold it.
    pub(crate) is_recovered: bool,
}

impl Assembly {
    pub(crate) fn new(id: ContentId, limit_bytes: usize) -> Self {
        Self {
            id,
            limit_bytes,
            size: 0,
            nodes: NodesPerBlob::WRITTEN,
            blobs: Vec::new(),
            open: 1,
            wanted: HashMap::from([(id, vec![Position::Root])]),
            spare: HashSet::new(),
            unlinked: HashMap::new(),
            unlinked_bytes: 0,
            queue: VecDeque::from([id]),
        }
    }

    /// The root.
    pub(crate) const fn id(&self) -> ContentId {
        self.id
    }

    /// True when every blob has enough cells.
    pub(crate) const fn is_complete(&self) -> bool {
        self.open == 0
    }

    /// Whether more blocks came than fit that nothing links to.
    pub(crate) const fn is_flooded(&self) -> bool {
        self.unlinked_bytes > UNLINKED_BYTES_MAX
    }

    /// The next block to ask for.
    pub(crate) fn next(&mut self) -> Option<ContentId> {
        std::iter::from_fn(|| self.queue.pop_front()).find(|id| self.wanted.contains_key(id))
    }

    /// Asks for everything again that is still wanted.
    pub(crate) fn ask_again(&mut self) {
        self.queue = self.wanted.keys().copied().collect();
    }

    /// The most bytes of a block that is wanted.
    pub(crate) fn block_limit(&self, id: &ContentId) -> usize {
        let places = self.wanted.get(id).into_iter().flatten();
        let limit = |place: &Position| match place {
            Position::Root => ROOT_BYTES_MAX,
            Position::List { .. } => LIST_BYTES_MAX,
            Position::Node { .. } => NODE_BYTES_MAX,
        };
        places.map(limit).max().unwrap_or(NODE_BYTES_MAX)
    }

    /// True when the block is a node, in whose place others can stand.
    pub(crate) fn is_node(&self, id: &ContentId) -> bool {
        let places = self.wanted.get(id).into_iter().flatten();
        places.clone().count() > 0 && places.clone().all(|place| matches!(place, Position::Node { .. }))
    }

    /// Notes that a node was not found, and asks for the other nodes of its blobs.
    pub(crate) fn unavailable(&mut self, id: &ContentId) {
        let places = self.wanted.get(id).into_iter().flatten();
        let blobs: Vec<_> = places.filter_map(|place| place.blob_of_node()).collect();
        for blob in blobs {
            if let Some(Blob::Open { links, widened: widened @ false, .. }) = self.blobs.get_mut(blob) {
                *widened = true;
                self.queue.extend(&links[self.nodes.data_nodes()..]);
            }
        }
    }

    /// Takes a block that was sent under `id`.
    ///
    /// # Errors
    ///
    /// [`DasError`] when it is not what `id` names, or not what the blocks above it announced.
    pub(crate) fn offer(&mut self, id: ContentId, block: Bytes) -> Result<(), DasError> {
        let mut arrived = VecDeque::from([(id, block)]);
        while let Some((id, block)) = arrived.pop_front() {
            let Some(places) = self.wanted.remove(&id) else {
                self.keep_unlinked(id, &block);
                continue;
            };
            if !id.names(&block) {
                return Err(DasError::Mismatch { id });
            }
            for place in places {
                for link in self.take(place, &block)? {
                    arrived.extend(self.take_unlinked(&link));
                }
            }
        }
        Ok(())
    }

    /// The content.
    ///
    /// # Errors
    ///
    /// [`DasError`] when blocks are missing, or when no data can be recovered from the cells that came.
    pub(crate) fn finish(self, interrupt: &Interrupt) -> Result<Assembled, DasError> {
        let Self { id, size, blobs, .. } = self;
        if !self.spare.contains(&id) {
            return Err(DasError::Missing { id });
        }
        let is_data = |blob: &Blob| matches!(blob, Blob::Data(_));
        let is_recovered = !blobs.iter().all(is_data);
        let recovery = if is_recovered { Recovery::new() } else { None };
        let recovered = parallel::map(blobs.len(), |blob| match &blobs[blob] {
            _ if interrupt.check().is_err() => Err(DasError::Interrupted),
            Blob::Data(_) => Ok(None),
            Blob::Unlisted => Err(DasError::TooFewCells { blob, found: 0 }),
            Blob::Open { nodes, .. } => {
                recover(nodes, self.nodes, blob, blob_range(blob, size).len(), recovery.as_ref()).map(Some)
            }
        })?;
        let mut bytes = Vec::with_capacity(size);
        for (blob, recovered) in blobs.into_iter().zip(recovered) {
            match (blob, recovered) {
                (Blob::Data(data), _) | (_, Some(data)) => bytes.extend_from_slice(&data),
                (Blob::Unlisted | Blob::Open { .. }, None) => {}
            }
        }
        Ok(Assembled { bytes: bytes.into(), is_recovered })
    }

    /// Takes a block in its place. Returns the blocks that it links to.
    fn take(&mut self, place: Position, block: &Bytes) -> Result<Vec<ContentId>, DasError> {
        match place {
            Position::Root => {
                let root = Root::read(block, self.limit_bytes)?;
                self.spare.insert(self.id);
                (self.size, self.nodes, self.open) = (root.size, root.nodes, root.links.len());
                self.blobs.resize_with(root.links.len(), || Blob::Unlisted);
                for (blob, link) in root.links.iter().enumerate() {
                    self.want(*link, Position::List { blob }, true);
                }
                Ok(root.links)
            }
            Position::List { blob } => {
                let links = read_list(block, self.nodes)?;
                for (node, link) in links.iter().enumerate() {
                    self.want(*link, Position::Node { blob, node }, node < self.nodes.data_nodes());
                }
                let nodes = vec![None; links.len()];
                self.blobs[blob] = Blob::Open { links: links.clone(), nodes, widened: false };
                Ok(links)
            }
            Position::Node { blob, node } => {
                let cells = read_node(block, self.nodes)?;
                self.take_cells(blob, node, cells)?;
                Ok(Vec::new())
            }
        }
    }

    fn take_cells(&mut self, blob: usize, node: usize, cells: Bytes) -> Result<(), DasError> {
        let Blob::Open { links, nodes, .. } = &mut self.blobs[blob] else { return Ok(()) };
        let is_enough = |nodes: &[Option<Bytes>]| nodes.iter().flatten().count() * self.nodes.cells() >= DATA_CELLS;
        if is_enough(nodes) {
            // One node with several places in the blob has filled it by its first ones.
            return Ok(());
        }
        nodes[node] = Some(cells);
        if !is_enough(nodes) {
            return Ok(());
        }
        let has_data = nodes[..self.nodes.data_nodes()].iter().all(Option::is_some);
        self.open -= 1;
        // Each once: a list may name one node 128 times, and that node may have a place in every blob.
        let links: HashSet<_> = std::mem::take(links).into_iter().collect();
        if has_data {
            let cells = nodes.iter().flatten().flat_map(|node| node.chunks(CELL_BYTES));
            let data = data_of(cells.take(DATA_CELLS), blob_range(blob, self.size).len())?;
            self.blobs[blob] = Blob::Data(data);
        }
        for link in links {
            self.forget(link, blob);
        }
        Ok(())
    }

    fn want(&mut self, id: ContentId, place: Position, at_once: bool) {
        self.spare.remove(&id);
        self.wanted.entry(id).or_default().push(place);
        if at_once {
            self.queue.push_back(id);
        }
    }

    fn forget(&mut self, id: ContentId, of_blob: usize) {
        if let Some(places) = self.wanted.get_mut(&id) {
            places.retain(|place| place.blob_of_node() != Some(of_blob));
            if places.is_empty() {
                self.wanted.remove(&id);
                self.spare.insert(id);
            }
        }
    }

    fn keep_unlinked(&mut self, id: ContentId, block: &Bytes) {
        // Blocks of another form are linked to by no DAS block.
        if id.codec() == Codec::DagCbor && !self.spare.contains(&id) && !self.is_flooded() {
            // Of another block of the same id, as none was checked yet.
            self.take_unlinked(&id);
            self.unlinked_bytes += bytes_of_unlinked(block);
            // A copy: a small block would keep all of the archive's piece that it came in.
            self.unlinked.insert(id, Bytes::copy_from_slice(block));
        }
    }

    /// Takes out a block that something links to now: its room is free for others.
    fn take_unlinked(&mut self, id: &ContentId) -> Option<(ContentId, Bytes)> {
        let (id, block) = self.unlinked.remove_entry(id)?;
        self.unlinked_bytes -= bytes_of_unlinked(&block);
        Some((id, block))
    }
}

const fn bytes_of_unlinked(block: &Bytes) -> usize {
    block.len() + UNLINKED_EXTRA_BYTES
}

impl Position {
    const fn blob_of_node(&self) -> Option<usize> {
        match self {
            Self::Node { blob, .. } => Some(*blob),
            Self::Root | Self::List { .. } => None,
        }
    }
}
