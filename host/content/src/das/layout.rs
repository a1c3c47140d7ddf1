//! The blocks of DAS content: a root, one list of links for each blob, and nodes with its cells (docs/protocol.md, section 2).

use std::{fmt, ops::Range};

use bytes::Bytes;

use super::DasError;
use crate::{
    ContentId, Excerpt,
    cbor::{Reader, Writer},
};

/// Bytes of a cell: 64 field elements.
pub(super) const CELL_BYTES: usize = 2048;
/// Bytes of a cell's proof, and of a blob's commitment.
pub(super) const POINT_BYTES: usize = 48;
/// Cells of a blob with its redundancy.
pub(super) const CELLS: usize = 128;
/// Cells that hold the data, and the number of cells that any blob is recovered from.
pub(super) const DATA_CELLS: usize = CELLS / 2;
/// Bytes of a field element.
pub(super) const ELEMENT_BYTES: usize = 32;
/// Bytes of data in a field element: the first byte stays 0, so that the number is below the modulus.
pub(super) const ELEMENT_DATA_BYTES: usize = 31;
/// Bytes of data in a blob of 4,096 field elements.
pub const BLOB_DATA_BYTES: usize = 4096 * ELEMENT_DATA_BYTES;

/// Longest root: 529 blobs, which hold 64 MiB, are 48 KiB of links and commitments.
pub(super) const ROOT_BYTES_MAX: usize = 64 << 10;
/// Longest list: 128 links are 5,250 bytes.
pub(super) const LIST_BYTES_MAX: usize = 8 << 10;
/// Longest node: one with all cells of a blob has 268,310 bytes.
pub(super) const NODE_BYTES_MAX: usize = 264 << 10;

/// The version that a root states. Both have one layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `v0.1.0`, until 2024.
    V0_1_0,
    /// `v0.2.0`, which is written today.
    V0_2_0,
}

impl Version {
    /// All that are read.
    pub(super) const ALL: [Self; 2] = [Self::V0_2_0, Self::V0_1_0];

    const fn as_str(self) -> &'static str {
        match self {
            Self::V0_1_0 => "v0.1.0",
            Self::V0_2_0 => "v0.2.0",
        }
    }
}

/// The number of nodes that hold the cells of one blob: a power of two up to 128.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodesPerBlob(usize);

impl NodesPerBlob {
    /// Every number that is read.
    pub(super) const ALL: [Self; 8] = [Self(4), Self(1), Self(2), Self(8), Self(16), Self(32), Self(64), Self(128)];
    /// The number that is written today.
    pub const WRITTEN: Self = Self::ALL[0];

    /// A number that divides the 128 cells.
    #[must_use]
    pub fn new(nodes: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.0 as u64 == nodes)
    }

    pub(super) const fn get(self) -> usize {
        self.0
    }

    /// Cells in each node.
    pub(super) const fn cells(self) -> usize {
        CELLS / self.0
    }

    /// The first nodes, which hold the data.
    pub(super) const fn data_nodes(self) -> usize {
        self.0.div_ceil(2)
    }
}

impl fmt::Display for NodesPerBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The block that a DAS id names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Root {
    /// Bytes of the content.
    pub(super) size: usize,
    /// A list of links for each blob.
    pub(super) links: Vec<ContentId>,
    pub(super) nodes: NodesPerBlob,
    pub(super) version: Version,
    pub(super) commitments: Vec<[u8; POINT_BYTES]>,
}

impl Root {
    /// Reads a root of content of at most `limit_bytes`.
    pub(super) fn read(block: &[u8], limit_bytes: usize) -> Result<Self, DasError> {
        if block.len() > ROOT_BYTES_MAX {
            return Err(DasError::RootTooLarge { bytes: block.len() });
        }
        let mut reader = Reader::new(block);
        reader.map(5)?;
        reader.key("size")?;
        let stated = reader.unsigned()?;
        let size = usize::try_from(stated).ok().filter(|size| *size <= limit_bytes);
        let size = size.ok_or(DasError::Size { stated, limit_bytes })?;
        let blobs = size.div_ceil(BLOB_DATA_BYTES);
        reader.key("links")?;
        let links = count(reader.array()?, blobs).map_err(|found| DasError::Links { found, expected: blobs })?;
        let links = (0..links).map(|_| reader.link()).collect::<Result<_, _>>()?;
        reader.key("length")?;
        let length = reader.unsigned()?;
        let nodes = NodesPerBlob::new(length).ok_or(DasError::Length { length })?;
        reader.key("version")?;
        let version = reader.text()?;
        let known = Version::ALL.into_iter().find(|known| known.as_str().as_bytes() == version);
        let version = known.ok_or_else(|| DasError::Version { version: Excerpt::of(version) })?;
        reader.key("commitments")?;
        let stated = reader.array()?;
        count(stated, blobs).map_err(|found| DasError::Commitments { found, expected: blobs })?;
        let mut commitments = Vec::with_capacity(blobs);
        for blob in 0..blobs {
            let bytes = reader.bytes()?;
            let point = bytes.try_into().map_err(|_| DasError::CommitmentBytes { blob, bytes: bytes.len() })?;
            commitments.push(point);
        }
        reader.end()?;
        Ok(Self { size, links, nodes, version, commitments })
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.map(5);
        writer.text("size");
        writer.unsigned(self.size as u64);
        writer.text("links");
        writer.array(self.links.len());
        self.links.iter().for_each(|link| writer.link(link));
        writer.text("length");
        writer.unsigned(self.nodes.get() as u64);
        writer.text("version");
        writer.text(self.version.as_str());
        writer.text("commitments");
        writer.array(self.commitments.len());
        self.commitments.iter().for_each(|point| writer.bytes(POINT_BYTES, [&point[..]]));
        writer.finish()
    }
}

/// Reads the list of a blob's nodes.
pub(super) fn read_list(block: &[u8], nodes: NodesPerBlob) -> Result<Vec<ContentId>, DasError> {
    if block.len() > LIST_BYTES_MAX {
        return Err(DasError::ListTooLarge { bytes: block.len() });
    }
    let mut reader = Reader::new(block);
    let stated = reader.array()?;
    let links = count(stated, nodes.get()).map_err(|found| DasError::ListLinks { found, expected: nodes.get() })?;
    let links = (0..links).map(|_| reader.link()).collect::<Result<_, _>>()?;
    reader.end()?;
    Ok(links)
}

pub(super) fn write_list(links: &[ContentId]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.array(links.len());
    links.iter().for_each(|link| writer.link(link));
    writer.finish()
}

/// Reads the cells of a node, which share its memory. The proofs are only counted: the node's id and the announced hash are what
/// its bytes are checked by.
pub(super) fn read_node(block: &Bytes, nodes: NodesPerBlob) -> Result<Bytes, DasError> {
    if block.len() > NODE_BYTES_MAX {
        return Err(DasError::NodeTooLarge { bytes: block.len() });
    }
    let mut reader = Reader::new(block);
    reader.map(2)?;
    reader.key("cell")?;
    let (cells, expected) = (reader.bytes()?, nodes.cells() * CELL_BYTES);
    if cells.len() != expected {
        return Err(DasError::CellBytes { bytes: cells.len(), expected });
    }
    reader.key("proof")?;
    let (proofs, expected) = (reader.bytes()?.len(), nodes.cells() * POINT_BYTES);
    if proofs != expected {
        return Err(DasError::ProofBytes { bytes: proofs, expected });
    }
    reader.end()?;
    Ok(block.slice_ref(cells))
}

/// Writes a node of cells and their proofs.
pub(super) fn write_node<'a, C, P>(cells: C, proofs: P) -> Vec<u8>
where
    C: ExactSizeIterator<Item = &'a [u8]>,
    P: ExactSizeIterator<Item = &'a [u8]>,
{
    let mut writer = Writer::default();
    writer.map(2);
    writer.text("cell");
    writer.bytes(cells.len() * CELL_BYTES, cells);
    writer.text("proof");
    writer.bytes(proofs.len() * POINT_BYTES, proofs);
    writer.finish()
}

/// The bytes of content of `size` bytes that blob number `blob` holds.
pub(super) fn blob_range(blob: usize, size: usize) -> Range<usize> {
    let start = blob * BLOB_DATA_BYTES;
    start..size.min(start + BLOB_DATA_BYTES)
}

/// Appends the data of field elements to `data` and stops when it has `length` bytes.
pub(super) fn append_data(data: &mut Vec<u8>, elements: &[u8], length: usize) -> Result<(), DasError> {
    for element in elements.chunks_exact(ELEMENT_BYTES) {
        let (first, rest) = element.split_at(ELEMENT_BYTES - ELEMENT_DATA_BYTES);
        if first != [0] {
            return Err(DasError::Element);
        }
        data.extend_from_slice(&rest[..rest.len().min(length - data.len())]);
    }
    Ok(())
}

fn count(stated: u64, expected: usize) -> Result<usize, u64> {
    if stated == expected as u64 { Ok(expected) } else { Err(stated) }
}
