//! Bytes as DAS content: cells, proofs and commitments by `c-kzg`, on all cores.

use std::sync::Arc;

use c_kzg::{Blob, Cell, KzgProof, KzgSettings};

use super::{
    layout::{
        BLOB_DATA_BYTES, CELLS, ELEMENT_BYTES, ELEMENT_DATA_BYTES, NodesPerBlob, POINT_BYTES, Root, Version,
        blob_range, write_list, write_node,
    },
    parallel,
};
use crate::{
    Block, Codec, ContentId, Dag,
    blocking::{Interrupt, Interrupted},
};

/// The table size of the multiplications for proofs. 8 would save a fifth of their time and hold 110 MiB.
const PRECOMPUTED_BITS: u64 = 0;

/// The form in which DAS content is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Nodes that hold the cells of a blob.
    pub nodes: NodesPerBlob,
    /// The version that the root states.
    pub version: Version,
}

impl Default for Layout {
    /// The one that the network's pinner writes today.
    fn default() -> Self {
        Self { nodes: NodesPerBlob::WRITTEN, version: Version::V0_2_0 }
    }
}

/// Reasons for which bytes have no DAS root.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The KZG library failed, most likely because memory was short.
    #[error("no KZG commitments and proofs")]
    Kzg(#[from] c_kzg::Error),
    /// The work was given up, as its caller was gone.
    #[error("encoding was given up")]
    Interrupted,
}

impl From<Interrupted> for EncodeError {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

/// The id of the DAS root that the network's pinner gives these bytes. The first call of a process loads the trusted setup.
///
/// # Errors
///
/// [`EncodeError`]
pub fn das_id(bytes: &[u8]) -> Result<ContentId, EncodeError> {
    das_id_until(bytes, &Interrupt::default())
}

/// The same, until it is interrupted.
pub(crate) fn das_id_until(bytes: &[u8], interrupt: &Interrupt) -> Result<ContentId, EncodeError> {
    let Layout { nodes, version } = Layout::default();
    let blobs = encode(bytes, interrupt, |blob| (blob.commitment, list_of(&blob.nodes(nodes)).0))?;
    Ok(ContentId::of_block(Codec::DagCbor, &root(bytes.len(), &blobs, nodes, version)))
}

/// The DAS blocks of these bytes, the root last.
///
/// # Errors
///
/// [`EncodeError`]
pub fn das_dag(bytes: &[u8], layout: Layout) -> Result<Dag, EncodeError> {
    das_dag_until(bytes, layout, &Interrupt::default())
}

/// The same, until it is interrupted.
pub(crate) fn das_dag_until(bytes: &[u8], layout: Layout, interrupt: &Interrupt) -> Result<Dag, EncodeError> {
    let Layout { nodes, version } = layout;
    let encoded = encode(bytes, interrupt, |blob| {
        let nodes = blob.nodes(nodes);
        let (id, list) = list_of(&nodes);
        (blob.commitment, id, nodes, list)
    })?;
    let lists: Vec<_> = encoded.iter().map(|(commitment, id, ..)| (*commitment, *id)).collect();
    let mut blocks = Vec::new();
    // Backwards, so that an archive has each blob's list before its nodes and the data first.
    for (_, id, nodes, list) in encoded.into_iter().rev() {
        blocks.extend(nodes.into_iter().rev());
        blocks.push(Block { id, bytes: list.into() });
    }
    let root = block(root(bytes.len(), &lists, nodes, version));
    let id = root.id;
    blocks.push(root);
    Ok(Dag::from_parts(id, blocks))
}

/// Tells whether `id` is a DAS root of these bytes, in any layout that is read.
pub(crate) fn names(id: &ContentId, bytes: &[u8], interrupt: &Interrupt) -> Result<bool, EncodeError> {
    let encoded = encode(bytes, interrupt, |blob| {
        (blob.commitment, NodesPerBlob::ALL.map(|nodes| list_of(&blob.nodes(nodes)).0))
    })?;
    Ok(NodesPerBlob::ALL.iter().enumerate().any(|(index, nodes)| {
        let lists: Vec<_> = encoded.iter().map(|(commitment, lists)| (*commitment, lists[index])).collect();
        Version::ALL.into_iter().any(|version| id.names(&root(bytes.len(), &lists, *nodes, version)))
    }))
}

type Point = [u8; POINT_BYTES];

/// A blob of data with its redundancy.
struct EncodedBlob {
    commitment: Point,
    cells: Box<[Cell; CELLS]>,
    proofs: Box<[KzgProof; CELLS]>,
}

impl EncodedBlob {
    fn of(data: &[u8], setup: &KzgSettings) -> Result<Self, c_kzg::Error> {
        let mut elements = vec![0; BLOB_DATA_BYTES / ELEMENT_DATA_BYTES * ELEMENT_BYTES];
        for (element, data) in elements.chunks_exact_mut(ELEMENT_BYTES).zip(data.chunks(ELEMENT_DATA_BYTES)) {
            element[ELEMENT_BYTES - ELEMENT_DATA_BYTES..][..data.len()].copy_from_slice(data);
        }
        let blob = Blob::from_bytes(&elements)?;
        let commitment = setup.blob_to_kzg_commitment(&blob)?.to_bytes().into_inner();
        let (cells, proofs) = setup.compute_cells_and_kzg_proofs(&blob)?;
        Ok(Self { commitment, cells, proofs })
    }

    fn nodes(&self, nodes: NodesPerBlob) -> Vec<Block> {
        let groups = self.cells.chunks(nodes.cells()).zip(self.proofs.chunks(nodes.cells()));
        let node = |(cells, proofs): (&[Cell], &[KzgProof])| {
            let cells: Vec<_> = cells.iter().map(Cell::to_bytes).collect();
            let proofs: Vec<_> = proofs.iter().map(|proof| proof.to_bytes().into_inner()).collect();
            block(write_node(cells.iter().map(|cell| &cell[..]), proofs.iter().map(|proof| &proof[..])))
        };
        groups.map(node).collect()
    }
}

/// Encodes each blob of `bytes`, and keeps what `keep` makes of it: a blob has twice its bytes.
fn encode<R: Send>(
    bytes: &[u8],
    interrupt: &Interrupt,
    keep: impl Fn(EncodedBlob) -> R + Sync,
) -> Result<Vec<R>, EncodeError> {
    let blobs = bytes.len().div_ceil(BLOB_DATA_BYTES);
    if blobs == 0 {
        return Ok(Vec::new());
    }
    let setup: Arc<KzgSettings> = c_kzg::ethereum_kzg_settings_arc(PRECOMPUTED_BITS);
    let encode = |blob| {
        interrupt.check()?;
        Ok(keep(EncodedBlob::of(&bytes[blob_range(blob, bytes.len())], &setup)?))
    };
    parallel::map(blobs, encode)
}

fn list_of(nodes: &[Block]) -> (ContentId, Vec<u8>) {
    let links: Vec<_> = nodes.iter().map(|node| node.id).collect();
    let list = write_list(&links);
    (ContentId::of_block(Codec::DagCbor, &list), list)
}

fn root(size: usize, lists: &[(Point, ContentId)], nodes: NodesPerBlob, version: Version) -> Vec<u8> {
    let (commitments, links) = lists.iter().copied().unzip();
    Root { size, links, nodes, version, commitments }.write()
}

fn block(bytes: Vec<u8>) -> Block {
    Block { id: ContentId::of_block(Codec::DagCbor, &bytes), bytes: bytes.into() }
}
